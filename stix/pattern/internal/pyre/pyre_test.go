package pyre

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// What Python's re.search answers, where it differs from Go's regexp or is easy
// to get wrong.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		expression, text string
		bytes, want      bool
	}{
		{"lo$", "hello\n", false, true},
		{"lo$\n", "hello\n", false, true},
		{`lo\Z`, "hello\n", false, false},
		{"(?m)^b$", "a\nb\nc", false, true},
		{"a.b", "a\nb", false, false},
		{"(?s)a.b", "a\nb", false, true},
		{`^\w+$`, "ăß٣_", false, true},
		{`(?a)^\w+$`, "ă", false, false},
		{`^\d$`, "٣", false, true},
		{`\s`, "\x1c", false, true},
		{`\B`, "", false, false},
		{`\bfoo\b`, "a foo.", false, true},
		{"(?i)straße", "STRAßE", false, true},
		{"(?i)[i]", "İ", false, true},
		{"(?i)k", "\u212a", false, true},
		{"(?i:h)E", "HE", false, true},
		{"(?i:h)E", "He", false, false},
		{"x{,2}y", "xxy", false, true},
		{"^x{2,3}$", "xxxx", false, false},
		{"x{a}", "x{a}", false, true},
		{"[]a]", "]", false, true},
		{"[^]a]", "]", false, false},
		{`[\w-]`, "-", false, true},
		{`\x41\102\u0043`, "ABC", false, true},
		{"a(?=bc)b", "abc", false, true},
		{"a(?!bc)b", "abc", false, false},
		{"(?<=ab)c", "abc", false, true},
		{"(?<!ab)c", "abc", false, false},
		{"(?=a(?<=xa)).", "xa", false, true},
		{"^(?=.*[0-9])(?=.*[a-z]).{4,}$", "ab12", false, true},
		{"(?x) a b # c\n d", "abd", false, true},
		{"a(?#b)c", "ac", false, true},
		{"(a|)+$", "b", false, true},
		{`\x61li[c\x01]e`, "alice", true, true},
		{"^[\\x80-\\xff]$", "\u00e9", true, true},
		{`\w`, "\u00e9", true, false},
	} {
		p, err := Compile(c.expression, c.bytes)
		if err != nil {
			t.Errorf("%q: %v", c.expression, err)
			continue
		}
		steps := int64(100_000)
		if got, err := p.Match([]rune(c.text), &steps); err != nil || got != c.want {
			t.Errorf("%q in %q: got %v %v, want %v", c.expression, c.text, got, err, c.want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, expression := range []string{
		"(", ")", "[", "a**", "*", "^*", `\q`, `\`, "(?z)a", "a(?i)", "[z-a]", `[a-\d]`, "x{3,2}", "(?<=a*)b",
		`(?P<n>a)(?P<n>b)`, "(?P<1>a)", `\x4`, "(?P<n", "(?#", `\777`, strings.Repeat("(", 1000) + strings.Repeat(")", 1000),
	} {
		if _, err := Compile(expression, false); err == nil || errors.Is(err, ErrUnsupported) {
			t.Errorf("%q: %v", expression, err)
		}
	}
	for _, expression := range []string{
		`(a)\1`, "(?P<n>a)(?P=n)", "(a)?(?(1)b|c)", "(?>a)", "a*+", "(?:a{1000}){1000}", "a{99999}", `\N{DIGIT ONE}`,
	} {
		if _, err := Compile(expression, false); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%q: %v", expression, err)
		}
	}
}

func TestStepsRunOut(t *testing.T) {
	p, err := Compile("(a*)*(a*)*b", false)
	if err != nil {
		t.Fatal(err)
	}
	steps := int64(1000)
	if _, err := p.Match([]rune(strings.Repeat("a", 10_000)), &steps); !errors.Is(err, ErrSteps) {
		t.Errorf("got %v", err)
	}
}

// Go's regexp means the same by expressions without the things that Python reads
// in its own way.
func FuzzAgainstGo(f *testing.F) {
	for _, seed := range []string{"a|b", "^a+b*?c$", "[^a-c]{2}", "(?:ab|a)(c|bcd)", `\d+\.`, "(x+x+)+y"} {
		f.Add(seed, "abcd xxy 12.")
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		p, err := Compile(expression, false)
		if err != nil {
			return
		}
		steps := int64(1_000_000)
		got, err := p.Match([]rune(text), &steps)
		if err != nil || strings.ContainsAny(expression, "\\$?{[") || strings.ToValidUTF8(text, "") != text ||
			strings.ToValidUTF8(expression, "") != expression {
			return
		}
		other, err := regexp.Compile(expression)
		if err != nil {
			return
		}
		if want := other.MatchString(text); got != want {
			t.Fatalf("%q in %q: got %v, want %v", expression, text, got, want)
		}
	})
}
