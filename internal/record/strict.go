package record

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits of the formats (docs/formats.md, sections 2 and 4).
const (
	MaxDepth    = 64       // levels of nesting of any JSON value
	MaxPayload  = 32 << 20 // bytes of a payload
	MaxEnvelope = 45 << 20 // bytes of an envelope
	MaxObject   = 48 << 20 // bytes of an object
)

// maxExact is the largest integer up to which doubles carry every integer.
const maxExact = 1 << 53

// scan reads the whole of b once and refuses everything that docs/formats.md, section 2, refuses whatever its
// meaning: bad JSON, bad UTF-8, members given twice, numbers that lose digits, depth, size, trailing bytes.
// Empty values (null, "", [] and {}) are refused too, except below the pointer verbatim, where other people's JSON stands;
// so after a scan a Go zero value means "not there".
func scan(b []byte, size int, verbatim string) *Error {
	if len(b) > size {
		return fail(CodeSize, "", "%d bytes, at most %d are allowed: split it", len(b), size)
	}
	s := scanner{dec: jsontext.NewDecoder(bytes.NewBuffer(b)), verbatim: verbatim}
	for first := true; first || s.dec.StackDepth() > 0; first = false {
		if err := s.next(); err != nil {
			if err.Code == CodeSyntax && !utf8.Valid(b) {
				err.Code, err.Msg = CodeUTF8, "invalid UTF-8: send text in UTF-8"
			}
			return err
		}
	}
	if _, err := s.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return fail(CodeTrailing, "", "bytes after the JSON value, from byte %d: send one value and nothing else", s.dec.InputOffset())
	}
	return nil
}

type scanner struct {
	dec      *jsontext.Decoder
	verbatim string
	opened   bool // the token before opened an object or an array
}

func (s *scanner) next() *Error {
	opened := s.opened
	s.opened = false
	kind := s.dec.PeekKind()
	switch kind {
	case '{', '[', '}', ']':
		if _, err := s.dec.ReadToken(); err != nil {
			return jsonError(err, "")
		}
		if kind == '{' || kind == '[' {
			s.opened = true
			if s.dec.StackDepth() > MaxDepth {
				return fail(CodeDepth, s.place(), "nested over %d levels: flatten it", MaxDepth)
			}
		} else if opened {
			return s.empty("an empty " + kindWord(kind))
		}
		return nil
	}
	v, err := s.dec.ReadValue()
	if err != nil {
		return jsonError(err, "")
	}
	switch {
	case kind == 'n':
		return s.empty("null")
	case kind == '"' && len(v) == 2 && !s.atName():
		return s.empty("an empty string")
	case kind == '0' && !carried(string(v)):
		return fail(CodeNumber, s.place(), "the number %.40s loses digits as an IEEE 754 double: write it as a string, or shorter", v)
	}
	return nil
}

func (s *scanner) place() string { return string(s.dec.StackPointer()) }

// atName says whether the string just read is a member's name rather than a value.
func (s *scanner) atName() bool {
	kind, n := s.dec.StackIndex(s.dec.StackDepth())
	return kind == '{' && n%2 == 1
}

func (s *scanner) empty(what string) *Error {
	at := s.place()
	if s.verbatim != "" && (at == s.verbatim || strings.HasPrefix(at, s.verbatim+"/")) {
		return nil
	}
	return fail(CodeEmpty, at, "%s says nothing: leave the member out or give it a value", what)
}

// carried says whether a double carries the JSON number digit for digit: an integer within ±2⁵³, or a decimal
// whose shortest double has the same value (RFC 7493, section 2.2).
func carried(number string) bool {
	if !strings.ContainsAny(number, ".eE") {
		n, err := strconv.ParseInt(number, 10, 64)
		return err == nil && -maxExact <= n && n <= maxExact
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsInf(f, 0) {
		return false
	}
	digits, exp, ok := decimal(number)
	shortest, shortestExp, _ := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	return ok && digits == shortest && exp == shortestExp
}

// decimal returns a JSON number as its significant digits d and an exponent e, so that its value is ±0.d × 10^e.
func decimal(number string) (digits string, exp int64, ok bool) {
	number = strings.TrimPrefix(number, "-")
	mantissa, e, found := strings.Cut(strings.ToLower(number), "e")
	if found {
		n, err := strconv.ParseInt(e, 10, 64)
		if err != nil || n > 1<<40 || n < -1<<40 {
			return "", 0, strings.Trim(mantissa, "0.") == ""
		}
		exp = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exp += int64(len(whole))
	digits = whole + fraction
	trimmed := strings.TrimLeft(digits, "0")
	exp -= int64(len(digits) - len(trimmed))
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return "", 0, true
	}
	return trimmed, exp, true
}

// decode fills v from JSON that scan has passed; at is the place of b in the whole.
func decode(b []byte, at string, v any) *Error {
	if err := json.Unmarshal(b, v, json.RejectUnknownMembers(true)); err != nil {
		return jsonError(err, at)
	}
	return nil
}

// encode writes v in one fixed way: members in the order of the struct, maps sorted, no white space.
func encode(v any) ([]byte, error) {
	return json.Marshal(v, json.Deterministic(true))
}
