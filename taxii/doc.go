// Package taxii is TAXII 2.1 (OASIS Standard, 10 June 2021) for both ends: an http.Handler that serves collections of
// STIX objects from a small Backend, and a client that pulls from and pushes to any TAXII 2.1 server.
//
// The server promises that objects leave as the bytes that the backend holds, never re-encoded; that a client that pages
// while others write sees each object once and misses none, if the backend keeps the order it is asked for; that what a
// caller may not know leaves no trace; and that hostile requests cost bounded time and memory. The client promises each
// object once, over restarts and over servers that repeat, skip or round.
//
// It is not a store (Memory is an example and a double for tests), it does not validate STIX beyond what a collection needs
// to file an object (plug a validator in with Options.Check), and it does not speak TAXII 1.x or 2.0.
//
// Start reading at Backend, then Server.ServeHTTP; for the client at Client.Pull. Comments cite the standard by section.
package taxii
