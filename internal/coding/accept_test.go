package coding

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAccept(t *testing.T) {
	cases := []struct {
		header []string
		codes  string
		plain  bool
	}{
		{nil, "", true},
		{[]string{""}, "", true},
		{[]string{"gzip"}, "gzip", true},
		{[]string{"x-gzip"}, "gzip", true},
		{[]string{"GZip ; Q=0.5"}, "gzip", true},
		{[]string{"gzip, deflate, br"}, "gzip", true},
		{[]string{"gzip, deflate, br, zstd"}, "zstd gzip", true},
		{[]string{"gzip", "zstd"}, "zstd gzip", true},
		{[]string{"gzip;q=1.0, zstd;q=0.9"}, "gzip zstd", true},
		{[]string{"gzip;q=0"}, "", true},
		{[]string{"gzip;q=0.000, zstd;q=0.001"}, "zstd", true},
		{[]string{"*"}, "zstd gzip", true},
		{[]string{"*;q=0"}, "", false},
		{[]string{"*;q=0, gzip"}, "gzip", false},
		{[]string{"*;q=0, identity"}, "", true},
		{[]string{"identity;q=0"}, "", false},
		{[]string{"identity;q=0, gzip"}, "gzip", false},
		{[]string{"identity;q=0, *"}, "zstd gzip", false},
		{[]string{"identity;q=0, br"}, "", false},
		{[]string{"identity, gzip;q=0.5"}, "", true},
		{[]string{"identity;q=0.5, gzip"}, "gzip", true},
		{[]string{"identity;q=0.5, *;q=0.7, zstd;q=0.1"}, "gzip", true},
		{[]string{"gzip, gzip;q=0"}, "", true},
		// What breaks the grammar is not there.
		{[]string{"gzip;q=1.1"}, "", true},
		{[]string{"gzip;q=0.1234"}, "", true},
		{[]string{"gzip;q=-1, zstd"}, "zstd", true},
		{[]string{"gzip;level=9"}, "", true},
		{[]string{"gzip;q=0.5;q=1"}, "", true},
		{[]string{"gz ip,,;q=1,=,zstd"}, "zstd", true},
	}
	for _, c := range cases {
		got := accept(c.header)
		if words(got.codings) != c.codes || got.plain != c.plain {
			t.Errorf("%q: %q, plain %v; want %q, %v", c.header, words(got.codings), got.plain, c.codes, c.plain)
		}
	}
}

func words(codings []Coding) string {
	var out []string
	for _, c := range codings {
		out = append(out, string(c))
	}
	return strings.Join(out, " ")
}

// For any weights, what is taken follows from the sentences of RFC 9110, section 12.5.3, each computed plainly.
func TestAcceptFollowsTheWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight := rapid.IntRange(-1, 1000) // -1: not named
		w := map[string]int{}
		var elements []string
		for _, name := range []string{"gzip", "zstd", "identity", "*", "br"} {
			if q := weight.Draw(t, name); q >= 0 {
				w[name] = q
				elements = append(elements, fmt.Sprintf("%s;q=%d.%03d", name, q/1000, q%1000))
			}
		}
		elements = rapid.Permutation(elements).Draw(t, "order")
		got := accept([]string{strings.Join(elements, ", ")})

		of := func(name string, unnamed int) int {
			if q, ok := w[name]; ok {
				return q
			}
			if q, ok := w["*"]; ok {
				return q
			}
			return unnamed
		}
		plain := of("identity", 1) // taken when nothing refuses it, less gladly than anything that is named
		if got.plain != (plain > 0) {
			t.Fatalf("plain %v at weight %d", got.plain, plain)
		}
		for _, c := range []Coding{Gzip, Zstd} {
			q := of(string(c), 0)
			if want := q > 0 && q >= of("identity", 0); slices.Contains(got.codings, c) != want {
				t.Fatalf("%s at %d of plain %d: %v", c, q, plain, got.codings)
			}
		}
		for i := 1; i < len(got.codings); i++ {
			if of(string(got.codings[i-1]), 0) < of(string(got.codings[i]), 0) {
				t.Fatalf("%v is not in order of weight", got.codings)
			}
		}
	})
}

func FuzzAccept(f *testing.F) {
	for _, s := range []string{"", "gzip", "gzip;q=0.5, zstd;q=1.0", "identity;q=0, *;q=0", ",;=,q", "*;q=0.001\t,\tx-gzip ; Q=1.000", strings.Repeat("gzip;q=0.", 500)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := accept([]string{s})
		if len(a.codings) > 2 || len(slices.Compact(slices.Clone(a.codings))) != len(a.codings) {
			t.Fatalf("%q: %v", s, a.codings)
		}
		lower := strings.ToLower(s)
		if !a.plain && !strings.Contains(lower, "identity") && !strings.Contains(s, "*") {
			t.Fatalf("%q: the plain form is refused and nothing named it", s)
		}
		for _, c := range a.codings {
			if !strings.Contains(lower, string(c)) && !strings.Contains(s, "*") {
				t.Fatalf("%q: %s was not asked for", s, c)
			}
		}
		if split := accept(strings.Split(s, ",")); words(split.codings) != words(a.codings) || split.plain != a.plain {
			t.Fatalf("%q: one header line gives %+v, several give %+v", s, a, split)
		}
	})
}
