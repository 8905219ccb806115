package node

import (
	"context"

	"github.com/mithaq/mithaq/internal/store"
)

// lateBatch is how many objects that came late are indexed at once.
const lateBatch = 256

// takeLate indexes objects of followed logs that came after the index had passed their leaves.
func (x *indexer) takeLate(ctx context.Context) error {
	for {
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
		if err := x.addLate(ctx, entries, late); err != nil {
			return err
		}
	}
}

func (x *indexer) lateEntry(ctx context.Context, l store.LateObject) (store.IndexEntry, bool, error) {
	arrivals, err := x.node.store.Arrivals(ctx, l.LogNo, l.Index, l.Index+1)
	if err != nil {
		return store.IndexEntry{}, false, err
	}
	m, err := x.node.entryMaker(ctx, l.LogNo)
	if err != nil {
		return store.IndexEntry{}, false, err
	}
	e, ok := m.single(l.Index, arrivals[0])
	return e, ok, nil
}

func (x *indexer) addLate(ctx context.Context, entries []store.IndexEntry, late []store.LateObject) error {
	x.writing.Lock()
	defer x.writing.Unlock()
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
	return x.node.noteLate(ctx, late)
}
