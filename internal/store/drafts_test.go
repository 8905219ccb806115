package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

// testDrafts: whoever changes a draft that somebody else changed meanwhile is told so, and every change is news.
func testDrafts(t *testing.T, d *DB) {
	ctx := context.Background()
	at := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	news := func() int64 {
		t.Helper()
		n, err := d.LocalNews(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := news()
	one := Draft{ID: "d-1", Agreement: "a-1", Act: "amend", State: DraftWriting, Revision: 1, BegunBy: "amal", Begun: at(1), ChangedBy: "amal", Changed: at(1), Request: []byte("{}")}
	if err := d.AddDraft(ctx, one); err != nil {
		t.Fatal(err)
	}
	if now := news(); now == before {
		t.Error("a new draft is no news")
	} else {
		before = now
	}
	mine, theirs := one, one
	mine.Request, mine.ChangedBy, mine.Changed = []byte(`{"note":{"en":"é"}}`), "basim", at(2)
	if err := d.ChangeDraft(ctx, mine); err != nil {
		t.Fatal(err)
	}
	if err := d.ChangeDraft(ctx, theirs); !errors.Is(err, ErrMoved) {
		t.Errorf("changing what was changed: %v", err)
	}
	if err := d.DropDraft(ctx, one.ID, one.Revision); !errors.Is(err, ErrMoved) {
		t.Errorf("dropping what was changed: %v", err)
	}
	got, err := d.Draft(ctx, "d-1")
	if err != nil || got.Revision != 2 || got.ChangedBy != "basim" || string(got.Request) != string(mine.Request) || !got.Begun.Equal(at(1)) || !got.Changed.Equal(at(2)) {
		t.Fatalf("%+v, %v", got, err)
	}
	if news() == before {
		t.Error("a change is no news")
	}
	two := one
	two.ID, two.Changed = "d-2", at(3)
	if err := d.AddDraft(ctx, two); err != nil {
		t.Fatal(err)
	}
	if list, err := d.Drafts(ctx, 10); err != nil || len(list) != 2 || list[0].ID != "d-2" {
		t.Errorf("%+v, %v", list, err)
	}
	before = news()
	if err := d.DropDraft(ctx, "d-1", 2); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Draft(ctx, "d-1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("dropped, and there: %v", err)
	}
	if news() == before {
		t.Error("a dropped draft is no news")
	}
}
