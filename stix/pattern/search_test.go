package pattern

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Bindings by enumeration: every way to satisfy a plan, as sets of instances.
// An instance is place*16 + its number.
type enumerator struct {
	timeline *timeline
	leaves   [][]int32
}

type binding []int32

func (b binding) disjoint(c binding) bool {
	return !slices.ContainsFunc(b, func(i int32) bool { return slices.Contains(c, i) })
}

func (e *enumerator) latestFirst(b binding) int64 {
	latest := e.timeline.first[b[0]/16]
	for _, i := range b {
		latest = max(latest, e.timeline.first[i/16])
	}
	return latest
}

func (e *enumerator) earliestLast(b binding) int64 {
	earliest := e.timeline.last[b[0]/16]
	for _, i := range b {
		earliest = min(earliest, e.timeline.last[i/16])
	}
	return earliest
}

func (e *enumerator) all(p plan) []binding {
	var out []binding
	keep := func(all []binding, fits func(binding) bool) {
		for _, b := range all {
			if fits(b) {
				out = append(out, b)
			}
		}
	}
	join := func(left, right []binding, fits func(l, r binding) bool) []binding {
		var joined []binding
		for _, l := range left {
			for _, r := range right {
				if l.disjoint(r) && fits(l, r) {
					joined = append(joined, append(slices.Clone(l), r...))
				}
			}
		}
		return joined
	}
	switch p := p.(type) {
	case leafPlan:
		for _, place := range e.leaves[p] {
			for i := range e.timeline.capacity[place] {
				out = append(out, binding{place*16 + int32(i)})
			}
		}
	case anyPlan:
		for _, sub := range p {
			out = append(out, e.all(sub)...)
		}
	case allPlan:
		out = e.all(p[0])
		for _, sub := range p[1:] {
			out = join(out, e.all(sub), func(l, r binding) bool { return true })
		}
	case orderedPlan:
		out = e.all(p[0])
		for _, sub := range p[1:] {
			out = join(out, e.all(sub), func(l, r binding) bool { return e.latestFirst(l) <= e.earliestLast(r) })
		}
	case withinPlan:
		keep(e.all(p.of), func(b binding) bool { return e.latestFirst(b)-e.earliestLast(b) <= p.duration })
	case spanPlan:
		keep(e.all(p.of), func(b binding) bool {
			return p.start < p.stop && !slices.ContainsFunc(b, func(i int32) bool {
				return e.timeline.first[i/16] >= p.stop || e.timeline.last[i/16] < p.start
			})
		})
	case repeatPlan:
		one := e.all(p.of)
		out = one
		for range p.times - 1 {
			out = join(out, one, func(l, r binding) bool { return true })
		}
	}
	return out
}

func drawPlan(t *rapid.T, depth, leaves int) plan {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 || kind < 2 {
		return leafPlan(rapid.IntRange(0, leaves-1).Draw(t, "leaf"))
	}
	operands := func() []plan {
		var plans []plan
		for range 2 {
			plans = append(plans, drawPlan(t, depth-1, leaves))
		}
		return plans
	}
	switch kind {
	case 2, 3:
		return allPlan(operands())
	case 4:
		return anyPlan(operands())
	case 5, 6:
		return orderedPlan(operands())
	case 7:
		return withinPlan{of: drawPlan(t, depth-1, leaves), duration: rapid.Int64Range(0, 6).Draw(t, "duration")}
	case 8:
		start := rapid.Int64Range(0, 10).Draw(t, "start")
		return spanPlan{of: drawPlan(t, depth-1, leaves), start: start, stop: start + rapid.Int64Range(-1, 8).Draw(t, "length")}
	}
	return repeatPlan{of: drawPlan(t, depth-1, leaves), times: rapid.Int64Range(1, 3).Draw(t, "times")}
}

// instances gives the fewest and most instances in bindings of a plan.
func instances(p plan) (most int64) {
	switch p := p.(type) {
	case leafPlan:
		return 1
	case allPlan:
		for _, sub := range p {
			most += instances(sub)
		}
	case orderedPlan:
		for _, sub := range p {
			most += instances(sub)
		}
	case anyPlan:
		for _, sub := range p {
			most = max(most, instances(sub))
		}
	case withinPlan:
		return instances(p.of)
	case spanPlan:
		return instances(p.of)
	case repeatPlan:
		return p.times * instances(p.of)
	}
	return most
}

// The search and plain enumeration agree on whether there is a binding.
func TestBindAgreesWithEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "observations")
		tl := &timeline{}
		for range n {
			first := rapid.Int64Range(0, 10).Draw(t, "first")
			tl.first = append(tl.first, first)
		}
		slices.Sort(tl.first)
		for _, first := range tl.first {
			tl.last = append(tl.last, first+rapid.SampledFrom([]int64{0, 0, 1, 4}).Draw(t, "length"))
			capacity := rapid.SampledFrom([]int64{1, 1, 1, 2}).Draw(t, "number")
			tl.capacity = append(tl.capacity, capacity)
			tl.total += capacity
		}
		leaves := make([][]int32, 3)
		for l := range leaves {
			for place := range int32(n) {
				if rapid.Bool().Draw(t, "holds") {
					leaves[l] = append(leaves[l], place)
				}
			}
		}
		p := drawPlan(t, 3, len(leaves))
		if instances(p) > 7 {
			t.Skip("too many bindings to enumerate")
		}
		want := len((&enumerator{tl, leaves}).all(p)) > 0
		steps := int64(1_000_000)
		b := builder{timeline: tl, leaves: leaves}
		found, err := bind(b.build(p, nil), tl, &steps)
		if err != nil {
			t.Fatalf("%#v: %v", p, err)
		}
		if (found != nil) != want {
			t.Fatalf("%#v: found %v, want %v", p, found, want)
		}
	})
}

// The matching in a graph and the search agree on repeated pairs.
func TestPairsAgreeWithSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "observations")
		tl := &timeline{}
		for range n {
			tl.first = append(tl.first, rapid.Int64Range(0, 15).Draw(t, "first"))
		}
		slices.Sort(tl.first)
		leaves := make([][]int32, 2)
		for place, first := range tl.first {
			tl.last = append(tl.last, first+rapid.SampledFrom([]int64{0, 0, 1, 4}).Draw(t, "length"))
			capacity := rapid.SampledFrom([]int64{1, 1, 1, 3}).Draw(t, "number")
			tl.capacity = append(tl.capacity, capacity)
			tl.total += capacity
			for l := range leaves {
				if rapid.Bool().Draw(t, "holds") {
					leaves[l] = append(leaves[l], int32(place))
				}
			}
		}
		var of plan = orderedPlan{leafPlan(0), leafPlan(1)}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 1:
			of = withinPlan{of: allPlan{leafPlan(0), leafPlan(1)}, duration: rapid.Int64Range(0, 5).Draw(t, "duration")}
		case 2:
			of = withinPlan{of: of, duration: rapid.Int64Range(0, 5).Draw(t, "duration")}
		}
		b := builder{timeline: tl, leaves: leaves}
		built := b.build(repeatPlan{of: of, times: rapid.Int64Range(2, 8).Draw(t, "times")}, nil)
		pair, ok := pairOf(built)
		if !ok {
			if built != nil {
				t.Fatalf("%#v is not seen as a pair", built)
			}
			return
		}
		steps := int64(50_000_000)
		searched, err := search(built, tl, &steps)
		if err != nil {
			t.Skip("the search gave up")
		}
		matched, err := bindPairs(pair, tl, &steps)
		if err != nil || (matched != nil) != (searched != nil) {
			t.Fatalf("%#v: matching %v %v, search %v", pair, matched, err, searched)
		}
	})
}
