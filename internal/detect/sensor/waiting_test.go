package sensor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/detect/sensor"
)

// sequence gives a page with a pattern of two parts.
func sequence(_ context.Context, after string) (feed.Page, error) {
	page := feed.Page{Cursor: "1", Reset: after == ""}
	if after == "" {
		page.Changes = []feed.Changed{{ID: "indicator--9d2b6f3c-7c3e-4f58-9a40-000000000002", Record: leaf, Author: "p-a", Agreement: "a-x", Object: json.RawMessage(
			`{"type":"indicator","spec_version":"2.1","id":"indicator--9d2b6f3c-7c3e-4f58-9a40-000000000002","created":"2020-01-01T00:00:00Z","modified":"2020-01-01T00:00:00Z","pattern_type":"stix","valid_from":"2020-01-01T00:00:00Z","pattern":"([domain-name:value = 'one.example'] FOLLOWEDBY [domain-name:value = 'two.example']) WITHIN 600 SECONDS"}`)}}
	}
	return page, nil
}

// nowhere is a line without addresses.
func nowhere(n int, name string) string {
	return fmt.Sprintf(`{"_path":"dns","ts":"2026-01-01T00:01:%02dZ","uid":"D%d","query":"%s"}`+"\n", n%60, n, name)
}

// TestPatternsOutliveTheProcess: the first part before a restart and the second after it are one match, which names both lines; a
// damaged file costs what waited, and nothing else.
func TestPatternsOutliveTheProcess(t *testing.T) {
	dir, state, n := t.TempDir(), t.TempDir(), &fakeNode{}
	log := filepath.Join(dir, "dns.log")
	step := func(line string) (matches []*engine.Match) {
		t.Helper()
		write(t, log, line, os.O_APPEND)
		s, err := sensor.New(sensor.Options{State: state, Source: spool(t, dir, state), Fetch: sequence, Send: n.send, Every: time.Hour, Seed: 1, Now: time.Now,
			Logger: slog.New(slog.DiscardHandler), Match: func(m *engine.Match) { matches = append(matches, m) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return matches
	}
	if got := step(dns(1, "one.example")); len(got) != 0 {
		t.Fatalf("one part is a match: %v", got)
	}
	got := step(dns(2, "two.example"))
	if len(got) != 1 || len(got[0].Together) != 2 || got[0].Together[0].Line != 1 || got[0].Together[1].Line != 2 {
		t.Fatalf("after a restart: %+v", got)
	}
	// Events without addresses belong together by their file.
	step(nowhere(1, "one.example"))
	if got := step(nowhere(2, "two.example")); len(got) != 1 || len(got[0].Together) != 2 {
		t.Errorf("of a file, after a restart: %+v", got)
	}
	step(dns(3, "one.example"))
	write(t, filepath.Join(state, "waiting.jsonl"), "nonsense", os.O_TRUNC)
	if got := step(dns(4, "two.example")); len(got) != 0 {
		t.Errorf("out of a damaged file: %+v", got)
	}
	if got := step(dns(5, "one.example") + dns(6, "two.example")); len(got) != 1 {
		t.Errorf("after damage: %+v", got)
	}
}
