package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestServings lets records of a tally come in batches small and large and go again, and compares what is found.
func TestServings(t *testing.T) {
	ctx := context.Background()
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		x := open(t).Index()
		runs := 0
		rapid.Check(t, func(t *rapid.T) {
			runs++
			k := tallyKey{agreement: fmt.Sprint(runs), author: "p", kind: "report"}
			var all []serving
			hours := rapid.Int64Range(1, 1<<20).Draw(t, "hours")
			dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			err := x.writing(ctx, "counting", func(w *tx) error {
				var tally int64
				for range rapid.IntRange(1, 4).Draw(t, "batches") {
					batch := tallies{}
					for range rapid.SampledFrom([]int{1, packLeast - 1, packLeast, 2 * packLeast, packMost + 2*packLeast}).Draw(t, "size") {
						s := serving{dice.Int64N(2*hours) - hours, dice.Int64N(1 << 50), dice.Int64N(2)}
						all = append(all, s)
						r := batch.at(k)
						r.count++
						r.serves = append(r.serves, s)
					}
					batch.pack()
					numbers, err := batch.write(ctx, w)
					if err != nil {
						return err
					}
					tally = numbers[k]
				}
				slices.SortFunc(all, compareServings)
				for range rapid.IntRange(0, 5).Draw(t, "gone") {
					gone := rapid.SampledFrom(all).Draw(t, "which")
					if err := takeServing(ctx, w, tally, gone.at, gone.no); err != nil {
						return err
					}
					if all = slices.DeleteFunc(all, func(s serving) bool { return s == gone }); len(all) == 0 {
						break
					}
				}
				from, to := rapid.Int64Range(-hours, hours).Draw(t, "from"), rapid.Int64Range(-hours, hours).Draw(t, "to")
				var want []serving
				for _, s := range all {
					if s.at >= from && s.at < to {
						want = append(want, s)
					}
				}
				if got, err := servingsBetween(ctx, w.asking, tally, from, to); err != nil || !slices.Equal(got, want) {
					t.Errorf("between %d and %d: %v, %v; want %v", from, to, got, err, want)
				}
				n := rapid.IntRange(1, 2*packLeast).Draw(t, "newest")
				newest := slices.Clone(all[max(0, len(all)-n):])
				slices.Reverse(newest)
				if got, err := newestOf(ctx, w.asking, tally, n); err != nil || !slices.Equal(got, newest) {
					t.Errorf("the newest %d: %v, %v; want %v", n, got, err, newest)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}

// FuzzPack reads packs that somebody else wrote.
func FuzzPack(f *testing.F) {
	f.Add(int64(5), packOf([]serving{{5, 1, 0}, {5, 2, 1}, {1 << 50, -7, 0}}).data)
	f.Add(int64(0), []byte{0x80})
	f.Fuzz(func(t *testing.T, first int64, data []byte) {
		var list []serving
		if err := (pack{firstAt: first, data: data}).each(func(s serving) bool { list = append(list, s); return true }); err != nil || len(list) == 0 {
			return
		}
		var again []serving
		if err := packOf(list).each(func(s serving) bool { again = append(again, s); return true }); err != nil || !slices.Equal(list, again) {
			t.Errorf("%v became %v: %v", list, again, err)
		}
	})
}
