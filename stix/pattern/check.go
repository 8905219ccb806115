package pattern

import (
	"fmt"
	"strings"
)

// Problem is something that Check found wrong with a pattern.
type Problem struct {
	Position Position
	// Warning tells that the pattern is valid all the same: the grammar and the
	// published validator let it pass, but no observation can ever match it, or
	// Compile refuses it.
	Warning bool
	Msg     string
}

// String gives the place and the problem.
func (p Problem) String() string {
	kind := "error"
	if p.Warning {
		kind = "warning"
	}
	return fmt.Sprintf("line %d, column %d: %s: %s", p.Position.Line, p.Position.Column, kind, p.Msg)
}

// Check reads a pattern and looks for what the grammar alone does not forbid,
// by the rules of the OASIS validator: hash values have the length and the
// letters of their algorithm, one kind of qualifier stands once on an
// observation expression, indexes are not negative, and the text begins with a
// bracket (not with a comment). The pattern is valid when the error is nil and
// no problem is more than a warning; see Valid.
//
// The error is a *ParseError.
//
// Other than that validator, Check judges each member of a set of hashes by
// itself, and leaves LIKE, MATCHES, < and > alone: those compare a hash with a
// part of one.
func Check(text string) ([]Problem, error) {
	p, err := Parse(text)
	if err != nil {
		return nil, err
	}
	c := &checker{}
	if !beginsWithBracket(text) {
		c.report(Position{Line: 1, Column: 1}, "the pattern must begin with a bracket, not with a comment")
	}
	c.observation(p.Root)
	return c.problems, nil
}

// Valid tells whether nothing that Check found is more than a warning.
func Valid(problems []Problem) bool {
	for _, problem := range problems {
		if !problem.Warning {
			return false
		}
	}
	return true
}

func beginsWithBracket(text string) bool {
	text = strings.TrimLeftFunc(text, func(r rune) bool { return r == '(' || isSpace(r) })
	return strings.HasPrefix(text, "[")
}

type checker struct{ problems []Problem }

func (c *checker) report(at Position, format string, args ...any) {
	c.problems = append(c.problems, Problem{Position: at, Msg: fmt.Sprintf(format, args...)})
}

func (c *checker) warn(at Position, format string, args ...any) {
	c.problems = append(c.problems, Problem{Position: at, Warning: true, Msg: fmt.Sprintf(format, args...)})
}

// qualifiers remembers what qualifies an Observed directly, that is without
// brackets between them.
type qualifiers struct{ direct, within, repeats, startStop bool }

// observation checks an expression and tells which qualifiers it carries.
func (c *checker) observation(e ObservationExpression) qualifiers {
	switch e := e.(type) {
	case *Observed:
		c.comparison(e.Comparison)
		return qualifiers{direct: true}
	case *ObservationGroup:
		c.observation(e.Expression)
	case *FollowedBy:
		c.observations(e.Operands)
	case *ObservationOr:
		c.observations(e.Operands)
	case *ObservationAnd:
		c.observations(e.Operands)
	case *Within:
		q := c.observation(e.Expression)
		c.once(q.direct && q.within, e.Seconds.At, "WITHIN")
		if isZero(e.Seconds) {
			c.warn(e.Seconds.At, "no time passes WITHIN 0 SECONDS")
		}
		q.within = true
		return q
	case *Repeats:
		q := c.observation(e.Expression)
		c.once(q.direct && q.repeats, e.Times.At, "REPEATS")
		if isZero(e.Times) {
			c.warn(e.Times.At, "nothing REPEATS 0 TIMES")
		}
		q.repeats = true
		return q
	case *StartStop:
		q := c.observation(e.Expression)
		c.once(q.direct && q.startStop, e.Start.At, "START and STOP")
		c.span(e)
		q.startStop = true
		return q
	}
	return qualifiers{}
}

func (c *checker) observations(operands []ObservationExpression) {
	for _, operand := range operands {
		c.observation(operand)
	}
}

func (c *checker) once(again bool, at Position, name string) {
	if again {
		c.report(at, "%s qualifies the same observation expression twice", name)
	}
}

func (c *checker) span(e *StartStop) {
	start, startOK := c.timestamp(e.Start)
	stop, stopOK := c.timestamp(e.Stop)
	if startOK && stopOK && start >= stop {
		c.warn(e.Stop.At, "nothing lies between START and STOP: STOP must be later than START")
	}
}

func (c *checker) timestamp(constant Constant) (int64, bool) {
	t, err := parseTimestamp(constant.Text)
	if err != nil {
		c.warn(constant.At, "%s is not in the calendar", constant)
	}
	return t, err == nil
}

func isZero(c Constant) bool { return strings.Trim(c.Text, "0.") == "" }

func (c *checker) comparison(e ComparisonExpression) {
	switch e := e.(type) {
	case *ComparisonGroup:
		c.comparison(e.Expression)
	case *ComparisonOr:
		for _, operand := range e.Operands {
			c.comparison(operand)
		}
	case *ComparisonAnd:
		for _, operand := range e.Operands {
			c.comparison(operand)
		}
	case *Exists:
		c.path(e.Path)
	case *Comparison:
		c.path(e.Path)
		c.constants(e)
	}
}

func (c *checker) path(p ObjectPath) {
	for _, step := range p.Steps {
		if step.Kind == Index && step.Index < 0 {
			c.report(p.At, "%s: an index counts from 0", p)
		}
	}
}

func (c *checker) constants(e *Comparison) {
	constants := e.Set
	if e.Operator != In {
		constants = []Constant{e.Value}
	}
	algorithm, isHash := hashAlgorithm(e.Path)
	judged := e.Operator == Equal || e.Operator == NotEqual || e.Operator == In
	for _, constant := range constants {
		if isHash && judged && !algorithm.accepts(constant) {
			c.report(constant.At, "%s is not a value of %s, which has %s", constant, algorithm.name, algorithm.form())
		}
		if constant.Kind == Timestamp {
			c.timestamp(constant)
		}
	}
	if mixed(e.Set) {
		c.warn(e.Path.At, "the members of the set are not of one kind")
	}
}

// mixed tells whether a set's members are of several kinds; integers and floats
// are one kind, and so are hexadecimal and binary.
func mixed(set []Constant) bool {
	for i := 1; i < len(set); i++ {
		if setKind(set[i].Kind) != setKind(set[0].Kind) {
			return true
		}
	}
	return false
}

func setKind(k ConstantKind) ConstantKind {
	switch k {
	case Float:
		return Integer
	case Hex:
		return Binary
	}
	return k
}
