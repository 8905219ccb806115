package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

// testNotices: what comes while a message waits joins it, what comes while it is on its way is a message of its own, and who is
// forgotten gets nothing any more.
func testNotices(t *testing.T, d *DB) {
	ctx := context.Background()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, n := range []Notifier{
		{Name: "duty", Kind: "mail", Target: "duty@cert.example", Language: "ar", Occasions: []string{"recall", "alert"}, Created: at},
		{Name: "chat", Kind: "webhook", Target: "https://chat.example/x", Language: "en", Secret: []byte("k"), Created: at},
	} {
		if err := d.PutNotifier(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	list, err := d.Notifiers(ctx)
	if err != nil || len(list) != 2 || list[0].Name != "chat" || string(list[0].Secret) != "k" || len(list[1].Occasions) != 2 || !list[1].Created.Equal(at) {
		t.Fatalf("%+v %v", list, err)
	}
	add := func(id string, count int64, path string) {
		t.Helper()
		if err := d.GatherNotices(ctx, "notify", []byte(id), []Notice{{Notifier: "duty", Occasion: "recall", ID: id, Count: count, Path: path, Since: at, Due: at}}); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func(want ...Notice) {
		t.Helper()
		got, err := d.Notices(ctx)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%+v %v, want %+v", got, err, want)
		}
		for i, w := range want {
			w.Notifier, w.Occasion, w.Since = "duty", "recall", at
			if got[i] != w {
				t.Errorf("%+v, want %+v", got[i], w)
			}
		}
	}
	add("m-1", 2, "/a")
	add("m-2", 1, "/b")
	waiting(Notice{ID: "m-2", Count: 3, Due: at})
	if v, err := d.Setting(ctx, "notify"); err != nil || string(v) != "m-2" {
		t.Errorf("%q %v", v, err)
	}
	sent := Notice{Notifier: "duty", Occasion: "recall", ID: "m-2", Count: 3}
	add("m-3", 4, "/a") // while m-2 is on its way
	if err := d.SettleNotice(ctx, sent, []byte(`{"ok":true}`)); err != nil {
		t.Fatal(err)
	}
	waiting(Notice{ID: "m-3", Count: 4, Due: at})
	late := at.Add(time.Minute)
	if err := d.DelayNotice(ctx, Notice{Notifier: "duty", Occasion: "recall", ID: "m-3", Tries: 1, Due: late}, []byte(`{"ok":false}`)); err != nil {
		t.Fatal(err)
	}
	waiting(Notice{ID: "m-3", Count: 4, Due: late, Tries: 1})
	if list, err := d.Notifiers(ctx); err != nil || string(list[1].State) != `{"ok":false}` {
		t.Errorf("%+v %v", list, err)
	}
	if err := errors.Join(d.NoteNotifier(ctx, "chat", []byte("{}")), d.RemoveNotifier(ctx, "duty")); err != nil {
		t.Fatal(err)
	}
	waiting()
	if err := d.RemoveNotifier(ctx, "duty"); !errors.Is(err, ErrNotFound) {
		t.Errorf("removing it again: %v", err)
	}
}
