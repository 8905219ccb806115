// Package coding sends HTTP answers in a content coding that the client takes (gzip or zstd, RFC 9110, RFC 8878) where that
// pays, and is the one place of the program that negotiates.
//
// It promises that every coding has an entity-tag of its own, that conditional, range and HEAD requests are answered for
// the very form that GET would send, that nothing grows by being coded, and that memory is bounded whatever is asked.
// Ranges are served of the plain form only.
//
// It is not for contents that are secret: the length of a compressed answer tells of what stands in it, so that somebody
// who can put words into an answer can guess the words beside them (the attack BREACH). What goes to a caller who had to say
// who it is, is therefore not compressed, unless whoever calls Serve knows that nothing in it is secret. Nor is it for streams.
//
// Start with Coder.Serve; Coder.Anonymous wraps handlers that write JSON. accept.go reads the header.
package coding
