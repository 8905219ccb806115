package pattern

import (
	"fmt"
	"strconv"

	"github.com/mithaq/mithaq/stix/pattern/internal/pyre"
	"golang.org/x/text/unicode/norm"
)

// Matcher is a pattern made ready for matching. Several goroutines may use it
// at once.
type Matcher struct {
	plan     plan
	leaves   []condition
	temporal bool // the plan looks at times
	limits   Limits
}

// Compile makes a pattern ready for matching, with the default limits. The
// error is a *MatchError: the pattern has the right form, but no verdict is
// possible (a set of mixed kinds, a regular expression that does not compile, a
// timestamp outside the calendar, a count or span of zero).
func Compile(p *Pattern) (*Matcher, error) {
	return CompileWithLimits(p, Limits{})
}

// CompileWithLimits is Compile with limits of the caller's choice.
func CompileWithLimits(p *Pattern, limits Limits) (*Matcher, error) {
	if limits.Observations == 0 {
		limits.Observations = defaultObservations
	}
	if limits.Steps == 0 {
		limits.Steps = defaultSteps
	}
	m := &Matcher{limits: limits}
	root, err := m.observation(p.Root)
	if err != nil {
		return nil, err
	}
	m.plan = root
	return m, nil
}

// plan is a compiled observation expression: one of leafPlan, allPlan, anyPlan,
// orderedPlan, withinPlan, repeatPlan and spanPlan. Times are microseconds.
type plan interface{}

type (
	leafPlan    int // index into Matcher.leaves
	allPlan     []plan
	anyPlan     []plan
	orderedPlan []plan
	withinPlan  struct {
		of       plan
		duration int64
	}
	repeatPlan struct {
		of    plan
		times int64
	}
	spanPlan struct {
		of          plan
		start, stop int64
	}
)

func (m *Matcher) observation(e ObservationExpression) (plan, error) {
	switch e := e.(type) {
	case *Observed:
		c, err := compileComparison(e.Comparison)
		m.leaves = append(m.leaves, c)
		return leafPlan(len(m.leaves) - 1), err
	case *ObservationGroup:
		return m.observation(e.Expression)
	case *ObservationAnd:
		plans, err := m.observations(e.Operands)
		return allPlan(plans), err
	case *ObservationOr:
		plans, err := m.observations(e.Operands)
		return anyPlan(plans), err
	case *FollowedBy:
		m.temporal = true
		plans, err := m.observations(e.Operands)
		return orderedPlan(plans), err
	case *Within:
		return m.within(e)
	case *Repeats:
		return m.repeats(e)
	case *StartStop:
		return m.startStop(e)
	}
	return nil, fmt.Errorf("compiling the pattern: unknown observation expression %T", e)
}

func (m *Matcher) observations(operands []ObservationExpression) ([]plan, error) {
	plans := make([]plan, 0, len(operands))
	for _, operand := range operands {
		p, err := m.observation(operand)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

func (m *Matcher) within(e *Within) (plan, error) {
	m.temporal = true
	of, err := m.observation(e.Expression)
	if err != nil {
		return nil, err
	}
	seconds, _ := strconv.ParseFloat(e.Seconds.Text, 64) // infinity when a double cannot hold it
	if seconds <= 0 {
		return nil, &MatchError{Code: BadQualifier, Position: e.Seconds.At, Msg: "WITHIN needs more than 0 seconds"}
	}
	if seconds > maxSpan/1e6 {
		return withinPlan{of: of, duration: maxSpan}, nil
	}
	return withinPlan{of: of, duration: microseconds(seconds)}, nil
}

func (m *Matcher) repeats(e *Repeats) (plan, error) {
	of, err := m.observation(e.Expression)
	if err != nil {
		return nil, err
	}
	times, err := strconv.ParseInt(e.Times.Text, 10, 64)
	if err == nil && times < 1 {
		return nil, &MatchError{Code: BadQualifier, Position: e.Times.At, Msg: "REPEATS needs 1 time or more"}
	}
	if err != nil || times > maxDemand {
		times = maxDemand
	}
	return repeatPlan{of: of, times: times}, nil
}

func (m *Matcher) startStop(e *StartStop) (plan, error) {
	m.temporal = true
	of, err := m.observation(e.Expression)
	if err != nil {
		return nil, err
	}
	start, err := constantValue(e.Start)
	if err != nil {
		return nil, err
	}
	stop, err := constantValue(e.Stop)
	if err != nil {
		return nil, err
	}
	from, fromOK := start.(timestampValue)
	to, toOK := stop.(timestampValue)
	if !fromOK || !toOK {
		return nil, &MatchError{Code: BadQualifier, Position: e.Start.At, Msg: "START and STOP need timestamps"}
	}
	return spanPlan{of: of, start: int64(from), stop: int64(to)}, nil
}

func compileComparison(e ComparisonExpression) (condition, error) {
	switch e := e.(type) {
	case *ComparisonGroup:
		return compileComparison(e.Expression)
	case *ComparisonAnd:
		operands, err := compileComparisons(e.Operands)
		return allOf(operands), err
	case *ComparisonOr:
		operands, err := compileComparisons(e.Operands)
		return anyOf(operands), err
	case *Exists:
		return &reaches{path: &e.Path, negated: e.Negated}, nil
	case *Comparison:
		test, err := compileTest(e)
		if err != nil {
			return nil, err
		}
		return &compares{path: &e.Path, negated: e.Negated, at: e.Path.At, test: test}, nil
	}
	return nil, fmt.Errorf("compiling the pattern: unknown comparison expression %T", e)
}

func compileComparisons(operands []ComparisonExpression) ([]condition, error) {
	conditions := make([]condition, 0, len(operands))
	for _, operand := range operands {
		c, err := compileComparison(operand)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

func compileTest(e *Comparison) (valueTest, error) {
	switch e.Operator {
	case In:
		return compileSet(e)
	case Like:
		return likeTest{newLikePattern(e.Value.Text)}, nil
	case Matches:
		return compileRegex(e.Value)
	case IsSubset, IsSuperset:
		operand, err := parseNetwork(e.Value.Text)
		return networkTest{operand: operand, invalid: err, superset: e.Operator == IsSuperset}, nil
	}
	constant, err := constantValue(e.Value)
	if err != nil {
		return nil, err
	}
	if e.Operator == Equal || e.Operator == NotEqual {
		return equalTest{constant: constant, unequal: e.Operator == NotEqual}, nil
	}
	return orderTest{constant: constant, operator: e.Operator}, nil
}

func compileSet(e *Comparison) (valueTest, error) {
	if mixed(e.Set) {
		return nil, &MatchError{Code: MixedSet, Position: e.Path.At, Msg: "the members of the set are not of one kind"}
	}
	t := setTest{members: make(map[any]struct{}, len(e.Set))}
	for _, constant := range e.Set {
		value, err := constantValue(constant)
		if err != nil {
			return nil, err
		}
		key, _ := setKey(value)
		t.members[key] = struct{}{}
		t.timestamps = constant.Kind == Timestamp
	}
	return t, nil
}

func compileRegex(c Constant) (valueTest, error) {
	expression := norm.NFC.String(c.Text)
	refused := func(err error) error {
		return &MatchError{Code: BadRegex, Position: c.At, Msg: err.Error()}
	}
	text, err := pyre.Compile(expression, false)
	if err != nil {
		return nil, refused(err)
	}
	t := regexTest{text: text}
	if _, ok := latin1(expression); ok {
		if t.bytes, err = pyre.Compile(expression, true); err != nil {
			return nil, refused(err)
		}
	}
	return t, nil
}
