package node

import (
	"context"
	"errors"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// lateBatch is how many objects that came late are indexed at once.
const lateBatch = 256

// takeLate indexes objects of followed logs that came after the index had passed their leaves.
func (x *indexer) takeLate(ctx context.Context) error {
	for {
		x.writing.Lock()
		erasures := x.erasures
		x.writing.Unlock()
		late, err := x.node.store.Late(ctx, lateBatch)
		if err != nil || len(late) == 0 {
			return err
		}
		sizes, err := x.index.Sizes(ctx)
		if err != nil {
			return err
		}
		var entries []store.IndexEntry
		for _, l := range late {
			if l.Index >= sizes[l.LogNo] {
				continue // the index will come past it
			}
			e, ok, err := x.lateEntry(ctx, l)
			if err != nil {
				return err
			}
			if ok {
				entries = append(entries, e)
			}
		}
		if err := x.addLate(ctx, entries, late, erasures); err != nil && !errors.Is(err, errErasedMeanwhile) {
			return err
		}
	}
}

func (x *indexer) lateEntry(ctx context.Context, l store.LateObject) (store.IndexEntry, bool, error) {
	arrivals, err := x.node.store.Arrivals(ctx, l.LogNo, l.Index, l.Index+1)
	if err != nil {
		return store.IndexEntry{}, false, err
	}
	if err := x.node.store.Load(&arrivals[0]); err != nil {
		return store.IndexEntry{}, false, err
	}
	// The keyrings that the store has: the book in memory gets those of a log that begins a moment later.
	k, err := x.logKeys(ctx, x.node.logNumbered(l.LogNo))
	if err != nil {
		return store.IndexEntry{}, false, err
	}
	m := entry.Maker{Words: arabic.NewIndexer(), LogNo: k.no, History: k.history, IDs: k.ids, Foreign: k.log.Followed()}
	e, ok := m.Single(l.Index, arrivals[0])
	return e, ok, nil
}

func (x *indexer) addLate(ctx context.Context, entries []store.IndexEntry, late []store.LateObject, erasures uint64) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.erasures != erasures {
		return errErasedMeanwhile // or opened without a key that came since
	}
	placings, err := x.placings(ctx, entries)
	if err != nil {
		return err
	}
	if err := x.index.Add(ctx, entries, placings...); err != nil {
		return err
	}
	if err := x.node.store.ForgetLate(ctx, late); err != nil {
		return err
	}
	if err := x.noteReleases(ctx, entries); err != nil {
		return err
	}
	return x.node.noteLate(ctx, late)
}

// reopen has the records of a log indexed again that were sealed to others until a key came: those from a place on that
// its epoch seals from a step on.
func (x *indexer) reopen(ctx context.Context, no int64, epoch string, step, from int64) error {
	if x == nil {
		return nil
	}
	x.writing.Lock()
	x.erasures++ // what is being read was opened without the key
	x.writing.Unlock()
	places, err := x.index.SealedPlaces(ctx, no, from)
	if errors.Is(err, store.ErrNoIndex) {
		return nil // it will be built with the key
	}
	if err != nil {
		return err
	}
	var late []int64
	for _, index := range places {
		hash, err := x.node.objectHash(ctx, no, index)
		if err != nil {
			return err
		}
		object, err := x.node.store.Object(ctx, hash)
		if err != nil {
			continue // erased meanwhile
		}
		if by, at, ok := record.SealedBy(object); ok && by == epoch && at >= step {
			late = append(late, index)
		}
	}
	if err := x.node.store.AddLate(ctx, no, late); err != nil {
		return err
	}
	x.nudge()
	return nil
}
