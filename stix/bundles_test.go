package stix

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Every object of the published bundles comes out byte for byte, from memory and from a stream alike.
func TestPublishedBundlesByteForByte(t *testing.T) {
	total := 0
	for name, raw := range bundles(t) {
		var plain struct{ Objects []json.RawMessage }
		if err := json.Unmarshal(raw, &plain); err != nil {
			t.Fatal(err)
		}
		bundle, err := Parse(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(bundle.Objects) != len(plain.Objects) {
			t.Fatalf("%s: %d objects, want %d", name, len(bundle.Objects), len(plain.Objects))
		}
		n := 0
		for o, err := range Objects(bytes.NewReader(raw), Limits{}) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := plain.Objects[n]
			if !bytes.Equal(o.Raw, want) || !bytes.Equal(bundle.Objects[n].Raw, want) {
				t.Fatalf("%s: object %d differs", name, n)
			}
			if in := raw[o.Offset : o.Offset+int64(len(o.Raw))]; !bytes.Equal(in, want) || bundle.Objects[n].Offset != o.Offset {
				t.Fatalf("%s: object %d is not at its offset", name, n)
			}
			if o.ID == "" || o.ID != bundle.Objects[n].ID || o.Version() != bundle.Objects[n].Version() {
				t.Fatalf("%s: object %d is described as %+v", name, n, o)
			}
			n++
		}
		if n != len(plain.Objects) {
			t.Fatalf("%s: streamed %d objects of %d", name, n, len(plain.Objects))
		}
		total += n
	}
	if total != 15648 {
		t.Errorf("%d objects in all, want 15648", total)
	}
}

// The published bundles are valid by the MUSTs.
func TestPublishedBundlesAreValid(t *testing.T) {
	for name, raw := range bundles(t) {
		report := Validate(raw, Options{})
		if !report.Valid {
			t.Errorf("%s: %d of %d objects are not valid: %v", name, len(report.InvalidObjects()), report.Objects, report.Findings[:min(3, len(report.Findings))])
		}
	}
}

func TestStreamReadsInSmallPieces(t *testing.T) {
	doc := `{"type": "bundle", "id": "bundle--1", "x": {"objects": [1]}, "objects": [ {"type":"a","id":"a--1","s":"\\\"}]"}, {"type":"b","id":"b--2"} ], "y": [ ]}`
	for _, r := range []struct {
		name string
		doc  string
		ids  string
	}{
		{"bundle", doc, "a--1 b--2"},
		{"type after the objects", `{"objects":[{"type":"a","id":"a--1"}],"type":"bundle"}`, "a--1"},
		{"single", `{"type":"observed-data","objects":{"0":{}},"id":"c--3"}`, "c--3"},
		{"list", ` [{"id":"a--1"} , {"id":"b--2"}] `, "a--1 b--2"},
		{"no objects", `{"type":"bundle","id":"bundle--1"}`, ""},
		{"empty", `{"type":"bundle","objects":[]}`, ""},
	} {
		var ids []string
		for o, err := range Objects(iotest.OneByteReader(strings.NewReader(r.doc)), Limits{}) {
			if err != nil {
				t.Errorf("%s: %v", r.name, err)
			}
			ids = append(ids, o.ID)
		}
		if got := strings.Join(ids, " "); got != r.ids {
			t.Errorf("%s: read %q, want %q", r.name, got, r.ids)
		}
		bundle, err := Parse([]byte(r.doc))
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		ids = nil
		for _, o := range bundle.Objects {
			ids = append(ids, o.ID)
		}
		if got := strings.Join(ids, " "); got != r.ids {
			t.Errorf("%s: parsed %q, want %q", r.name, got, r.ids)
		}
	}
}

// What cannot be read is told apart from what is wrong, with its reason.
func TestUnreadable(t *testing.T) {
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for _, c := range []struct {
		name, doc string
		reason    Reason
	}{
		{"nothing", "", NotJSON},
		{"a word", "hello", NotJSON},
		{"a string", `"hello"`, NotJSON},
		{"cut off", `{"type":"bundle","objects":[{"type":`, NotJSON},
		{"two documents", `{"type":"x","id":"y"} {}`, NotJSON},
		{"a comma too many", `{"type":"x",}`, NotJSON},
		{"NaN", `{"type":"x","n":NaN}`, NotJSON},
		{"leading zero", `{"n":01}`, NotJSON},
		{"control character", "{\"n\":\"\x01\"}", NotJSON},
		{"duplicate key", `{"type":"x","id":"y","type":"z"}`, DuplicateKey},
		{"duplicate key, escaped", `{"type":"x","\u0074ype":"z"}`, DuplicateKey},
		{"invalid UTF-8", "{\"type\":\"\xff\"}", InvalidUTF8},
		{"half a surrogate", `{"type":"\ud800"}`, InvalidUTF8},
		{"deep", `{"type":"x","n":` + deep + `}`, TooDeep},
		{"huge number", `{"n":1e999}`, HugeNumber},
		{"long number", `{"n":` + strings.Repeat("1", 300) + `}`, HugeNumber},
		{"a bundle in a bundle", `{"type":"bundle","objects":[{"type":"bundle"}]}`, NotABundle},
	} {
		_, err := Parse([]byte(c.doc))
		var unreadable *UnreadableError
		if !errors.As(err, &unreadable) || unreadable.Reason != c.reason {
			t.Errorf("%s: parsing says %v, want %q", c.name, err, c.reason)
			continue
		}
		if unreadable.Line == 0 || unreadable.Column == 0 {
			t.Errorf("%s: no place in %+v", c.name, unreadable)
		}
		if c.reason == NotABundle {
			continue
		}
		if report := Validate([]byte(c.doc), Options{}); report.ExitCode() != 2 || report.Valid {
			t.Errorf("%s: validating says %+v", c.name, report)
		}
		streamed := false
		for _, err := range Objects(strings.NewReader(c.doc), Limits{}) {
			streamed = streamed || errors.As(err, &unreadable) && unreadable.Reason == c.reason
		}
		if !streamed {
			t.Errorf("%s: the stream gave no such error", c.name)
		}
	}
}

// One unreadable object does not hide the others.
func TestTheRestOfAnEnvelopeIsTaken(t *testing.T) {
	good := `{"type":"url","id":"url--ca6b2b1c-6a5d-5d1c-9a0e-2f3a7c9f0e11","value":"http://example.com/"}`
	doc := `{"objects":[` + good + `,{"type":"url","type":"url"},{"type":"url","id":"url--x","value":"y"},` + good + `],"type":"bundle","id":"bundle--44af6c39-c09b-49c5-9de2-394224b04982"}`
	report := Validate([]byte(doc), Options{})
	if report.Objects != 4 || len(report.InvalidObjects()) != 2 || report.InvalidObjects()[0] != 1 || report.InvalidObjects()[1] != 2 {
		t.Fatalf("invalid objects are %v of %d: %v", report.InvalidObjects(), report.Objects, report.Findings)
	}
	if report.Unreadable == nil || report.Unreadable.Reason != DuplicateKey {
		t.Errorf("unreadable is %v", report.Unreadable)
	}
	if f := report.Findings[1]; f.Index != 2 || f.Path != "/id" || f.Rule != "§2.9" {
		t.Errorf("the second finding is %+v", f)
	}
	read := 0
	for _, err := range Objects(strings.NewReader(doc), Limits{}) {
		if err == nil {
			read++
		}
	}
	if read != 3 {
		t.Errorf("the stream read %d objects, want 3", read)
	}
}

// endless is a bundle of many objects that is made while it is read.
type endless struct {
	left  int
	rest  []byte
	first bool
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		switch {
		case e.first:
			e.first, e.rest = false, []byte(`{"type":"bundle","objects":[{"type":"a","id":"a--0"}`)
		case e.left > 0:
			e.left--
			e.rest = []byte(`,{"type":"a","id":"a--1","x":"` + strings.Repeat("y", 400) + `"}`)
		case e.left == 0:
			e.left--
			e.rest = []byte(`]}`)
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// A bundle may be far larger than what one object may be.
func TestStreamKeepsOneObjectAtATime(t *testing.T) {
	n := 0
	for _, err := range Objects(&endless{left: 100_000, first: true}, Limits{MaxObject: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 100_001 {
		t.Errorf("%d objects", n)
	}
	for _, doc := range []string{
		`{"type":"bundle","objects":[{"x":"` + strings.Repeat("y", 100_000) + `"}]}`,
		`{"type":"a","id":"a--1","x":"` + strings.Repeat("y", 100_000) + `"}`,
		`{"type":"a","id":"a--1"` + strings.Repeat(`,"x`+strings.Repeat("y", 60)+`":1`, 1) + strings.Repeat(" ", 70_000) + `,"z":"` + strings.Repeat("y", 2000) + `"}`,
	} {
		large := false
		for _, err := range Objects(strings.NewReader(doc), Limits{MaxObject: 1000}) {
			var unreadable *UnreadableError
			large = large || errors.As(err, &unreadable) && unreadable.Reason == TooLarge
		}
		if !large {
			t.Errorf("%.40s… is not too large", doc)
		}
	}
}

// TestObjectsNoList says once what is wrong with a bundle whose objects are no list.
func TestObjectsNoList(t *testing.T) {
	report := Validate([]byte(`{"type":"bundle","id":"bundle--44af6c39-c09b-49c5-9de2-394224b04982","objects":"x"}`), Options{})
	if report.Valid || len(report.Findings) != 1 || report.Findings[0].Path != "/objects" {
		t.Errorf("%+v", report)
	}
}
