package store

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLookupsReadFewRows: whoever asks by a name goes through the rows of that name.
func TestLookupsReadFewRows(t *testing.T) {
	dir := t.TempDir()
	x := mustOpen(t, "sqlite:"+filepath.Join(dir, "t.db"), dir).Index()
	if err := x.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{findFresh.of(sqlite)[1], findHandle.of(sqlite)[1], findNames.of(sqlite)[1], findPlaced.of(sqlite)[1],
		findCounted.of(sqlite)[1], findAnswers.of(sqlite)[1], nextBlocks} {
		args := make([]any, strings.Count(query, "?")+strings.Count(query, "$"))
		for i := range args {
			args[i] = 1
		}
		err := queryRows(t.Context(), x.c, `EXPLAIN QUERY PLAN `+query, args, func(r *sql.Rows) error {
			var id, parent, unused int
			var detail string
			err := r.Scan(&id, &parent, &unused, &detail)
			// r are the runs, which are few, k the keys.
			if what, scan := strings.CutPrefix(detail, "SCAN "); scan && what != "r" && what != "k" && !strings.Contains(what, "-ROW VALUES") && !strings.Contains(what, "CONSTANT ROW") {
				t.Errorf("%s\n%s", query, detail)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// handleWith draws handles of few keys, so that many are alike.
func handleWith() *rapid.Generator[handle] {
	return rapid.Custom(func(t *rapid.T) handle {
		return handle{key: rapid.OneOf(rapid.Int64Range(0, 40), rapid.Int64Range(0, 1<<62)).Draw(t, "key"), no: rapid.Int64Range(1, 1<<20).Draw(t, "no"), ord: rapid.Int64Range(0, 999).Draw(t, "ord")}
	})
}

func TestHandlesArePackedAndMerged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.SliceOfN(rapid.SliceOfN(handleWith(), 0, 400), 1, 5).Draw(t, "runs")
		var all []handle
		var streams []*handleStream
		for _, list := range lists {
			all = append(all, list...)
			blocks := packHandles(sortHandles(slices.Clone(list)))
			for i, b := range blocks {
				if i > 0 && (b.first < blocks[i-1].first || b.first == blocks[i-1].first && b.part <= blocks[i-1].part) {
					t.Fatalf("block %d begins with %d, %d after %d, %d", i, b.first, b.part, blocks[i-1].first, blocks[i-1].part)
				}
			}
			streams = append(streams, &handleStream{blocks: blocks, more: func() ([]handleBlock, error) { return nil, nil }})
		}
		var merged []handle
		if err := mergeHandles(streams, func(h handle) error { merged = append(merged, h); return nil }); err != nil {
			t.Fatal(err)
		}
		if want := sortHandles(all); !slices.Equal(merged, want) {
			t.Fatalf("%d handles merged, want %d", len(merged), len(want))
		}
	})
}

// TestHandlesConformance writes, looks up, files, merges and erases handles beside a map of them.
func TestHandlesConformance(t *testing.T) {
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		x := open(t).Index()
		ctx := t.Context()
		want := map[handle]bool{}
		add := func(list []handle) {
			t.Helper()
			list = sortHandles(list)
			for _, h := range list {
				want[h] = true
			}
			if err := x.writing(ctx, "test", func(tx *tx) error { return addHandles(ctx, tx, list, packHandles(list)) }); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string) {
			t.Helper()
			var keys []int64
			var some []handle
			for h := range want {
				if h.key < 1<<40 || h.key%31 == 0 {
					some = append(some, h)
					keys = append(keys, h.key, h.key+1)
				}
			}
			err := x.reading("test", func(c *conns) error {
				got, err := findHandles(ctx, c, c.asking, keys...)
				if some = sortHandles(some); err == nil && !slices.Equal(got, some) {
					err = fmt.Errorf("%d handles, want %d", len(got), len(some))
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		erase := func(h handle) {
			t.Helper()
			maps.DeleteFunc(want, func(o handle, _ bool) bool { return o.key == h.key && o.no == h.no })
			if err := x.writing(ctx, "test", func(tx *tx) error { return eraseHandles(ctx, tx, h.no, []int64{h.key}) }); err != nil {
				t.Fatal(err)
			}
		}
		step := int64(7)
		many := func(n int64) (out []handle) {
			for i := range n {
				step = (step*6364136223846793005 + 1442695040888963407) & (1<<62 - 1)
				out = append(out, handle{key: step, no: i + 1}, handle{key: i % 50 * 5 << 36, no: step >> 40, ord: i})
			}
			return out
		}
		add(many(10))
		check("few")
		add(many(10)[:3])
		for range handleFan + 1 {
			add(many(handleRun / 2))
		}
		check("in runs")
		add(many(20))
		for i, h := range sortHandles(slices.Collect(maps.Keys(want))) {
			if i%997 == 0 {
				erase(h)
			}
		}
		check("after erasing")
		var shared sharing
		if err := x.writing(ctx, "test", func(tx *tx) error { _, err := finishHandles(ctx, tx, shared.see); return err }); err != nil {
			t.Fatal(err)
		}
		check("finished")
		for i, h := range sortHandles(slices.Collect(maps.Keys(want))) {
			if i < 300 {
				erase(h)
			}
		}
		add(many(3))
		check("at the end")
		var runs []handleRunRow
		if err := x.writing(ctx, "test", func(tx *tx) (err error) { runs, err = handleRuns(ctx, tx.asking); return err }); err != nil || len(runs) != 1 {
			t.Errorf("%d runs, %v", len(runs), err)
		}
	})
}

// TestWhoSharesAnID: of handles in order, those of STIX objects that stand there more than once.
func TestWhoSharesAnID(t *testing.T) {
	var s sharing
	for _, h := range []handle{{4, 1, 0}, {4, 2, 0}, {6, 1, 0}, {6, 1, 3}, {6, 2, 1}, {10, 5, 0}, {14, 7, 1}, {14, 9, 2}} {
		s.see(h)
	}
	if got := fmt.Sprint(s.many); got != "[{6 1 0} {6 1 3} {6 2 1} {14 7 1} {14 9 2}]" {
		t.Error(got)
	}
}

func FuzzHandleBlock(f *testing.F) {
	for _, b := range packHandles([]handle{{1, 2, 3}, {1, 2, 300}, {1 << 61, 5, 0}}) {
		f.Add(b.first, b.data)
	}
	f.Add(int64(5), []byte{0x80, 1, 2})
	f.Fuzz(func(t *testing.T, first int64, data []byte) {
		n := 0
		err := handleBlock{first: first, data: data}.each(func(handle) bool { n++; return true })
		if err != nil && !errors.Is(err, errSpoilt) || n > len(data) {
			t.Fatalf("%d handles of %d bytes, %v", n, len(data), err)
		}
	})
}
