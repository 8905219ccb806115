package sensor_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/sensor"
)

const leaf = "aaaaaaaaaaaaaaaa000000000000000000000000000000000000000000000000"

// fakeNode gives one indicator, takes sightings, and can be away.
type fakeNode struct {
	mu    sync.Mutex
	away  bool
	gone  bool
	asked int
	found []sensor.Found
}

func (n *fakeNode) fetch(_ context.Context, after string) (feed.Page, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asked++; n.away {
		return feed.Page{}, errors.New("no route to host")
	}
	page := feed.Page{Cursor: "1", Reset: after == ""}
	if after == "" {
		page.Changes = []feed.Changed{{ID: "indicator--9d2b6f3c-7c3e-4f58-9a40-000000000001", Record: leaf, Author: "p-a", Agreement: "a-x", Object: json.RawMessage(
			`{"type":"indicator","spec_version":"2.1","id":"indicator--9d2b6f3c-7c3e-4f58-9a40-000000000001","created":"2020-01-01T00:00:00Z","modified":"2020-01-01T00:00:00Z","pattern_type":"stix","valid_from":"2020-01-01T00:00:00Z","pattern":"[domain-name:value = 'bad.example']"}`)}}
	}
	if n.gone && after == "1" {
		page.Cursor, page.Changes = "2", []feed.Changed{{Record: leaf, Gone: true}}
	}
	return page, nil
}

func (n *fakeNode) send(_ context.Context, found []sensor.Found) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.away {
		return errors.New("no route to host")
	}
	n.found = append(n.found, found...)
	return nil
}

func (n *fakeNode) set(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

// run runs a sensor over a source until the source ends.
func run(t *testing.T, n *fakeNode, state string, source sensor.Source) (sensor.Counts, []*engine.Match) {
	t.Helper()
	var matches []*engine.Match
	s, err := sensor.New(sensor.Options{State: state, Source: source, Fetch: n.fetch, Send: n.send, Every: time.Hour, Seed: 1, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Match: func(m *engine.Match) { matches = append(matches, m) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := s.Counts()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return c, matches
}

func spool(t *testing.T, dir, state string) sensor.Source {
	t.Helper()
	s, err := sensor.NewSpool(dir, filepath.Join(state, "spool.json"), time.Hour, true, 1, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func dns(n int, name string) string {
	return fmt.Sprintf(`{"_path":"dns","ts":"2026-01-01T00:00:%02dZ","uid":"C%d","id.orig_h":"10.0.0.7","id.resp_h":"10.0.0.53","id.resp_p":53,"query":"%s"}`+"\n", n%60, n, name)
}

func write(t *testing.T, name, text string, flags int) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|flags, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func lines(matches []*engine.Match) (at []string) {
	for _, m := range matches {
		at = append(at, fmt.Sprintf("%s:%d", m.Where.File, m.Where.Line))
	}
	return at
}

// TestSpoolGoesOnWhereItWas: over a growing log, a half line, a rotation and a compressed file; every line once, with its
// number.
func TestSpoolGoesOnWhereItWas(t *testing.T) {
	dir, state, n := t.TempDir(), t.TempDir(), &fakeNode{}
	log := filepath.Join(dir, "dns.log")
	step := func(want ...string) {
		t.Helper()
		_, matches := run(t, n, state, spool(t, dir, state))
		if got := lines(matches); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	write(t, log, dns(1, "good.example")+dns(2, "bad.example")+`{"_path":"dns","ts":"2026`, os.O_TRUNC)
	step("dns.log:2")
	step()
	write(t, log, `-01-01T00:00:03Z","query":"bad.example"}`+"\n"+dns(4, "bad.example"), os.O_APPEND)
	step("dns.log:3", "dns.log:4")
	if err := os.Rename(log, filepath.Join(dir, "dns.1.log")); err != nil {
		t.Fatal(err)
	}
	write(t, log, dns(1, "bad.example"), os.O_TRUNC)
	_, matches := run(t, n, state, spool(t, dir, state))
	if got := lines(matches); !slices.Contains(got, "dns.log:1") {
		t.Errorf("after a rotation: %v", got)
	}
	header := "#separator \\x09\n#fields\tts\tuid\tid.orig_h\tquery\n#path\tdns\n"
	tsv := filepath.Join(dir, "query.log")
	write(t, tsv, header+"1767225600.0\tC1\t10.0.0.7\tgood.example\n", os.O_TRUNC)
	step()
	write(t, tsv, "1767225601.0\tC2\t10.0.0.7\tbad.example\n", os.O_APPEND)
	step("query.log:5")
	f, err := os.Create(filepath.Join(dir, "old.log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte(dns(1, "bad.example"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "noise.bin"), "what is no log\n", os.O_TRUNC)
	step("old.log.gz:1")
	step()
}

// TestSightingsWaitForTheNode: over its absence and a restart, and the indicators are still there.
func TestSightingsWaitForTheNode(t *testing.T) {
	dir, state, n := t.TempDir(), t.TempDir(), &fakeNode{}
	write(t, filepath.Join(dir, "a.log"), dns(1, "good.example"), os.O_TRUNC)
	run(t, n, state, spool(t, dir, state))
	n.set(func() { n.away = true })
	write(t, filepath.Join(dir, "b.log"), dns(1, "bad.example")+dns(2, "bad.example"), os.O_TRUNC)
	c, matches := run(t, n, state, spool(t, dir, state))
	if len(matches) != 2 || c.Waiting != 1 || c.Indicators != 1 || c.Sent != 0 {
		t.Fatalf("%d matches, %+v", len(matches), c)
	}
	n.set(func() { n.away = false })
	if c, _ = run(t, n, state, spool(t, dir, state)); c.Waiting != 0 || c.Sent != 1 || len(n.found) != 1 || n.found[0].Count != 2 || n.found[0].Record != leaf {
		t.Errorf("%+v, the node has %+v", c, n.found)
	}
	n.set(func() { n.gone = true })
	write(t, filepath.Join(dir, "c.log"), dns(1, "bad.example"), os.O_TRUNC)
	if _, matches = run(t, n, state, spool(t, dir, state)); len(matches) != 0 {
		t.Error("what was recalled fires")
	}
}

// TestBufferIsBounded, counts what it gives up, and survives a line that a crash cut.
func TestBufferIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sightings.jsonl")
	b, err := sensor.OpenBuffer(name, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var found []sensor.Found
	for range 100 {
		found = append(found, sensor.Found{Indicator: "indicator--1", Record: leaf, Count: 1})
	}
	if err := b.Add(found); err != nil {
		t.Fatal(err)
	}
	waiting, dropped := b.Counts()
	if waiting == 0 || waiting+dropped != 100 {
		t.Fatalf("%d wait, %d dropped", waiting, dropped)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, name, `{"indicator":"indi`, os.O_APPEND)
	if b, err = sensor.OpenBuffer(name, 1000); err != nil {
		t.Fatal(err)
	}
	if again, _ := b.Counts(); again != waiting {
		t.Errorf("%d wait after a restart, %d before", again, waiting)
	}
	if err := b.Drain(func([]sensor.Found) error { return errors.New("away") }); err == nil {
		t.Error("what was not sent is forgotten")
	}
	sent := 0
	if err := b.Drain(func(f []sensor.Found) error { sent += len(f); return nil }); err != nil || int64(sent) != waiting {
		t.Errorf("%d sent, %v", sent, err)
	}
	if left, _ := b.Counts(); left != 0 {
		t.Errorf("%d are left", left)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSensorEndsCleanly when it is told to, with what it found written.
func TestSensorEndsCleanly(t *testing.T) {
	state, n := t.TempDir(), &fakeNode{}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := sensor.New(sensor.Options{State: state, Fetch: n.fetch, Send: n.send, Every: time.Hour, Seed: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Source: endless{cancel}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if c := s.Counts(); c.Sent != 1 || c.Dropped["kernel"] != 3 || c.Matches[engine.Alert] != 1 {
		t.Errorf("%+v", c)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// endless gives one event that matches, and has itself ended then.
type endless struct{ stop func() }

func (e endless) Run(ctx context.Context, yield func(*event.Event)) error {
	ev := &event.Event{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()}
	ev.Add(index.Domain, "query", []byte("bad.example"))
	yield(ev)
	e.stop()
	<-ctx.Done()
	return ctx.Err()
}

func (endless) Dropped() map[string]int64 { return map[string]int64{"kernel": 3} }
