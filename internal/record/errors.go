package record

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Code says what kind of rule was broken. Codes are stable: other programs may act on them.
type Code string

// The codes of [Error].
const (
	CodeSyntax    Code = "syntax"         // not JSON, or cut short
	CodeDuplicate Code = "duplicate"      // a member twice in one object
	CodeUnknown   Code = "unknown-member" // a member that the format does not have
	CodeMissing   Code = "missing"        // a required member is not there
	CodeEmpty     Code = "empty"          // null, "", [] or {} where something must stand
	CodeTrailing  Code = "trailing"       // bytes after the value
	CodeUTF8      Code = "utf-8"          // invalid UTF-8
	CodeNumber    Code = "number"         // a number that an IEEE 754 double does not carry
	CodeDepth     Code = "depth"          // nesting over the limit
	CodeSize      Code = "size"           // over a limit of bytes or of elements
	CodeType      Code = "type"           // a value of another JSON type
	CodeValue     Code = "value"          // well-formed, but not one of what may stand here
	CodeKind      Code = "kind"           // a kind that this version does not know
	CodeAlgorithm Code = "algorithm"      // a signature or sealing algorithm that is not known here
	CodeKey       Code = "key"            // a key that the keyring does not have
	CodeSignature Code = "signature"      // a signature that does not verify
	CodeRole      Code = "role"           // a key that may not do this
	CodeChain     Code = "chain"          // a keyring that does not follow from the one before
	CodeObject    Code = "object"         // the bytes of an object are not as they must be
	CodeSealing   Code = "sealing"        // sealed, or to be sealed, in a way that is not allowed
)

// Error is the one error of this package's decoders and checks. It prints as one line: what, where, what to do.
type Error struct {
	Code    Code
	Pointer string // JSON pointer (RFC 6901) of the place; empty for the value as a whole
	Msg     string // what is wrong and what to do about it
	Err     error  // the cause, when another package found it
}

// Error returns one line: the place, what is wrong there, and the remedy.
func (e *Error) Error() string {
	if e.Pointer == "" {
		return e.Msg
	}
	return fmt.Sprintf("at %s: %s", printable(e.Pointer), e.Msg)
}

// printable returns a pointer as it may be shown: names come from outside, and could break the line, turn its direction or
// fill the screen.
func printable(pointer string) string {
	const most = 200
	shown := strconv.Quote(pointer)
	shown = shown[1 : len(shown)-1]
	if len(shown) > most {
		shown = strings.ToValidUTF8(shown[:most], "") + "…"
	}
	return shown
}

// Unwrap returns the cause, if another package found it.
func (e *Error) Unwrap() error { return e.Err }

func fail(code Code, at, format string, args ...any) *Error {
	return &Error{Code: code, Pointer: at, Msg: fmt.Sprintf(format, args...)}
}

// under returns the same error with its place below at.
func (e *Error) under(at string) *Error {
	if e == nil || at == "" {
		return e
	}
	moved := *e
	moved.Pointer = at + e.Pointer
	return &moved
}

// asError returns err as an *Error without making a nil pointer into a non-nil error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// jsonError translates what the JSON packages say about a value that stands at the pointer at.
func jsonError(err error, at string) *Error {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic):
		place := at + string(syntactic.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return &Error{CodeDuplicate, place, "the member stands twice in one object: keep one of them", err}
		}
		return &Error{CodeSyntax, place, fmt.Sprintf("not valid JSON at byte %d: %v: send one complete JSON value", syntactic.ByteOffset, syntactic.Err), err}
	case errors.As(err, &semantic):
		place := at + string(semantic.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			return &Error{CodeUnknown, place, "the format has no such member: remove it, or use a version that knows it", err}
		}
		var own *Error
		if errors.As(semantic.Err, &own) {
			return own.under(place)
		}
		if semantic.Err != nil {
			return &Error{CodeValue, place, fmt.Sprintf("cannot stand here: %v: see the kind's schema", semantic.Err), err}
		}
		return &Error{CodeType, place, fmt.Sprintf("a JSON %s cannot stand here: see the kind's schema", kindWord(semantic.JSONKind)), err}
	}
	return &Error{CodeSyntax, at, fmt.Sprintf("not valid JSON: %v: send one complete JSON value", err), err}
}

func kindWord(k jsontext.Kind) string {
	switch k {
	case '{', '}':
		return "object"
	case '[', ']':
		return "array"
	case '"':
		return "string"
	case '0':
		return "number"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "value"
}

// A checker keeps the first fault that a body's checks find.
type checker struct{ err *Error }

func (c *checker) fail(code Code, at, format string, args ...any) {
	if c.err == nil {
		c.err = fail(code, at, format, args...)
	}
}

func (c *checker) add(err *Error) {
	if c.err == nil {
		c.err = err
	}
}

// required says that a member is missing when there is none. Nothing that was written is ever empty: see scan.
func (c *checker) required(there bool, at string) bool {
	if !there {
		c.fail(CodeMissing, at, "the member is required: add it")
	}
	return there
}

// count checks the number of elements of a list or map.
func (c *checker) count(n, most int, at string) {
	if n > most {
		c.fail(CodeSize, at, "%d elements, at most %d are allowed: split it", n, most)
	}
}
