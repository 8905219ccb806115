package store

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAddedConformance(t *testing.T) {
	ctx := context.Background()
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		d := open(t)
		now := time.UnixMicro(1_800_000_000_000_000)
		ask := func(now time.Time, list ...ToAdd) []int64 {
			t.Helper()
			dates, err := d.Added(ctx, now, list)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]int64, len(dates))
			for i, at := range dates {
				out[i] = at.UnixMicro() - 1_800_000_000_000_000
			}
			return out
		}
		same := func(got []int64, want ...int64) {
			t.Helper()
			if len(got) != len(want) {
				t.Fatalf("%v, want %v", got, want)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%v, want %v", got, want)
				}
			}
		}
		same(ask(now, ToAdd{Seq: 7, Count: 3}, ToAdd{Seq: 8, Count: 1}), 0, 3)
		same(ask(now.Add(-time.Hour), ToAdd{Seq: 8, Count: 1}, ToAdd{Seq: 900, Count: 2}), 3, 4)
		same(ask(now.Add(time.Millisecond), ToAdd{Seq: 7, Cause: 10, Count: 3}), 1000)
		// Whatever is asked first after that, the last date holds.
		same(ask(now.Add(time.Hour), ToAdd{Seq: 7, Count: 3}, ToAdd{Seq: 7, Cause: 10, Count: 3}, ToAdd{Seq: 8}), 1000, 1000, 3)
	})
}

func TestPlacesConformance(t *testing.T) {
	ctx := context.Background()
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		d := open(t)
		x := d.Index()
		object := func(id string) IndexSTIX {
			return IndexSTIX{ID: id, Type: "x", SpecVersion: "2.1", Version: "2026-01-01T00:00:00Z", Offset: 1, Length: 2}
		}
		const shared, alone = "x--00000000-0000-4000-8000-000000000001", "x--00000000-0000-4000-8000-00000000000A"
		a, b := indexed(1, "intel", "r-a", "one"), indexed(2, "intel", "r-b", "two")
		a.STIX = []IndexSTIX{object(shared), object(alone), object("x--00000000-0000-4000-8000-000000000003")}
		b.STIX = []IndexSTIX{object(shared)}
		run := func(no, date int64, ord, count int, item string) PlacedRun {
			return PlacedRun{Item: item, Run: Run{No: no, Date: date, Ord: ord, Count: count}}
		}
		if err := x.Finish(ctx); err != nil {
			t.Fatal(err)
		}
		if err := x.SetComplete(ctx); err != nil {
			t.Fatal(err)
		}
		if err := x.Write(ctx, 1, 0, 1, Prepare([]IndexEntry{a}), Placing{No: 1, Agreement: "own", Runs: []PlacedRun{run(1, 100, 0, 2, "p"), run(1, 102, 2, 1, "q")}}); err != nil {
			t.Fatal(err)
		}
		if err := x.Write(ctx, 1, 1, 2, Prepare([]IndexEntry{b}), Placing{No: 2, Agreement: "own", Runs: []PlacedRun{run(2, 103, 0, 1, "p")}}); err != nil {
			t.Fatal(err)
		}
		classes, err := x.Classes(ctx, "own")
		if err != nil || len(classes) != 2 || classes[0].Item != "p" {
			t.Fatalf("%+v, %v", classes, err)
		}
		for _, want := range []struct {
			after int64
			limit int
			runs  []Run
		}{
			{0, 9, []Run{{1, 1, 100, 0, 2, 0}, {1, 2, 103, 0, 1, 0}}}, {100, 9, []Run{{1, 1, 101, 1, 1, 0}, {1, 2, 103, 0, 1, 0}}},
			{101, 1, []Run{{1, 2, 103, 0, 1, 0}}}, {103, 9, nil}, {1 << 60, 9, nil},
		} {
			got, err := x.Runs(ctx, classes[0].No, want.after, want.limit)
			if err != nil || len(got) != len(want.runs) {
				t.Fatalf("after %d: %+v, %v", want.after, got, err)
			}
			for i := range got {
				if got[i] != want.runs[i] {
					t.Errorf("after %d: %+v, want %+v", want.after, got, want.runs)
				}
			}
		}
		objects, err := x.STIXOf(ctx, 1, 0, 9)
		if err != nil || len(objects) != 3 || !objects[0].Many || objects[1].Many || objects[1].ID != alone {
			t.Errorf("%+v, %v", objects, err)
		}
		spans, err := x.STIXSpans(ctx, 1, 1, 3)
		if err != nil || len(spans) != 2 || spans[0] != (STIXSpan{1, 1, 2}) {
			t.Errorf("%+v, %v", spans, err)
		}
		if spans, err := x.STIXSpans(ctx, 1, 5, 9); err != nil || len(spans) != 0 {
			t.Errorf("%+v, %v", spans, err)
		}
		whole, err := x.STIXSpans(ctx, 1, 0, 9)
		extent := STIXExtent{Count: len(whole), First: whole[0].Offset}
		for _, s := range whole {
			extent.Offsets, extent.Lengths = extent.Offsets+s.Offset, extent.Lengths+s.Length
		}
		if got, extentErr := x.STIXExtent(ctx, 1); err != nil || extentErr != nil || got != extent {
			t.Errorf("%+v, want %+v, %v", got, extent, extentErr)
		}
		if got, err := x.STIXExtent(ctx, 99); err != nil || got != (STIXExtent{}) {
			t.Errorf("of no record: %+v, %v", got, err)
		}
		if many, err := x.ManySTIX(ctx, 1, 0, 9); err != nil || len(many) != 1 || many[0] != 0 {
			t.Errorf("%+v, %v", many, err)
		}
		if many, err := x.ManySTIX(ctx, 1, 1, 9); err != nil || len(many) != 0 {
			t.Errorf("%+v, %v", many, err)
		}
		placed, err := x.PlacedSTIX(ctx, shared)
		if err != nil || len(placed) != 2 {
			t.Errorf("%+v, %v", placed, err)
		}
		typ, _, _ := strings.Cut(shared, "--")
		if got, ok, err := x.PlacedOfTypes(ctx, []string{typ, "none"}, 9); err != nil || !ok || !slices.ContainsFunc(got, func(p Placed) bool { return p.ID == shared && p.Date == 103 }) {
			t.Errorf("%+v, %v, %v", got, ok, err)
		}
		if got, ok, err := x.PlacedOfTypes(ctx, []string{"none", typ}, 1); err != nil || ok || got != nil {
			t.Errorf("more than there may be: %+v, %v, %v", got, ok, err)
		}
		if has, err := x.HasSTIX(ctx, []string{alone, "x--00000000-0000-4000-8000-00000000000b"}); err != nil || len(has) != 1 || !has[alone] {
			t.Errorf("%v, %v", has, err)
		}
		if err := x.Place(ctx, []Placing{{No: 1, Agreement: "own", Runs: []PlacedRun{run(1, 200, 0, 3, "q")}}}); err != nil {
			t.Fatal(err)
		}
		if got, err := x.Runs(ctx, classes[1].No, 0, 9); err != nil || len(got) != 1 || got[0].Date != 200 {
			t.Errorf("placed anew: %+v, %v", got, err)
		}
		if err := x.Erase(ctx, 1, a.Text); err != nil {
			t.Fatal(err)
		}
		if got, err := x.Runs(ctx, classes[1].No, 0, 9); err != nil || len(got) != 0 {
			t.Errorf("erased: %+v, %v", got, err)
		}
	})
}
