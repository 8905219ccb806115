package pattern_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/stix/pattern"
)

// verdictCase is a line of cases.jsonl.
type verdictCase struct {
	ID           string
	Pattern      string
	Observations string
	Matches      any
	Error        string
}

// validityCase is a line of validity.jsonl.
type validityCase struct {
	ID      string
	Pattern string
	Valid   bool
}

// publishedSuite finds the published cases beside the module, if they are there.
func publishedSuite() (string, bool) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			suite := filepath.Join(dir, "..", "shared", "data", "stix-patterns")
			_, err := os.Stat(suite)
			return suite, err == nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return "", false
}

// suites are the cases of our own making, and the published ones when present.
func suites() []string {
	dirs := []string{"testdata/suite"}
	if published, ok := publishedSuite(); ok {
		dirs = append(dirs, published)
	}
	// bench/pattern/oracle.py writes a suite with the verdicts of the reference.
	if generated := os.Getenv("STIX_PATTERN_SUITE"); generated != "" {
		dirs = append(dirs, generated)
	}
	return dirs
}

func readLines[T any](t testing.TB, path string) []T {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []T
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var c T
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// verdict runs a case as a command would: true, false, "parse" or "match".
func verdict(t testing.TB, text string, observed []byte) any {
	p, err := pattern.Parse(text)
	if err != nil {
		var parseError *pattern.ParseError
		if !errors.As(err, &parseError) {
			t.Fatalf("%s: not a ParseError: %v", text, err)
		}
		return "parse"
	}
	var matchError *pattern.MatchError
	m, err := pattern.Compile(p)
	if err == nil {
		var observations []pattern.Observation
		observations, err = pattern.ParseObservations(observed)
		if err == nil {
			var result pattern.Result
			result, err = m.Match(observations)
			if err == nil {
				return result.Matched
			}
		}
	}
	if !errors.As(err, &matchError) {
		t.Fatalf("%s: not a MatchError: %v", text, err)
	}
	return "match"
}

func TestVerdicts(t *testing.T) {
	for _, dir := range suites() {
		cases := readLines[verdictCase](t, filepath.Join(dir, "cases.jsonl"))
		for _, c := range cases {
			observed, err := os.ReadFile(filepath.Join(dir, c.Observations))
			if err != nil {
				t.Fatal(err)
			}
			want := c.Matches
			if want == "error" {
				want = c.Error
			}
			if got := verdict(t, c.Pattern, observed); got != want {
				t.Errorf("%s: %s: got %v, want %v", c.ID, c.Pattern, got, want)
			}
		}
		if len(cases) == 0 {
			t.Errorf("%s: no cases", dir)
		}
	}
}

func TestValidity(t *testing.T) {
	for _, dir := range suites() {
		for _, c := range readLines[validityCase](t, filepath.Join(dir, "validity.jsonl")) {
			problems, err := pattern.Check(c.Pattern)
			if got := err == nil && pattern.Valid(problems); got != c.Valid {
				t.Errorf("%s: %s: valid %v, want %v (%v %v)", c.ID, c.Pattern, got, c.Valid, err, problems)
			}
		}
	}
}
