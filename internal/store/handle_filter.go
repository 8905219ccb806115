package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync"
)

// What comes in is mostly new, and is looked for in every run all the same: two ways down a tree and a block for each name and
// run. So the runs that were looked through have a filter in memory, which says of most names that a run does not have them.

const (
	// filterKeys is from how many keys on filters are used; making one reads a whole run.
	filterKeys = 64
	// filtersMost is how many bytes all filters together take. The largest runs, which are few, do without.
	filtersMost = 32 << 20
)

// handleFilters are the filters of a scope's runs, by the numbers of the runs, which are never used again.
type handleFilters struct {
	mu   sync.Mutex
	runs map[int64]*filter
}

// of returns the filters of runs, as far as there is room for them, and makes those that are missing.
func (s *handleFilters) of(ctx context.Context, ask asking, runs []handleRunRow) (map[int64]*filter, error) {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b handleRunRow) int { return cmp.Compare(a.handles, b.handles) })
	out, room := map[int64]*filter{}, int64(filtersMost)
	for _, r := range runs {
		if room < 4*r.handles {
			break
		}
		s.mu.Lock()
		f := s.runs[r.no]
		s.mu.Unlock()
		if f == nil {
			var err error
			if f, err = readFilter(ctx, ask, r); err != nil {
				return nil, err
			}
		}
		out[r.no] = f
		room -= f.bytes()
	}
	return out, nil
}

// keep remembers the filters of the runs that there are.
func (s *handleFilters) keep(filters map[int64]*filter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = filters
}

func readFilter(ctx context.Context, ask asking, r handleRunRow) (*filter, error) {
	f := filterFor(r.handles)
	err := ask(ctx, `SELECT first, data FROM ix_handle WHERE run = $1`, []any{r.no}, func(rows *sql.Rows) error {
		var b handleBlock
		var data sql.RawBytes
		if err := rows.Scan(&b.first, &data); err != nil {
			return err
		}
		b.data = data
		return b.each(func(h handle) bool { f.add(h.key >> 2); return true })
	})
	return f, err
}

// filesTries is how often a reader looks again that runs were put together under, before it looks without filters.
const filesTries = 3

// findFiled returns what stands in runs under keys, which are in order, in no order.
func findFiled(ctx context.Context, c *conns, ask asking, keys []int64) ([]handle, error) {
	if len(keys) >= filterKeys {
		for range filesTries {
			if out, done, err := findFiltered(ctx, c, ask, keys); done || err != nil {
				return out, err
			}
		}
	}
	return findIn(ctx, c, ask, findHandle, numbers(keys))
}

// findFiltered is findFiled by filters. It is not done when runs became one meanwhile: then some of the answers are not those
// of the runs that were asked for.
func findFiltered(ctx context.Context, c *conns, ask asking, keys []int64) (out []handle, done bool, err error) {
	runs, err := handleRuns(ctx, ask)
	if err != nil || len(runs) == 0 {
		return nil, err == nil, err
	}
	filters, err := c.filters.of(ctx, ask, runs)
	if err != nil {
		return nil, false, err
	}
	var pairs []any
	for _, r := range runs {
		f := filters[r.no]
		for _, key := range keys {
			if f == nil || f.mayHold(key>>2) {
				pairs = append(pairs, r.no, key)
			}
		}
	}
	if out, err = findIn(ctx, c, ask, findInRun, pairs); err != nil {
		return nil, false, err
	}
	again, err := handleRuns(ctx, ask)
	if err != nil {
		return nil, false, err
	}
	for _, r := range runs {
		if !slices.ContainsFunc(again, func(a handleRunRow) bool { return a.no == r.no }) {
			return nil, false, nil
		}
	}
	c.filters.keep(filters)
	return out, true, nil
}
