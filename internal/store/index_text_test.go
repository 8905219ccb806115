package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/arabic"
)

// TestSearchAnswersAsReadingEverythingWould writes documents in batches of any size, so that segments are put together,
// takes some out again, and compares every answer with what going through the documents finds.
func TestSearchAnswersAsReadingEverythingWould(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	x := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir).Index()
	words := strings.Fields("ransom ransomware rank cooperation cooperate coop 198z51 198z52 شبكه شبكات zzkreport zzkintel")
	rapid.Check(t, func(t *rapid.T) {
		if err := x.Drop(ctx); err != nil {
			t.Fatal(err)
		}
		have := map[int64][]string{} // by record, each part's words
		at, no := int64(0), int64(0)
		for range rapid.IntRange(1, 40).Draw(t, "batches") {
			var entries []IndexEntry
			for range rapid.IntRange(1, 4).Draw(t, "records") {
				no += int64(rapid.IntRange(1, 3).Draw(t, "gap"))
				e := IndexEntry{Indexed: Indexed{No: no, LogNo: 1, Index: at + int64(len(entries)), Standing: StandingValid}}
				var parts []string
				for range rapid.IntRange(0, 3).Draw(t, "parts") {
					parts = append(parts, strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 4, rapid.ID).Draw(t, "words"), " "))
				}
				e.Text, have[no] = textOf(parts...), parts
				entries = append(entries, e)
			}
			if rapid.Bool().Draw(t, "out of order") {
				slices.Reverse(entries)
			}
			if err := x.Write(ctx, 1, at, at+int64(len(entries)), Prepare(entries)); err != nil {
				t.Fatal(err)
			}
			at += int64(len(entries))
			if gone := rapid.Int64Range(1, no).Draw(t, "erased"); have[gone] != nil && gone%3 == 0 {
				if err := x.Erase(ctx, gone, textOf(have[gone]...)); err != nil {
					t.Fatal(err)
				}
				delete(have, gone)
			}
		}
		for range 8 {
			var q arabic.Query
			for range rapid.IntRange(1, 3).Draw(t, "clauses") {
				w := []rune(rapid.SampledFrom(words).Draw(t, "word"))
				a := arabic.Alternative{Term: string(w[:rapid.IntRange(1, len(w)).Draw(t, "letters")]), Prefix: rapid.Bool().Draw(t, "prefix")}
				q.Clauses = append(q.Clauses, arabic.Clause{Any: []arabic.Alternative{a, {Term: rapid.SampledFrom(words).Draw(t, "or")}}})
			}
			before, limit := rapid.Int64Range(0, no+1).Draw(t, "before"), rapid.IntRange(1, 12).Draw(t, "limit")
			got, err := x.Search(ctx, q, nil, before, limit)
			if err != nil {
				t.Fatal(err)
			}
			if want := readThrough(have, q, before, limit); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%v before %d: %v, want %v", q, before, got, want)
			}
		}
	})
}

func readThrough(have map[int64][]string, q arabic.Query, before int64, limit int) (out []Match) {
	for no, parts := range have {
		for part, words := range parts {
			all := before == 0 || no < before
			for _, c := range q.Clauses {
				all = all && slices.ContainsFunc(strings.Fields(words), func(w string) bool {
					return slices.ContainsFunc(c.Any, func(a arabic.Alternative) bool {
						return w == a.Term || a.Prefix && strings.HasPrefix(w, a.Term)
					})
				})
			}
			if all {
				out = append(out, Match{no, part})
			}
		}
	}
	slices.SortFunc(out, func(a, b Match) int { return int((b.No-a.No)*textParts) + b.Part - a.Part })
	return out[:min(limit, len(out))]
}

// FuzzBlock: a spoilt block is an error, never a panic or memory without bound.
func FuzzBlock(f *testing.F) {
	s := newSegment([]textRow{rowOf(4096, "alpha beta gamma"), rowOf(8192, "alpha alphabet"), rowOf(8193, "beta")})
	f.Add(s.blocks[0], s.first.encode(), appendRows(nil, s.rows))
	f.Add(binary.AppendUvarint(nil, 1<<60), []byte{200}, []byte{0x80})
	f.Fuzz(func(t *testing.T, block, dir, rows []byte) {
		var terms int
		for r := (blockReader{rest: block}); ; terms++ {
			more, err := r.next()
			if err != nil && !errors.Is(err, errSpoilt) {
				t.Fatal(err)
			}
			if !more {
				break
			}
			_ = eachOf(r.list, 3, func(n uint32) {
				if n >= 3 {
					t.Fatal("a document outside the segment")
				}
			})
		}
		if terms > len(block) {
			t.Fatalf("%d terms in %d bytes", terms, len(block))
		}
		_, _ = without(block, 3, 1, map[string]bool{"beta": true})
		if d, err := readDirectory(dir); err == nil {
			if from, to := d.span([]byte("beta"), true); to >= len(d) || from < 0 {
				t.Fatalf("blocks %d to %d of %d", from, to, len(d))
			}
		}
		if list, err := rowsOf(rows); err == nil && !slices.IsSorted(list) {
			t.Fatal("rows out of order")
		}
	})
}

func rowOf(row int64, words string) textRow {
	text := textOf(words)
	return textRow{row, text.Parts[0], text.Vocabulary}
}
