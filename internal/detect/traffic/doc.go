// Package traffic turns captures into events: one for each connection's addresses, and one for each TLS or QUIC hello,
// DNS message and HTTP request in it.
//
// It promises what package fingerprint promises, which it stands on: fixed memory, no run stopped by a bad packet, both
// readings of overlapping segments. It matches nothing. Start reading at [Run]; [Source] takes
// packets one by one.
package traffic
