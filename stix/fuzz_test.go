package stix

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// seeds are the objects of our own, alone and in a bundle.
func seeds(f *testing.F) {
	raw, err := os.ReadFile("testdata/complete.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	all := []byte(`{"type":"bundle","id":"bundle--44af6c39-c09b-49c5-9de2-394224b04982","objects":[`)
	for line := range bytes.Lines(raw) {
		line = bytes.TrimSpace(line)
		f.Add(line)
		if !bytes.HasPrefix(line, []byte(`{"type":"bundle"`)) {
			all = append(append(all, line...), ',')
		}
	}
	f.Add(append(all[:len(all)-1], "]}"...))
	f.Add([]byte(`{"type":"a\u0000","objects":[1,"\ud83d\ude00",[[]],1e3]}`))
	f.Add([]byte(`[{"type":"x","id":"y"} , {}]`))
}

// FuzzParse: what is parsed is JSON, and its objects are its bytes; memory and stream agree.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		bundle, err := Parse(doc)
		var streamed []Object
		var broken error
		for o, err := range Objects(bytes.NewReader(doc), Limits{}) {
			if err != nil {
				broken = err
				break
			}
			streamed = append(streamed, o)
		}
		if err != nil {
			var unreadable *UnreadableError
			if !errors.As(err, &unreadable) {
				t.Fatalf("%T is no UnreadableError", err)
			}
			if broken == nil && unreadable.Reason != NotABundle && unreadable.Reason != DuplicateKey && unreadable.Reason != NotJSON {
				t.Fatalf("the stream took what parsing refused: %v", err)
			}
			return
		}
		if !json.Valid(doc) {
			t.Fatal("parsed what is no JSON")
		}
		if broken != nil {
			var unreadable *UnreadableError
			if errors.As(broken, &unreadable) && unreadable.Reason == NotABundle {
				return // a list of objects before a type that is no string
			}
			t.Fatalf("the stream refused what parsing took: %v", broken)
		}
		if len(streamed) != len(bundle.Objects) {
			t.Fatalf("%d objects, %d streamed", len(bundle.Objects), len(streamed))
		}
		for i, o := range bundle.Objects {
			if !bytes.Equal(o.Raw, streamed[i].Raw) || o.Offset != streamed[i].Offset || !bytes.Equal(doc[o.Offset:int(o.Offset)+len(o.Raw)], o.Raw) {
				t.Fatalf("object %d differs", i)
			}
		}
	})
}

// FuzzValidate: any bytes get a verdict, every finding has a place and a rule, and strict is never milder.
func FuzzValidate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		must := Validate(doc, Options{})
		strict := Validate(doc, Options{Strict: true, StrictProperties: true, StrictTypes: true, EnforceRefs: true, Interop: true})
		if strict.Valid && !must.Valid {
			t.Fatalf("strict is milder: %v", must.Findings)
		}
		if must.Valid && (len(must.Findings) > 0 || must.Unreadable != nil) || !must.Valid && len(must.Findings) == 0 && must.Unreadable == nil {
			t.Fatalf("valid is %v with %v", must.Valid, must.Findings)
		}
		for _, finding := range strict.Findings {
			if finding.Rule == "" || finding.Kind == "" || finding.Message == "" {
				t.Fatalf("%+v", finding)
			}
		}
		if o, err := ParseObject(doc); err == nil {
			_, _ = Effective(o, nil)
			_, _ = Fingerprints(o)
			_, _, _ = ObservableID(doc)
			if v, err := o.Open(); err == nil {
				again, err := OpenValue(v.Canonical(nil), Limits{})
				if err != nil || !bytes.Equal(again.Canonical(nil), v.Canonical(nil)) {
					t.Fatalf("the canonical form is not stable: %v", err)
				}
			}
		}
	})
}
