// Package dns reads DNS messages (RFC 1035) over UDP and TCP: questions, and the answers that
// indicators are about.
//
// It promises linear work on any bytes (compression pointers only go backwards and are counted),
// and gives what could be read of a message that is cut. It resolves nothing and judges nothing.
// Start reading at [Parse]; [Stream] splits the messages of a TCP connection.
package dns
