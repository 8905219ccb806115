package pattern

import (
	"errors"
	"unicode/utf8"

	"github.com/mithaq/mithaq/stix/pattern/internal/pyre"
	"golang.org/x/text/unicode/norm"
)

var errSteps = &MatchError{Code: TooCostly, Msg: "the work passes the limit on steps"}

// condition is a compiled comparison expression about one object.
type condition interface {
	// holds answers for one object of the walker's observation. It looks at all
	// operands, because one that cannot be compared makes the whole match fail,
	// whatever the others say.
	holds(w *walker, object *Object) (bool, error)
}

type (
	allOf []condition
	anyOf []condition
	// reaches is EXISTS.
	reaches struct {
		path    *ObjectPath
		negated bool
	}
	// compares is a comparison of values with a constant or set.
	compares struct {
		path    *ObjectPath
		negated bool
		at      Position
		test    valueTest
	}
)

func (all allOf) holds(w *walker, object *Object) (bool, error) {
	result := true
	for _, c := range all {
		ok, err := c.holds(w, object)
		if err != nil {
			return false, err
		}
		result = result && ok
	}
	return result, nil
}

func (any anyOf) holds(w *walker, object *Object) (bool, error) {
	result := false
	for _, c := range any {
		ok, err := c.holds(w, object)
		if err != nil {
			return false, err
		}
		result = result || ok
	}
	return result, nil
}

// about tells whether a path speaks of an object.
func about(path *ObjectPath, w *walker, object *Object) bool {
	return path.Type == object.Type && !(w.observation.scos && isDomainType(path.Type))
}

func (r *reaches) holds(w *walker, object *Object) (bool, error) {
	if !about(r.path, w, object) {
		return false, nil
	}
	values, err := w.reach(object, r.path.Steps)
	return (len(values) > 0) != r.negated, place(err, r.path.At)
}

func (c *compares) holds(w *walker, object *Object) (bool, error) {
	if !about(c.path, w, object) {
		return false, nil
	}
	values, err := w.reach(object, c.path.Steps)
	if err != nil {
		return false, place(err, c.at)
	}
	for _, value := range values {
		answer, err := c.test.answer(value, w.steps)
		if err != nil {
			return false, place(err, c.at)
		}
		if answer == never {
			continue
		}
		if (answer == yes) != c.negated {
			return true, nil
		}
	}
	return false, nil
}

// place says in an error where in the pattern it belongs.
func place(err error, at Position) error {
	var m *MatchError
	if errors.As(err, &m) && m.Position.Line == 0 {
		placed := *m
		placed.Position = at
		return &placed
	}
	return err
}

// answer is what a test says of a value: never is a no that NOT does not turn.
type answer int

const (
	no answer = iota
	yes
	never
)

func answerOf(b bool) answer {
	if b {
		return yes
	}
	return no
}

type valueTest interface {
	answer(value any, steps *int64) (answer, error)
}

// equalTest is = and !=.
type equalTest struct {
	constant any
	unequal  bool
}

func (t equalTest) answer(value any, _ *int64) (answer, error) {
	if _, ok := t.constant.(timestampValue); ok {
		var err error
		if value, err = asTimestamp(value); err != nil {
			return no, err
		}
	}
	return answerOf(equalValues(value, t.constant) != t.unequal), nil
}

// orderTest is <, <=, > and >=.
type orderTest struct {
	constant any
	operator Operator
}

func (t orderTest) answer(value any, _ *int64) (answer, error) {
	if _, ok := t.constant.(timestampValue); ok {
		var err error
		if value, err = asTimestamp(value); err != nil {
			return no, err
		}
	}
	order, ordered, comparable := compareValues(value, t.constant)
	switch {
	case !comparable:
		return never, nil
	case !ordered:
		return no, nil
	case t.operator == Less:
		return answerOf(order < 0), nil
	case t.operator == LessOrEqual:
		return answerOf(order <= 0), nil
	case t.operator == Greater:
		return answerOf(order > 0), nil
	}
	return answerOf(order >= 0), nil
}

// setTest is IN.
type setTest struct {
	members    map[any]struct{}
	timestamps bool
}

func (t setTest) answer(value any, _ *int64) (answer, error) {
	if t.timestamps {
		var err error
		if value, err = asTimestamp(value); err != nil {
			return no, err
		}
	}
	key, ok := setKey(value)
	if !ok {
		return no, nil
	}
	_, found := t.members[key]
	return answerOf(found), nil
}

// likeTest is LIKE.
type likeTest struct{ pattern likePattern }

func (t likeTest) answer(value any, steps *int64) (answer, error) {
	switch value := value.(type) {
	case string:
		ok, err := t.pattern.matches(value, steps)
		return answerOf(ok), err
	case bytesValue:
		if !t.pattern.latin1 {
			return no, nil
		}
		if !utf8.Valid(value) {
			return no, &MatchError{Code: BadValue, Msg: "a binary value that LIKE looks at is not UTF-8"}
		}
		ok, err := t.pattern.matches(string(value), steps)
		return answerOf(ok), err
	}
	return no, nil
}

// regexTest is MATCHES. Without a program for bytes, binary values do not match.
type regexTest struct{ text, bytes *pyre.Program }

func (t regexTest) answer(value any, steps *int64) (answer, error) {
	var ok bool
	var err error
	switch value := value.(type) {
	case string:
		ok, err = t.text.Match([]rune(norm.NFC.String(value)), steps)
	case bytesValue:
		if t.bytes == nil {
			return no, nil
		}
		runes := make([]rune, len(value))
		for i, b := range value {
			runes[i] = rune(b)
		}
		ok, err = t.bytes.Match(runes, steps)
	}
	if errors.Is(err, pyre.ErrSteps) {
		return no, errSteps
	}
	return answerOf(ok), err
}

// networkTest is ISSUBSET and ISSUPERSET. The operand is judged only when a
// string is there to be compared with it, as in the reference.
type networkTest struct {
	operand  network
	invalid  error
	superset bool
}

func (t networkTest) answer(value any, _ *int64) (answer, error) {
	text, ok := value.(string)
	if !ok {
		return no, nil
	}
	err := t.invalid
	other, parseErr := parseNetwork(text)
	if err == nil {
		err = parseErr
	}
	outer, inner := t.operand, other
	if t.superset {
		outer, inner = other, t.operand
	}
	if err == nil && outer.single {
		err = errors.New("the containing network has no prefix length")
	}
	if err != nil {
		return no, &MatchError{Code: BadValue, Msg: err.Error()}
	}
	return answerOf(outer.contains(inner)), nil
}
