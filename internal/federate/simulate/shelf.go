package simulate

import (
	"errors"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Shelf is what a machine's disk holds of one followed log: what internal/store would.
type Shelf struct {
	log      federate.Log
	tree     *Log // the staged leaves, with their objects
	head     ledger.Head
	note     []byte
	target   []byte
	keyrings []int64 // places
	epochs   []int64 // places
	absent   []store.AbsentObject
	wanted   []store.WantedWrap
	seen     time.Time
}

// NewShelf is the disk of somebody who has just begun to follow a log.
func NewShelf(l federate.Log) *Shelf {
	s := &Shelf{log: l, tree: newLog(l.Origin, l.ID, nil)}
	s.head, _ = s.tree.HeadAt(0)
	return s
}

// Copy is a backup.
func (s *Shelf) Copy() *Shelf {
	c := *s
	c.tree = s.tree.copied()
	c.keyrings, c.epochs, c.absent, c.wanted = slices.Clone(s.keyrings), slices.Clone(s.epochs), slices.Clone(s.absent), slices.Clone(s.wanted)
	return &c
}

// Follower makes a follower's state out of the disk, as after a start.
func (s *Shelf) Follower(o federate.Options) (*federate.State, error) {
	g := &ledger.Growth{}
	for _, h := range s.tree.leaves {
		g.Add(h)
	}
	g.Cut()
	history := new(record.History)
	for _, i := range s.keyrings {
		envelope, err := record.OpenObject(s.tree.objects[s.tree.leaves[i]])
		if err != nil {
			return nil, err
		}
		_, k, err := record.OpenKeyringRecord(envelope)
		if err != nil {
			return nil, err
		}
		if err := history.Add(i, k); err != nil {
			return nil, err
		}
	}
	return federate.New(federate.Start{Log: s.log, Head: s.head, Checkpoint: s.note, Target: s.target, Growth: g, History: history,
		Absent: slices.Clone(s.absent), Wanted: slices.Clone(s.wanted), Seen: s.seen}, o)
}

// Take stores what a follower verified, as internal/store does.
func (s *Shelf) Take(t store.Taking) error {
	if t.From != s.tree.Size() {
		return store.ErrConflict
	}
	if t.Head != nil && t.Head.Size > t.From+int64(len(t.Leaves)) {
		return errors.New("the head covers more than was taken")
	}
	for _, h := range t.Leaves {
		if err := s.tree.add(h, nil); err != nil {
			return err
		}
	}
	for _, o := range t.Objects {
		if o.Index >= 0 && s.tree.leaves[o.Index] != o.Hash {
			return errors.New("an object was put beside another leaf")
		}
		s.tree.objects[o.Hash] = o.Bytes
	}
	for _, k := range t.Keyrings {
		s.keyrings = append(s.keyrings, k.Index)
	}
	s.epochs = append(s.epochs, t.Epochs...)
	for _, i := range t.Absent {
		s.absent = append(s.absent, store.AbsentObject{Index: i, Hash: s.tree.leaves[i]})
	}
	s.absent = slices.DeleteFunc(s.absent, func(a store.AbsentObject) bool { return slices.Contains(t.Late, a.Index) })
	s.wanted = slices.DeleteFunc(s.wanted, func(w store.WantedWrap) bool {
		same := func(o store.WantedWrap) bool { return o.Hash == w.Hash }
		return slices.Contains(t.Unwanted, w.Hash) || slices.ContainsFunc(t.Wanted, same)
	})
	s.wanted = append(s.wanted, t.Wanted...)
	if t.Target != nil {
		s.target = t.Target
	}
	if t.Head != nil {
		s.head, s.note = ledger.Head{Origin: s.log.Origin, Size: t.Head.Size, Root: t.Head.Root}, t.Head.Checkpoint
	}
	if t.Seen.After(s.seen) {
		s.seen = t.Seen
	}
	return nil
}

// Edge is the root and the frontier of the first leaves that are staged.
func (s *Shelf) Edge(size int64) (root [32]byte, frontier []byte) {
	g := &ledger.Growth{}
	for _, h := range s.tree.leaves[:size] {
		g.Add(h)
	}
	return g.Root(), g.Frontier()
}

// Prefix proves what the published tree began with.
func (s *Shelf) Prefix(size int64) ([][32]byte, error) {
	return ledger.ProvePrefix(s.tree.hashes(), size, s.head.Size)
}

// Head is what is published here.
func (s *Shelf) Head() ledger.Head { return s.head }

// Objects are the objects of the published leaves in order; nil where one has not come.
func (s *Shelf) Objects() [][]byte { return s.tree.inOrder(s.head.Size) }
