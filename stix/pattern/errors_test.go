package pattern_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/stix/pattern"
)

func TestParseErrorPositions(t *testing.T) {
	for _, c := range []struct {
		text                 string
		offset, line, column int
		expected             string
	}{
		{"", 0, 1, 1, `"["`},
		{"[a:b = 1", 8, 1, 9, `"]"`},
		{"[a:b = 1]]", 9, 1, 10, "the end of the pattern"},
		{"[a:b-c = 1]", 3, 1, 4, "a property name"},
		{"[file:name = 'ä'\n AND x = 2]", 25, 2, 8, `":"`},
		{"[a:b = null]", 7, 1, 8, "a string"},
		{"[a:b > true]", 7, 1, 8, "booleans have no order"},
		{"[a:b = t'2010-13-01T00:00:00Z']", 7, 1, 8, "timestamp"},
		{"[a:b = 1] START '2010-01-01T00:00:00Z' STOP t'2011-01-01T00:00:00Z'", 16, 1, 17, "a timestamp such as"},
		{"[a:b = 1] WITHIN -1 SECONDS", 17, 1, 18, "a positive number"},
		{"[a:b = 1] REPEATS 1.5 TIMES", 18, 1, 19, "a positive integer"},
		{"[a:b = 1] and [a:c = 1]", 10, 1, 11, "AND"},
	} {
		_, err := pattern.Parse(c.text)
		var parseError *pattern.ParseError
		if !errors.As(err, &parseError) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		want := pattern.Position{Offset: c.offset, Line: c.line, Column: c.column}
		if parseError.Position != want || !strings.Contains(err.Error(), c.expected) {
			t.Errorf("%q: at %+v: %v; want %+v and %q", c.text, parseError.Position, err, want, c.expected)
		}
	}
}

func TestParseLimits(t *testing.T) {
	for name, text := range map[string]string{
		"length":      "[a:b = '" + strings.Repeat("x", pattern.MaxLength) + "']",
		"brackets":    strings.Repeat("(", 100_000),
		"comparisons": "[" + strings.Repeat("(", 100_000),
		"qualifiers":  "[a:b = 1]" + strings.Repeat(" REPEATS 1 TIMES", 1000),
		"set":         "[a:b IN (1" + strings.Repeat(",1", pattern.MaxSet) + ")]",
		"encoding":    "[a:b = '\xff']",
	} {
		var parseError *pattern.ParseError
		if _, err := pattern.Parse(text); !errors.As(err, &parseError) || parseError.Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// observed makes observations a second apart; the properties n and i tell them apart.
func observed(names string) []pattern.Observation {
	var all []pattern.Observation
	for i, name := range names {
		at := time.Unix(1_000_000_000+int64(i), 0)
		all = append(all, pattern.Observation{ID: fmt.Sprint(i), First: at, Last: at, Number: 1, Objects: []*pattern.Object{
			{ID: "0", Type: "t", Properties: map[string]any{"n": string(name), "i": int64(i)}},
		}})
	}
	return all
}

func match(t *testing.T, text string, limits pattern.Limits, observations []pattern.Observation) (pattern.Result, error) {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := pattern.CompileWithLimits(p, limits)
	if err != nil {
		t.Fatal(err)
	}
	return m.Match(observations)
}

// Patterns on which trying all combinations never ends.
func TestMatchIsBounded(t *testing.T) {
	many := observed(strings.Repeat("ab", 10_000))
	for _, c := range []struct {
		text string
		want bool
	}{
		{"[t:i >= 0] REPEATS 11 TIMES WITHIN 10 SECONDS", true},
		{"[t:i >= 0] REPEATS 12 TIMES WITHIN 10 SECONDS", false},
		{"([t:n = 'a'] FOLLOWEDBY [t:n = 'b']) REPEATS 500 TIMES", true},
		{"([t:i < 10000] FOLLOWEDBY [t:i > 10010]) WITHIN 5 SECONDS", false},
		{"[t:n = 'a'] REPEATS 10000 TIMES AND [t:n = 'b'] REPEATS 10000 TIMES", true},
		{"[t:n = 'a'] REPEATS 10000 TIMES AND [t:i >= 0] REPEATS 10001 TIMES", false},
		{"([t:n = 'a'] OR [t:n = 'b']) REPEATS 20001 TIMES", false},
		{"[t:n MATCHES '(a*)*(a*)*(a|b)*c'] REPEATS 2 TIMES", false},
		{"[t:i >= 0] REPEATS 99999999999999999999 TIMES REPEATS 99999999999999999999 TIMES", false},
	} {
		result, err := match(t, c.text, pattern.Limits{}, many)
		if err != nil || result.Matched != c.want {
			t.Errorf("%s: got %v %v, want %v", c.text, result.Matched, err, c.want)
		}
	}
}

func TestMatchRefusesWhatCostsTooMuch(t *testing.T) {
	var refused *pattern.MatchError
	_, err := match(t, "[t:i >= 0] REPEATS 10 TIMES WITHIN 3 SECONDS", pattern.Limits{Steps: 1000}, observed(strings.Repeat("a", 500)))
	if !errors.As(err, &refused) || refused.Code != pattern.TooCostly {
		t.Errorf("steps: %v", err)
	}
	_, err = match(t, "[t:i >= 0]", pattern.Limits{Observations: 2}, observed("aaa"))
	if !errors.As(err, &refused) || refused.Code != pattern.TooCostly {
		t.Errorf("observations: %v", err)
	}
}

func TestExistsAndAddresses(t *testing.T) {
	one := observed("a")
	one[0].Objects[0].Properties["ip"] = "2001:db8::1"
	for text, want := range map[string]bool{
		"[EXISTS t:n]":                                true,
		"[NOT EXISTS t:n]":                            false,
		"[EXISTS t:other]":                            false,
		"[NOT EXISTS t:other AND t:n = 'a']":          true,
		"[t:ip ISSUBSET '2001:db8::/32']":             true,
		"[t:ip ISSUBSET '2001:db9::/32']":             false,
		"[t:ip NOT ISSUBSET '10.0.0.0/8']":            true,
		"[t:ip = '2001:db8::1' AND EXISTS t:i[*].no]": false,
	} {
		result, err := match(t, text, pattern.Limits{}, one)
		if err != nil || result.Matched != want {
			t.Errorf("%s: got %v %v, want %v", text, result.Matched, err, want)
		}
	}
}

func TestParseObservationsRefuses(t *testing.T) {
	const data = `{"type":"observed-data","id":"o","first_observed":"2020-01-01T00:00:00Z","last_observed":"2020-01-01T00:00:00Z"`
	for name, text := range map[string]string{
		"not JSON":      `[`,
		"more JSON":     `[] []`,
		"name twice":    `[{"type":"bundle","objects":[],"type":"bundle"}]`,
		"no objects":    `[{"type":"bundle"}]`,
		"no number":     `[` + data + `,"objects":{}}]`,
		"number 0":      `[` + data + `,"number_observed":0,"objects":{}}]`,
		"number 1.0":    `[` + data + `,"number_observed":1.0,"objects":{}}]`,
		"no refs":       `{"type":"bundle","objects":[` + data + `,"number_observed":1}]}`,
		"not a list":    `5`,
		"deep":          `[` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `]`,
		"no id":         `{"type":"bundle","objects":[{"type":"file"}]}`,
		"bad timestamp": strings.Replace(`[`+data+`,"number_observed":1,"objects":{}}]`, "2020-01-01T", "2020-01-01 ", 1),
		"encoding":      "[\"\xff\"]",
	} {
		var refused *pattern.MatchError
		if _, err := pattern.ParseObservations([]byte(text)); !errors.As(err, &refused) || refused.Code != pattern.BadObservation {
			t.Errorf("%s: %v", name, err)
		}
	}
}
