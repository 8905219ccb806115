// Package packet decodes captured packets and puts their pieces back together: links, tunnels,
// IPv4 and IPv6 with their fragments, TCP and UDP headers, and the first kilobytes of a stream.
//
// It promises fixed memory and no allocation per packet in the steady state, no panic on any
// bytes, and that nothing is thrown away for a wrong checksum. Where overlapping pieces differ it
// gives both readings, first bytes kept and later bytes replacing, and says so: which one the
// receiver took cannot be known from outside. It is not a complete TCP: no windows, no timers.
// Start reading at [Decoder.Decode]; [Stream] is the reassembly that TCP, QUIC and DTLS share.
package packet
