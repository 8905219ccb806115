package node

import (
	"context"
	"errors"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

// IndexView says how far the index is.
type IndexView struct {
	Logs    []IndexLogView `json:"logs"`
	Size    int64          `json:"size" doc:"Leaves published in all logs"`
	Indexed int64          `json:"indexed" doc:"Leaves indexed"`
	Ready   bool           `json:"ready" doc:"Whether everything published is indexed"`
}

// IndexLogView is how far one log is indexed.
type IndexLogView struct {
	Log     string `json:"log"`
	Size    int64  `json:"size"`
	Indexed int64  `json:"indexed"`
}

// IndexState tells how far the index is.
func (n *Node) IndexState(ctx context.Context) (IndexView, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return IndexView{}, fault.OfStore(err)
	}
	sizes, err := n.store.Index().Sizes(ctx)
	if err != nil && !errors.Is(err, store.ErrNoIndex) {
		return IndexView{}, err
	}
	v := IndexView{Logs: []IndexLogView{}}
	for _, l := range infos {
		row, err := n.store.Log(ctx, l.ID)
		if err != nil {
			return IndexView{}, fault.OfStore(err)
		}
		one := IndexLogView{Log: l.ID, Size: l.Size, Indexed: min(sizes[row.No], l.Size)}
		v.Logs = append(v.Logs, one)
		v.Size, v.Indexed = v.Size+one.Size, v.Indexed+one.Indexed
	}
	v.Ready = v.Indexed == v.Size
	if x := n.indexer; x != nil && v.Ready {
		x.mu.Lock()
		v.Ready = x.state.finished
		x.mu.Unlock()
	}
	return v, nil
}

// indexPoll is how often a process that only reads looks whether the daemon has gone on.
const indexPoll = 20 * time.Millisecond

// WaitIndexed returns when the first size leaves of a log, named by its id or its agreement, are indexed.
func (n *Node) WaitIndexed(ctx context.Context, ref string, size int64) error {
	l, err := n.resolveLog(ctx, ref)
	if err != nil {
		return err
	}
	return n.waitIndexed(ctx, l, size)
}

func (n *Node) waitIndexed(ctx context.Context, l ledger.LogInfo, size int64) error {
	if n.indexer != nil {
		return n.indexer.wait(ctx, l, size)
	}
	row, err := n.store.Log(ctx, l.ID)
	if err != nil {
		return fault.OfStore(err)
	}
	tick := time.NewTicker(indexPoll)
	defer tick.Stop()
	for {
		sizes, err := n.store.Index().Sizes(ctx)
		if err != nil || sizes[row.No] >= size {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// indexedTo is how many leaves of a log are indexed.
func (x *indexer) indexedTo(log string) int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state.logs[log].indexed
}

// hurry implements follower.
func (x *indexer) hurry() (over func()) {
	over = x.node.pace.wait()
	x.nudge()
	return over
}

// progressed implements follower.
func (x *indexer) progressed() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.moved
}

// wait returns when a log is indexed up to size, with what came late for it.
func (x *indexer) wait(ctx context.Context, l ledger.LogInfo, size int64) error {
	defer x.hurry()()
	for {
		x.mu.Lock()
		indexed, moved := x.state.logs[l.ID].indexed, x.moved
		x.mu.Unlock()
		if indexed >= size {
			if !l.Followed() {
				return nil
			}
			late, err := x.node.store.LateIn(ctx, l.ID)
			if err != nil || !late {
				return err
			}
		}
		select {
		case <-moved:
		case <-x.done:
			return errReadOnly()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaitIndex waits until everything published is indexed, but no longer than patience, and returns how many leaves are not.
func (n *Node) awaitIndex(ctx context.Context, patience time.Duration) (behind int64, err error) {
	x := n.indexer
	if x == nil {
		state, err := n.IndexState(ctx)
		return state.Size - state.Indexed, err
	}
	defer n.pace.wait()()
	over := time.NewTimer(patience)
	defer over.Stop()
	for x.nudge(); ; {
		state, err := n.IndexState(ctx)
		if err != nil || state.Ready {
			return 0, err
		}
		x.mu.Lock()
		moved, waiting := x.moved, x.state.behind() > 0 || !x.state.finished
		x.mu.Unlock()
		if !waiting {
			continue
		}
		select {
		case <-moved:
		case <-x.done:
			return max(1, state.Size-state.Indexed), nil
		case <-over.C:
			return max(1, state.Size-state.Indexed), nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Reindex throws the index away and begins to build it again from truth. It returns at once: IndexState and WaitIndexed
// tell how far it is.
func (n *Node) Reindex(ctx context.Context) (IndexView, error) {
	if n.indexer == nil {
		return IndexView{}, errReadOnly()
	}
	if err := n.indexer.drop(ctx); err != nil {
		return IndexView{}, err
	}
	return n.IndexState(ctx)
}

// unindex takes a record's contents out of the index and runs destroy, which destroys them in truth, so that nothing of
// them is written to the index in between.
func (n *Node) unindex(ctx context.Context, object [32]byte, destroy func() error) error {
	x := n.indexer
	if x == nil {
		return destroy()
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	places, err := n.store.Places(ctx, object)
	if err != nil {
		return fault.OfStore(err)
	}
	for _, p := range places {
		if p.Index < 0 {
			continue
		}
		if err := x.erase(ctx, p); err != nil {
			return err
		}
	}
	x.erasures++
	err = destroy()
	n.opened.clear()
	x.nudge()
	return err
}

// erase takes one record out. The terms with which it was indexed are made again from its contents, which are still
// there. The caller holds writing.
func (x *indexer) erase(ctx context.Context, p store.Place) error {
	e, err := x.index.ByNo(ctx, p.Seq)
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Standing == StandingErased {
		return nil
	}
	if err != nil {
		return err
	}
	var text store.IndexText
	if e.Parts > 0 {
		arrivals, err := x.node.store.Arrivals(ctx, p.LogNo, p.Index, p.Index+1)
		if err != nil {
			return err
		}
		if err := x.node.store.Load(&arrivals[0]); err != nil {
			return err
		}
		m, err := x.node.entryMaker(ctx, p.LogNo)
		if err != nil {
			return err
		}
		entry, _ := m.Single(p.Index, arrivals[0])
		text = entry.Text
	}
	return x.index.Erase(ctx, p.Seq, text)
}
