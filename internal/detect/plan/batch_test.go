package plan_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/stix/pattern"
)

type verdictCase struct {
	ID           string
	Pattern      string
	Observations string
	Matches      any
	Error        string
}

// suites are the cases that stix/pattern is tested with, and the published ones where they stand beside the module.
func suites(t testing.TB) []string {
	root := moduleRoot(t)
	dirs := []string{filepath.Join(root, "stix", "pattern", "testdata", "suite")}
	published := filepath.Join(root, "..", "shared", "data", "stix-patterns")
	if _, err := os.Stat(published); err == nil {
		dirs = append(dirs, published)
	}
	return dirs
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

func readCases(t testing.TB, dir string) []verdictCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []verdictCase
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var c verdictCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// TestBatchGivesTheReferencesVerdicts compiles all patterns of a suite into one batch, and asks it about the
// observations of each case: the verdict on the case's own pattern must be the reference's, and on every other pattern
// the one that the matcher gives without a batch.
func TestBatchGivesTheReferencesVerdicts(t *testing.T) {
	for _, dir := range suites(t) {
		cases := readCases(t, dir)
		batch, numbers, matchers := &plan.Batch{}, map[string]int{}, []*pattern.Matcher{}
		refused := map[string]string{}
		for _, c := range cases {
			p, err := pattern.Parse(c.Pattern)
			if err != nil {
				refused[c.ID] = "parse"
				continue
			}
			n, err := batch.Add(p)
			if err != nil {
				refused[c.ID] = "match"
				continue
			}
			numbers[c.ID] = n
			m, err := pattern.Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			matchers = append(matchers, m)
		}
		for _, c := range cases {
			want := c.Matches
			if want == "error" {
				want = c.Error
			}
			if got, is := refused[c.ID]; is {
				if got != want {
					t.Errorf("%s: %s: got %v, want %v", c.ID, c.Pattern, got, want)
				}
				continue
			}
			text, err := os.ReadFile(filepath.Join(dir, c.Observations))
			if err != nil {
				t.Fatal(err)
			}
			observations, err := pattern.ParseObservations(text)
			if err != nil {
				if want != "match" {
					t.Errorf("%s: %v", c.ID, err)
				}
				continue
			}
			verdicts := make([]any, batch.Len())
			for n := range verdicts {
				verdicts[n] = false
			}
			batch.Match(observations, func(n int, r pattern.Result, err error) {
				verdicts[n] = r.Matched
				if err != nil {
					verdicts[n] = "match"
				}
			})
			if got := verdicts[numbers[c.ID]]; got != want {
				t.Errorf("%s: %s: got %v, want %v", c.ID, c.Pattern, got, want)
			}
			if len(text) > 1<<14 {
				continue // the explosive ones are dear to ask without a batch
			}
			for n, m := range matchers {
				var alone any
				if r, err := m.Match(observations); err != nil {
					alone = "match"
				} else {
					alone = r.Matched
				}
				if alone != verdicts[n] {
					t.Errorf("observations of %s, pattern %d: alone %v, in the batch %v", c.ID, n, alone, verdicts[n])
				}
			}
		}
		if len(cases) == 0 {
			t.Errorf("%s: no cases", dir)
		}
	}
}
