package node

import (
	"context"
	"slices"
	"sync"

	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// takenBack are recalls that were appended and are not indexed yet. A recall binds from the moment it is acknowledged, so
// that until the index knows it, what it is about is hidden altogether.
type takenBack struct {
	mu   sync.Mutex
	list []recalled // guarded by mu; nearly always empty
}

type recalled struct {
	target  [32]byte
	objects []string // STIX ids; none: all
	log     string
	index   int64 // of the recall
}

// note remembers a recall that was appended.
func (t *takenBack) note(rec record.Record, log string, index int64) {
	if rec.Kind != record.KindRecall {
		return
	}
	body, err := record.Parse[record.Recall](rec)
	if err != nil {
		return // it was checked before it was appended
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, recalled{target: record.ParseHash(body.Target), objects: body.Objects, log: log, index: index})
}

// hiding is what to hide while one answer is made.
type hiding struct {
	list   []recalled
	index  *store.Index
	leaves map[int64][32]byte // of records that were asked about
}

// now forgets what is indexed and returns the rest.
func (t *takenBack) now(n *Node) hiding {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) == 0 || n.indexer == nil {
		return hiding{}
	}
	x := n.indexer
	x.mu.Lock()
	t.list = slices.DeleteFunc(t.list, func(r recalled) bool { return x.state.logs[r.log].indexed > r.index })
	x.mu.Unlock()
	return hiding{list: slices.Clone(t.list), index: n.store.Index(), leaves: map[int64][32]byte{}}
}

// hides says whether an object waits to be taken back.
func (h hiding) hides(ctx context.Context, p store.Placed) (bool, error) {
	if len(h.list) == 0 {
		return false, nil
	}
	leaf, ok := h.leaves[p.No]
	if !ok {
		e, err := h.index.ByNo(ctx, p.No)
		if err != nil {
			return true, err
		}
		leaf = e.Leaf
		h.leaves[p.No] = leaf
	}
	return slices.ContainsFunc(h.list, func(r recalled) bool {
		return r.target == leaf && (len(r.objects) == 0 || slices.Contains(r.objects, p.ID))
	}), nil
}
