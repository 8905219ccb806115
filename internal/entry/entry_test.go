package entry_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
)

// TestWhatCannotBeReadSaysSo: an object that is not the leaf's, or no object at all, has an entry that claims nothing; where there is no
// leaf there is none.
func TestWhatCannotBeReadSaysSo(t *testing.T) {
	m := entry.Maker{Words: arabic.NewIndexer(), LogNo: 7}
	rubbish := []byte("rubbish")
	for name, c := range map[string]struct {
		arrival store.Arrival
		want    string
	}{
		"erased":               {store.Arrival{Seq: 1, Erased: true}, entry.Erased},
		"another object":       {store.Arrival{Seq: 1, Bytes: rubbish}, entry.Invalid},
		"no object":            {store.Arrival{Seq: 1, Bytes: rubbish, Hash: sha256.Sum256(rubbish)}, entry.Invalid},
		"nothing has come yet": {store.Arrival{}, ""},
	} {
		e, ok := m.Single(3, c.arrival)
		if ok != (c.want != "") || e.Standing != c.want || e.ID != "" || ok && (e.LogNo != 7 || e.Index != 3) {
			t.Errorf("%s: %+v, %v", name, e, ok)
		}
		if _, err := m.Open(3, c.arrival); err == nil {
			t.Errorf("%s is opened", name)
		}
	}
}

// TestAnObjectIsAsStrictAsItsStrictestPart: own markings and those of single properties only ever tighten what the record says.
func TestAnObjectIsAsStrictAsItsStrictestPart(t *testing.T) {
	const green, red = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
	rapid.Check(t, func(t *rapid.T) {
		object, granular := rapid.SampledFrom([]string{"", green, red}).Draw(t, "object"), rapid.SampledFrom([]string{"", green, red}).Draw(t, "granular")
		v, err := stix.OpenValue([]byte(`{"object_marking_refs":["`+object+`"],"granular_markings":[{"marking_ref":"`+granular+`"}]}`), stix.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		of := policy.Marking{TLP: rapid.SampledFrom(policy.TLPs()).Draw(t, "record")}
		got, want := entry.WithOwn(of, entry.OwnMarking(v, nil)), of
		for _, ref := range []string{object, granular} {
			if tlp, ok := stix.TLPOf(ref); ok {
				want = want.Strictest(policy.Marking{TLP: policy.TLP(tlp.String())})
			}
		}
		if got != want {
			t.Fatalf("%v with %q and %q is %v, want %v", of, object, granular, got, want)
		}
	})
}

// FuzzTextIn: whatever a body holds, its texts come in pieces of a bounded length, none of them twice, and what was text is text.
func FuzzTextIn(f *testing.F) {
	f.Add([]byte(`{"name":{"ar":"نص","en":"a text"},"pattern":"[domain-name:value = 'a.example']","id":"x--1","labels":["a","b"]}`))
	f.Add([]byte(`{"description":"` + strings.Repeat("long ", 10_000) + `"}`))
	f.Add([]byte(`[[["` + strings.Repeat("ü", 20_000) + `"]]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := stix.OpenValue(body, stix.Limits{})
		if err != nil {
			return
		}
		total := 0
		for _, part := range entry.TextIn(v) {
			size := 0
			for _, s := range part {
				if s.Text == "" || !utf8.ValidString(s.Text) {
					t.Fatalf("a piece %q", s.Text)
				}
				size += len(s.Text)
			}
			if total += size; size > 32<<10 {
				t.Fatalf("a part of %d bytes", size)
			}
		}
		if total > len(body) {
			t.Fatalf("%d bytes of text out of %d", total, len(body))
		}
	})
}
