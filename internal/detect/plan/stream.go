package plan

import (
	"container/list"
	"errors"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix/pattern"
)

// Limits bounds a Stream. Zeros mean the defaults.
type Limits struct {
	States       int // pairs of pattern and correlation key that wait for more: 65,536
	Observations int // kept in each of them: 256
	Total        int // kept in all of them: 262,144
}

// Dropped counts what a Stream could not keep, and patterns it could not decide.
type Dropped struct {
	States       int64 `json:"states,omitempty"`       // given up as a whole, the one unused for longest first
	Observations int64 `json:"observations,omitempty"` // the oldest of a state that was full
	Late         int64 `json:"late,omitempty"`         // older than what the state had already let go
	Errors       int64 `json:"errors,omitempty"`       // no verdict: values that cannot be compared, too much work
}

// Stream decides patterns on events as they come. Observations that satisfy a part of a pattern wait, for each
// correlation key by itself, as long as the pattern's WITHIN says (a day without one, a week at most, in the events'
// own time); with each new one the matcher decides on those that wait. What was matched does not wait any longer. It
// is for one goroutine.
type Stream struct {
	limits  Limits
	states  map[stateKey]*list.Element
	used    *list.List // of *state, the one used last in front
	total   int
	dropped Dropped
}

type stateKey struct {
	indicator index.ID
	key       string
}

type state struct {
	stateKey
	waiting []pattern.Observation // by time
	newest  time.Time

	restored []pattern.Observation // of what waited when the stream was restored and has not come again
}

// again tells whether an observation was there before the stream was restored: what was being read then is read from its beginning.
func (st *state) again(o pattern.Observation) bool {
	i := slices.IndexFunc(st.restored, func(r pattern.Observation) bool {
		return r.ID == o.ID && r.First.Equal(o.First) && r.Last.Equal(o.Last)
	})
	if i < 0 {
		return false
	}
	st.restored = slices.Delete(st.restored, i, i+1)
	return true
}

// NewStream makes a Stream.
func NewStream(l Limits) *Stream {
	if l.States <= 0 {
		l.States = 1 << 16
	}
	if l.Observations <= 0 {
		l.Observations = 256
	}
	if l.Total <= 0 {
		l.Total = 1 << 18
	}
	return &Stream{limits: l, states: map[stateKey]*list.Element{}, used: list.New()}
}

// Dropped tells what was counted so far.
func (s *Stream) Dropped() Dropped { return s.dropped }

// Waiting tells how many observations are kept.
func (s *Stream) Waiting() int { return s.total }

// Event gives a plan the next observation under a correlation key, and returns the observations that satisfy the
// pattern together; nil when there are none yet.
func (s *Stream) Event(id index.ID, p *Plan, key string, o pattern.Observation) []pattern.Observation {
	if p.single {
		return s.match(p.whole, []pattern.Observation{o})
	}
	if !s.counts(p, o) {
		return nil
	}
	st := s.state(stateKey{id, key})
	if o.ID != "" && st.again(o) {
		return nil
	}
	if o.Last.After(st.newest) {
		st.newest = o.Last
	}
	horizon := st.newest.Add(-p.retention)
	if o.Last.Before(horizon) {
		s.dropped.Late++
		return nil
	}
	kept := slices.DeleteFunc(st.waiting, func(w pattern.Observation) bool { return w.Last.Before(horizon) })
	s.total -= len(st.waiting) - len(kept)
	st.waiting = kept
	if len(st.waiting) >= s.limits.Observations {
		st.waiting = slices.Delete(st.waiting, 0, 1)
		s.total--
		s.dropped.Observations++
	}
	at, _ := slices.BinarySearchFunc(st.waiting, o, func(a, b pattern.Observation) int {
		if a.First.After(b.First) {
			return 1
		}
		return -1
	})
	st.waiting = slices.Insert(st.waiting, at, o)
	s.total++
	found := s.match(p.whole, st.waiting)
	if found != nil {
		s.forget(s.states[st.stateKey])
	}
	s.makeRoom()
	return found
}

// counts tells whether an observation satisfies a part of the pattern.
func (s *Stream) counts(p *Plan, o pattern.Observation) bool {
	for _, leaf := range p.leaves {
		if s.match(leaf, []pattern.Observation{o}) != nil {
			return true
		}
	}
	return false
}

func (s *Stream) match(m *pattern.Matcher, observations []pattern.Observation) []pattern.Observation {
	result, err := m.Match(observations)
	if err != nil {
		var noVerdict *pattern.MatchError
		if errors.As(err, &noVerdict) {
			s.dropped.Errors++
		}
		return nil
	}
	if !result.Matched {
		return nil
	}
	found := make([]pattern.Observation, 0, len(result.Observations))
	for _, i := range result.Observations {
		found = append(found, observations[i])
	}
	return found
}

func (s *Stream) state(k stateKey) *state {
	if e, ok := s.states[k]; ok {
		s.used.MoveToFront(e)
		return e.Value.(*state)
	}
	st := &state{stateKey: k}
	s.states[k] = s.used.PushFront(st)
	return st
}

func (s *Stream) forget(e *list.Element) {
	st := s.used.Remove(e).(*state)
	s.total -= len(st.waiting)
	delete(s.states, st.stateKey)
}

func (s *Stream) makeRoom() {
	for s.used.Len() > s.limits.States || s.total > s.limits.Total && s.used.Len() > 1 {
		s.forget(s.used.Back())
		s.dropped.States++
	}
}
