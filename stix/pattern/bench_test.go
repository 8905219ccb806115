package pattern_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/stix/pattern"
)

// benchCase is a case that the reference gives a verdict on.
type benchCase struct {
	hard         bool // of the group in which the reference tries all combinations
	text         string
	observed     []byte
	observations []pattern.Observation
	matcher      *pattern.Matcher
}

func benchCases(b *testing.B) []benchCase {
	dir := "testdata/suite"
	if published, ok := publishedSuite(); ok {
		dir = published
	}
	var cases []benchCase
	for _, c := range readLines[verdictCase](b, filepath.Join(dir, "cases.jsonl")) {
		if c.Matches == "error" {
			continue
		}
		observed, err := os.ReadFile(filepath.Join(dir, c.Observations))
		if err != nil {
			b.Fatal(err)
		}
		observations, err := pattern.ParseObservations(observed)
		if err != nil {
			b.Fatal(err)
		}
		p, err := pattern.Parse(c.Pattern)
		if err != nil {
			b.Fatal(err)
		}
		m, err := pattern.Compile(p)
		if err != nil {
			b.Fatal(err)
		}
		cases = append(cases, benchCase{strings.Contains(c.ID, "combinatorial"), c.Pattern, observed, observations, m})
	}
	return cases
}

// measure runs work on all cases, and on those that are not hard.
func measure(b *testing.B, work func(*testing.B, benchCase)) {
	all := benchCases(b)
	plain := slices.DeleteFunc(slices.Clone(all), func(c benchCase) bool { return c.hard })
	for name, cases := range map[string][]benchCase{"all": all, "plain": plain} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, c := range cases {
					work(b, c)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(cases)), "ns/case")
		})
	}
}

// BenchmarkMatch evaluates compiled patterns.
func BenchmarkMatch(b *testing.B) {
	measure(b, func(b *testing.B, c benchCase) {
		if _, err := c.matcher.Match(c.observations); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkParseAndMatch begins with the pattern's text.
func BenchmarkParseAndMatch(b *testing.B) {
	measure(b, func(b *testing.B, c benchCase) {
		p, err := pattern.Parse(c.text)
		if err != nil {
			b.Fatal(err)
		}
		m, err := pattern.Compile(p)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Match(c.observations); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkFromText begins with the pattern's text and the observations' JSON.
func BenchmarkFromText(b *testing.B) {
	measure(b, func(b *testing.B, c benchCase) { verdict(b, c.text, c.observed) })
}
