package index

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyKey draws keys of all forms: names and URLs that can be packed and nearly so, hashes of the usual lengths and others.
func anyKey() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.Map(rapid.StringMatching(`[a-z0-9._/-]{0,200}`), func(s string) []byte { return []byte(s) }),
		rapid.Map(rapid.StringMatching(`[a-z0-9.]{1,8}[A-Z~ ÿ]?`), func(s string) []byte { return []byte(s) }),
		rapid.Custom(func(t *rapid.T) []byte {
			n := rapid.SampledFrom([]int{0, 3, 4, 15, 16, 17, 20, 32, 36, 255, 300}).Draw(t, "size")
			return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes")
		}))
}

// TestStoredKeysComeBack, and no two keys are stored alike.
func TestStoredKeysComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := Kind(rapid.Uint8Range(1, uint8(kinds-1)).Draw(t, "kind"))
		a, b := anyKey().Draw(t, "a"), anyKey().Draw(t, "b")
		one, other := appendStored(nil, kind, a), appendStored(nil, kind, b)
		if bytes.Equal(one, other) != bytes.Equal(a, b) {
			t.Fatalf("%q and %q are stored as %x and %x", a, b, one, other)
		}
		table := Table{arena: append(slices.Clone(one), other...)}
		var back [][]byte
		for k, key := range table.All {
			if k != kind {
				t.Fatalf("%s became %s", kind, k)
			}
			back = append(back, bytes.Clone(key))
		}
		if len(back) != 2 || !bytes.Equal(back[0], a) || !bytes.Equal(back[1], b) {
			t.Fatalf("%q and %q came back as %q", a, b, back)
		}
	})
}

// TestNamesAreStoredInTwoThirds of their characters and one byte.
func TestNamesAreStoredInTwoThirds(t *testing.T) {
	for text, size := range map[string]int{"update-17.example": 1 + 12, "a.b": 1 + 2, "UPPER.example": 3 + 13} {
		if got := len(appendStored(nil, Domain, []byte(text))); got != size {
			t.Errorf("%s: %d bytes, want %d", text, got, size)
		}
	}
	if got := len(appendStored(nil, URL, []byte("//evil.example/a-b.php"))); got != 1+16 {
		t.Errorf("a URL: %d bytes", got)
	}
}

// TestRowsComeBack as they were added, whether their identifier is their own or follows from the value, over a file too.
func TestRowsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, want := &Builder{}, map[string][]Row{}
		for range rapid.IntRange(1, 30).Draw(t, "rows") {
			key := []byte(rapid.SampledFrom([]string{"a.example", "b.example", "c.example"}).Draw(t, "key"))
			r := Row{Indicator: ListID(Domain, key), From: rapid.Uint32().Draw(t, "from"), Until: rapid.Uint32().Draw(t, "until"),
				Confidence: rapid.Byte().Draw(t, "confidence"), Pattern: rapid.Bool().Draw(t, "pattern"), Name: b.Name(rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "name"))}
			if rapid.Bool().Draw(t, "own") {
				r.Indicator = id(rapid.IntRange(0, 9).Draw(t, "id"))
			}
			var err error
			if r.Source, err = b.Source(Source{Feed: rapid.SampledFrom([]string{"f", "g"}).Draw(t, "feed")}); err != nil {
				t.Fatal(err)
			}
			if err := b.Add(Domain, key, r); err != nil {
				t.Fatal(err)
			}
			want[string(key)] = append(want[string(key)], r)
		}
		set, err := Build(b, 5)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if _, err := set.WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		opened, err := parse(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for key, rows := range want {
			for _, s := range []*Set{set, opened} {
				var got []Row
				for _, h := range s.Find(nil, Domain, []byte(key)) {
					got = append(got, h.Row)
				}
				if !slices.Equal(got, rows) {
					t.Fatalf("%s: %+v, want %+v", key, got, rows)
				}
			}
		}
	})
}
