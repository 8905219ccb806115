package intel_test

import (
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
)

func TestLists(t *testing.T) {
	list := "# comment\nhxxps://bad[.]example/a?b # why\n198.51.100.7:443\n203.0.113.0/24,seen\n.below.example\n*.only.example\n" +
		"B7202231FF2DB28363C109CEDC6D1642\nt13d1516h2_8daaf6152771_e5627efa2ab1\nsomebody@bad.example\n2001:db8::7\nb\xc3\xbccher.example\n\"quoted.example\"\nnot a value\n"
	c := &intel.Compiler{}
	if err := c.Read("list", strings.NewReader(list)); err != nil {
		t.Fatal(err)
	}
	compiled := c.Compiled()
	set, err := index.Build(compiled.Builder, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind index.Kind
		text string
		want int
	}{
		{index.URL, "https://bad.example/a?b", 1}, {index.Address, "198.51.100.7", 1}, {index.Network, "203.0.113.0/24", 1},
		{index.Domain, "below.example", 1}, {index.Subdomain, "below.example", 1}, {index.Domain, "only.example", 0}, {index.Subdomain, "only.example", 1},
		{index.FileHash, "b7202231ff2db28363c109cedc6d1642", 1}, {index.JA4, "t13d1516h2_8daaf6152771_e5627efa2ab1", 1},
		{index.Email, "Somebody@BAD.example", 1}, {index.Address, "2001:db8::7", 1}, {index.Domain, "xn--bcher-kva.example", 1}, {index.Domain, "quoted.example", 1},
	} {
		key, ok := index.AppendKey(nil, c.kind, []byte(c.text))
		if !ok {
			t.Fatal(c.text)
		}
		if got := len(set.Find(nil, c.kind, key)); got != c.want {
			t.Errorf("%s %s: %d indicators, want %d", c.kind, c.text, got, c.want)
		}
	}
	if compiled.Report.Indicators != 11 || len(compiled.Report.Refused) != 1 {
		t.Errorf("%+v", compiled.Report)
	}
}

// TestARevocationInAnotherFile: the order of files does not matter.
func TestARevocationInAnotherFile(t *testing.T) {
	version := func(modified, more string) string {
		return `{"type":"indicator","spec_version":"2.1","id":"indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60","created":"2026-01-01T00:00:00Z","modified":"` +
			modified + `","pattern":"[domain-name:value = 'bad.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"` + more + `}`
	}
	old, revoked := version("2026-01-01T00:00:00Z", ""), version("2026-01-02T00:00:00Z", `,"revoked":true`)
	for _, files := range [][]string{{old, revoked}, {revoked, old}} {
		c := &intel.Compiler{}
		for _, text := range files {
			if err := c.Read("file", strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		}
		if r := c.Compiled().Report; r.Indicators != 0 || r.Refused["revoked"] != 1 {
			t.Errorf("%+v", r)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("bad.example\n[2001:db8::1]\n10.0.0.0/8\nhttp://x/%zz\n")
	f.Add(`{"type":"bundle","objects":[{"type":"indicator","id":"indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60","pattern":"[domain-name:value LIKE '%.x.example']","valid_from":"2020-01-01T00:00:00Z"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c := &intel.Compiler{}
		if c.Read("fuzz", strings.NewReader(text)) != nil {
			return
		}
		if _, err := index.Build(c.Compiled().Builder, 1); err != nil {
			t.Error(err)
		}
	})
}
