package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/mithaq/mithaq/internal/store"
)

// board is what the writer has published: the only thing that readers of a Ledger see of its heads.
type board struct {
	published func(logID string) // told of each head that is shown; nil: nobody

	mu    sync.RWMutex // guards what follows and what it holds
	byID  map[string]*posted
	byNo  map[int64]*posted
	order []*posted // by number
}

type posted struct {
	row    store.Log
	head   SignedHead
	guard  Head // the newest head that the guard holds
	behind *ErrBehind
}

func newBoard(published func(logID string)) *board {
	return &board{published: published, byID: map[string]*posted{}, byNo: map[int64]*posted{}}
}

func (b *board) add(row store.Log, guard Head) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &posted{row: row, guard: guard}
	b.byID[row.ID], b.byNo[row.No] = p, p
	at, _ := slices.BinarySearchFunc(b.order, row.No, func(p *posted, no int64) int { return cmp.Compare(p.row.No, no) })
	b.order = slices.Insert(b.order, at, p)
}

// publish shows a head that the guard holds.
func (b *board) publish(id string, h SignedHead) {
	b.mu.Lock()
	p := b.byID[id]
	p.head, p.guard, p.behind = h, h.Head, nil
	b.mu.Unlock()
	if b.published != nil {
		b.published(id)
	}
}

func (b *board) fail(id string, err *ErrBehind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byID[id].behind = err
}

// fallBehind notes that the guard is ahead of what is stored.
func (b *board) fallBehind(id string, err *ErrBehind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.byID[id]
	p.guard, p.behind = err.Guard, err
}

func (b *board) retire(row store.Log) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byID[row.ID].row = row
}

func (b *board) guarded(id string) Head {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byID[id].guard
}

// get returns a copy of what is posted of a log, or ErrNotFound.
func (b *board) get(id string) (posted, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := b.byID[id]
	if p == nil {
		return posted{}, fmt.Errorf("log %q: %w", id, ErrNotFound)
	}
	return *p, nil
}

func (b *board) log(_ context.Context, id string) (posted, error) { return b.get(id) }

func (b *board) numbered(_ context.Context, nos []int64) ([]posted, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []posted
	for _, no := range nos {
		if p := b.byNo[no]; p != nil {
			out = append(out, *p)
		}
	}
	return out, nil
}

func (b *board) logs(context.Context) ([]posted, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]posted, len(b.order))
	for i, p := range b.order {
		out[i] = *p
	}
	return out, nil
}
