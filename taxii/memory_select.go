package taxii

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// memoryCollection holds the objects of one collection in the order in which they were added.
type memoryCollection struct {
	Collection

	mu      sync.RWMutex
	entries []memoryEntry    // ascending by DateAdded; guarded by mu
	byID    map[string][]int // places in entries; guarded by mu
	last    time.Time        // the latest DateAdded given out; guarded by mu
}

type memoryEntry struct {
	Entry
	key  string // of the version
	gone bool   // deleted
}

func (e *memoryEntry) version() string {
	if e.Version == "" {
		return FormatTime(e.DateAdded)
	}
	return e.Version
}

// A selection is one query over one collection, for one caller.
type selection struct {
	c         *memoryCollection
	f         Filter
	sees      func(Object) bool    // nil: everything
	standings map[string]*standing // of objects with several versions, by id
}

// page implements Backend.Objects.
func (c *memoryCollection) page(q Query, sees func(Object) bool) Page {
	c.mu.RLock()
	defer c.mu.RUnlock()
	after := q.After
	if q.AddedAfter.After(after) {
		after = q.AddedAfter
	}
	var p Page
	size := 0
	s := selection{c: c, f: q.Filter, sees: sees}
	s.each(after, func(i int) bool {
		e := &c.entries[i]
		size += len(e.Raw)
		if len(p.Entries) == q.Limit || len(p.Entries) > 0 && !q.Bare && size > q.MaxBytes {
			p.More = true
			return false
		}
		p.Entries = append(p.Entries, e.Entry)
		return true
	})
	return p
}

// remove implements Backend.Delete.
func (c *memoryCollection) remove(f Filter, sees func(Object) bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var chosen []int
	s := selection{c: c, f: f, sees: sees}
	s.each(time.Time{}, func(i int) bool {
		chosen = append(chosen, i)
		return true
	})
	if len(chosen) == 0 {
		return ErrNotFound
	}
	for _, i := range chosen {
		c.entries[i].gone, c.entries[i].Raw = true, nil
	}
	return nil
}

// each calls yield with the places of what is selected after a date, in order, until it returns false.
func (s *selection) each(after time.Time, yield func(int) bool) {
	n := len(s.c.entries)
	first := sort.Search(n, func(i int) bool { return s.c.entries[i].DateAdded.After(after) })
	if len(s.f.IDs) == 0 {
		for i := first; i < n; i++ {
			if s.selects(i) && !yield(i) {
				return
			}
		}
		return
	}
	var places []int
	for _, id := range s.f.IDs {
		places = append(places, s.c.byID[id]...)
	}
	slices.Sort(places)
	for _, i := range places {
		if i >= first && s.selects(i) && !yield(i) {
			return
		}
	}
}

// matches tests all conditions but those on versions.
func (s *selection) matches(e *memoryEntry) bool {
	return !e.gone && e.DateAdded.After(s.f.AddedAfter) &&
		(len(s.f.Types) == 0 || slices.Contains(s.f.Types, e.Type)) &&
		(s.sees == nil || s.sees(e.Object))
}

// A standing is what decides among the versions of one object: computed once for each object in a query, so that an
// object with thousands of versions costs no more than as many objects.
type standing struct {
	newest      string            // spec version
	first, last map[string]string // keys, by spec version
}

func (s *selection) selects(i int) bool {
	e := &s.c.entries[i]
	if !s.matches(e) {
		return false
	}
	v := s.f.Versions
	named := v.All || slices.Contains(v.Exact, e.key)
	wanted := len(s.f.SpecVersions) == 0 || slices.Contains(s.f.SpecVersions, e.SpecVersion)
	if len(s.c.byID[e.ID]) == 1 {
		return wanted && (named || v.First || v.Last || v.IsZero())
	}
	st := s.standing(e.ID)
	switch {
	case !wanted, len(s.f.SpecVersions) == 0 && e.SpecVersion != st.newest:
		return false
	case named:
		return true
	case (v.Last || v.IsZero()) && e.key == st.last[e.SpecVersion]:
		return true
	}
	return v.First && e.key == st.first[e.SpecVersion]
}

func (s *selection) standing(id string) *standing {
	if st, ok := s.standings[id]; ok {
		return st
	}
	st := &standing{first: map[string]string{}, last: map[string]string{}}
	for _, p := range s.c.byID[id] {
		e := &s.c.entries[p]
		if !s.matches(e) {
			continue
		}
		if st.newest == "" || specLess(st.newest, e.SpecVersion) {
			st.newest = e.SpecVersion
		}
		if first, ok := st.first[e.SpecVersion]; !ok || e.key < first {
			st.first[e.SpecVersion] = e.key
		}
		st.last[e.SpecVersion] = max(st.last[e.SpecVersion], e.key)
	}
	if s.standings == nil {
		s.standings = map[string]*standing{}
	}
	s.standings[id] = st
	return st
}

// specLess compares N.N.
func specLess(a, b string) bool {
	aMajor, aMinor, _ := strings.Cut(a, ".")
	bMajor, bMinor, _ := strings.Cut(b, ".")
	if aMajor == bMajor {
		return len(aMinor) < len(bMinor) || len(aMinor) == len(bMinor) && aMinor < bMinor
	}
	return len(aMajor) < len(bMajor) || len(aMajor) == len(bMajor) && aMajor < bMajor
}
