package plan

import (
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix/pattern"
)

// seconds reads the number of a WITHIN.
func seconds(text string) time.Duration {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || s > maxRetention.Seconds() {
		return maxRetention
	}
	return time.Duration(s * float64(time.Second))
}

// canonicalise gives the pattern with its constants in the canonical forms in which events carry their values. The
// original is not touched.
func canonicalise(p *pattern.Pattern) *pattern.Pattern {
	return &pattern.Pattern{Root: canonicalObservation(p.Root)}
}

func canonicalObservations(all []pattern.ObservationExpression) []pattern.ObservationExpression {
	out := make([]pattern.ObservationExpression, len(all))
	for i, e := range all {
		out[i] = canonicalObservation(e)
	}
	return out
}

func canonicalObservation(e pattern.ObservationExpression) pattern.ObservationExpression {
	switch e := e.(type) {
	case *pattern.Observed:
		return &pattern.Observed{At: e.At, Comparison: canonicalComparison(e.Comparison)}
	case *pattern.ObservationAnd:
		return &pattern.ObservationAnd{Operands: canonicalObservations(e.Operands)}
	case *pattern.ObservationOr:
		return &pattern.ObservationOr{Operands: canonicalObservations(e.Operands)}
	case *pattern.FollowedBy:
		return &pattern.FollowedBy{Operands: canonicalObservations(e.Operands)}
	case *pattern.ObservationGroup:
		return &pattern.ObservationGroup{At: e.At, Expression: canonicalObservation(e.Expression)}
	case *pattern.Within:
		return &pattern.Within{Expression: canonicalObservation(e.Expression), Seconds: e.Seconds}
	case *pattern.Repeats:
		return &pattern.Repeats{Expression: canonicalObservation(e.Expression), Times: e.Times}
	case *pattern.StartStop:
		return &pattern.StartStop{Expression: canonicalObservation(e.Expression), Start: e.Start, Stop: e.Stop}
	}
	return e
}

func canonicalComparisons(all []pattern.ComparisonExpression) []pattern.ComparisonExpression {
	out := make([]pattern.ComparisonExpression, len(all))
	for i, e := range all {
		out[i] = canonicalComparison(e)
	}
	return out
}

func canonicalComparison(e pattern.ComparisonExpression) pattern.ComparisonExpression {
	switch e := e.(type) {
	case *pattern.ComparisonAnd:
		return &pattern.ComparisonAnd{Operands: canonicalComparisons(e.Operands)}
	case *pattern.ComparisonOr:
		return &pattern.ComparisonOr{Operands: canonicalComparisons(e.Operands)}
	case *pattern.ComparisonGroup:
		return &pattern.ComparisonGroup{At: e.At, Expression: canonicalComparison(e.Expression)}
	case *pattern.Comparison:
		return canonicalEquality(e)
	}
	return e
}

func canonicalEquality(e *pattern.Comparison) pattern.ComparisonExpression {
	kind, _ := KindOf(e.Path)
	if kind == index.Other || e.Operator != pattern.Equal && e.Operator != pattern.NotEqual && e.Operator != pattern.In {
		return e
	}
	out := *e
	switch kind {
	case index.JA3, index.JA3S, index.JA4:
		out.Path = fingerprintPath(e.Path.At, kind)
	case index.FileHash, index.CertHash:
		out.Path.Steps = []pattern.Step{e.Path.Steps[0], {Kind: pattern.Key, Key: exchange.HashName(e.Path.Steps[1].Key)}}
	case index.Address:
		if p := e.Value.Text; e.Operator == pattern.Equal && !e.Negated && strings.Contains(p, "/") {
			out.Operator = pattern.IsSubset
			return &out
		}
	}
	out.Value = canonicalConstant(kind, e.Value)
	out.Set = make([]pattern.Constant, len(e.Set))
	for i, c := range e.Set {
		out.Set[i] = canonicalConstant(kind, c)
	}
	return &out
}

func canonicalConstant(kind index.Kind, c pattern.Constant) pattern.Constant {
	if c.Kind != pattern.String {
		return c
	}
	if key, ok := index.AppendKey(nil, kind, []byte(c.Text)); ok {
		c.Text = index.Render(kind, key)
	}
	return c
}

// fingerprintPath is where observations made of events carry a fingerprint.
func fingerprintPath(at pattern.Position, kind index.Kind) pattern.ObjectPath {
	return pattern.ObjectPath{At: at, Type: "network-traffic", Steps: []pattern.Step{{Kind: pattern.Key, Key: "x_" + kind.String()}}}
}
