package plan

import (
	"fmt"
	"time"

	"github.com/mithaq/mithaq/stix/pattern"
)

// Plan is a pattern made ready for streams of events.
type Plan struct {
	// Simple holds values each of which alone satisfies the pattern. When it is not empty, the rest is not needed.
	Simple []Atom
	// Atoms wake the plan: every event that the pattern counts shows one of them, unless Scan says otherwise.
	Atoms []Atom
	// Scan tells that a part of the pattern has no value to wait for (a regular expression, a port): the plan has to
	// be asked about every event.
	Scan bool
	// Types are the types of objects that the parts without a value are about: with none of them in an event, it need
	// not be asked.
	Types []string

	single    bool // about one observation: no state
	retention time.Duration
	leaves    []*pattern.Matcher
	whole     *pattern.Matcher
}

// Retention of patterns that state no span of their own.
const defaultRetention = 24 * time.Hour

// maxRetention bounds what a pattern can ask to be kept.
const maxRetention = 7 * 24 * time.Hour

// stepsPerEvent bounds the work of one plan on one event.
const stepsPerEvent = 2_000_000

// Compile makes a plan of a pattern. The error says why there can be no verdict, as pattern.Compile does.
func Compile(p *pattern.Pattern) (*Plan, error) {
	whole, err := pattern.CompileWithLimits(p, pattern.Limits{})
	if err != nil {
		return nil, fmt.Errorf("planning a pattern: %w", err)
	}
	if simple := simpleAtoms(p.Root); simple != nil {
		return &Plan{Simple: simple, single: true, whole: whole}, nil
	}
	canonical := canonicalise(p)
	limits := pattern.Limits{Steps: stepsPerEvent}
	if whole, err = pattern.CompileWithLimits(canonical, limits); err != nil {
		return nil, fmt.Errorf("planning a pattern: %w", err)
	}
	plan := &Plan{whole: whole, retention: min(retention(canonical.Root), maxRetention)}
	observed := observedIn(canonical.Root, nil)
	plan.single = single(canonical.Root)
	for _, o := range observed {
		a, ok := atomsOf(o.Comparison)
		if ok {
			plan.Atoms = append(plan.Atoms, a.any...)
		}
		if !ok {
			plan.Scan, plan.Types = true, typesIn(o.Comparison, plan.Types)
		}
		leaf, err := pattern.CompileWithLimits(&pattern.Pattern{Root: o}, limits)
		if err != nil {
			return nil, fmt.Errorf("planning a pattern: %w", err)
		}
		plan.leaves = append(plan.leaves, leaf)
	}
	return plan, nil
}

// typesIn adds the types of objects that an expression is about. All its paths are of one object, so that the types of
// an AND can only be the same.
func typesIn(e pattern.ComparisonExpression, types []string) []string {
	switch e := e.(type) {
	case *pattern.ComparisonGroup:
		return typesIn(e.Expression, types)
	case *pattern.ComparisonAnd:
		for _, operand := range e.Operands {
			types = typesIn(operand, types)
		}
	case *pattern.ComparisonOr:
		for _, operand := range e.Operands {
			types = typesIn(operand, types)
		}
	case *pattern.Exists:
		types = append(types, e.Path.Type)
	case *pattern.Comparison:
		types = append(types, e.Path.Type)
	}
	return types
}

// simpleAtoms gives the values that alone satisfy the expression, nil when it is not so simple.
func simpleAtoms(e pattern.ObservationExpression) []Atom {
	switch e := e.(type) {
	case *pattern.ObservationGroup:
		return simpleAtoms(e.Expression)
	case *pattern.ObservationOr:
		var all []Atom
		for _, operand := range e.Operands {
			part := simpleAtoms(operand)
			if part == nil {
				return nil
			}
			all = append(all, part...)
		}
		return all
	case *pattern.Observed:
		if a, ok := atomsOf(e.Comparison); ok && a.exact {
			return a.any
		}
	}
	return nil
}

// single tells whether one observation is enough for an expression, whichever way it is satisfied.
func single(e pattern.ObservationExpression) bool {
	switch e := e.(type) {
	case *pattern.ObservationGroup:
		return single(e.Expression)
	case *pattern.ObservationOr:
		for _, operand := range e.Operands {
			if !single(operand) {
				return false
			}
		}
		return true
	case *pattern.Observed:
		return true
	case *pattern.StartStop:
		return single(e.Expression)
	case *pattern.Within:
		return single(e.Expression)
	}
	return false
}

func observedIn(e pattern.ObservationExpression, found []*pattern.Observed) []*pattern.Observed {
	if o, ok := e.(*pattern.Observed); ok {
		return append(found, o)
	}
	for _, operand := range operands(e) {
		found = observedIn(operand, found)
	}
	return found
}

func operands(e pattern.ObservationExpression) []pattern.ObservationExpression {
	switch e := e.(type) {
	case *pattern.ObservationGroup:
		return []pattern.ObservationExpression{e.Expression}
	case *pattern.ObservationAnd:
		return e.Operands
	case *pattern.ObservationOr:
		return e.Operands
	case *pattern.FollowedBy:
		return e.Operands
	case *pattern.Within:
		return []pattern.ObservationExpression{e.Expression}
	case *pattern.Repeats:
		return []pattern.ObservationExpression{e.Expression}
	case *pattern.StartStop:
		return []pattern.ObservationExpression{e.Expression}
	}
	return nil
}

// retention is how long observations must be kept: the span of a WITHIN around all of it, else the default.
func retention(e pattern.ObservationExpression) time.Duration {
	switch e := e.(type) {
	case *pattern.ObservationGroup:
		return retention(e.Expression)
	case *pattern.StartStop:
		return retention(e.Expression)
	case *pattern.Within:
		return seconds(e.Seconds.Text)
	}
	return defaultRetention
}
