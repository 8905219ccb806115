package node

import (
	"context"

	"github.com/mithaq/mithaq/internal/store"
)

// merged gives the runs of several classes in the order of their dates. No two runs overlap.
type merged struct {
	index   *store.Index
	classes []classRuns
}

// classRuns are the runs of one class that were read ahead.
type classRuns struct {
	class int64
	after int64 // microseconds: what was read reaches to here
	runs  []store.Run
	ended bool
	batch int
}

// Runs of a class are read in batches that grow: a poll needs none or one, a page of single objects a thousand.
const (
	firstRuns = 4
	mostRuns  = 512
)

func (s *selection) merge(after int64) *merged {
	m := &merged{index: s.n.store.Index()}
	for _, class := range s.order {
		m.classes = append(m.classes, classRuns{class: class, after: after, batch: firstRuns})
	}
	return m
}

// next returns the next run, or false.
func (m *merged) next(ctx context.Context) (store.Run, bool, error) {
	var best *classRuns
	for i := range m.classes {
		c := &m.classes[i]
		if len(c.runs) == 0 && !c.ended {
			if err := c.read(ctx, m.index); err != nil {
				return store.Run{}, false, err
			}
		}
		if len(c.runs) > 0 && (best == nil || c.runs[0].Date < best.runs[0].Date) {
			best = c
		}
	}
	if best == nil {
		return store.Run{}, false, nil
	}
	r := best.runs[0]
	best.runs = best.runs[1:]
	return r, true, nil
}

func (c *classRuns) read(ctx context.Context, index *store.Index) (err error) {
	if c.runs, err = index.Runs(ctx, c.class, c.after, c.batch); err != nil {
		return err
	}
	c.ended = len(c.runs) < c.batch
	c.batch = min(8*c.batch, mostRuns)
	if n := len(c.runs); n > 0 {
		c.after = c.runs[n-1].Date + int64(c.runs[n-1].Count) - 1
	}
	return nil
}
