package pattern

import (
	"math"
	"slices"
)

// bind finds observations for a need, or tells that there are none. Times are
// handled by thresholds: A FOLLOWEDBY B holds when some moment t lies at or after
// the first times of A's observations and at or before the last times of B's;
// WITHIN d holds when some t lies at or before all last times and t+d at or
// after all first times. With t known, either asks something of each observation
// by itself, and what is left is a flow. So the search narrows intervals for the
// thresholds: a need that has no flow for what its intervals let through has no
// solution; a flow that keeps all thresholds is one; else an interval is halved.
//
// With one threshold this takes time near-linear in the observations. With many
// it may not, and stops with an error when the steps are used up.
//
// Repeated pairs are the exception: they are a matching in a graph, which is
// looked for when the search does not come to an end soon.
func bind(n need, t *timeline, steps *int64) ([]int32, error) {
	if n == nil {
		return nil, nil
	}
	pair, ok := pairOf(n)
	if !ok || pair.instances(t) > maxPairInstances {
		return search(n, t, steps)
	}
	const soon = 2_000_000
	some := min(*steps, soon)
	*steps -= some
	found, err := search(n, t, &some)
	*steps += max(some, 0)
	if err == nil {
		return found, nil
	}
	return bindPairs(pair, t, steps)
}

func search(n need, t *timeline, steps *int64) ([]int32, error) {
	s := &searcher{timeline: t, steps: steps}
	st := &state{}
	ok, err := s.expand(st, n, nil, 1)
	if err != nil || !ok {
		return nil, err
	}
	return s.solve(st)
}

// slot asks for instances of observations that fit its bounds.
type slot struct {
	set    []int32
	demand int64
	bounds []bound
	late   bool // has lower bounds only
}

// bound ties a slot to a threshold.
type bound struct {
	threshold int
	upper     bool // first times are at most the threshold plus its span
	lower     bool // last times are at least the threshold
}

// threshold is a moment that has to be found, between low and high.
type threshold struct {
	span      int64
	low, high int64
	before    int // a threshold that may be taken to be no later than this one, or -1
}

// choice is an alternative that is still open.
type choice struct {
	of     anyNeed
	bounds []bound
	times  int64
}

// state is a node of the search. Slices are shared between nodes and copied
// before a change.
type state struct {
	slots      []*slot
	thresholds []threshold
	choices    []choice
}

type searcher struct {
	timeline *timeline
	steps    *int64
	depth    int
}

// expand adds a need to a state. False tells that it cannot be satisfied.
func (s *searcher) expand(st *state, n need, bounds []bound, times int64) (bool, error) {
	if times > s.timeline.total {
		return false, nil
	}
	switch n := n.(type) {
	case slotNeed:
		if n.demand > s.timeline.total/times {
			return false, nil
		}
		late := len(bounds) > 0
		for _, b := range bounds {
			late = late && b.lower && !b.upper
		}
		st.slots = append(slices.Clip(st.slots), &slot{set: n.set, demand: n.demand * times, bounds: bounds, late: late})
		return true, nil
	case allNeed:
		for _, sub := range n {
			if ok, err := s.expand(st, sub, bounds, times); !ok {
				return false, err
			}
		}
		return true, nil
	case anyNeed:
		st.choices = append(slices.Clip(st.choices), choice{of: n, bounds: bounds, times: times})
		return true, nil
	case repeatNeed:
		if n.times > s.timeline.total/times {
			return false, nil
		}
		return s.expand(st, n.of, bounds, n.times*times)
	}
	return s.copies(st, n, bounds, times)
}

// copies adds a need that has thresholds, so many times. Copies are alike, so
// their first thresholds may be taken to be in order.
func (s *searcher) copies(st *state, n need, bounds []bound, times int64) (bool, error) {
	before := -1
	for range times {
		if len(st.slots) > maxSlots || len(st.thresholds) > maxSlots {
			return false, &MatchError{Code: TooCostly, Msg: "REPEATS unfolds to too many ordered expressions"}
		}
		first := len(st.thresholds)
		st.thresholds = slices.Clip(st.thresholds)
		var ok bool
		var err error
		switch n := n.(type) {
		case withinNeed:
			st.thresholds = append(st.thresholds, s.newThreshold(n.duration, before))
			tie := bound{threshold: first, upper: true, lower: true}
			ok, err = s.expand(st, n.of, append(slices.Clip(bounds), tie), 1)
		case orderedNeed:
			ok, err = s.ordered(st, n, bounds, first, before)
		}
		if !ok {
			return false, err
		}
		before = first
	}
	return true, nil
}

// ordered adds operands with a threshold between each two neighbours; all before
// it stay below, all after it above.
func (s *searcher) ordered(st *state, n orderedNeed, bounds []bound, first, before int) (bool, error) {
	if len(n)*len(n) > maxSlots {
		return false, &MatchError{Code: TooCostly, Msg: "FOLLOWEDBY has too many operands"}
	}
	for i := 1; i < len(n); i++ {
		st.thresholds = append(st.thresholds, s.newThreshold(0, before))
		before = -1
	}
	for i, sub := range n {
		ties := slices.Clip(bounds)
		for j := 1; j < len(n); j++ {
			ties = append(ties, bound{threshold: first + j - 1, upper: i < j, lower: i >= j})
		}
		if ok, err := s.expand(st, sub, ties, 1); !ok {
			return false, err
		}
	}
	return true, nil
}

func (s *searcher) newThreshold(span int64, before int) threshold {
	return threshold{span: span, low: -2 * maxSpan, high: 2 * maxSpan, before: before}
}

// solve searches below a state. Nil without an error: there is no solution.
func (s *searcher) solve(st *state) ([]int32, error) {
	if s.depth++; s.depth > 10_000 {
		return nil, errSteps
	}
	defer func() { s.depth-- }()
	if ok, err := s.narrow(st); !ok {
		return nil, err
	}
	f := &flow{capacity: s.timeline.capacity, slots: slices.Clip(st.slots), steps: s.steps}
	for _, c := range st.choices {
		f.slots = append(f.slots, s.relaxed(st, c))
	}
	if ok, err := f.fill(); !ok {
		return nil, err
	}
	if len(st.choices) > 0 {
		return s.choose(st)
	}
	split, at := s.violation(st, f)
	if split < 0 {
		return places(f), nil
	}
	return s.split(st, split, at)
}

// narrow drops from the slots what their thresholds' intervals exclude, and from
// the intervals what the slots exclude.
func (s *searcher) narrow(st *state) (bool, error) {
	t := s.timeline
	slots := make([]*slot, len(st.slots))
	copy(slots, st.slots)
	st.slots = slots
	st.thresholds = slices.Clone(st.thresholds)
	for changed := true; changed; {
		changed = false
		if !orderThresholds(st.thresholds) {
			return false, nil
		}
		for i, slot := range st.slots {
			if len(slot.bounds) == 0 {
				continue
			}
			if *s.steps -= int64(len(slot.set) + len(slot.bounds)); *s.steps < 0 {
				return false, errSteps
			}
			set := s.filter(slot.set, st.thresholds, slot.bounds)
			if len(set) == 0 {
				return false, nil
			}
			if len(set) < len(slot.set) {
				narrowed := *slot
				narrowed.set = set
				st.slots[i] = &narrowed
				changed = true
			}
			first, last := t.first[set[0]], int64(math.MinInt64)
			for _, place := range set {
				first, last = min(first, t.first[place]), max(last, t.last[place])
			}
			for _, b := range slot.bounds {
				th := &st.thresholds[b.threshold]
				if b.upper && first-th.span > th.low {
					th.low = first - th.span
					changed = true
				}
				if b.lower && last < th.high {
					th.high = last
					changed = true
				}
				if th.low > th.high {
					return false, nil
				}
			}
		}
	}
	return true, nil
}

// orderThresholds makes intervals agree with the order of like copies.
func orderThresholds(thresholds []threshold) bool {
	for i := range thresholds {
		if before := thresholds[i].before; before >= 0 {
			thresholds[i].low = max(thresholds[i].low, thresholds[before].low)
		}
	}
	for i := len(thresholds) - 1; i >= 0; i-- {
		if before := thresholds[i].before; before >= 0 {
			thresholds[before].high = min(thresholds[before].high, thresholds[i].high)
		}
		if thresholds[i].low > thresholds[i].high {
			return false
		}
	}
	return true
}

// filter keeps the places that some thresholds in their intervals let through.
// The result is the set itself when all are kept.
func (s *searcher) filter(set []int32, thresholds []threshold, bounds []bound) []int32 {
	latestFirst, earliestLast := int64(math.MaxInt64), int64(math.MinInt64)
	for _, b := range bounds {
		th := &thresholds[b.threshold]
		if b.upper {
			latestFirst = min(latestFirst, th.high+th.span)
		}
		if b.lower {
			earliestLast = max(earliestLast, th.low)
		}
	}
	fits := func(place int32) bool {
		return s.timeline.first[place] <= latestFirst && s.timeline.last[place] >= earliestLast
	}
	for i, place := range set {
		if !fits(place) {
			kept := append(make([]int32, 0, len(set)-1), set[:i]...)
			for _, place := range set[i+1:] {
				if fits(place) {
					kept = append(kept, place)
				}
			}
			return kept
		}
	}
	return set
}

// relaxed is a slot that every decision of an open choice would fill.
func (s *searcher) relaxed(st *state, c choice) *slot {
	set := leavesOf(c.of)
	*s.steps -= int64(len(set))
	return &slot{set: s.filter(set, st.thresholds, c.bounds), demand: c.times}
}

// choose decides the first open choice: how many times its first alternative is
// taken, and the others for the rest.
func (s *searcher) choose(st *state) ([]int32, error) {
	c := st.choices[0]
	for taken := c.times; taken >= 0; taken-- {
		if *s.steps--; *s.steps < 0 {
			return nil, errSteps
		}
		next := &state{slots: st.slots, thresholds: st.thresholds, choices: slices.Clone(st.choices[1:])}
		ok, err := true, error(nil)
		if taken > 0 {
			ok, err = s.expand(next, c.of[0], c.bounds, taken)
		}
		if rest := c.times - taken; ok && rest > 0 {
			others := need(c.of[1:])
			if len(c.of) == 2 {
				others = c.of[1]
			}
			ok, err = s.expand(next, others, c.bounds, rest)
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if found, err := s.solve(next); err != nil || found != nil {
			return found, err
		}
	}
	return nil, nil
}

// violation finds the threshold that a flow keeps least, and a moment to split
// its interval at: thresholds from there on, and thresholds before.
func (s *searcher) violation(st *state, f *flow) (int, int64) {
	latestFirst := make([]int64, len(st.thresholds))
	earliestLast := make([]int64, len(st.thresholds))
	for i := range latestFirst {
		latestFirst[i], earliestLast[i] = -4*maxSpan, 4*maxSpan
	}
	for i, slot := range st.slots {
		for _, b := range slot.bounds {
			for _, g := range f.grants[i] {
				*s.steps--
				if b.upper {
					latestFirst[b.threshold] = max(latestFirst[b.threshold], s.timeline.first[g.place])
				}
				if b.lower {
					earliestLast[b.threshold] = min(earliestLast[b.threshold], s.timeline.last[g.place])
				}
			}
		}
	}
	worst, by := -1, int64(0)
	for i, th := range st.thresholds {
		if gap := latestFirst[i] - th.span - earliestLast[i]; gap > by {
			worst, by = i, gap
		}
	}
	if worst < 0 {
		return -1, 0
	}
	th := st.thresholds[worst]
	if len(st.thresholds) == 1 {
		return worst, th.low + (th.high-th.low)/2 + 1
	}
	return worst, earliestLast[worst] + by/2 + 1
}

// split searches with the threshold before the moment, then from it on.
func (s *searcher) split(st *state, at int, moment int64) ([]int32, error) {
	for _, early := range []bool{true, false} {
		next := &state{slots: st.slots, thresholds: slices.Clone(st.thresholds)}
		if early {
			next.thresholds[at].high = moment - 1
		} else {
			next.thresholds[at].low = moment
		}
		if found, err := s.solve(next); err != nil || found != nil {
			return found, err
		}
	}
	return nil, nil
}

// places are the observations that a flow takes instances of.
func places(f *flow) []int32 {
	var all []int32
	for _, grants := range f.grants {
		for _, g := range grants {
			all = append(all, g.place)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
