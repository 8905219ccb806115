package stix

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
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

func (c referenceCase) options() (o Options) {
	for _, option := range c.Options {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "strict":
			o.Strict = true
		case "strict_types":
			o.StrictTypes = true
		case "strict_properties":
			o.StrictProperties = true
		case "enforce_refs":
			o.EnforceRefs = true
		case "interop":
			o.Interop = true
		case "disabled":
			o.Disabled = strings.Split(value, ",")
		case "enabled":
			o.Enabled = strings.Split(value, ",")
		case "version":
			o.Version = value
		}
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
	opts := c.options()
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
