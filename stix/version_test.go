package stix

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestVersions(t *testing.T) {
	raw := `{"type":"tool", "id":"tool--b67d30ff-02ac-498a-92f9-32f845f448cf","spec_version":"2.1","created":"2024-05-12T08:17:27.000Z","modified":"2024-05-12T08:17:27.123Z", "name" : "n" , "x":1.50}`
	o := object(t, raw)
	at := time.Date(2025, 1, 2, 3, 4, 5, 6_700_000, time.UTC)
	next, err := NewVersion(o, at, Change{"name", []byte(`"m"`)}, Change{"x", nil}, Change{"description", []byte(`"d"`)})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"tool", "id":"tool--b67d30ff-02ac-498a-92f9-32f845f448cf","spec_version":"2.1","created":"2024-05-12T08:17:27.000Z","modified":"2025-01-02T03:04:05.006Z", "name" : "m" ,"description":"d"}`
	if string(next) != want {
		t.Errorf("made\n%s want\n%s", next, want)
	}
	n := object(t, string(next))
	if !Newer(n, o) || Newer(o, n) || Newer(o, o) {
		t.Error("the new version is not newer")
	}
	back, err := NewVersion(n, o.Modified)
	if err != nil || !Newer(object(t, string(back)), n) {
		t.Errorf("a clock that went back makes %s, %v", back, err)
	}
	revoked, err := Revoke(n, at.Add(time.Hour))
	if err != nil || !object(t, string(revoked)).Revoked || !Validate(revoked, Options{}).Valid {
		t.Errorf("revoked %s, %v", revoked, err)
	}
	if _, err := NewVersion(object(t, string(revoked)), at); !errors.Is(err, ErrRevoked) {
		t.Errorf("a revoked object has a new version: %v", err)
	}
	for _, fixed := range []string{"id", "type", "created", "created_by_ref", "modified"} {
		if _, err := NewVersion(o, at, Change{fixed, []byte(`"x"`)}); err == nil {
			t.Errorf("%s changes", fixed)
		}
	}
	if _, err := NewVersion(object(t, `{"type":"url","id":"url--1","value":"x"}`), at); err == nil {
		t.Error("an observable has versions")
	}
	if _, err := NewVersion(o, at, Change{"name", []byte(`"m`)}); err == nil {
		t.Error("half a value is written")
	}
}

// Editing changes what it is asked to change and nothing else.
func TestEditing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z"\\é]{1,3}`), 1, 6, rapid.ID[string]).Draw(t, "names")
		raw := []byte("{")
		want := map[string]string{}
		for i, name := range names {
			if i > 0 {
				raw = append(raw, rapid.SampledFrom([]string{",", " , ", ",\n"}).Draw(t, "comma")...)
			}
			value := rapid.SampledFrom([]string{"1", `"a,}"`, "[1,2]", `{"a":null}`, "true"}).Draw(t, "value")
			raw = append(appendString(raw, []byte(name)), ":"+value...)
			want[name] = value
		}
		raw = append(raw, rapid.SampledFrom([]string{"}", " }\n"}).Draw(t, "end")...)
		change := Change{Property: rapid.SampledFrom(append(names, "new")).Draw(t, "change"), Value: []byte(`"v"`)}
		want[change.Property] = `"v"`
		if rapid.Bool().Draw(t, "remove") {
			change.Value = nil
			delete(want, change.Property)
		}
		out, err := edit(raw, []Change{change})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(out, &got); err != nil || len(got) != len(want) {
			t.Fatalf("%s became %s (%v)", raw, out, err)
		}
		for name, value := range want {
			if !bytes.Equal(got[name], []byte(value)) {
				t.Fatalf("%s became %s", raw, out)
			}
		}
	})
}

func TestTimestamps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		s := FormatTimestamp(at)
		back, err := ParseTimestamp(s)
		if err != nil || !back.Equal(at) || len(fraction([]byte(s))) < 3 {
			t.Fatalf("%v is written %s and read %v, %v", at, s, back, err)
		}
		other := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "other"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		if got := compareTimes([]byte(s), []byte(FormatTimestamp(other))); got != at.Compare(other) {
			t.Fatalf("%v against %v is %d", at, other, got)
		}
	})
	for s, want := range map[string]timeForm{
		"2024-02-29T00:00:00Z": timeGood, "2023-02-29T00:00:00Z": timeImpossible, "1900-02-29T00:00:00.1Z": timeImpossible,
		"2000-02-29T00:00:00.123456789012Z": timeGood, "2024-01-01T24:00:00Z": timeMalformed, "2024-01-01T23:59:60Z": timeImpossible,
		"2024-01-01T00:00:00.Z": timeMalformed, "2024-01-01T00:00:00z": timeMalformed, "2024-01-01t00:00:00Z": timeMalformed,
		"2024-01-01T00:00:00+00:00": timeMalformed, "": timeMalformed, "0000-01-01T00:00:00Z": timeImpossible,
	} {
		if got := timestampForm([]byte(s)); got != want {
			t.Errorf("%q is %d, want %d", s, got, want)
		}
	}
}
