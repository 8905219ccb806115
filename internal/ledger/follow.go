package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mithaq/mithaq/internal/store"
)

// FollowSpec describes another party's log that is to be followed.
type FollowSpec struct {
	ID         string
	Origin     string
	Author     string // party id
	Agreement  string
	Generation int64
	Source     string // URL of the host it is fetched from; a mirror will do
}

// Follow makes room for another party's log, of which nothing is here yet. Following it already changes at most where it is
// fetched from. What is verified of it comes by Take.
func (l *Ledger) Follow(ctx context.Context, spec FollowSpec) error {
	if !validLogID(spec.ID) || spec.Author == "" || spec.Origin == "" || strings.ContainsAny(spec.Origin, " +\n\t\r") {
		return fmt.Errorf("following log %q: a log id, its origin and its author are needed", spec.ID)
	}
	return l.between(ctx, func() error {
		if err := l.follow(ctx, spec); err != nil {
			return fmt.Errorf("following log %s: %w", spec.ID, err)
		}
		return nil
	})
}

func (l *Ledger) follow(ctx context.Context, spec FollowSpec) error {
	row, err := l.store.Log(ctx, spec.ID)
	if err == nil {
		if row.Author != spec.Author || row.Agreement != spec.Agreement || row.Origin != spec.Origin {
			return errors.New("a log of this id is here already, of another party or agreement")
		}
		return l.store.SetSource(ctx, l.lease, row.No, spec.Source)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	empty := store.Head{Root: (&edge{}).root()}
	row, err = l.store.CreateFollowed(ctx, l.lease, store.Log{ID: spec.ID, Origin: spec.Origin, Author: spec.Author,
		Agreement: spec.Agreement, Generation: spec.Generation, Created: l.cfg.Clock()}, spec.Source, empty)
	if err != nil {
		return err
	}
	l.bySeries[row.No] = row.ID
	l.heads.add(row, Head{})
	l.heads.publish(row.ID, SignedHead{Head{row.Origin, 0, empty.Root}, nil})
	return nil
}

// Take stores what was verified of a followed log in one transaction, and shows its new head if it has one.
func (l *Ledger) Take(ctx context.Context, logID string, t store.Taking) error {
	p, err := l.heads.get(logID)
	if err != nil {
		return fmt.Errorf("taking from a log: %w", err)
	}
	if p.row.Author == "" {
		return fmt.Errorf("taking from log %s: it is this party's own", logID)
	}
	t.LogNo = p.row.No
	return l.between(ctx, func() error {
		if err := l.store.Take(ctx, l.lease, t); err != nil {
			if errors.Is(err, store.ErrLeaseLost) {
				l.markLost(err)
			}
			return fmt.Errorf("log %s: %w", logID, err)
		}
		if t.Head != nil {
			l.heads.publish(logID, SignedHead{Head{p.row.Origin, t.Head.Size, t.Head.Root}, t.Head.Checkpoint})
		}
		return l.replayTaken(ctx, t)
	})
}

// replayTaken destroys again what an order of this party destroyed and the follower fetched once more.
func (l *Ledger) replayTaken(ctx context.Context, t store.Taking) error {
	for _, o := range t.Objects {
		ts, err := l.store.Tombstone(ctx, o.Hash)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err == nil {
			err = l.store.EraseObject(ctx, l.lease, ts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Stand is how far a followed log has come here.
type Stand struct {
	Log      LogInfo
	No       int64
	Follow   store.Follow
	Growth   *Growth // at the staged size
	Keyrings []PlacedObject
	Absent   []store.AbsentObject // the first of the leaves whose object has not come
	Wanted   []store.WantedWrap   // the first of the wraps that have not come
}

// PlacedObject is an object with its leaf's index.
type PlacedObject struct {
	Index int64
	Bytes []byte
}

// standAbsent is how many absent objects a Stand lists.
const standAbsent = 1024

// standWanted is how many wraps that have not come a Stand lists: those of two epochs with the largest audience.
const standWanted = 16384

// Stand reads how far a followed log has come. The head's tree is checked against its signed root.
func (l *Ledger) Stand(ctx context.Context, logID string) (Stand, error) {
	s, err := l.stand(ctx, logID)
	if err != nil {
		return s, fmt.Errorf("reading how far log %s is followed: %w", logID, err)
	}
	return s, nil
}

func (l *Ledger) stand(ctx context.Context, logID string) (Stand, error) {
	p, err := l.heads.get(logID)
	if err != nil {
		return Stand{}, err
	}
	s := Stand{Log: p.info(), No: p.row.No}
	if s.Follow, err = l.store.Follow(ctx, s.No); err != nil {
		return s, err
	}
	h, err := l.store.Head(ctx, s.No)
	if err != nil {
		return s, err
	}
	e, err := loadEdge(ctx, l.store, s.No, h.Size, h.Root)
	if err != nil {
		return s, err
	}
	if s.Follow.Staged > h.Size {
		if e, err = stagedEdge(ctx, l.store, s.No, s.Follow.Staged); err != nil {
			return s, err
		}
	}
	s.Growth = &Growth{edge: *e, from: e.size}
	if s.Absent, err = l.store.Absent(ctx, s.No, 0, standAbsent); err != nil {
		return s, err
	}
	if s.Wanted, err = l.store.WantedWraps(ctx, s.No, standWanted); err != nil {
		return s, err
	}
	s.Keyrings, err = l.keyrings(ctx, s.No)
	return s, err
}

// keyrings reads the objects of a log's keyrings, the staged ones included.
func (l *Ledger) keyrings(ctx context.Context, no int64) ([]PlacedObject, error) {
	places, err := l.store.Keyrings(ctx, no)
	if err != nil {
		return nil, err
	}
	var out []PlacedObject
	for _, p := range places {
		leaf, err := l.store.Leaves(ctx, no, p.Index, p.Index+1)
		if err != nil {
			return nil, err
		}
		b, err := l.store.Object(ctx, Hash(leaf))
		if err != nil {
			return nil, err
		}
		out = append(out, PlacedObject{p.Index, b})
	}
	return out, nil
}

// TakeObject makes a large object durable as a file while it comes, before the Take that names it; what came before the line
// broke, or this process was killed, is gone on with. store.ErrOtherBytes when it does not hash to its name.
func (l *Ledger) TakeObject(hash [32]byte, open store.From) (size int64, err error) {
	return l.store.TakeObjectFile(hash, MaxObject, rand.Text(), open)
}

// Arrived is how many bytes of a large object came and wait for the rest.
func (l *Ledger) Arrived(hash [32]byte) int64 { return l.store.Arrived(hash) }

// TakenObject reads what TakeObject took, if it is at most so many bytes; else nil.
func (l *Ledger) TakenObject(hash [32]byte, most int64) ([]byte, error) {
	f, err := l.store.ObjectFile(hash)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || info.Size() > most {
		return nil, err
	}
	return io.ReadAll(f)
}

// Edge reads the root and the frontier, as [store.Head] keeps it, of the first size leaves that are staged. The root means
// something when somebody signed it.
func (l *Ledger) Edge(ctx context.Context, logID string, size int64) (root Hash, frontier []byte, err error) {
	p, err := l.heads.get(logID)
	if err != nil {
		return root, nil, fmt.Errorf("reading the edge of a followed log: %w", err)
	}
	e, err := stagedEdge(ctx, l.store, p.row.No, size)
	if err != nil {
		return root, nil, fmt.Errorf("reading the edge of the first %d leaves of log %s: %w", size, logID, err)
	}
	return e.root(), e.packFrontier(), nil
}

// stagedEdge reads the right edge of leaves that no head covers yet. What it leads to is compared with a signed tree before
// it is built upon.
func stagedEdge(ctx context.Context, s Store, no, size int64) (*edge, error) {
	tiles, err := edgeTiles(ctx, s, no, size)
	if err != nil {
		return nil, err
	}
	return edgeOf(size, tiles)
}
