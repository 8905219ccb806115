package pattern

import (
	"fmt"
	"strings"
)

// ParseError says why a text is not a pattern, and where.
type ParseError struct {
	Position Position
	Found    string   // what stands there, as a person would name it
	Expected []string // what could have stood there; empty when a limit was passed
	Reason   string   // set when a limit was passed or a constant cannot be read
}

// Error gives line, column and what was expected.
func (e *ParseError) Error() string {
	at := fmt.Sprintf("parsing the pattern: line %d, column %d: ", e.Position.Line, e.Position.Column)
	if e.Reason != "" {
		return at + e.Reason
	}
	return at + "found " + e.Found + ", expected " + strings.Join(e.Expected, " or ")
}

// MatchCode says what kind of thing made matching impossible.
type MatchCode string

// The codes of a MatchError.
const (
	// BadConstant: a constant has the right form but no value (30 February).
	BadConstant MatchCode = "bad-constant"
	// BadQualifier: WITHIN 0 SECONDS, REPEATS 0 TIMES.
	BadQualifier MatchCode = "bad-qualifier"
	// MixedSet: the members of a set are not of one kind.
	MixedSet MatchCode = "mixed-set"
	// BadRegex: a regular expression does not compile, or needs what cannot be
	// done in linear time (back references, conditionals, atomic groups).
	BadRegex MatchCode = "bad-regex"
	// BadValue: a value of an observation cannot be what the pattern compares it
	// as (a timestamp, an address, hexadecimal, base64, a reference).
	BadValue MatchCode = "bad-value"
	// BadObservation: the observations are not in a known form.
	BadObservation MatchCode = "bad-observation"
	// TooCostly: a limit of Limits was passed before the answer was known.
	TooCostly MatchCode = "too-costly"
)

// MatchError says why no verdict is given. It never stands for "no match".
type MatchError struct {
	Code     MatchCode
	Position Position // in the pattern; zero when the cause is not in the pattern
	Pointer  string   // JSON pointer into the observations; empty when the cause is not there
	Msg      string
}

// Error gives the place and the cause.
func (e *MatchError) Error() string {
	var b strings.Builder
	b.WriteString("matching the pattern: ")
	if e.Code == TooCostly {
		b.WriteString("refused: too costly: ")
	}
	if e.Position.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Position.Line, e.Position.Column)
	}
	if e.Pointer != "" {
		b.WriteString(e.Pointer + ": ")
	}
	b.WriteString(e.Msg)
	return b.String()
}
