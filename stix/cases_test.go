package stix

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

type referenceCase struct {
	ID            string
	Object        json.RawMessage
	Options       []string
	Valid         bool
	ValidMustOnly bool `json:"valid_must_only"`
	Errors        []struct{ Kind, Message string }
}

func (c referenceCase) options(t testing.TB) Options {
	o, err := ParseOptions(c.Options)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func referenceCases(t testing.TB, path string) []referenceCase {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []referenceCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var c referenceCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func TestVerdictsOfTheReference(t *testing.T) {
	for _, c := range referenceCases(t, shared(t, "stix-validation", "cases.jsonl")) {
		t.Run(c.ID, func(t *testing.T) { compareVerdicts(t, c) })
	}
}

func compareVerdicts(t *testing.T, c referenceCase) {
	opts := c.options(t)
	report := Validate(c.Object, opts)
	if report.Valid != c.Valid {
		t.Errorf("valid is %v under %v, want %v\nfound %v\nreference %v\nobject %s", report.Valid, c.Options, c.Valid, report.Findings, c.Errors, c.Object)
	}
	opts.Strict = false
	report = Validate(c.Object, opts)
	if report.Valid != c.ValidMustOnly {
		t.Errorf("valid is %v by the MUSTs, want %v\nfound %v\nreference %v\nobject %s", report.Valid, c.ValidMustOnly, report.Findings, c.Errors, c.Object)
	}
}

func TestOptionsAreReadStrictly(t *testing.T) {
	o, err := ParseOptions([]string{"strict", "disabled=202,210", "version=2.1"})
	if err != nil || !o.Strict || len(o.Disabled) != 2 || o.Version != "2.1" {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range []string{"", "stricter", "strict=yes", "disabled", "version"} {
		if _, err := ParseOptions([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
