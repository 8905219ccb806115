package engine_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/logs"
	"github.com/mithaq/mithaq/internal/detect/warning"
	"github.com/mithaq/mithaq/stix"
)

// indicator writes a STIX indicator; more is further members.
func indicator(n, pattern, more string) string {
	text, _ := json.Marshal(pattern)
	return `{"type":"indicator","spec_version":"2.1","id":"indicator--9d2b6f3c-7c3e-4f58-9a40-00000000000` + n + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",` +
		`"created_by_ref":"identity--3b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5e","pattern_type":"stix","valid_from":"2020-01-01T00:00:00Z","name":"n` + n + `","pattern":` + string(text) + more + `}`
}

func bundle(objects ...string) string {
	identity := `{"type":"identity","spec_version":"2.1","id":"identity--3b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5e","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"CERT North"}`
	return `{"type":"bundle","id":"bundle--3b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5e","objects":[` + strings.Join(append([]string{identity}, objects...), ",") + `]}`
}

// zeek writes lines of Zeek's dns log in JSON: seconds after the beginning of 2026, host, query.
func zeek(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		f := strings.Fields(line)
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		d, _ := time.ParseDuration(f[0] + "s")
		b.WriteString(`{"_path":"dns","ts":"` + at.Add(d).Format(time.RFC3339) + `","uid":"C` + f[0] + `","id.orig_h":"` + f[1] + `","id.resp_h":"10.0.0.53","id.resp_p":53,"query":"` + f[2] + "\"}\n")
	}
	return b.String()
}

type run struct {
	matches []*engine.Match
	stats   engine.Stats
	report  intel.Report
	refused []string
	store   *index.Store
}

// detect compiles indicators, STIX or a list, and matches a log.
func detect(t testing.TB, indicators, log string, opts engine.Options) run {
	t.Helper()
	var r run
	c := &intel.Compiler{Refused: func(f intel.Refusal) { r.refused = append(r.refused, f.String()) }}
	if err := c.Read("feed", strings.NewReader(indicators)); err != nil {
		t.Fatal(err)
	}
	compiled := c.Compiled()
	set, err := index.Build(compiled.Builder, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.store, r.report = index.NewStore(set), compiled.Report
	e := engine.New(r.store, compiled.Plans, opts, func(m *engine.Match) { r.matches = append(r.matches, m) })
	if _, err := logs.Read(context.Background(), "dns.log", bufio.NewReader(strings.NewReader(log)), logs.Options{}, e.Event); err != nil {
		t.Fatal(err)
	}
	r.stats = e.Stats()
	return r
}

func TestMatchSaysWhatWhereWhoAndWhy(t *testing.T) {
	r := detect(t, bundle(indicator("1", "[domain-name:value = 'bad.example']", `,"confidence":90`)), zeek("5 10.0.0.7 good.example", "6 10.0.0.7 BAD.example"), engine.Options{})
	if len(r.matches) != 1 {
		t.Fatalf("%d matches", len(r.matches))
	}
	m := r.matches[0]
	if m.Seen != (engine.Seen{Kind: "domain", Value: "BAD.example", Field: "query"}) || m.Where.Line != 2 || m.Where.UID != "C6" || m.Flow.Src != "10.0.0.7" ||
		m.Indicator.Value != "bad.example" || m.Indicator.Name != "n1" || m.From.AuthorName != "CERT North" || m.Level != engine.Alert || m.Sure < 0.9 ||
		!m.Time.Equal(time.Date(2026, 1, 1, 0, 0, 6, 0, time.UTC)) {
		text, _ := json.Marshal(m)
		t.Errorf("the match is %s", text)
	}
	sum := 0
	for _, term := range m.Evidence {
		if term.Name == "" || term.Why == "" {
			t.Errorf("a term without a name or a reason: %+v", term)
		}
		sum++
	}
	if sum < 3 {
		t.Errorf("evidence: %+v", m.Evidence)
	}
}

func TestWhatMustNotFire(t *testing.T) {
	pattern := "[domain-name:value = 'bad.example']"
	for _, c := range []struct{ name, more string }{
		{"over before the event", `,"valid_until":"2025-12-31T00:00:00Z"`},
		{"revoked", `,"revoked":true`},
		{"a later version is revoked", `},` + strings.TrimSuffix(strings.ReplaceAll(indicator("1", pattern, `,"revoked":true`), `"modified":"2026-01-01`, `"modified":"2026-02-01`), "}")},
	} {
		if r := detect(t, bundle(indicator("1", pattern, c.more)), zeek("6 10.0.0.7 bad.example"), engine.Options{}); len(r.matches) != 0 {
			t.Errorf("%s: it fires", c.name)
		}
	}
	sigma := strings.Replace(bundle(indicator("1", pattern, "")), `"pattern_type":"stix"`, `"pattern_type":"sigma"`, 1)
	if r := detect(t, sigma, zeek("6 10.0.0.7 bad.example"), engine.Options{}); len(r.matches) != 0 || r.report.Refused["pattern"] != 1 {
		t.Error("a pattern in another language fires, or is not counted")
	}
	notYet := strings.Replace(bundle(indicator("1", pattern, "")), `"valid_from":"2020`, `"valid_from":"2027`, 1)
	if r := detect(t, notYet, zeek("6 10.0.0.7 bad.example"), engine.Options{}); len(r.matches) != 0 || r.stats.LeftOut["not-valid-then"] != 1 {
		t.Errorf("valid from next year: %d matches, %v", len(r.matches), r.stats.LeftOut)
	}
	if r := detect(t, notYet, zeek("6 10.0.0.7 bad.example"), engine.Options{Validity: engine.ValidAlways}); len(r.matches) != 1 {
		t.Error("its time does not matter, yet it does not fire")
	}
	forbid := engine.Options{Allowed: func(s index.Source) (string, bool) { return "recalled", s.AuthorName != "CERT North" }}
	if r := detect(t, bundle(indicator("1", pattern, "")), zeek("6 10.0.0.7 bad.example"), forbid); len(r.matches) != 0 || r.stats.LeftOut["recalled"] != 1 {
		t.Error("what is not allowed fires")
	}
	r := detect(t, "com\n10.0.0.0/8\nd41d8cd98f00b204e9800998ecf8427e\n???\nbad.example\n", "", engine.Options{})
	if r.report.Indicators != 1 || r.report.Refused["over-broad"] != 3 || r.report.Refused["unreadable"] != 1 || !strings.HasPrefix(r.refused[1], "feed:2: 10.0.0.0/8: a network of /8") {
		t.Errorf("%+v %q", r.report, r.refused)
	}
}

func TestPatternsOverSeveralEvents(t *testing.T) {
	text := bundle(indicator("1", "([domain-name:value = 'one.example'] FOLLOWEDBY [domain-name:value = 'two.example']) WITHIN 60 SECONDS", ""),
		indicator("2", "[network-traffic:src_ref.value = '10.0.0.7' AND network-traffic:dst_port = 53]", ""),
		indicator("3", "[domain-name:value MATCHES '^x[0-9]+[.]example$']", ""))
	r := detect(t, text, zeek("1 10.0.0.7 one.example", "2 10.0.0.8 two.example", "30 10.0.0.7 two.example", "40 10.0.0.9 x77.example", "50 10.0.0.8 10.0.0.7.example"), engine.Options{})
	var got []string
	for _, m := range r.matches {
		got = append(got, m.Indicator.Name+" "+m.Where.UID)
	}
	if want := "n2 C1|n1 C30|n2 C30|n3 C40"; strings.Join(got, "|") != want && strings.Join(got, "|") != "n2 C1|n2 C30|n1 C30|n3 C40" {
		t.Fatalf("got %s, want %s", strings.Join(got, "|"), want)
	}
	for _, m := range r.matches {
		if m.Indicator.Name == "n1" && (len(m.Together) != 2 || m.Together[0].Line != 1 || m.Together[1].Line != 3) {
			t.Errorf("its parts are %+v", m.Together)
		}
	}
}

func TestWarningListsLowerAndAreNamed(t *testing.T) {
	lists := &warning.Lists{}
	for _, text := range []string{
		`{"name":"top sites","type":"string","list":["bad.example"]}`, `{"name":"resolvers","type":"cidr","list":["192.0.2.0/24","2001:db8::1"]}`,
		`{"name":"providers","type":"hostname","list":[".cdn.example"]}`,
	} {
		if err := lists.Add([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	feed := bundle(indicator("1", "[domain-name:value = 'bad.example']", ""), indicator("2", "[domain-name:value LIKE '%.cdn.example']", ""), indicator("3", "[domain-name:value = 'other.example']", ""))
	r := detect(t, feed, zeek("1 10.0.0.7 bad.example", "2 10.0.0.7 a.cdn.example", "3 10.0.0.7 other.example"), engine.Options{Warnings: lists})
	for i, want := range []struct {
		level    engine.Level
		warnings string
	}{{engine.Context, "top sites"}, {engine.Context, "providers"}, {engine.Alert, ""}} {
		if m := r.matches[i]; m.Level != want.level || strings.Join(m.Warnings, ",") != want.warnings {
			t.Errorf("match %d: %s, warnings %q, want %+v", i, m.Level, m.Warnings, want)
		}
	}
}

func TestFingerprintAloneIsContext(t *testing.T) {
	text := `{"timestamp":"2026-01-01T00:00:00Z","event_type":"tls","tls":{"ja3":{"hash":"b7202231ff2db28363c109cedc6d1642"}}}`
	r := detect(t, bundle(indicator("1", "[network-traffic:x_ja3_hash = 'b7202231ff2db28363c109cedc6d1642']", `,"confidence":100`)), text, engine.Options{})
	if len(r.matches) != 1 || r.matches[0].Level != engine.Context {
		t.Errorf("%d matches", len(r.matches))
	}
}

func TestRevocationTakesEffectWithTheNextEvent(t *testing.T) {
	c := &intel.Compiler{}
	if err := c.Read("feed", strings.NewReader("bad.example")); err != nil {
		t.Fatal(err)
	}
	compiled := c.Compiled()
	set, err := index.Build(compiled.Builder, 3)
	if err != nil {
		t.Fatal(err)
	}
	store, matches := index.NewStore(set), []*engine.Match{}
	e := engine.New(store, nil, engine.Options{}, func(m *engine.Match) { matches = append(matches, m) })
	ev := &event.Event{Values: []event.Value{{Kind: index.Domain, Field: "query", Text: []byte("bad.example")}}}
	e.Event(ev)
	if err := store.Apply(&index.Builder{}, []index.ID{matches[0].ID()}, 1); err != nil {
		t.Fatal(err)
	}
	e.Event(ev)
	if len(matches) != 1 {
		t.Errorf("%d matches, want 1", len(matches))
	}
}

func TestEventsWithoutAMatchAllocateNothing(t *testing.T) {
	c := &intel.Compiler{}
	if err := c.Read("feed", strings.NewReader("bad.example\n.worse.example\n198.51.100.0/24\n192.0.2.1\nhttp://bad.example/x")); err != nil {
		t.Fatal(err)
	}
	set, err := index.Build(c.Compiled().Builder, 3)
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(index.NewStore(set), nil, engine.Options{}, func(*engine.Match) { t.Error("a match") })
	ev := &event.Event{Values: []event.Value{{Kind: index.Domain, Text: []byte("Good.Example.")}, {Kind: index.Address, Text: []byte("198.51.101.1")}, {Kind: index.JA3, Text: []byte("b7202231ff2db28363c109cedc6d1642")}}}
	if n := testing.AllocsPerRun(100, func() { e.Event(ev) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSightingsNameNoVictim(t *testing.T) {
	var lines []string
	for range 11 {
		lines = append(lines, "3600 10.9.8.7 bad.example")
	}
	marked := `,"object_marking_refs":["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]`
	r := detect(t, bundle(indicator("1", "[domain-name:value = 'bad.example']", marked)), zeek(append(lines, "90000 10.9.8.6 bad.example")...), engine.Options{})
	s := engine.NewSightings()
	for _, m := range r.matches {
		s.Add(m)
	}
	text, err := s.Bundle(rand.Reader, time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{"10.9.8", "dns.log", "bad.example", "05:06", "T01:00", "feed"} {
		if strings.Contains(string(text), leak) {
			t.Errorf("the sightings hold %q: %s", leak, text)
		}
	}
	for _, want := range []string{`"count": 8`, `"first_seen": "2026-01-01T00:00:00.000Z"`, `"last_seen": "2026-01-02T00:00:00.000Z"`,
		`"sighting_of_ref": "indicator--9d2b6f3c-7c3e-4f58-9a40-000000000001"`, "marking-definition--55d920b0"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the sightings do not hold %s: %s", want, text)
		}
	}
	parsed, err := stix.Parse(text)
	if err != nil || len(parsed.Objects) != 1 {
		t.Fatalf("not a bundle: %v", err)
	}
	if report := stix.Validate(text, stix.Options{}); !report.Valid {
		t.Errorf("not valid STIX: %+v", report)
	}
}
