package index

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Store holds the present Set and swaps in changed ones. Look-ups take no lock and never wait: who asks for the set
// keeps the one he got.
type Store struct {
	set     atomic.Pointer[Set]
	writers sync.Mutex // changes one after the other
}

// compactAt is how many keys the changes may hold before Apply makes a new base of everything.
const compactAt = 1 << 17

// NewStore makes a Store that begins with a set.
func NewStore(s *Set) *Store {
	st := &Store{}
	st.set.Store(s)
	return st
}

// Set gives the present set.
func (st *Store) Set() *Set { return st.set.Load() }

// Replace swaps another set in.
func (st *Store) Replace(s *Set) {
	st.writers.Lock()
	defer st.writers.Unlock()
	st.set.Store(s)
}

// Add adds all that another set holds; indicators of both are those of the other set from then on.
func (st *Store) Add(s *Set, seed uint64) error {
	b := &Builder{}
	for i, l := range s.layers {
		gone := func(id ID) bool {
			_, is := s.gone[id]
			return is && i == 0
		}
		if err := b.copyFrom(l, gone); err != nil {
			return err
		}
	}
	return st.Apply(b, nil, seed)
}

// Apply takes indicators away and adds others; an indicator that is added again is replaced with all its keys. The
// builder is used up. It costs as much as the changes since the base was built are large, not as the base is; when they
// have become many, everything is built anew (and look-ups go on meanwhile).
func (st *Store) Apply(b *Builder, remove []ID, seed uint64) error {
	st.writers.Lock()
	defer st.writers.Unlock()
	old := st.set.Load()
	changed := make(map[ID]struct{}, len(remove)+b.Len())
	for _, id := range remove {
		changed[id] = struct{}{}
	}
	for at := 0; at < len(b.rows); at += rowSize {
		changed[ID(b.rows[at:at+16])] = struct{}{}
	}
	drop := func(id ID) bool { _, is := changed[id]; return is }
	for _, l := range old.layers[1:] {
		if err := b.copyFrom(l, drop); err != nil {
			return err
		}
	}
	next := &Set{}
	if b.Len() > compactAt {
		gone := func(id ID) bool {
			_, is := old.gone[id]
			return is || drop(id)
		}
		if err := b.copyFrom(old.layers[0], gone); err != nil {
			return err
		}
	} else {
		next.layers = old.layers[:1:1]
		next.gone = maps.Clone(old.gone)
		if next.gone == nil {
			next.gone = changed
		} else {
			maps.Copy(next.gone, changed)
		}
	}
	if b.Len() > 0 {
		l, err := b.build(seed)
		if err != nil {
			return err
		}
		next.layers = append(next.layers, l)
	}
	if len(next.layers) == 0 {
		l, err := (&Builder{}).build(seed)
		if err != nil {
			return err
		}
		next.layers = []*layer{l}
	}
	st.set.Store(next)
	return nil
}
