package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/agreement"
)

// TestActivityIsWhatCountingEverythingSays lets records come, answer each other in any order, be erased and lose their
// standing, and compares what the index counts with what goes through all records and counts them.
func TestActivityIsWhatCountingEverythingSays(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	x := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir).Index()
	text := &agreement.Agreement{Commitments: []agreement.Commitment{{Label: "1"}, {Label: "2"}}, Deadlines: []agreement.Deadline{
		{Label: "help", Starts: "request", Due: "answer", Within: agreement.Period{Hours: 30}},
		{Label: "stages", Starts: "incident/aware", Due: "incident/final", Within: agreement.Period{Months: 1}},
		{Label: "same", Starts: "incident", Due: "incident", Within: agreement.Period{Days: 3}},
	}}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		if err := x.Drop(ctx); err != nil {
			t.Fatal(err)
		}
		count := rapid.IntRange(1, 40).Draw(t, "records")
		entries := make([]IndexEntry, count)
		for i := range entries {
			e := &entries[i]
			*e = IndexEntry{Indexed: Indexed{No: int64(i + 1), LogNo: 1, Index: int64(i), Leaf: hashOf(fmt.Sprint("leaf ", i)), Standing: StandingValid, Agreement: "a", Author: "p",
				Officer: rapid.SampledFrom([]string{"k-1", "k-1", "k-2"}).Draw(t, "officer"),
				Kind:    rapid.SampledFrom([]string{"request", "answer", "incident", "report"}).Draw(t, "kind"),
				Time:    start.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "hour")) * time.Hour)}}
			if e.Kind == "incident" {
				e.Stage = rapid.SampledFrom([]string{"", "aware", "final"}).Draw(t, "stage")
			}
			e.Serves = rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2"}), 0, 3).Draw(t, "serves")
			for range rapid.IntRange(0, 2).Draw(t, "answers") {
				e.Refs = append(e.Refs, IndexRef{Leaf: hashOf(fmt.Sprint("leaf ", rapid.IntRange(0, count).Draw(t, "answered"))), Rel: rapid.SampledFrom([]string{"answers", "answers", "about"}).Draw(t, "rel")})
			}
		}
		finish := rapid.IntRange(0, count).Draw(t, "finished at")
		valid := slices.Clone(entries)
		for at := range entries {
			if at == finish {
				if err := x.Finish(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if err := x.Write(ctx, 1, int64(at), int64(at+1), Prepare(entries[at:at+1])); err != nil {
				t.Fatal(err)
			}
			switch gone := rapid.IntRange(0, 3*count).Draw(t, "erased"); {
			case gone <= at:
				if err := x.Erase(ctx, int64(gone+1), IndexText{}); err != nil {
					t.Fatal(err)
				}
				valid[gone].Standing = StandingErased
			case at == count-1 && gone%2 == 0:
				if err := x.writing(ctx, "distrusting", func(t *tx) error { return distrust(ctx, t, 1, IndexKey{ID: "k-2", Revoked: int64(count / 2)}) }); err != nil {
					t.Fatal(err)
				}
				for i := count / 2; i < count; i++ {
					if valid[i].Officer == "k-2" && valid[i].Standing == StandingValid {
						valid[i].Standing = StandingNotVouched
					}
				}
			}
		}
		if err := x.Finish(ctx); err != nil {
			t.Fatal(err)
		}
		now := start.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "now")) * time.Hour)
		var queries []DeadlineQuery
		for _, d := range text.Deadlines {
			queries = append(queries, DeadlineQuery{Starts: d.Starts, Due: d.Due, After: d.Within.After})
		}
		got, err := x.Activity(ctx, "a", "p", queries, now, 3)
		if err != nil {
			t.Fatal(err)
		}
		compareActivity(t, got, text, valid, now)
	})
}

func compareActivity(t *rapid.T, got Activity, text *agreement.Agreement, entries []IndexEntry, now time.Time) {
	tally := agreement.NewTally(text)
	var records int64
	for i := range entries {
		e := &entries[i]
		if e.Standing != StandingValid {
			continue
		}
		s := agreement.Summary{Kind: e.Kind, Stage: e.Stage, Serves: e.Serves, Time: e.Time, Leaf: string(e.Leaf[:])}
		for _, r := range e.Refs {
			if r.Rel == "answers" {
				s.Answers = append(s.Answers, string(r.Leaf[:]))
			}
		}
		tally.Add(s)
		if len(e.Serves) > 0 {
			records++
		}
	}
	if got.Records != records {
		t.Errorf("%d records, want %d", got.Records, records)
	}
	var served, want []string
	for _, s := range got.Served {
		served = append(served, fmt.Sprint(s.Label, s.Kind, s.Count, s.Last.Unix(), s.Months, len(s.Newest)))
	}
	for _, a := range tally.Aggregates() {
		want = append(want, fmt.Sprint(a.Commitment, a.Kind, a.Count, a.Last.Unix(), a.Months, min(len(a.Samples), 3)))
	}
	if !slices.Equal(served, want) {
		t.Errorf("served\n%q, want\n%q", served, want)
	}
	for i, o := range tally.Open() {
		d, within := got.Deadlines[i], text.Deadlines[i].Within
		passed, open, next := 0, 0, time.Time{}
		for _, s := range o.Starts {
			switch {
			case now.After(within.After(s.Time)):
				if passed++; passed <= 3 && (len(d.Oldest) < passed || !d.Oldest[passed-1].Time.Equal(s.Time)) {
					t.Errorf("%s: the oldest are %+v, want one at %v", o.Deadline, d.Oldest, s.Time)
				}
			default:
				if open++; open == 1 {
					next = s.Time
				}
			}
		}
		if d.Met != int64(o.Met) || d.Late != int64(o.Late) || d.Passed != int64(passed) || d.Open != int64(open) || (d.Next == nil) != next.IsZero() || d.Next != nil && !d.Next.Time.Equal(next) {
			t.Errorf("%s: %+v, want %d met, %d late, %d passed, %d open, the next %v", o.Deadline, d, o.Met, o.Late, passed, open, next)
		}
	}
}

// A request by one party that another one answers counts for who asked; what each did stands under its own name.
func TestActivitiesOfSeveralParties(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	x := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir).Index()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	entry := func(no int64, author, kind string, hour int, answers ...string) IndexEntry {
		e := IndexEntry{Indexed: Indexed{No: no, LogNo: 1, Index: no - 1, Leaf: hashOf(fmt.Sprint("leaf ", no)), Standing: StandingValid, Agreement: "a", Author: author,
			Officer: "k-1", Kind: kind, Time: start.Add(time.Duration(hour) * time.Hour)}, Serves: []string{"1"}}
		for _, leaf := range answers {
			e.Refs = append(e.Refs, IndexRef{Leaf: hashOf(leaf), Rel: "answers"})
		}
		return e
	}
	entries := []IndexEntry{entry(1, "p", "request", 0), entry(2, "p", "request", 1), entry(3, "q", "answer", 5, "leaf 1"), entry(4, "q", "answer", 90, "leaf 2"), entry(5, "q", "request", 2)}
	if err := x.Write(ctx, 1, 0, int64(len(entries)), Prepare(entries)); err != nil {
		t.Fatal(err)
	}
	if err := x.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	help := agreement.Deadline{Label: "help", Starts: "request", Due: "answer", Within: agreement.Period{Hours: 30}}
	got, err := x.Activities(ctx, "a", []DeadlineQuery{{Starts: help.Starts, Due: help.Due, After: help.Within.After}}, start.Add(100*time.Hour), 3)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	p, q := got[0], got[1]
	if d := p.Deadlines[0]; p.Author != "p" || p.Records != 2 || d.Met != 1 || d.Late != 1 || d.Passed != 0 || d.Open != 0 {
		t.Errorf("%+v", p)
	}
	if d := q.Deadlines[0]; q.Author != "q" || q.Records != 3 || d.Met != 0 || d.Passed != 1 || len(d.Oldest) != 1 {
		t.Errorf("%+v", q)
	}
}
