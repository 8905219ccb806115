package federate

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// absentBatch is how many absent objects, and how many wraps, are asked for in one round; mendEvery how often objects are.
const (
	absentBatch = 64
	mendEvery   = 10 * time.Minute
	// maxAbsent is how many are kept in mind; more are asked for after a restart, when these have come.
	maxAbsent = 4096
)

// A wrap that did not come is asked for again after wrapRetryFirst, then after pauses that double up to wrapRetryMost, and
// wrapTries times in all: a month. Then only its author can help, by handing the key out once more.
const (
	wrapRetryFirst = time.Minute
	wrapRetryMost  = 24 * time.Hour
	wrapTries      = 40
)

// takes says whether a wrap is kept here: one's own, for a mirror everybody's, and always its author's, so that a log that its
// author lost can be given back with what opens it.
func (s *State) takes(w record.WrapRef) bool {
	if s.opts.Wraps == nil {
		return false
	}
	if s.opts.Wraps(w) {
		return true
	}
	authors := func(k record.Keyring) bool {
		key, ok := k.Find(w.To)
		return ok && key.Role == record.RoleSeal || slices.ContainsFunc(k.Revoked, func(r record.Revocation) bool { return r.ID == w.To })
	}
	last, ok := s.history.Last()
	return ok && authors(last) || slices.ContainsFunc(s.offered, authors)
}

// firstTry is when a wrap that did not come with its epoch's record is asked for again: at once where another host was asked, which
// holds none but its own.
func (s *State) firstTry(now time.Time) time.Time {
	if s.beside {
		return now
	}
	return now.Add(wrapRetryFirst)
}

// wrapsDue is when the first of the wraps that have not come is to be asked for again.
func (s *State) wrapsDue() (due time.Time, some bool) {
	for _, w := range s.wanted {
		if !some || w.Due.Before(due) {
			due, some = w.Due, true
		}
	}
	return due, some
}

// mends says whether it is time to ask again for what did not come.
func (s *State) mends(now time.Time) bool {
	due, some := s.wrapsDue()
	return !s.beside && some && !due.After(now) || len(s.absentFrom(now)) > 0
}

// absentFrom lists the absent objects that this round's host is asked for: now and then all, else those that it was not asked for.
func (s *State) absentFrom(now time.Time) []store.AbsentObject {
	from := s.unasked
	switch {
	case s.beside:
		from = s.besideFrom
	case !now.Before(s.mendAt):
		from = 0
	}
	if from < 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.absent), func(a store.AbsentObject) bool { return a.Index < from })
}

// mend asks once more for objects that did not come with their leaves, and for wraps.
func (s *State) mend(now time.Time) []Effect {
	s.phase = mending
	s.walk = newWalk(s.growth.Size())
	p := newPiece(-1, 0, nil)
	p.keyring = nil
	s.walk.pieces[-1] = p
	absent := s.absentFrom(now)
	for _, a := range absent[:min(len(absent), absentBatch)] {
		s.walk.want(p, a.Index, a.Hash)
	}
	if !s.beside {
		s.unasked = -1
		if !now.Before(s.mendAt) {
			s.mendAt = now.Add(mendEvery)
		}
	}
	for _, w := range s.wanted {
		if !w.Due.After(now) && len(p.asked) < absentBatch {
			p.asked = append(p.asked, w)
			s.walk.wantWrap(p, w.Index, w.Hash)
		}
	}
	return s.askObjects()
}

// mended stores what came late, and when what did not come is asked for next.
func (s *State) mended(now time.Time) []Effect {
	p := s.walk.pieces[-1]
	t := store.Taking{From: s.growth.Size(), Serial: int64(s.serial()), Epochs: p.epochs}
	came, wraps := map[int64]bool{}, map[[32]byte]bool{}
	for _, o := range p.got {
		t.Objects = append(t.Objects, o)
		if o.Index >= 0 {
			t.Late = append(t.Late, o.Index)
			came[o.Index] = true
		} else {
			wraps[o.Hash] = true
		}
	}
	if len(came) == 0 && len(s.absent) > 0 && s.failure == nil {
		// None of them came: the next ones are asked for next time.
		n := min(len(s.absent), absentBatch)
		s.absent = append(slices.Clone(s.absent[n:]), s.absent[:n]...)
	}
	t.Wanted = p.unanswered(s.firstTry(now), wraps)
	s.absent = slices.DeleteFunc(s.absent, func(a store.AbsentObject) bool { return came[a.Index] })
	if s.more = len(came) > 0 && len(s.absent) > 0 && s.failure == nil; s.more {
		s.mendAt = time.Time{} // this host has some: it is asked for the next ones soon
	}
	s.settleWraps(now, p, wraps, &t)
	if len(t.Objects)+len(t.Wanted)+len(t.Unwanted) == 0 {
		return s.endMending(now)
	}
	s.storing = true
	return []Effect{Store{t}}
}

// unanswered lists the wraps named by epoch records that came late themselves, and that did not come with them: refused, or not
// asked for any more because the line broke.
func (p *piece) unanswered(due time.Time, came map[[32]byte]bool) (out []store.WantedWrap) {
	for hash, epoch := range p.wrapOf {
		before := func(w store.WantedWrap) bool { return w.Hash == hash }
		if !came[hash] && !slices.ContainsFunc(p.asked, before) {
			out = append(out, store.WantedWrap{Hash: hash, Index: epoch, Due: due})
		}
	}
	slices.SortStableFunc(out, func(a, b store.WantedWrap) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	return out
}

// endMending ends a round that has stored what came.
func (s *State) endMending(now time.Time) []Effect {
	if s.failure != nil {
		if !s.beside {
			s.mendAt = time.Time{} // the line broke: the host was not asked for all
		}
		return s.giveUp(now, s.failure)
	}
	return s.rest(now)
}

// settleWraps notes which of the wraps that were asked for came.
func (s *State) settleWraps(now time.Time, p *piece, came map[[32]byte]bool, t *store.Taking) {
	asked := map[[32]byte]bool{}
	var places []int64
	for _, w := range p.asked {
		if (s.failure != nil || s.beside) && !came[w.Hash] {
			continue // the line broke, or that host need not have it: that was no try
		}
		asked[w.Hash] = true
		w.Tries++
		switch {
		case came[w.Hash]:
			t.Unwanted, places = append(t.Unwanted, w.Hash), append(places, w.Index)
		case w.Tries >= wrapTries:
			t.Unwanted = append(t.Unwanted, w.Hash)
			s.unsaid = append(s.unsaid, s.tell(Notice{Kind: NoticeKeyless, Text: fmt.Sprintf("log %s of %s: the key that leaf %d names for this party was asked for %d times and did not come: ask its author to hand it out again",
				s.log.ID, s.log.Party, w.Index, w.Tries)})...)
		default:
			w.Due = now.Add(min(wrapRetryFirst<<min(w.Tries, 20), wrapRetryMost))
			t.Wanted = append(t.Wanted, w)
		}
	}
	s.wanted = slices.DeleteFunc(s.wanted, func(w store.WantedWrap) bool { return asked[w.Hash] })
	s.wanted = append(s.wanted, t.Wanted...)
	if len(places) > 0 {
		s.unsaid = append(s.unsaid, Notice{Kind: NoticeKeys, Places: places, Text: fmt.Sprintf("log %s of %s: keys came late", s.log.ID, s.log.Party)})
	}
}
