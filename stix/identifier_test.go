package stix

import (
	"bytes"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// The identifiers in the file were made by the OASIS library stix2.
func TestObservableIDs(t *testing.T) {
	raw, err := os.ReadFile("testdata/observable-ids.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		o, err := ParseObject(line)
		if err != nil {
			t.Fatal(err)
		}
		id, ok, err := ObservableID(line)
		if err != nil || !ok || id != o.ID {
			t.Errorf("%s has the identifier %s, made %s (%v)", line, o.ID, id, err)
		}
	}
	if _, ok, _ := ObservableID([]byte(`{"type":"process","pid":3}`)); ok {
		t.Error("a process has a name-based identifier")
	}
	id, ok, err := ObservableIDOf([]byte(`{"type":"x-own","b":1,"a":"x","c":2}`), []string{"b", "a"})
	if err != nil || !ok || len(id) != len("x-own--")+36 {
		t.Errorf("an observable of one's own: %s %v", id, err)
	}
}

// RFC 8785, section 3.2.2 and appendix B.
func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			"{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
		{`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`, "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{`[-0, 9007199254740993, 1e21, 1e-7, 123456789012345680000]`, `[0,9007199254740992,1e+21,1e-7,123456789012345680000]`},
	} {
		v, err := OpenValue([]byte(c.in), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(v.Canonical(nil)); got != c.out {
			t.Errorf("%s\ngot  %s\nwant %s", c.in, got, c.out)
		}
	}
}

// An identifier depends on neither the order of members nor on space.
func TestObservableIDIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		vendor := rapid.String().Draw(t, "vendor")
		quote := func(s string) string { return string(appendString(nil, []byte(s))) }
		a, okA, errA := ObservableID([]byte(`{"type":"software","name":` + quote(name) + `,"vendor":` + quote(vendor) + `}`))
		b, okB, errB := ObservableID([]byte(` { "vendor" : ` + quote(vendor) + ` , "languages":["en"], "name":` + quote(name) + `,"type":"software" } `))
		if a != b || okA != okB || !okA || errA != nil || errB != nil {
			t.Fatalf("%s and %s (%v, %v)", a, b, errA, errB)
		}
		if !isIdentifier([]byte(a)) || uuidVersion([]byte(a)) != 5 {
			t.Fatalf("%s is no name-based identifier", a)
		}
	})
}

func TestNewID(t *testing.T) {
	id, err := NewID(bytes.NewReader(make([]byte, 16)), "tool")
	if err != nil || id != "tool--00000000-0000-4000-8000-000000000000" {
		t.Errorf("made %s, %v", id, err)
	}
	if kind, uuid, ok := SplitID(id); !ok || kind != "tool" || len(uuid) != 36 {
		t.Errorf("split into %s and %s", kind, uuid)
	}
	if _, err := NewID(bytes.NewReader(nil), "tool"); err == nil {
		t.Error("an identifier out of nothing")
	}
}
