package feed_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
)

const (
	leafA = "aaaaaaaaaaaaaaaa000000000000000000000000000000000000000000000000"
	leafB = "bbbbbbbbbbbbbbbb000000000000000000000000000000000000000000000000"
)

func id(n string) string { return "indicator--9d2b6f3c-7c3e-4f58-9a40-00000000000" + n }

func set(n, author, leaf, day, pattern string) feed.Changed {
	text, _ := json.Marshal(pattern)
	return feed.Changed{ID: id(n), Author: author, Record: leaf, Agreement: "a-x", TLP: "TLP:GREEN", Object: json.RawMessage(
		`{"type":"indicator","spec_version":"2.1","id":"` + id(n) + `","created":"2026-01-01T00:00:00Z","modified":"2026-01-` + day + `T00:00:00Z","pattern_type":"stix","valid_from":"2020-01-01T00:00:00Z","pattern":` + string(text) + `}`)}
}

func domain(name string) string { return "[domain-name:value = '" + name + "']" }

// world is a feed with an engine that looks into it.
type world struct {
	t       *testing.T
	feed    *feed.Feed
	engine  *engine.Engine
	matches int
	now     time.Time
	cursor  string
}

func newWorld(t *testing.T, journal string) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
	var err error
	w.feed, err = feed.Open(feed.Options{Name: "node", Seed: 1, Journal: journal, Now: func() time.Time { return w.now },
		Plans: func(p map[index.ID]*plan.Plan) {
			if w.engine != nil {
				w.engine.SetPlans(p)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.feed.Close() })
	w.engine = engine.New(w.feed.Store(), w.feed.Plans(), engine.Options{Allowed: w.feed.Allowed}, func(*engine.Match) { w.matches++ })
	return w
}

// pull gives the feed pages, one after the other.
func (w *world) pull(pages ...feed.Page) {
	w.t.Helper()
	n := 0
	_, err := w.feed.Pull(context.Background(), func(_ context.Context, after string) (feed.Page, error) {
		if after != w.cursor {
			w.t.Errorf("asked after %q, want %q", after, w.cursor)
		}
		page := pages[n]
		n++
		page.More = n < len(pages)
		page.Cursor += string(rune('a' + n))
		w.cursor = page.Cursor
		return page, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// fires tells how often a name matches.
func (w *world) fires(name string) int {
	before := w.matches
	w.engine.Event(&event.Event{Time: w.now.UnixNano(), Values: []event.Value{{Kind: index.Domain, Field: "query", Text: []byte(name)}}})
	return w.matches - before
}

func (w *world) want(name string, n int, why string) {
	w.t.Helper()
	if got := w.fires(name); got != n {
		w.t.Errorf("%s: %s fires %d times, want %d", why, name, got, n)
	}
}

func TestPagesTakeEffectWithOneSwap(t *testing.T) {
	w := newWorld(t, "")
	w.pull(feed.Page{Reset: true, Changes: []feed.Changed{set("1", "p-a", leafA, "02", domain("one.example")), set("2", "p-a", leafA, "02", domain("two.example"))}})
	w.want("one.example", 1, "given")
	w.pull(feed.Page{Changes: []feed.Changed{set("1", "p-a", leafB, "03", domain("other.example")), set("2", "p-a", leafB, "01", domain("older.example"))}})
	w.want("one.example", 0, "a later version")
	w.want("other.example", 1, "a later version")
	w.want("older.example", 0, "an older version")
	w.pull(feed.Page{Changes: []feed.Changed{set("2", "p-b", leafB, "09", domain("foreign.example"))}})
	w.want("foreign.example", 0, "another party's under the same id")
	w.want("two.example", 1, "another party's under the same id")
	w.pull(feed.Page{Changes: []feed.Changed{{Record: leafB, Gone: true}}})
	w.want("other.example", 0, "its record is recalled")
	w.want("two.example", 1, "another record is recalled")
	back := set("1", "p-a", leafA, "02", domain("one.example"))
	back.Instead = true
	w.pull(feed.Page{Changes: []feed.Changed{back}})
	w.want("one.example", 1, "the older version holds again")
	w.pull(feed.Page{Changes: []feed.Changed{{ID: id("1"), Gone: true}}})
	w.want("one.example", 0, "gone")
	w.pull(feed.Page{Reset: true, Changes: []feed.Changed{set("3", "p-a", leafA, "02", domain("three.example"))}}, feed.Page{Changes: []feed.Changed{set("4", "p-a", leafA, "02", domain("four.example"))}})
	w.want("two.example", 0, "all was given anew")
	w.want("three.example", 1, "all was given anew")
	w.want("four.example", 1, "all was given anew")
	revoked := set("3", "p-a", leafA, "05", domain("three.example"))
	revoked.Object = json.RawMessage(string(revoked.Object[:len(revoked.Object)-1]) + `,"revoked":true}`)
	w.pull(feed.Page{Changes: []feed.Changed{revoked}})
	w.want("three.example", 0, "its author revoked it")
}

func TestExpiryNeedsNoNode(t *testing.T) {
	w := newWorld(t, "")
	c := set("1", "p-a", leafA, "02", domain("one.example"))
	until := w.now.Add(time.Hour)
	c.Expires = &until
	w.pull(feed.Page{Reset: true, Changes: []feed.Changed{c}})
	w.want("one.example", 1, "before it expires")
	w.now = until
	w.want("one.example", 0, "it has expired")
	if w.engine.Stats().LeftOut["expired"] != 1 {
		t.Errorf("%v", w.engine.Stats().LeftOut)
	}
}

// TestJournalBringsTheSetBack after a restart, a crash in the middle of a line, and when most of it was replaced.
func TestJournalBringsTheSetBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "indicators.jsonl")
	w := newWorld(t, name)
	w.pull(feed.Page{Reset: true, Changes: []feed.Changed{set("1", "p-a", leafA, "02", domain("one.example")), set("2", "p-a", leafB, "02", "[domain-name:value = 'two.example' AND domain-name:value != 'x']")}})
	for range 2000 {
		w.pull(feed.Page{Changes: []feed.Changed{set("1", "p-a", leafA, "03", domain("later.example")), {ID: id("1"), Verdicts: &feed.Verdicts{Refused: 2}}}})
	}
	w.pull(feed.Page{Changes: []feed.Changed{set("3", "p-a", leafB, "02", domain("three.example")), {Record: leafB, Gone: true}}})
	if err := w.feed.Close(); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	long := size()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"cursor":"z","changes":[{"id":"indica`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cursor := w.cursor
	for range 2 { // the second time from what was written anew
		w = newWorld(t, name)
		w.cursor = cursor
		w.want("later.example", 1, "after a restart")
		w.want("one.example", 0, "after a restart")
		w.want("two.example", 0, "its record was recalled")
		w.want("three.example", 0, "its record was recalled")
		key, _ := index.ParseID(id("1"))
		if w.feed.Verdicts(key).Refused != 2 {
			t.Error("verdicts are lost")
		}
		w.pull(feed.Page{})
		cursor = w.cursor
		if err := w.feed.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if size() > long/2 {
		t.Errorf("the journal holds %d bytes, it held %d", size(), long)
	}
}
