// Package http1 reads hosts and URLs out of the beginning of an HTTP/1 connection's client side.
//
// It promises linear work and no panic on any bytes; its results point into what it was given. It
// reads request heads only: no bodies, no chunks, and of answers the status line. What follows a
// body whose length is not stated is found again at the next request line.
// Start reading at [Requests].
package http1
