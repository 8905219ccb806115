// Package hello reads what TLS, DTLS and QUIC show before encryption begins: client and server
// hellos, certificates up to TLS 1.2, alerts; and makes the fingerprints JA3, JA3S and JA4 of them.
//
// It promises to read every hello that a real endpoint accepts, never to panic, and to do an
// amount of work that is linear in the bytes it is given. It knows nothing of packets and
// connections: package packet puts streams together, package fingerprint joins both. JA4 is the
// client fingerprint under the BSD licence only; none of the other fingerprints of that family is
// here or may be added, because their licence forbids commercial use.
// Start reading at [ClientHello.Parse] and [Side.Next].
package hello
