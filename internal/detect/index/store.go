package index

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Store holds the present Set and swaps in changed ones. Look-ups take no lock and never wait: who asks for the set
// keeps the one he got.
type Store struct {
	set atomic.Pointer[Set]

	writers sync.Mutex // of changes, and of what follows
	tidied  sync.Cond  // when tidying got somewhere, or ended
	tidying bool
	stuck   error // why tidying ended early
	heavy   int   // compactAt, less in tests
}

// mostTiers is how many changes may wait to be merged before another one waits for that.
const mostTiers = 64

// NewStore makes a Store that begins with a set.
func NewStore(s *Set) *Store {
	st := &Store{heavy: compactAt}
	st.tidied.L = &st.writers
	st.set.Store(s)
	return st
}

// Set gives the present set.
func (st *Store) Set() *Set { return st.set.Load() }

// Replace swaps another set in.
func (st *Store) Replace(s *Set) {
	st.writers.Lock()
	defer st.writers.Unlock()
	st.rest()
	st.set.Store(s)
}

// Wait returns when no change is being merged any more. Call it before a set is closed that Open mapped.
func (st *Store) Wait() {
	st.writers.Lock()
	defer st.writers.Unlock()
	st.rest()
}

func (st *Store) rest() {
	for st.tidying {
		st.tidied.Wait()
	}
}

// Add adds all that another set holds; indicators of both are those of the other set from then on.
func (st *Store) Add(s *Set, seed uint64) error {
	b := &Builder{}
	if err := s.copyTiers(b, 0, len(s.tiers)-1); err != nil {
		return err
	}
	return st.Apply(b, nil, seed)
}

// Apply takes indicators away and adds others; an indicator that is added again is replaced with all its keys. The
// builder is used up. When Apply returns, look-ups find the change. It costs as much as the change is large: changes are merged with each
// other, and with the base, beside the look-ups and later ones.
func (st *Store) Apply(b *Builder, remove []ID, seed uint64) error {
	changed := make(map[ID]struct{}, len(remove)+b.Len())
	for _, id := range remove {
		changed[id] = struct{}{}
	}
	for at := 0; at < len(b.rows); at += rowSize {
		changed[ID(b.rows[at:at+16])] = struct{}{}
	}
	l, err := b.build(seed)
	if err != nil {
		return err
	}
	st.writers.Lock()
	defer st.writers.Unlock()
	for len(st.set.Load().tiers) >= mostTiers {
		if !st.tidying {
			return fmt.Errorf("changing an index: %d changes cannot be merged: %w", mostTiers, st.stuck)
		}
		st.tidied.Wait()
	}
	old := st.set.Load()
	next := &Set{tiers: append(old.tiers[:len(old.tiers):len(old.tiers)], tier{l, changed})}
	st.set.Store(next)
	if _, _, untidy := next.untidy(st.heavy); untidy && !st.tidying {
		st.tidying = true
		go st.tidy()
	}
	return nil
}

// tidy merges changes until there is nothing to merge. What comes meanwhile stands behind what is merged.
func (st *Store) tidy() {
	st.writers.Lock()
	defer st.writers.Unlock()
	for {
		s := st.set.Load()
		first, last, untidy := s.untidy(st.heavy)
		if !untidy {
			break
		}
		st.writers.Unlock()
		t, err := s.merged(first, last)
		st.writers.Lock()
		if err != nil {
			st.stuck = errors.Join(st.stuck, err)
			break
		}
		now := st.set.Load().tiers
		next := append(append(now[:first:first], t), now[last+1:]...)
		st.set.Store(&Set{tiers: next})
		st.tidied.Broadcast()
	}
	st.tidying = false
	st.tidied.Broadcast()
}
