package index

import (
	"fmt"
	"maps"
)

// tier is the base of a set, or one change of it.
type tier struct {
	*layer
	// changed are the indicators that the change took away or gave anew: what the tiers before it hold of them counts no more. The
	// base has none.
	changed map[ID]struct{}
}

// weight is what a tier costs to build again.
func (t *tier) weight() int { return len(t.rows)/placeSize + len(t.changed) }

// covered tells whether a change after tier n, up to tier last, took an indicator away or gave it anew.
func (s *Set) covered(n, last int, id ID) bool {
	for i := n + 1; i <= last; i++ {
		if _, is := s.tiers[i].changed[id]; is {
			return true
		}
	}
	return false
}

// copyTiers adds what holds in the tiers from first to last to a builder.
func (s *Set) copyTiers(b *Builder, first, last int) error {
	for i := first; i <= last; i++ {
		if err := b.copyFrom(s.tiers[i].layer, func(id ID) bool { return s.covered(i, last, id) }); err != nil {
			return err
		}
	}
	return nil
}

// merged makes one tier of those from first to last.
func (s *Set) merged(first, last int) (t tier, err error) {
	b := &Builder{}
	if err := s.copyTiers(b, first, last); err != nil {
		return t, fmt.Errorf("merging changes of an index: %w", err)
	}
	if t.layer, err = b.build(s.tiers[last].seed); err != nil {
		return t, fmt.Errorf("merging changes of an index: %w", err)
	}
	if first > 0 {
		t.changed = map[ID]struct{}{}
		for i := first; i <= last; i++ {
			maps.Copy(t.changed, s.tiers[i].changed)
		}
	}
	return t, nil
}

const (
	// compactAt is how heavy changes may be before they are merged into the base, which has to be no more than twice as heavy.
	compactAt = 1 << 17
	// tierFactor is how much heavier a change has to be than the next one: what is written is merged a few times only, and there are a few
	// tiers only.
	tierFactor = 4
)

// untidy gives the tiers to merge next, while there are any; heavy is how heavy changes have to be to go into the base.
func (s *Set) untidy(heavy int) (first, last int, is bool) {
	last = len(s.tiers) - 1
	all := 0
	for i := 1; i <= last; i++ {
		all += s.tiers[i].weight()
	}
	if all >= heavy && 2*all >= s.tiers[0].weight() {
		return 0, last, true
	}
	if last < 0 {
		return 0, 0, false
	}
	first, all = last, s.tiers[last].weight()
	for first > 1 && s.tiers[first-1].weight() < tierFactor*all {
		first--
		all += s.tiers[first].weight()
	}
	return first, last, first < last
}
