package federate

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// absorb adds a complete piece to the tree and to the next transaction. Keyrings are verified at once: every later leaf is
// judged by them.
func (s *State) absorb(p *piece) error {
	w := s.walk
	// In the order of their leaves, whatever the order of their coming: what arrived next to each other is read together.
	slices.SortStableFunc(p.got, func(a, b store.Object) int { return cmp.Compare(a.Index, b.Index) })
	came := make(map[int64]bool, len(p.got))
	for _, o := range p.got {
		w.held -= int64(len(o.Bytes))
		w.batch.bytes += int64(len(o.Bytes)) + 128
		w.batch.objects = append(w.batch.objects, o)
		came[o.Index] = true
	}
	for i, object := range p.objects {
		index := p.first + int64(i)
		s.growth.Add(object)
		if !came[index] && s.opts.Objects {
			w.batch.absent = append(w.batch.absent, index)
		}
		k, ok := p.keyring[index]
		if err := s.learn(index, k, ok); err != nil {
			return err
		}
	}
	s.purse.took(int64(len(p.objects)), 0)
	w.batch.epochs = append(w.batch.epochs, p.epochs...)
	w.batch.wanted = append(w.batch.wanted, p.lost...)
	w.batch.bytes += 40 * int64(len(p.objects))
	delete(w.pieces, p.n)
	w.front++
	return nil
}

// learn takes a keyring into the history. Leaf 0 must be the first keyring of the party; one that does not follow is a
// broken record of its author, and changes nothing.
func (s *State) learn(index int64, k record.Keyring, ok bool) error {
	if !s.opts.Objects {
		return nil
	}
	if index == 0 && (!ok || k.Party != s.log.Party || k.Log.Origin != s.log.Origin || k.Log.Agreement != s.log.Agreement) {
		return fmt.Errorf("leaf 0 is not the first keyring of %s for this log", s.log.Party)
	}
	if !ok || k.Log.Origin != s.log.Origin {
		return nil
	}
	if err := s.history.Add(index, k); err != nil {
		return nil //nolint:nilerr // it does not follow: a broken record of its author's
	}
	s.walk.batch.keyrings = append(s.walk.batch.keyrings, store.Keyring{Serial: k.Serial, Index: index})
	return nil
}

// flush stores what was added when it is enough or the end is reached. stop says that the round has ended.
func (s *State) flush(now time.Time) (out []Effect, stop bool) {
	if s.storing || s.phase != walking {
		return nil, false
	}
	if s.growth.Size() < s.target.Size {
		if s.full() {
			return []Effect{s.store(nil)}, false
		}
		return nil, false
	}
	if s.growth.Root() != s.target.Root {
		return s.refuse(now, fetch.WrongHash, errors.New("the leaves do not make the signed root")), true
	}
	if last, ok := s.history.Last(); s.opts.Objects && (!ok || CheckpointKey(last) != CheckpointKey(s.signer)) {
		return s.refuse(now, fetch.BadSigned, errOtherKey), true
	}
	return []Effect{s.store(&store.Head{Size: s.target.Size, Serial: int64(s.serial()), Root: s.target.Root, Frontier: s.growth.Frontier(), Checkpoint: s.target.note})}, true
}

func (s *State) store(head *store.Head) Effect {
	b := s.walk.batch
	s.walk.batch = batch{}
	t := store.Taking{Objects: b.objects, Keyrings: b.keyrings, Epochs: b.epochs, Absent: b.absent, Wanted: b.wanted, Serial: int64(s.serial()), Head: head, Seen: s.fresh}
	spent := s.purse.Spent()
	t.Spent = &spent
	t.From, t.Leaves, t.Tiles = s.growth.Cut()
	if s.seen.Size >= s.target.Size {
		t.Target = s.seen.note
	}
	for _, i := range b.absent[:min(len(b.absent), max(0, maxAbsent-len(s.absent)))] {
		s.absent = append(s.absent, store.AbsentObject{Index: i, Hash: t.Leaves[i-t.From]})
	}
	if s.beside && len(b.absent) > 0 && (s.unasked < 0 || b.absent[0] < s.unasked) {
		s.unasked = b.absent[0]
	}
	s.wanted = append(s.wanted, b.wanted...)
	s.storing, s.moving = true, head != nil
	return Store{t}
}

func (s *State) stored(ev Stored) []Effect {
	if ev.Err != nil {
		s.spent = true
		s.retry = min(max(2*s.retry, s.opts.RetryFirst), s.opts.RetryMost)
		return []Effect{Rest{Until: ev.Now.Add(s.retry), Err: ev.Err, Spent: true}}
	}
	if s.phase == mending {
		out := s.unsaid
		s.unsaid = nil
		s.progress = true
		return append(out, s.endMending(ev.Now)...)
	}
	if !s.moving {
		s.progress = true
		return s.advance(ev.Now)
	}
	from := s.head.Size
	s.head, s.note, s.moving = s.target.Head, s.target.note, false
	s.retry = 0
	delete(s.told, NoticeRollback)
	delete(s.told, NoticeRefused)
	out := []Effect{Notice{Kind: NoticeGrew, Text: fmt.Sprintf("log %s of %s has grown", s.log.ID, s.log.Party), From: from, To: s.head.Size}}
	return append(out, s.rest(ev.Now)...)
}

// overQuota says whether leaves up to a place are over the author's quota, and tells so once in each window.
func (s *State) overQuota(now time.Time, upto int64) (*Overdraft, []Effect) {
	over := s.purse.mayTake(now, upto-s.growth.Size())
	if over == nil {
		delete(s.told, NoticeQuota)
		return nil, nil
	}
	return over, s.tell(Notice{Kind: NoticeQuota, Over: over, Text: fmt.Sprintf("log %s of %s: %s", s.log.ID, s.log.Party, over)})
}

// ClearRecord reads a clear object's record without judging it.
func ClearRecord(object []byte) (record.Record, bool) {
	if form, err := record.ObjectForm(object); err != nil || form != record.FormClear {
		return record.Record{}, false
	}
	envelope, err := record.OpenObject(object)
	if err != nil {
		return record.Record{}, false
	}
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return record.Record{}, false
	}
	r, err := record.ParsePayload(e.Payload)
	return r, err == nil
}

// carriedKeyring opens a keyring's object.
func carriedKeyring(object []byte) (record.Keyring, bool) {
	if form, err := record.ObjectForm(object); err != nil || form != record.FormClear {
		return record.Keyring{}, false
	}
	envelope, err := record.OpenObject(object)
	if err != nil {
		return record.Keyring{}, false
	}
	_, k, err := record.OpenKeyringRecord(envelope)
	return k, err == nil
}

// carriedEpoch reads an epoch's object without judging it.
func carriedEpoch(object []byte) (*record.EpochBody, bool) {
	r, ok := ClearRecord(object)
	if !ok || r.Kind != record.KindEpoch {
		return nil, false
	}
	body, err := record.Parse[record.EpochBody](r)
	return &body, err == nil
}

// hashOf reads a hash of 64 hexadecimal digits.
func hashOf(digits string) (h [32]byte, ok bool) {
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != len(h) {
		return h, false
	}
	return [32]byte(raw), true
}
