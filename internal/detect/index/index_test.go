package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func key(t testing.TB, kind Kind, text string) []byte {
	t.Helper()
	k, ok := AppendKey(nil, kind, []byte(text))
	if !ok {
		t.Fatalf("%q is no %s", text, kind)
	}
	return k
}

func id(n int) (out ID) {
	binary.BigEndian.PutUint64(out[8:], uint64(n))
	return out
}

func add(t testing.TB, b *Builder, n int, kind Kind, text string) {
	t.Helper()
	source, err := b.Source(Source{Feed: "test", Author: fmt.Sprint("author ", n%3)})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(kind, key(t, kind, text), Row{Indicator: id(n), Source: source, Confidence: NoConfidence, Name: b.Name(fmt.Sprint("name ", n%5))}); err != nil {
		t.Fatal(err)
	}
}

func build(t testing.TB, b *Builder) *Set {
	t.Helper()
	s, err := Build(b, 42)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// names gives the indicators of hits, in order.
func names(hits []Hit) (out []int) {
	for _, h := range hits {
		out = append(out, int(binary.BigEndian.Uint64(h.Indicator[8:])))
	}
	slices.Sort(out)
	return out
}

func TestFind(t *testing.T) {
	b := &Builder{}
	for n, v := range []struct {
		kind Kind
		text string
	}{
		1: {Domain, "Bad.Example."}, 2: {Subdomain, "bad.example"}, 3: {Domain, "bad.example"}, 4: {Address, "192.0.2.1"},
		5: {Network, "192.0.2.0/28"}, 6: {Network, "2001:db8::/32"}, 7: {URL, "bad.example/a"}, 8: {URL, "https://bad.example/a"},
		9: {JA3, "b7202231ff2db28363c109cedc6d1642"}, 10: {FileHash, "b7202231ff2db28363c109cedc6d1642"}, 11: {Network, "192.0.2.0/24"},
	} {
		if v.text != "" {
			add(t, b, n, v.kind, v.text)
		}
	}
	s := build(t, b)
	find := func(kind Kind, text string) []int {
		switch k := key(t, kind, text); kind {
		case Address:
			a, _ := ParseAddress([]byte(text))
			return names(s.FindAddress(nil, a))
		case Domain:
			return names(s.FindDomain(nil, k))
		case URL:
			return names(s.FindURL(nil, k))
		default:
			return names(s.Find(nil, kind, k))
		}
	}
	for _, c := range []struct {
		kind Kind
		text string
		want []int
	}{
		{Domain, "BAD.example", []int{1, 3}}, {Domain, "a.b.bad.example", []int{2}}, {Domain, "notbad.example", nil}, {Domain, "example", nil},
		{Address, "192.0.2.1", []int{4, 5, 11}}, {Address, "::ffff:192.0.2.1", []int{4, 5, 11}}, {Address, "192.0.2.16", []int{11}}, {Address, "192.0.3.1", nil},
		{Address, "2001:db8:ffff::1", []int{6}}, {Address, "2001:db9::1", nil},
		{URL, "http://BAD.example:80/a#b", []int{7}}, {URL, "https://bad.example/a", []int{7, 8}}, {URL, "ftp://bad.example/a", nil}, {URL, "http://bad.example/A", nil},
		{JA3, "B7202231ff2db28363c109cedc6d1642", []int{9}}, {FileHash, "b7202231ff2db28363c109cedc6d1642", []int{10}}, {CertHash, "b7202231ff2db28363c109cedc6d1642", nil},
	} {
		if got := find(c.kind, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %v, want %v", c.kind, c.text, got, c.want)
		}
	}
	hit := s.FindDomain(nil, key(t, Domain, "x.bad.example"))[0]
	if hit.Source().Author != "author 2" || hit.Name() != "name 2" || Render(hit.Kind, hit.Key) != "*.bad.example" {
		t.Errorf("provenance is %+v %q %q", hit.Source(), hit.Name(), Render(hit.Kind, hit.Key))
	}
}

func TestLookUpsAllocateNothing(t *testing.T) {
	b := &Builder{}
	for n := range 1000 {
		add(t, b, n, Domain, fmt.Sprintf("host%d.example.org", n))
	}
	add(t, b, 2000, Subdomain, "evil.example")
	add(t, b, 2001, Network, "198.51.100.0/24")
	s := build(t, b)
	hits, space := make([]Hit, 0, 16), make([]byte, 0, 300)
	name, a := []byte("a.b.Host9999.example.org."), netip.MustParseAddr("198.51.101.1")
	if n := testing.AllocsPerRun(100, func() {
		k, _ := AppendDomain(space[:0], name)
		hits = s.FindDomain(hits[:0], k)
		hits = s.FindAddress(hits[:0], a)
		k, _ = AppendHash(space[:0], []byte("d41d8cd98f00b204e9800998ecf8427e"))
		hits = s.Find(hits[:0], FileHash, k)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSetsBehaveLikeMaps makes sets of any keys, changes them, writes them to disk and reads them again: they hold
// what a map would.
func TestSetsBehaveLikeMaps(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			kind Kind
			key  string
		}
		kinds := rapid.SampledFrom([]Kind{Domain, URL, JA4, Other})
		keys := rapid.Custom(func(t *rapid.T) entry {
			return entry{kinds.Draw(t, "kind"), rapid.StringN(0, 6, 600).Draw(t, "key")}
		})
		model := map[ID]map[entry]bool{}
		change := func(label string) *Builder {
			b := &Builder{}
			for i, e := range rapid.SliceOfN(keys, 0, 40).Draw(t, label) {
				n := id(rapid.IntRange(0, 20).Draw(t, "indicator"))
				if i == 0 || model[n] == nil {
					model[n] = map[entry]bool{}
				}
				model[n][e] = true
				if err := b.Add(e.kind, []byte(e.key), Row{Indicator: n}); err != nil {
					t.Fatal(err)
				}
			}
			return b
		}
		first := &Builder{}
		for _, e := range rapid.SliceOfN(keys, 0, 40).Draw(t, "base") {
			n := id(rapid.IntRange(0, 20).Draw(t, "indicator"))
			if model[n] == nil {
				model[n] = map[entry]bool{}
			}
			model[n][e] = true
			if err := first.Add(e.kind, []byte(e.key), Row{Indicator: n}); err != nil {
				t.Fatal(err)
			}
		}
		set, err := Build(first, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		store := NewStore(set)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			var remove []ID
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 20), 0, 3).Draw(t, "remove") {
				remove = append(remove, id(n))
			}
			before := map[ID]map[entry]bool{}
			for n, entries := range model {
				before[n] = entries
			}
			model = map[ID]map[entry]bool{}
			b := change("added")
			added := model
			model = before
			for _, n := range remove {
				delete(model, n)
			}
			for n, entries := range added {
				model[n] = entries
			}
			if err := store.Apply(b, remove, 7); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "wait") {
				store.Wait()
			}
		}
		name := filepath.Join(dir, "index")
		var file bytes.Buffer
		if _, err := store.Set().WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		opened, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		want := map[entry][]int{}
		for n, entries := range model {
			for e := range entries {
				want[e] = append(want[e], int(binary.BigEndian.Uint64(n[8:])))
			}
		}
		for i, s := range []*Set{store.Set(), opened} {
			for e, ids := range want {
				slices.Sort(ids)
				if got := slices.Compact(names(s.Find(nil, e.kind, []byte(e.key)))); !slices.Equal(got, ids) {
					t.Fatalf("set %d, %v: %v, want %v", i, e, got, ids)
				}
			}
			for _, e := range rapid.SliceOfN(keys, 0, 10).Draw(t, "asked") {
				if got := slices.Compact(names(s.Find(nil, e.kind, []byte(e.key)))); !slices.Equal(got, want[e]) {
					t.Fatalf("set %d, %v: %v, want %v", i, e, got, want[e])
				}
			}
		}
	})
}

func TestApplyRevokesAndReplaces(t *testing.T) {
	b := &Builder{}
	add(t, b, 1, Domain, "one.example.org")
	add(t, b, 2, Domain, "two.example.org")
	store := NewStore(build(t, b))
	old := store.Set()
	change := &Builder{}
	add(t, change, 2, Domain, "new.example.org")
	if err := store.Apply(change, []ID{id(1)}, 1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]int{"one.example.org": nil, "two.example.org": nil, "new.example.org": {2}} {
		if got := names(store.Set().FindDomain(nil, key(t, Domain, name))); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if len(old.FindDomain(nil, key(t, Domain, "one.example.org"))) != 1 {
		t.Error("a set changed under who held it")
	}
}

func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		kind    Kind
		text    string
		refused bool
	}{
		{Domain, "com", true}, {Domain, "co.uk", true}, {Domain, "github.io", true}, {Domain, "localhost", true}, {Subdomain, "com.au", true},
		{Domain, "example.co.uk", false}, {Domain, "a.github.io", false},
		{Network, "10.0.0.0/8", true}, {Network, "0.0.0.0/0", true}, {Network, "203.0.113.0/24", false}, {Network, "2001:db8::/31", true}, {Network, "2001:db8::/32", false},
		{Address, "0.0.0.0", true}, {Address, "127.0.0.1", true}, {Address, "::1", true}, {Address, "255.255.255.255", true}, {Address, "192.0.2.1", false},
		{FileHash, "d41d8cd98f00b204e9800998ecf8427e", true}, {FileHash, "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", true},
		{FileHash, "00000000000000000000000000000000", true}, {FileHash, "d41d8cd98f00b204e9800998ecf8427f", false},
		{URL, "http://com/", true}, {URL, "http://127.0.0.1/x", true}, {URL, "http://example.org/", false},
	} {
		if reason := Refuse(c.kind, key(t, c.kind, c.text)); (reason != "") != c.refused {
			t.Errorf("%s %s: refused because %q", c.kind, c.text, reason)
		}
	}
}

func TestRowsHoldInTheirTime(t *testing.T) {
	from, until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	var r Row
	r.From, r.Until = Seconds(from, until)
	for at, want := range map[time.Time]bool{from.Add(-time.Second): false, from: true, until.Add(-time.Second): true, until: false} {
		if r.Holds(at.Unix()) != want {
			t.Errorf("at %s: %v", at, !want)
		}
	}
	if r.From, r.Until = Seconds(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}); r.Holds(until.Unix()) {
		t.Error("what begins in 2200 holds today")
	}
	one := ID{0x9d, 0x2b, 15: 0x60}
	if back, err := ParseID(one.String()); err != nil || back != one {
		t.Errorf("%s reads back as %v: %v", one, back, err)
	}
}

func FuzzOpen(f *testing.F) {
	b := &Builder{}
	for n := range 30 {
		add(f, b, n, Domain, fmt.Sprintf("h%d.example.org", n%20))
	}
	var file bytes.Buffer
	if _, err := build(f, b).WriteTo(&file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:200])
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parse(resealed(text))
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Fatal(err)
			}
			return
		}
		for n := range 30 {
			s.FindDomain(nil, key(t, Domain, fmt.Sprintf("a.h%d.example.org", n)))
		}
		s.FindAddress(nil, netip.MustParseAddr("192.0.2.1"))
	})
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"Bücher.example.", "http://u@EXAMPLE.org:80/a/../%7e?%zz#f", "a@b.example", "::ffff:1.2.3.4", "10.0.0.1/8", "xn--bcher-kva.example", "[2001:db8::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 500 {
			return // normal forms can be longer than what is taken as a value
		}
		for kind := Address; kind < kinds; kind++ {
			first, ok := AppendKey([]byte("x"), kind, []byte(text))
			if !ok {
				continue
			}
			first = first[1:]
			shown := Render(kind, first)
			if kind == Subdomain {
				shown = shown[2:]
			}
			again, ok := AppendKey(nil, kind, []byte(shown))
			if !ok || !bytes.Equal(again, first) {
				t.Errorf("%s: %q became %q, and that %q (%v)", kind, text, first, again, ok)
			}
			Refuse(kind, first)
		}
	})
}
