package engine_test

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/evidence"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/logs"
)

const ja3 = "b7202231ff2db28363c109cedc6d1642"

// watch matches a list of indicators against lines of Zeek's ssl log, with a history.
func watch(t *testing.T, list string, lines []string, opts engine.Options) ([]*engine.Match, *engine.Engine) {
	t.Helper()
	c := &intel.Compiler{}
	if err := c.Read("feed", strings.NewReader(list)); err != nil {
		t.Fatal(err)
	}
	compiled := c.Compiled()
	set, err := index.Build(compiled.Builder, 3)
	if err != nil {
		t.Fatal(err)
	}
	var matches []*engine.Match
	opts.History = evidence.New(evidence.Options{Seed: 1})
	e := engine.New(index.NewStore(set), compiled.Plans, opts, func(m *engine.Match) { matches = append(matches, m) })
	if _, err := logs.Read(context.Background(), "ssl.log", bufio.NewReader(strings.NewReader(strings.Join(lines, "\n"))), logs.Options{}, e.Event); err != nil {
		t.Fatal(err)
	}
	return matches, e
}

func ssl(second int, src, dst, more string) string {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(second) * time.Second)
	return fmt.Sprintf(`{"_path":"ssl","ts":"%s","id.orig_h":"%s","id.resp_h":"%s","id.resp_p":443%s}`, at.Format(time.RFC3339), src, dst, more)
}

func termsOf(m *engine.Match) (names []string) {
	for _, term := range m.Evidence {
		names = append(names, term.Name)
	}
	return names
}

// TestEvidenceNamesItsRows: a hit is more sure with what the traffic around it shows, and the lines that show it are named.
func TestEvidenceNamesItsRows(t *testing.T) {
	var lines []string
	for i := range 40 { // a network of which two days are known
		for h := range 20 {
			lines = append(lines, ssl(i*4400+h*61+i*i%50, fmt.Sprintf("10.0.0.%d", h+1), fmt.Sprintf("203.0.113.%d", (i*7+h)%30), `,"ja3":"`+ja3+`"`))
		}
	}
	begin := len(lines)
	for i := range 30 {
		lines = append(lines, ssl(170_000+i*300, "10.0.0.9", "198.51.100.7", `,"ja3":"0123456789abcdef0123456789abcdef","subject":"CN=x","issuer":"CN=x"`))
	}
	matches, _ := watch(t, "198.51.100.7\n", lines, engine.Options{})
	if len(matches) != 30 {
		t.Fatalf("%d matches", len(matches))
	}
	first, last := matches[0], matches[29]
	if slices.Contains(termsOf(first), "beacon") || last.Sure <= first.Sure || last.Level != engine.Alert {
		t.Errorf("first %v %v, last %v %v", first.Sure, termsOf(first), last.Sure, termsOf(last))
	}
	for _, want := range []string{"intel-address", "new-destination", "rare-destination", "rare-fingerprint", "certificate-self-signed", "beacon"} {
		i := slices.Index(termsOf(last), want)
		if i < 0 {
			t.Errorf("no %s in %v", want, termsOf(last))
			continue
		}
		term := last.Evidence[i]
		if len(term.Rows) == 0 || term.Weight <= 0 {
			t.Errorf("%+v", term)
		}
		if want == "beacon" && (len(term.Rows) < 20 || term.Rows[0].Line <= int64(begin) || term.Rows[0].File != "ssl.log") {
			t.Errorf("the beacon's rows: %+v", term.Rows)
		}
	}
}

// TestBeaconAndFingerprintAloneAreContext, whatever their weights add up to.
func TestBeaconAndFingerprintAloneAreContext(t *testing.T) {
	var lines []string
	for i := range 60 {
		lines = append(lines, ssl(i*300, "10.0.0.9", "198.51.100.7", `,"ja3":"`+ja3+`"`))
	}
	fingerprint := bundle(indicator("1", "[network-traffic:x_ja3_hash = '"+ja3+"']", `,"confidence":100`))
	matches, _ := watch(t, fingerprint, lines, engine.Options{})
	for _, m := range matches {
		if m.Level != engine.Context {
			t.Fatalf("%s at %v with %v", m.Level, m.Sure, termsOf(m))
		}
	}
	var found []*engine.Match
	e := engine.New(index.NewStore(mustSet(t)), nil, engine.Options{History: evidence.New(evidence.Options{})}, func(m *engine.Match) { found = append(found, m) })
	for i := range 60 {
		e.Event(eventAt(i * 300))
	}
	e.Beacons()
	if len(found) != 1 || found[0].Level != engine.Context || found[0].Seen.Value != "198.51.100.7:443" || len(found[0].Evidence[len(found[0].Evidence)-1].Rows) != 32 {
		t.Errorf("%+v", found)
	}
}

func mustSet(t *testing.T) *index.Set {
	t.Helper()
	set, err := index.Build(&index.Builder{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func eventAt(second int) *event.Event {
	src, _ := index.ParseAddress([]byte("10.0.0.9"))
	dst, _ := index.ParseAddress([]byte("198.51.100.7"))
	return &event.Event{Place: event.Place{File: "x", Format: "eve", Log: "flow", Line: int64(second + 1)}, Time: int64(second+1) * 1e9, Src: src, Dst: dst, DstPort: 443}
}

// TestNamesAgainstDNS: a hello that names what was never resolved to that address is a sign; one that was is none.
func TestNamesAgainstDNS(t *testing.T) {
	lines := []string{
		`{"_path":"dns","ts":1.0,"id.orig_h":"10.0.0.9","id.resp_h":"10.0.0.53","id.resp_p":53,"query":"Good.example","answers":["cdn.example","203.0.113.5"]}`,
		ssl(10, "10.0.0.9", "203.0.113.5", `,"server_name":"good.example"`), ssl(20, "10.0.0.9", "198.51.100.7", `,"server_name":"good.example"`),
		ssl(30, "10.0.0.9", "198.51.100.7", `,"server_name":"unasked.example"`),
	}
	matches, _ := watch(t, "203.0.113.5\n198.51.100.7\n", lines, engine.Options{})
	var got []bool
	for _, m := range matches {
		if m.Where.Log == "ssl" {
			got = append(got, slices.Contains(termsOf(m), "name-not-resolved-to-address"))
		}
	}
	if !slices.Equal(got, []bool{false, true, false}) {
		t.Errorf("%v", got)
	}
}

// TestFeedbackLowers: refusals here and false positives reported by partners.
func TestFeedbackLowers(t *testing.T) {
	line := []string{ssl(1, "10.0.0.9", "198.51.100.7", "")}
	sure := func(f engine.Feedback) (float64, engine.Level) {
		m, _ := watch(t, "198.51.100.7", line, engine.Options{Feedback: func(index.ID) engine.Feedback { return f }})
		return m[0].Sure, m[0].Level
	}
	none, level := sure(engine.Feedback{})
	confirmed, _ := sure(engine.Feedback{Confirmed: 5})
	if level != engine.Alert || confirmed <= none {
		t.Errorf("%v %v, confirmed %v", none, level, confirmed)
	}
	for _, f := range []engine.Feedback{{Refused: 4}, {Partners: 2}} {
		if s, level := sure(f); s >= none || level != engine.Context {
			t.Errorf("%+v: %v %v", f, s, level)
		}
	}
}

// TestOpinionsAreFalsePositiveReports counts parties, not opinions, and the latest of each.
func TestOpinionsAreFalsePositiveReports(t *testing.T) {
	opinion := func(n, author, said, modified string) string {
		return `{"type":"opinion","spec_version":"2.1","id":"opinion--9d2b6f3c-7c3e-4f58-9a40-00000000000` + n + `","created":"2026-01-01T00:00:00Z","modified":"` + modified +
			`","created_by_ref":"identity--9d2b6f3c-7c3e-4f58-9a40-00000000000` + author + `","opinion":"` + said + `","object_refs":["indicator--9d2b6f3c-7c3e-4f58-9a40-000000000001"]}`
	}
	c := &intel.Compiler{}
	text := bundle(indicator("1", "[domain-name:value = 'bad.example']", ""), opinion("1", "1", "disagree", "2026-01-01T00:00:00Z"),
		opinion("2", "1", "strongly-disagree", "2026-01-01T00:00:00Z"), opinion("3", "2", "disagree", "2026-01-01T00:00:00Z"),
		opinion("4", "3", "agree", "2026-01-01T00:00:00Z"), opinion("3", "2", "agree", "2026-01-02T00:00:00Z"))
	if err := c.Read("feed", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	id, err := index.ParseID("indicator--9d2b6f3c-7c3e-4f58-9a40-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Compiled().Doubted[id]; n != 1 {
		t.Errorf("%d parties, want 1", n)
	}
}

// TestShadowAlertsNobody: it tells what it would have been, and makes no sighting.
func TestShadowAlertsNobody(t *testing.T) {
	m, e := watch(t, "198.51.100.7", []string{ssl(1, "10.0.0.9", "198.51.100.7", "")}, engine.Options{Shadow: func(s index.Source) bool { return s.Feed == "feed" }})
	if len(m) != 1 || m[0].Level != engine.Shadow || m[0].Would != engine.Alert || e.Stats().Matches[engine.Shadow] != 1 {
		t.Fatalf("%+v", m)
	}
	s := engine.NewSightings()
	if s.Add(m[0]); s.Len() != 0 {
		t.Error("a shadow match makes a sighting")
	}
}
