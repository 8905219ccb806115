package exchange

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/stix/pattern"
)

// Bounds on what a pattern is taken apart into.
const (
	maxAlternatives = 100_000 // as many as one set of the language may hold
	maxTerms        = 16      // in one alternative
)

// Alternatives takes a pattern apart into the values that lists and rules can carry: any of the alternatives is enough,
// and of each all terms hold of one object. The error says what in the pattern has no such form (a sequence, a time span,
// a negation, a regular expression), or that it is no pattern.
func Alternatives(text string) ([][]Term, error) {
	p, err := pattern.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("its pattern cannot be read: %w", err)
	}
	return alternativesOf(p.Root)
}

func alternativesOf(e pattern.ObservationExpression) ([][]Term, error) {
	switch e := e.(type) {
	case *pattern.Observed:
		return comparison(e.Comparison)
	case *pattern.ObservationGroup:
		return alternativesOf(e.Expression)
	case *pattern.ObservationOr:
		var all [][]Term
		for _, operand := range e.Operands {
			part, err := alternativesOf(operand)
			if err != nil {
				return nil, err
			}
			if all = append(all, part...); len(all) > maxAlternatives {
				return nil, errTooMany
			}
		}
		return all, nil
	case *pattern.ObservationAnd:
		return nil, errors.New("its pattern needs several observations (AND)")
	case *pattern.FollowedBy:
		return nil, errors.New("its pattern is a sequence of observations (FOLLOWEDBY)")
	case *pattern.Within, *pattern.Repeats, *pattern.StartStop:
		return nil, errors.New("its pattern is about a span of time or a number of times")
	}
	return nil, errors.New("its pattern has a form that is not known")
}

var errTooMany = errors.New("its pattern has too many alternatives")

func comparison(e pattern.ComparisonExpression) ([][]Term, error) {
	switch e := e.(type) {
	case *pattern.ComparisonGroup:
		return comparison(e.Expression)
	case *pattern.ComparisonOr:
		var all [][]Term
		for _, operand := range e.Operands {
			part, err := comparison(operand)
			if err != nil {
				return nil, err
			}
			if all = append(all, part...); len(all) > maxAlternatives {
				return nil, errTooMany
			}
		}
		return all, nil
	case *pattern.ComparisonAnd:
		return conjunction(e)
	case *pattern.Comparison:
		return equality(e)
	case *pattern.Exists:
		return nil, errors.New("its pattern asks whether a property exists")
	}
	return nil, errors.New("its pattern has a form that is not known")
}

// conjunction multiplies the operands' alternatives out.
func conjunction(e *pattern.ComparisonAnd) ([][]Term, error) {
	all := [][]Term{nil}
	for _, operand := range e.Operands {
		part, err := comparison(operand)
		if err != nil {
			return nil, err
		}
		if len(all)*len(part) > maxAlternatives {
			return nil, errTooMany
		}
		product := make([][]Term, 0, len(all)*len(part))
		for _, left := range all {
			for _, right := range part {
				if len(left)+len(right) > maxTerms {
					return nil, errors.New("its pattern has too many conditions")
				}
				product = append(product, slices.Concat(left, right))
			}
		}
		all = product
	}
	// That an address is an address says nothing that its value does not say as well.
	for i, terms := range all {
		all[i] = slices.DeleteFunc(terms, func(t Term) bool {
			return strings.HasSuffix(t.Path, "_ref.type") && (t.Value == "ipv4-addr" || t.Value == "ipv6-addr" || t.Value == "domain-name")
		})
		if len(all[i]) == 0 {
			return nil, errors.New("its pattern names no value")
		}
	}
	return all, nil
}

func equality(e *pattern.Comparison) ([][]Term, error) {
	if e.Negated {
		return nil, errors.New("its pattern negates a comparison")
	}
	path := pathOf(e.Path)
	switch e.Operator {
	case pattern.Equal, pattern.IsSubset:
		t, err := term(path, e.Value)
		return [][]Term{{t}}, err
	case pattern.In:
		all := make([][]Term, 0, len(e.Set))
		for _, c := range e.Set {
			t, err := term(path, c)
			if err != nil {
				return nil, err
			}
			all = append(all, []Term{t})
		}
		return all, nil
	case pattern.Like:
		if rest, ok := strings.CutPrefix(e.Value.Text, "%."); ok && path == "domain-name:value" && !strings.ContainsAny(rest, "%_") {
			return [][]Term{{{Path: path, Value: rest, Below: true}}}, nil
		}
	}
	return nil, fmt.Errorf("its pattern compares by %s", e.Operator)
}

func term(path string, c pattern.Constant) (Term, error) {
	switch c.Kind {
	case pattern.String:
		return Term{Path: path, Value: c.Text}, nil
	case pattern.Integer:
		return Term{Path: path, Value: c.Text, Number: true}, nil
	}
	return Term{}, errors.New("its pattern compares with something else than text or an integer")
}

// Pattern prints alternatives as a STIX pattern. It is what [Alternatives] takes apart again; no value can break out of its
// quotes.
func Pattern(alternatives ...[]Term) (string, error) {
	var b strings.Builder
	for i, terms := range alternatives {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteByte('[')
		for j, t := range terms {
			if j > 0 {
				b.WriteString(" AND ")
			}
			writeTerm(&b, t)
		}
		b.WriteByte(']')
	}
	if _, err := pattern.Parse(b.String()); err != nil {
		return "", fmt.Errorf("writing a pattern: %w", err)
	}
	return b.String(), nil
}

func writeTerm(b *strings.Builder, t Term) {
	b.WriteString(t.Path)
	c := pattern.Constant{Kind: pattern.String, Text: t.Value}
	switch kind := t.Kind(); {
	case t.Below:
		c.Text = "%." + t.Value
		b.WriteString(" LIKE ")
	case kind == Network:
		b.WriteString(" ISSUBSET ")
	default:
		b.WriteString(" = ")
	}
	if t.Number {
		c.Kind = pattern.Integer
	}
	b.WriteString(c.String())
}
