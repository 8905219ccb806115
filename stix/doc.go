// Package stix reads, checks and writes STIX 2.1 objects and bundles (OASIS Standard, with Errata 01).
//
// It promises that bytes are kept as they came (an Object's Raw is a piece of the input, never a re-encoding), that
// time and memory are bounded by the input and by Limits whatever the input is, and that validation says for every
// finding where it is (a JSON pointer) and which rule it breaks. It imports nothing but the standard library.
//
// It is not a pattern engine (package stix/pattern is; plug it in with Options.Pattern), not a store, and it does no
// input or output of its own.
//
// Start reading at Parse (whole documents), Objects (streams of any size) and Validate; Effective answers which
// marking applies to an object or a part of it.
package stix
