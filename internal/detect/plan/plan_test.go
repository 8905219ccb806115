package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/stix/pattern"
)

func compile(t testing.TB, text string) *plan.Plan {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func show(all []plan.Atom) string {
	var out []string
	for _, a := range all {
		out = append(out, a.Kind.String()+" "+index.Render(a.Kind, a.Key))
	}
	return strings.Join(out, ", ")
}

// TestWhatWakesAPattern tells which values of traffic a pattern waits for.
func TestWhatWakesAPattern(t *testing.T) {
	for _, c := range []struct{ pattern, simple, atoms string }{
		{"[domain-name:value = 'Bücher.Example.']", "domain xn--bcher-kva.example", ""},
		{"[domain-name:value LIKE '%.bad.example']", "subdomain *.bad.example", ""},
		{"[ipv4-addr:value = '198.51.100.0/24' OR ipv6-addr:value = '2001:DB8::1']", "network 198.51.100.0/24, address 2001:db8::1", ""},
		{"[domain-name:value = '192.0.2.9']", "address 192.0.2.9", ""},
		{"[ipv6-addr:value = '::ffff:192.0.2.1']", "address 192.0.2.1", ""},
		{"[ipv4-addr:value ISSUBSET '192.0.2.7/32']", "address 192.0.2.7", ""},
		{"[url:value = 'HTTP://Bad.Example:80/a/../b%7Ec#x']", "url http://bad.example/b~c", ""},
		{"[domain-name:value = 'a.example'] OR [url:value IN ('http://b.example', 'c.example/x')]",
			"domain a.example, url http://b.example/, url //c.example/x", ""},
		{"[file:hashes.'SHA-256' = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB']",
			"file-hash aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", ""},
		{"[network-traffic:x_ja3_hash = 'b7202231ff2db28363c109cedc6d1642']", "ja3 b7202231ff2db28363c109cedc6d1642", ""},
		{"[x509-certificate:serial_number = '00:AB:cd']", "certificate-serial abcd", ""},
		{"[mutex:name = 'Global\\\\m']", `mutex Global\m`, ""},
		{"[process:name = 'roleaboutd']", "other process:name=roleaboutd", ""},
		{"[domain-name:value = 'a.example' AND file:hashes.MD5 = 'b7202231ff2db28363c109cedc6d1642']", "", "file-hash b7202231ff2db28363c109cedc6d1642"},
		{"[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]", "", "address 192.0.2.1"},
		{"[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.1']", "", "domain a.example, address 192.0.2.1"},
		{"[domain-name:value = 'a.example'] REPEATS 3 TIMES", "", "domain a.example"},
	} {
		p := compile(t, c.pattern)
		if got := show(p.Simple); got != c.simple {
			t.Errorf("%s: alone enough: %q, want %q", c.pattern, got, c.simple)
		}
		if got := show(p.Atoms); got != c.atoms || p.Scan {
			t.Errorf("%s: woken by %q (scan %v), want %q", c.pattern, got, p.Scan, c.atoms)
		}
	}
	for _, text := range []string{"[network-traffic:dst_port = 4444]", "[domain-name:value MATCHES '^x[0-9]+']", "[domain-name:value != 'a.example']"} {
		if !compile(t, text).Scan {
			t.Errorf("%s: nothing in traffic can wake it, yet it is not asked about every event", text)
		}
	}
}

func seen(at int, typeName, value string) pattern.Observation {
	when := time.Unix(int64(at), 0).UTC()
	return pattern.Observation{ID: fmt.Sprint(at), First: when, Last: when, Number: 1,
		Objects: []*pattern.Object{{ID: "x", Type: typeName, Properties: map[string]any{"value": value}}}}
}

func TestStreamFollowsEventTime(t *testing.T) {
	p := compile(t, "([domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.1']) WITHIN 60 SECONDS")
	id := index.ID{1}
	a, b := func(at int) pattern.Observation { return seen(at, "domain-name", "a.example") }, func(at int) pattern.Observation { return seen(at, "ipv4-addr", "192.0.2.1") }
	for _, c := range []struct {
		name  string
		steps []pattern.Observation
		want  bool
	}{
		{"in order", []pattern.Observation{a(100), b(130)}, true},
		{"the wrong way round", []pattern.Observation{b(100), a(130)}, false},
		{"too far apart", []pattern.Observation{a(100), b(161)}, false},
		{"a log that is not sorted", []pattern.Observation{b(130), a(100)}, true},
		{"with others between", []pattern.Observation{a(100), seen(110, "domain-name", "b.example"), a(120), b(170)}, true},
	} {
		s, matched := plan.NewStream(plan.Limits{}), false
		for _, o := range c.steps {
			matched = s.Event(id, p, "host", o) != nil || matched
		}
		if matched != c.want {
			t.Errorf("%s: %v, want %v", c.name, matched, c.want)
		}
	}
}

func TestStreamKeepsHostsApartAndBounds(t *testing.T) {
	p := compile(t, "[domain-name:value = 'a.example'] AND [ipv4-addr:value = '192.0.2.1']")
	s := plan.NewStream(plan.Limits{States: 10, Observations: 4, Total: 20})
	for n := range 1000 {
		if s.Event(index.ID{1}, p, fmt.Sprint("host", n), seen(n, "domain-name", "a.example")) != nil {
			t.Fatal("a match with one part missing")
		}
		for range 10 {
			s.Event(index.ID{1}, p, "busy", seen(n, "domain-name", "a.example"))
		}
		if s.Waiting() > 24 {
			t.Fatalf("%d observations wait", s.Waiting())
		}
	}
	if d := s.Dropped(); d.States == 0 || d.Observations == 0 {
		t.Errorf("what gave way was not counted: %+v", d)
	}
	if s.Event(index.ID{1}, p, "busy", seen(1000, "ipv4-addr", "192.0.2.1")) == nil {
		t.Error("both parts on one host do not match")
	}
	if s.Event(index.ID{1}, p, "busy", seen(1000, "ipv4-addr", "192.0.2.1")) != nil {
		t.Error("what matched is matched again")
	}
}

// FuzzPlan checks on arbitrary patterns that planning ends without harm, and that simple plans say what the pattern does.
func FuzzPlan(f *testing.F) {
	for _, s := range []string{"[domain-name:value = 'a.example']", "[ipv4-addr:value = '1.2.3.4/8'] REPEATS 2 TIMES WITHIN 5 SECONDS",
		"[file:hashes.MD5 IN ('x', 'b7202231ff2db28363c109cedc6d1642')]", "[a:b_ref.c[*].d LIKE '%.x'] OR [url:value = '//%']"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := pattern.Parse(text)
		if err != nil {
			return
		}
		before := p.String()
		compiled, err := plan.Compile(p)
		if p.String() != before {
			t.Errorf("planning changed the pattern to %s", p)
		}
		if err == nil && len(compiled.Simple) == 0 && len(compiled.Atoms) == 0 && !compiled.Scan {
			t.Errorf("%s: nothing ever wakes it", text)
		}
	})
}
