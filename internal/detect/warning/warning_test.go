package warning_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/warning"
)

func on(t testing.TB, l *warning.Lists, kind index.Kind, text string) (names []string) {
	t.Helper()
	key, ok := index.AppendKey(nil, kind, []byte(text))
	if !ok {
		t.Fatalf("%q is no %s", text, kind)
	}
	for _, list := range l.Check(kind, key) {
		names = append(names, list.Name)
	}
	return names
}

func TestCheck(t *testing.T) {
	l := &warning.Lists{}
	for _, text := range []string{
		`{"name":"s","type":"string","list":["Example.org","192.0.2.1","d41d8cd98f00b204e9800998ecf8427e","http://example.org/a"]}`,
		`{"name":"h","type":"hostname","list":["cdn.example"]}`,
		`{"name":"c","type":"cidr","list":["198.51.100.0/24","2001:db8::1","nonsense"]}`,
		`{"name":"t","type":"substring","list":["update"]}`,
		`{"name":"r","type":"regex","list":["/^Ads[0-9]+[.]/i"]}`,
	} {
		if err := l.Add([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		kind index.Kind
		text string
		want []string
	}{
		{index.Domain, "example.org", []string{"s"}}, {index.Domain, "www.example.org", nil},
		{index.Domain, "cdn.example", []string{"h"}}, {index.Domain, "a.cdn.example", []string{"h"}}, {index.Domain, "xcdn.example", nil},
		{index.Address, "192.0.2.1", []string{"s"}}, {index.Address, "198.51.100.9", []string{"c"}}, {index.Address, "2001:db8::1", []string{"c"}}, {index.Address, "2001:db8::2", nil},
		{index.Network, "198.51.100.0/25", []string{"c"}}, {index.Network, "198.51.0.0/16", nil},
		{index.FileHash, "D41D8CD98F00B204E9800998ECF8427E", []string{"s"}},
		{index.URL, "http://example.org/a", []string{"s"}}, {index.URL, "http://example.org/b", nil}, {index.URL, "http://example.org/", []string{"s"}}, {index.URL, "https://x.cdn.example/b", []string{"h"}},
		{index.Domain, "windowsupdate.example", []string{"t"}}, {index.Domain, "ads12.example", []string{"r"}},
	} {
		if got := on(t, l, c.kind, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: on %v, want %v", c.kind, c.text, got, c.want)
		}
	}
	if lists := l.Lists(); lists[2].Entries != 2 || lists[2].Skipped != 1 {
		t.Errorf("entries of the list of networks: %+v", lists[2])
	}
	for _, text := range []string{"", "[]", `{"name":"x","type":"telepathy","list":["a"]}`, `{"type":"string"}`} {
		if err := (&warning.Lists{}).Add([]byte(text)); err == nil {
			t.Errorf("%s is taken for a list", text)
		}
	}
}

func TestPublishedLists(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/data/warninglists/*.json")
	if len(files) == 0 {
		t.Skip("not here: shared/data/warninglists")
	}
	l := &warning.Lists{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Add(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, list := range l.Lists() {
		if list.Skipped > 0 {
			t.Errorf("%s: %d entries were not understood", list.Name, list.Skipped)
		}
	}
	if len(on(t, l, index.Address, "8.8.8.8")) == 0 || len(on(t, l, index.Address, "10.1.2.3")) == 0 || len(on(t, l, index.Domain, "google.com")) == 0 {
		t.Error("8.8.8.8, 10.1.2.3 or google.com is on no list")
	}
}

func FuzzAdd(f *testing.F) {
	f.Add([]byte(`{"name":"s","type":"string","list":["example.org"]}`))
	f.Add([]byte(`{"name":"r","type":"regex","list":["/(a|b)*/i","["]}`))
	f.Add([]byte(`{"name":"c","type":"cidr","list":["::/0","0.0.0.0/0"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := &warning.Lists{}
		if l.Add(text) != nil {
			return
		}
		on(t, l, index.Domain, "www.example.org")
		on(t, l, index.Address, "192.0.2.1")
		on(t, l, index.URL, "http://example.org/a")
	})
}
