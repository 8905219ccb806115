package pattern_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/stix/pattern"
)

// benchCase is a case that the reference gives a verdict on.
type benchCase struct {
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
		cases = append(cases, benchCase{c.Pattern, observed, observations, m})
	}
	return cases
}

func perCase(b *testing.B, cases int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(cases), "ns/case")
}

// BenchmarkMatch evaluates compiled patterns.
func BenchmarkMatch(b *testing.B) {
	cases := benchCases(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range cases {
			if _, err := c.matcher.Match(c.observations); err != nil {
				b.Fatal(err)
			}
		}
	}
	perCase(b, len(cases))
}

// BenchmarkParseAndMatch begins with the pattern's text.
func BenchmarkParseAndMatch(b *testing.B) {
	cases := benchCases(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range cases {
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
		}
	}
	perCase(b, len(cases))
}

// BenchmarkFromText begins with the pattern's text and the observations' JSON.
func BenchmarkFromText(b *testing.B) {
	cases := benchCases(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range cases {
			verdict(b, c.text, c.observed)
		}
	}
	perCase(b, len(cases))
}
