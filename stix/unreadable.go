package stix

import (
	"bytes"
	"fmt"
)

// Reason says why bytes could not be read as JSON that has one meaning.
type Reason string

// The reasons for which a document is unreadable.
const (
	NotJSON      Reason = "not JSON"
	DuplicateKey Reason = "duplicate key"
	InvalidUTF8  Reason = "invalid UTF-8"
	TooDeep      Reason = "nested too deeply"
	HugeNumber   Reason = "number too large"
	TooLarge     Reason = "too large"
	NotABundle   Reason = "neither an object nor a bundle"
)

// UnreadableError says that input could not be read at all: it is not a wrong object, it is no object. STIX requires
// I-JSON (RFC 7493), hence duplicate keys and unpaired surrogates are unreadable as well.
type UnreadableError struct {
	Reason Reason
	Offset int64 // byte offset in the input
	Line   int   // from 1; 0 in a stream, where it is not known
	Column int   // in bytes, from 1
	Detail string
}

func (e *UnreadableError) Error() string {
	where := fmt.Sprintf("byte %d", e.Offset)
	if e.Line > 0 {
		where = fmt.Sprintf("line %d, column %d", e.Line, e.Column)
	}
	if e.Detail == "" {
		return fmt.Sprintf("reading STIX: %s at %s", e.Reason, where)
	}
	return fmt.Sprintf("reading STIX: %s at %s: %s", e.Reason, where, e.Detail)
}

// locate fills in line and column from the whole input.
func (e *UnreadableError) locate(input []byte) *UnreadableError {
	at := min(int(e.Offset), len(input))
	e.Line = bytes.Count(input[:at], []byte{'\n'}) + 1
	e.Column = at - bytes.LastIndexByte(input[:at], '\n')
	return e
}
