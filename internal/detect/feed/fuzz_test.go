package feed_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/feed"
)

func openFeed(t *testing.T, journal string) (*feed.Feed, error) {
	t.Helper()
	return feed.Open(feed.Options{Name: "node", Seed: 1, Journal: journal, Now: func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) }})
}

// FuzzPage gives a feed what a node should not send. Whatever it makes of it, a restart makes the same of it again.
func FuzzPage(f *testing.F) {
	for _, page := range []feed.Page{
		{Cursor: "1", Reset: true, Changes: []feed.Changed{set("1", "p-a", leafA, "01", domain("bad.example")), {ID: id("1"), Gone: true}}},
		{Cursor: "2", Changes: []feed.Changed{{Record: leafA, Gone: true}, {ID: id("2"), Object: json.RawMessage(`{}`)}, {ID: id("1"), Verdicts: &feed.Verdicts{Partners: 3}}}},
	} {
		text, err := json.Marshal(page)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var page feed.Page
		if json.Unmarshal(text, &page) != nil {
			return
		}
		page.More = false
		journal := filepath.Join(t.TempDir(), "journal")
		fd, err := openFeed(t, journal)
		if err != nil {
			t.Fatal(err)
		}
		_, pulled := fd.Pull(context.Background(), func(context.Context, string) (feed.Page, error) { return page, nil })
		keys := fd.Store().Set().Len()
		before, _ := fd.Len()
		if err := fd.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := openFeed(t, journal)
		if err != nil {
			t.Fatalf("%v after %v", err, pulled)
		}
		defer func() { _ = again.Close() }()
		if n, _ := again.Len(); pulled == nil && (n != before || again.Store().Set().Len() != keys) {
			t.Errorf("%d indicators with %d keys after a restart, before %d with %d", n, again.Store().Set().Len(), before, keys)
		}
	})
}

// FuzzJournal opens what a disk spoiled: with an error, or so that it can be gone on with.
func FuzzJournal(f *testing.F) {
	journal := filepath.Join(f.TempDir(), "journal")
	fd, err := feed.Open(feed.Options{Name: "node", Seed: 1, Journal: journal, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	page := feed.Page{Cursor: "1", Reset: true, Changes: []feed.Changed{set("1", "p-a", leafA, "01", domain("bad.example")), set("2", "p-a", leafB, "01", domain("worse.example"))}}
	if _, err := fd.Pull(f.Context(), func(context.Context, string) (feed.Page, error) { return page, nil }); err != nil {
		f.Fatal(err)
	}
	if err := fd.Close(); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(journal)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)-7])
	f.Add(append([]byte("{}\n[]\nnull\n"), text...))
	f.Fuzz(func(t *testing.T, text []byte) {
		journal := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(journal, text, 0o600); err != nil {
			t.Fatal(err)
		}
		fd, err := openFeed(t, journal)
		if err != nil {
			return
		}
		defer func() { _ = fd.Close() }()
		if _, err := fd.Pull(context.Background(), func(context.Context, string) (feed.Page, error) { return page, nil }); err != nil {
			t.Fatal(err)
		}
		if n, _ := fd.Len(); n != 2 {
			t.Errorf("%d indicators after a page that begins anew", n)
		}
	})
}
