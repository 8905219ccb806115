package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/stix/pattern"
)

// Batch decides many patterns on lists of observations, with the verdicts of stix/pattern. A pattern is only handed
// to the matcher when the observations hold one of the texts that it cannot be satisfied without: every other one has
// no match. Patterns for which that does not follow (a timestamp, a network or a reference in them, which can make the
// matcher refuse a verdict) are always handed on. Several goroutines may use a Batch once all patterns are in.
type Batch struct {
	matchers []*pattern.Matcher
	wakes    map[string][]int32 // text to patterns
	always   []int32
}

// Add adds a pattern and gives its number, from 0. The error is that of pattern.Compile; the pattern is not added.
func (b *Batch) Add(p *pattern.Pattern) (int, error) {
	m, err := pattern.Compile(p)
	if err != nil {
		return 0, fmt.Errorf("adding a pattern: %w", err)
	}
	n := int32(len(b.matchers))
	b.matchers = append(b.matchers, m)
	texts, ok := needed(p.Root)
	if !ok || !total(p.Root) {
		b.always = append(b.always, n)
		return int(n), nil
	}
	if b.wakes == nil {
		b.wakes = map[string][]int32{}
	}
	slices.Sort(texts)
	for _, text := range slices.Compact(texts) {
		b.wakes[text] = append(b.wakes[text], n)
	}
	return int(n), nil
}

// Len is how many patterns there are.
func (b *Batch) Len() int { return len(b.matchers) }

// Match calls yield for every pattern that the observations satisfy, and for every one that has no verdict on them
// (with a *pattern.MatchError), in the order of their numbers.
func (b *Batch) Match(observations []pattern.Observation, yield func(n int, result pattern.Result, err error)) {
	for _, n := range b.woken(observations) {
		result, err := b.matchers[n].Match(observations)
		if err != nil || result.Matched {
			yield(int(n), result, err)
		}
	}
}

// woken gives the patterns that may have something to say.
func (b *Batch) woken(observations []pattern.Observation) []int32 {
	for i := range observations {
		// What the matcher refuses whatever the values are, it has to see.
		if o := &observations[i]; o.Number < 1 || o.Number > math.MaxInt32 || o.Last.Before(o.First) {
			all := make([]int32, len(b.matchers))
			for n := range all {
				all[n] = int32(n)
			}
			return all
		}
	}
	woken := slices.Clone(b.always)
	if len(b.wakes) > 0 {
		for i := range observations {
			for _, object := range observations[i].Objects {
				for _, value := range object.Properties {
					woken = b.wake(woken, value)
				}
			}
		}
	}
	slices.Sort(woken)
	return slices.Compact(woken)
}

func (b *Batch) wake(woken []int32, value any) []int32 {
	switch value := value.(type) {
	case string:
		woken = append(woken, b.wakes[value]...)
	case []any:
		for _, inner := range value {
			woken = b.wake(woken, inner)
		}
	case map[string]any:
		for _, inner := range value {
			woken = b.wake(woken, inner)
		}
	}
	return woken
}

// needed gives texts of which the observations hold one, if the expression is satisfied.
func needed(e pattern.ObservationExpression) (texts []string, ok bool) {
	switch e := e.(type) {
	case *pattern.Observed:
		return neededBy(e.Comparison)
	case *pattern.ObservationOr:
		for _, operand := range e.Operands {
			part, ok := needed(operand)
			if !ok {
				return nil, false
			}
			texts = append(texts, part...)
		}
		return texts, true
	}
	for _, operand := range operands(e) {
		if part, found := needed(operand); found && (!ok || rarerTexts(part, texts)) {
			texts, ok = part, true
		}
	}
	return texts, ok
}

// rarerTexts prefers fewer texts, then longer ones: a file name wakes less often than "tcp".
func rarerTexts(a, b []string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return len(strings.Join(a, "")) > len(strings.Join(b, ""))
}

func neededBy(e pattern.ComparisonExpression) (texts []string, ok bool) {
	switch e := e.(type) {
	case *pattern.ComparisonGroup:
		return neededBy(e.Expression)
	case *pattern.ComparisonOr:
		for _, operand := range e.Operands {
			part, ok := neededBy(operand)
			if !ok {
				return nil, false
			}
			texts = append(texts, part...)
		}
		return texts, true
	case *pattern.ComparisonAnd:
		for _, operand := range e.Operands {
			if part, found := neededBy(operand); found && (!ok || rarerTexts(part, texts)) {
				texts, ok = part, true
			}
		}
		return texts, ok
	case *pattern.Comparison:
		if e.Negated {
			return nil, false
		}
		switch e.Operator {
		case pattern.Equal:
			return textsOf([]pattern.Constant{e.Value})
		case pattern.In:
			return textsOf(e.Set)
		}
	}
	return nil, false
}

func textsOf(constants []pattern.Constant) (texts []string, ok bool) {
	for _, c := range constants {
		if c.Kind != pattern.String {
			return nil, false
		}
		texts = append(texts, c.Text)
	}
	return texts, true
}

// total tells whether the matcher gives a verdict on the expression whatever values it meets.
func total(e pattern.ObservationExpression) bool {
	if o, ok := e.(*pattern.Observed); ok {
		return totalComparison(o.Comparison)
	}
	for _, operand := range operands(e) {
		if !total(operand) {
			return false
		}
	}
	return true
}

func totalComparison(e pattern.ComparisonExpression) bool {
	switch e := e.(type) {
	case *pattern.ComparisonGroup:
		return totalComparison(e.Expression)
	case *pattern.ComparisonOr:
		return !slices.ContainsFunc(e.Operands, func(o pattern.ComparisonExpression) bool { return !totalComparison(o) })
	case *pattern.ComparisonAnd:
		return !slices.ContainsFunc(e.Operands, func(o pattern.ComparisonExpression) bool { return !totalComparison(o) })
	case *pattern.Exists:
		return totalPath(e.Path)
	case *pattern.Comparison:
		if !totalPath(e.Path) || e.Value.Kind == pattern.Timestamp || e.Operator == pattern.IsSubset || e.Operator == pattern.IsSuperset {
			return false
		}
		return !slices.ContainsFunc(e.Set, func(c pattern.Constant) bool { return c.Kind == pattern.Timestamp })
	}
	return false
}

// totalPath tells whether no value on the path has to be decoded or resolved, which can fail.
func totalPath(path pattern.ObjectPath) bool {
	for _, step := range path.Steps {
		for _, suffix := range []string{"_hex", "_bin", "_ref", "_refs"} {
			if strings.HasSuffix(step.Key, suffix) {
				return false
			}
		}
	}
	return true
}
