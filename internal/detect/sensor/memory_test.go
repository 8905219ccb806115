package sensor_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/sensor"
)

// clockwork is a log of one host that asks for the indicator's name every minute, from one call on.
func clockwork(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		at := time.Date(2026, 1, 1, 0, n, 0, 0, time.UTC)
		fmt.Fprintf(&b, `{"_path":"dns","ts":"%s","uid":"C%d","id.orig_h":"10.0.0.7","id.resp_h":"10.0.0.53","id.resp_p":53,"query":"bad.example"}`+"\n", at.Format(time.RFC3339), n)
	}
	return b.String()
}

func beacons(matches []*engine.Match) (n int) {
	for _, m := range matches {
		if slices.ContainsFunc(m.Evidence, func(t engine.Term) bool { return t.Name == "beacon" }) {
			n++
		}
	}
	return n
}

// TestEvidenceOutlivesTheProcess: a beacon's calls before a restart count after it, with the lines they stood at; a damaged
// file costs what it held and nothing else.
func TestEvidenceOutlivesTheProcess(t *testing.T) {
	dir, state, n := t.TempDir(), t.TempDir(), &fakeNode{}
	log, kept := filepath.Join(dir, "dns.log"), filepath.Join(state, "evidence.bin")
	write(t, log, clockwork(0, 9), 0)
	if _, matches := run(t, n, state, spool(t, dir, state)); len(matches) != 9 || beacons(matches) != 0 {
		t.Fatalf("%d matches, %d with a beacon: nine calls are too few", len(matches), beacons(matches))
	}
	write(t, log, clockwork(9, 14), os.O_APPEND)
	_, matches := run(t, n, state, spool(t, dir, state))
	if len(matches) != 5 || beacons(matches) == 0 {
		t.Fatalf("after a restart: %d matches, %d with a beacon", len(matches), beacons(matches))
	}
	last := matches[len(matches)-1]
	at := slices.IndexFunc(last.Evidence, func(t engine.Term) bool { return t.Name == "beacon" })
	if rows := last.Evidence[at].Rows; len(rows) == 0 || rows[0].File != "dns.log" || rows[0].Line >= 9 {
		t.Errorf("the rows of the beacon are not those from before: %+v", rows)
	}
	if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	write(t, kept, "mithaq evidence 1\nnonsense", os.O_TRUNC)
	write(t, log, clockwork(14, 19), os.O_APPEND)
	if _, matches := run(t, n, state, spool(t, dir, state)); len(matches) != 5 || beacons(matches) != 0 {
		t.Errorf("after damage: %d matches, %d with a beacon", len(matches), beacons(matches))
	}
}

// slow is a source of one event after the other until its context ends.
type slow struct{}

func (*slow) Dropped() map[string]int64 { return map[string]int64{} }

func (*slow) Run(ctx context.Context, yield func(*event.Event)) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := int64(1); ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			ev := event.Event{Time: n * 60e9}
			ev.Log = "dns"
			ev.AddString(index.Domain, "query", "bad.example")
			yield(&ev)
		}
	}
}

// TestEvidenceIsWrittenWhileTheSensorRuns, so that a power cut costs some minutes of it only.
func TestEvidenceIsWrittenWhileTheSensorRuns(t *testing.T) {
	state, n := t.TempDir(), &fakeNode{}
	s, err := sensor.New(sensor.Options{State: state, Source: &slow{}, Fetch: n.fetch, Send: n.send, Every: 5 * time.Millisecond, Remember: time.Millisecond,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	seen := make(chan bool)
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(state, "evidence.bin")); err == nil {
				seen <- true
				return
			}
			time.Sleep(time.Millisecond)
		}
		seen <- false
	}()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if !<-seen {
		t.Error("nothing was written")
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
