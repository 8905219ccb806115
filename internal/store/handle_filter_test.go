package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestReadersFindThroughFiltersWhileRunsMerge: whatever was committed is found by readers that come while runs become one, and
// what never was is not.
func TestReadersFindThroughFiltersWhileRunsMerge(t *testing.T) {
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		x := open(t).Index()
		var mu sync.Mutex
		var there []int64 // keys that are committed
		at := int64(1)
		draw := func() int64 {
			at = (at*6364136223846793005 + 1442695040888963407) & (1<<62 - 1)
			return at &^ 3
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		g, ctx := errgroup.WithContext(ctx)
		for range 2 {
			g.Go(func() error {
				for ctx.Err() == nil {
					mu.Lock()
					known := slices.Clone(there)
					mu.Unlock()
					var want []int64
					for i := 0; i < len(known); i += 1 + len(known)/200 {
						want = append(want, known[i])
					}
					asked := slices.Clone(want)
					for _, key := range want {
						asked = append(asked, key|2) // never there
					}
					err := x.reading("test", func(c *conns) error {
						got, err := findHandles(ctx, c, c.asking, asked...)
						if err != nil || len(got) == len(want) {
							return err
						}
						return fmt.Errorf("%d handles found, want %d", len(got), len(want))
					})
					if err != nil && ctx.Err() == nil {
						return err
					}
				}
				return nil
			})
		}
		for range 3 * handleFan {
			list := make([]handle, handleRun)
			keys := make([]int64, len(list))
			for i := range list {
				keys[i] = draw()
				list[i] = handle{key: keys[i], no: int64(i + 1)}
			}
			list = sortHandles(list)
			if err := x.writing(t.Context(), "test", func(tx *tx) error { return addHandles(t.Context(), tx, list, packHandles(list)) }); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			there = append(there, keys...)
			mu.Unlock()
		}
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestFilterKnowsWhatItHolds: none that was added is missed, and of a hundred others few are taken for one.
func TestFilterKnowsWhatItHolds(t *testing.T) {
	const n = 50_000
	f := filterFor(n)
	at := int64(3)
	draw := func() int64 {
		at = (at*6364136223846793005 + 1442695040888963407) & (1<<62 - 1)
		return int64(uint64(at*-7046029254386353131) >> 2)
	}
	added := make([]int64, n)
	for i := range added {
		added[i] = draw()
		f.add(added[i])
	}
	for _, x := range added {
		if !f.mayHold(x) {
			t.Fatal("a number that was added is missed")
		}
	}
	wrong := 0
	for range n {
		if f.mayHold(draw()) {
			wrong++
		}
	}
	if wrong > n/50 || len(f.layers) != 1 {
		t.Errorf("%d of %d absent numbers are taken for others, in %d layers", wrong, n, len(f.layers))
	}
}
