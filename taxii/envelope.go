package taxii

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// envelope is a TAXII envelope (section 3.7) with its objects as the bytes they came in, not looked into yet.
type envelope struct {
	objects [][]byte
	more    bool
	next    string
}

// What can be wrong with a body as a whole. An object that is wrong by itself spoils only itself.
var (
	errMalformed      = errors.New("the body is not well-formed JSON")
	errNotEnvelope    = errors.New("the body is not a TAXII envelope")
	errTooManyObjects = errors.New("the envelope holds too many objects")
)

// splitEnvelope finds the objects of an envelope. It looks for where each begins and ends by brackets and quotes alone, so
// that one with a duplicate key or broken text inside can be refused by itself while the others are taken. Time is linear
// and memory is a slice header for each object. Other properties are passed over (section 7: custom properties).
func splitEnvelope(b []byte, maxObjects int) (envelope, error) {
	var e envelope
	s := scanner{b: b}
	if s.space(); s.peek() != '{' {
		if jsontext.Value(b).IsValid() {
			return e, errNotEnvelope
		}
		return e, errMalformed
	}
	s.at++
	seen := map[string]bool{}
	for first := true; ; first = false {
		if s.space(); first && s.peek() == '}' {
			s.at++
			break
		}
		name, err := s.name()
		if err != nil {
			return e, err
		}
		switch name {
		case "objects", "more", "next":
			if seen[name] {
				return e, fmt.Errorf("%w: %q is there twice", errMalformed, name)
			}
			seen[name] = true
		}
		if name == "objects" {
			e.objects, err = s.array(maxObjects)
		} else {
			err = e.property(name, &s)
		}
		if err != nil {
			return e, err
		}
		s.space()
		if c := s.peek(); c == '}' {
			s.at++
			break
		} else if c != ',' {
			return e, errMalformed
		}
		s.at++
	}
	if s.space(); s.at != len(b) {
		return e, fmt.Errorf("%w: something follows the envelope", errMalformed)
	}
	return e, nil
}

// property reads a property other than the objects.
func (e *envelope) property(name string, s *scanner) error {
	value, ok := s.value()
	if !ok || !jsontext.Value(value).IsValid() {
		return errMalformed
	}
	switch name {
	case "more":
		e.more = string(value) == "true"
		if !e.more && string(value) != "false" {
			return fmt.Errorf("%w: \"more\" is neither true nor false", errNotEnvelope)
		}
	case "next":
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return fmt.Errorf("%w: \"next\" is no string", errNotEnvelope)
		}
		e.next = string(text)
	}
	return nil
}

// scanner walks over JSON by brackets and quotes, without recursion and without judging what is between them.
type scanner struct {
	b  []byte
	at int
}

func (s *scanner) space() {
	for s.at < len(s.b) && (s.b[s.at] == ' ' || s.b[s.at] == '\n' || s.b[s.at] == '\r' || s.b[s.at] == '\t') {
		s.at++
	}
}

// peek gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.b) {
		return s.b[s.at]
	}
	return 0
}

// name reads a member's name and the colon after it.
func (s *scanner) name() (string, error) {
	if s.peek() != '"' {
		return "", errMalformed
	}
	quoted, ok := s.value()
	if !ok {
		return "", errMalformed
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return "", fmt.Errorf("%w: the name of a member", errMalformed)
	}
	if s.space(); s.peek() != ':' {
		return "", errMalformed
	}
	s.at++
	s.space()
	return string(text), nil
}

// array cuts an array into its elements.
func (s *scanner) array(most int) ([][]byte, error) {
	if s.at == len(s.b) {
		return nil, errMalformed // it ends here: it is cut off, and not of another form
	}
	if s.peek() != '[' {
		return nil, fmt.Errorf("%w: \"objects\" is no list", errNotEnvelope)
	}
	s.at++
	var elements [][]byte
	for first := true; ; first = false {
		if s.space(); first && s.peek() == ']' {
			s.at++
			return nil, nil
		}
		element, ok := s.value()
		if !ok {
			return nil, errMalformed
		}
		if len(elements) == most {
			return nil, errTooManyObjects
		}
		elements = append(elements, element)
		s.space()
		switch s.peek() {
		case ',':
			s.at++
		case ']':
			s.at++
			return elements, nil
		default:
			return nil, errMalformed
		}
	}
}

// value passes over one value and gives its bytes.
func (s *scanner) value() ([]byte, bool) {
	start, depth := s.at, 0
	for s.at < len(s.b) {
		switch c := s.b[s.at]; c {
		case '"':
			if !s.text() {
				return nil, false
			}
			if depth == 0 {
				return s.b[start:s.at:s.at], true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.b[start:s.at:s.at], s.at > start
			}
			if depth--; depth == 0 {
				s.at++
				return s.b[start:s.at:s.at], true
			}
		case ',', ':', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return s.b[start:s.at:s.at], s.at > start
			}
		}
		s.at++
	}
	return nil, false
}

// text passes over a string.
func (s *scanner) text() bool {
	for i, quote := s.at+1, -1; i < len(s.b); {
		if quote < i { // looked for once each, so that time is linear whatever is escaped
			n := bytes.IndexByte(s.b[i:], '"')
			if n < 0 {
				return false
			}
			quote = i + n
		}
		escape := bytes.IndexByte(s.b[i:quote], '\\')
		if escape < 0 {
			s.at = quote + 1
			return true
		}
		i += escape + 2 // what a backslash is before, ends nothing
	}
	return false
}
