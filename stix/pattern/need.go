package pattern

import (
	"math"
	"slices"
)

// Bounds that keep sums of times and products of counts within int64.
const (
	maxSpan   = 1 << 60 // microseconds; longer than any calendar
	maxDemand = 1 << 31 // more than any count of observations that can be read
)

func microseconds(seconds float64) int64 {
	return int64(math.RoundToEven(seconds * 1e6))
}

// timeline holds the times and counts of the observations of one match, in
// order of their first times.
type timeline struct {
	first, last []int64
	capacity    []int64
	total       int64
}

// need is what a plan asks of the timeline once its leaves are known: one of
// slotNeed, allNeed, anyNeed, orderedNeed, withinNeed and repeatNeed, or nil
// when nothing can satisfy it.
type need interface{}

type (
	// slotNeed asks for so many instances of the observations in its set
	// (ascending places in the timeline).
	slotNeed struct {
		set    []int32
		demand int64
	}
	allNeed     []need
	anyNeed     []need // two or more
	orderedNeed []need
	withinNeed  struct {
		of       need
		duration int64
	}
	repeatNeed struct {
		of    need
		times int64
	}
)

// builder turns plans into needs and makes them as simple as can be without
// changing what satisfies them:
//   - START and STOP ask something of each observation by itself, so they only
//     make the leaves' sets smaller;
//   - a span holds one observation always;
//   - n times (A and B) is n times A and n times B, for distinct observations;
//   - one of several single observations is one observation of their union.
type builder struct {
	timeline *timeline
	leaves   [][]int32
}

func (b *builder) build(p plan, spans []spanPlan) need {
	switch p := p.(type) {
	case leafPlan:
		return b.slot(b.leaves[p], spans)
	case allPlan:
		needs := b.all(p, spans)
		if needs == nil {
			return nil
		}
		return flattenAll(needs)
	case orderedPlan:
		needs := b.all(p, spans)
		if needs == nil {
			return nil
		}
		return orderedNeed(needs)
	case anyPlan:
		var needs []need
		for _, sub := range p {
			if n := b.build(sub, spans); n != nil {
				needs = append(needs, n)
			}
		}
		return joinAny(needs)
	case spanPlan:
		if p.start >= p.stop {
			return nil
		}
		return b.build(p.of, append(slices.Clip(spans), p))
	case withinPlan:
		return withinOf(b.build(p.of, spans), p.duration)
	case repeatPlan:
		return b.repeat(b.build(p.of, spans), p.times)
	}
	return nil
}

func (b *builder) slot(set []int32, spans []spanPlan) need {
	for _, span := range spans {
		set = slices.DeleteFunc(slices.Clone(set), func(i int32) bool {
			return b.timeline.first[i] >= span.stop || b.timeline.last[i] < span.start
		})
	}
	if len(set) == 0 {
		return nil
	}
	return slotNeed{set: set, demand: 1}
}

func (b *builder) all(plans []plan, spans []spanPlan) []need {
	needs := make([]need, 0, len(plans))
	for _, p := range plans {
		n := b.build(p, spans)
		if n == nil {
			return nil
		}
		needs = append(needs, n)
	}
	return needs
}

func flattenAll(needs []need) need {
	var flat allNeed
	for _, n := range needs {
		if inner, ok := n.(allNeed); ok {
			flat = append(flat, inner...)
		} else {
			flat = append(flat, n)
		}
	}
	return flat
}

func joinAny(needs []need) need {
	var joined anyNeed
	var single []int32
	for _, n := range needs {
		alternatives := anyNeed{n}
		if inner, ok := n.(anyNeed); ok {
			alternatives = inner
		}
		for _, alternative := range alternatives {
			if slot, ok := alternative.(slotNeed); ok && slot.demand == 1 {
				single = union(single, slot.set)
			} else {
				joined = append(joined, alternative)
			}
		}
	}
	if single != nil {
		joined = append(joined, slotNeed{set: single, demand: 1})
	}
	switch len(joined) {
	case 0:
		return nil
	case 1:
		return joined[0]
	}
	return joined
}

func union(a, b []int32) []int32 {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

func withinOf(n need, duration int64) need {
	switch n := n.(type) {
	case nil:
		return nil
	case slotNeed:
		if n.demand == 1 {
			return n
		}
	case anyNeed:
		var needs []need
		for _, alternative := range n {
			needs = append(needs, withinOf(alternative, duration))
		}
		return joinAny(needs)
	}
	return withinNeed{of: n, duration: duration}
}

func (b *builder) repeat(n need, times int64) need {
	if n == nil || times > b.timeline.total {
		return nil
	}
	if times == 1 {
		return n
	}
	switch n := n.(type) {
	case slotNeed:
		if n.demand*times > b.timeline.total {
			return nil
		}
		return slotNeed{set: n.set, demand: n.demand * times}
	case allNeed:
		needs := make([]need, 0, len(n))
		for _, sub := range n {
			repeated := b.repeat(sub, times)
			if repeated == nil {
				return nil
			}
			needs = append(needs, repeated)
		}
		return flattenAll(needs)
	case repeatNeed:
		if n.times*times > b.timeline.total {
			return nil
		}
		return repeatNeed{of: n.of, times: n.times * times}
	}
	return repeatNeed{of: n, times: times}
}

// leavesOf joins the sets of all slots in a need: every way to satisfy it takes
// one of them at least.
func leavesOf(n need) []int32 {
	var all []int32
	switch n := n.(type) {
	case slotNeed:
		return n.set
	case allNeed:
		for _, sub := range n {
			all = append(all, leavesOf(sub)...)
		}
	case anyNeed:
		for _, sub := range n {
			all = append(all, leavesOf(sub)...)
		}
	case orderedNeed:
		for _, sub := range n {
			all = append(all, leavesOf(sub)...)
		}
	case withinNeed:
		return leavesOf(n.of)
	case repeatNeed:
		return leavesOf(n.of)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
