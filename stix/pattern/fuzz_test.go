package pattern_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/mithaq/mithaq/stix/pattern"
)

// withoutPositions sets all positions of a tree to zero.
func withoutPositions(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			withoutPositions(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			withoutPositions(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[pattern.Position]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			withoutPositions(v.Field(i))
		}
	}
}

// roundTrip prints a pattern and checks that parsing the print gives it again.
func roundTrip(t *testing.T, p *pattern.Pattern) {
	t.Helper()
	printed := p.String()
	again, err := pattern.Parse(printed)
	if err != nil {
		t.Fatalf("%q does not parse: %v", printed, err)
	}
	withoutPositions(reflect.ValueOf(p))
	withoutPositions(reflect.ValueOf(again))
	if !reflect.DeepEqual(p, again) {
		t.Fatalf("%q parses to another tree", printed)
	}
	if twice := again.String(); twice != printed {
		t.Fatalf("%q prints as %q", printed, twice)
	}
}

func seeds(t testing.TB) []string {
	var texts []string
	for _, dir := range suites() {
		for _, c := range readLines[verdictCase](t, filepath.Join(dir, "cases.jsonl")) {
			texts = append(texts, c.Pattern)
		}
		for _, c := range readLines[validityCase](t, filepath.Join(dir, "validity.jsonl")) {
			texts = append(texts, c.Pattern)
		}
	}
	return texts
}

func TestRoundTrip(t *testing.T) {
	parsed := 0
	for _, text := range seeds(t) {
		if p, err := pattern.Parse(text); err == nil {
			parsed++
			roundTrip(t, p)
		}
	}
	if parsed == 0 {
		t.Error("no pattern parsed")
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := pattern.Parse(text)
		if err != nil {
			at := as[*pattern.ParseError](t, err).Position
			if at.Offset < 0 || at.Offset > len(text) || at.Line < 1 || at.Column < 1 {
				t.Fatalf("%q: impossible position %+v", text, at)
			}
			return
		}
		if _, err := pattern.Check(text); err != nil {
			t.Fatalf("%q: Parse and Check disagree: %v", text, err)
		}
		roundTrip(t, p)
	})
}

func FuzzMatch(f *testing.F) {
	observed := []byte(`[{"type":"bundle","objects":[{"type":"observed-data","id":"o","number_observed":2,` +
		`"first_observed":"2001-09-09T01:46:40Z","last_observed":"2001-09-09T01:46:41Z","object_refs":["t--0"]},` +
		`{"type":"t","id":"t--0","age":3,"name":"alice","list":[1,[2],{"x":null}],"a_ref":"t--0","b_refs":["t--0"],"x_hex":"6869"}]}]`)
	for _, text := range seeds(f) {
		f.Add(text, observed)
	}
	f.Fuzz(func(t *testing.T, text string, observed []byte) {
		p, err := pattern.Parse(text)
		if err != nil {
			return
		}
		m, err := pattern.CompileWithLimits(p, pattern.Limits{Steps: 1_000_000})
		if err != nil {
			_ = as[*pattern.MatchError](t, err)
			return
		}
		observations, err := pattern.ParseObservations(observed)
		if err != nil {
			_ = as[*pattern.MatchError](t, err)
			return
		}
		result, err := m.Match(observations)
		if err != nil {
			_ = as[*pattern.MatchError](t, err)
			return
		}
		if result.Matched == (len(result.Observations) == 0) {
			t.Fatalf("%q: matched %v by %d observations", text, result.Matched, len(result.Observations))
		}
	})
}

// as returns err as the one kind of error that a function promises.
func as[E error](t *testing.T, err error) E {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("%T (%v) is not the promised error", err, err)
	}
	return e
}
