// Package fingerprint turns captures into events: one for every TLS, DTLS and QUIC client hello,
// with its fingerprints and what the server's side showed. It backs `mithaq fingerprint`.
//
// It promises fixed memory whatever the traffic (a fixed number of flows, sessions and bytes; the
// oldest gives way and is counted), no allocation for packets that carry no hello, and that bad
// packets never stop a run. Where TCP segments overlap with different bytes it reads both ways and
// reports every hello either of them gives. It judges nothing: a fingerprint is context, never an
// alert. Start reading at [Run]; [Engine] takes packets one by one.
package fingerprint
