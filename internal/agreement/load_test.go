package agreement

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

func example(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/memorandum.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustLoad(t testing.TB, text string) *Agreement {
	t.Helper()
	a, err := Load("memorandum.toml", []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestExampleLoadsAndPrintsAsItself(t *testing.T) {
	text := example(t)
	a := mustLoad(t, text)
	if got := string(Print(a)); got != text {
		t.Fatalf("printed differently:\n%s", firstDifference(text, got))
	}
	if again := mustLoad(t, string(Print(a))); !reflect.DeepEqual(a, again) {
		t.Fatal("printing and loading changed the agreement")
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return "want " + w[i] + "\ngot  " + strings.Join(g[i:min(i+1, len(g))], "")
		}
	}
	return "more lines"
}

func TestDocumentationShowsTheExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/agreement-file.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "```toml\n"+example(t)+"```\n") {
		t.Fatal("docs/agreement-file.md does not show testdata/memorandum.toml as it is")
	}
}

// Each case replaces one piece of the example. The wanted text begins with the line, counted from the piece.
func TestWrongFilesAreRefusedWithPlaceAndRemedy(t *testing.T) {
	text := example(t)
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":          {`article = "Article 1"`, `artikle = "Article 1"`, `unknown key "artikle" (did you mean article?)`},
		"unknown section":      {"[quota]", "[quotas]", `unknown key "quotas" (did you mean quota?)`},
		"duplicate number":     {"label = \"2\"\n", "label = \"1\"\n", `commitment or item "1" is already at line`},
		"item of that number":  {"# Sharing rules", "[[item]]\nlabel = \"1\"\nname.en = \"x\"\n\n# Sharing rules", `commitment or item "1" is already at line`},
		"dangling deadline":    {`deadlines = ["answer"]`, `deadlines = ["reply"]`, `there is no deadline "reply" (add a [[deadline]] with this label, or correct it)`},
		"dangling party":       {`depositary = "cert-sahlan"`, `depositary = "cert"`, `there is no party "cert"`},
		"dangling source":      {`source = "signed-text"` + "\nplace", `source = "text"` + "\nplace", `there is no source "text"`},
		"dangling crosswalk":   {`from = "2"`, `from = "9"`, `there is no commitment or item "9"`},
		"crosswalk to nothing": {`to = "un-norms/g"`, `to = "un-norms"`, `does not name a place`},
		"language tag":         {`name.fr = "Partenariat"`, `name.French = "Partenariat"`, `"French" is not a language tag`},
		"bidi control":         {`name.en = "Partnership"`, "name.en = \"Partner\u202eship\"", `bidirectional control U+202E`},
		"bidi escape":          {`name.en = "Partnership"`, `name.en = "Partner\u2067ship"`, `bidirectional control U+2067`},
		"long name":            {`name.en = "Partnership"`, `name.en = "` + strings.Repeat("x", 100<<10) + `"`, `name is longer than 200 characters`},
		"not NFC":              {`name.fr = "Échange`, "name.fr = \"E\u0301change", `not in Unicode normal form C`},
		"line break in name":   {`name.en = "Partnership"`, `name.en = "Partner\nship"`, `line break`},
		"rule too long":        {`forbid (principal`, strings.Repeat("// long\n", 1100) + `forbid (principal`, `more than 8192`},
		"hidden in rule":       {`forbid (principal`, "forbid \u2066(principal", `characters that do not show`},
		"kind of record":       {`kinds = ["meeting"]`, `kinds = ["gathering"]`, `"gathering" is not a kind of record`},
		"no way to meet":       {`due = "answer"`, `note.en = "x"`, `nothing can meet deadline "answer"`},
		"period":               {`within = "PT24H"`, `within = "24h"`, `period "24h" is not like PT24H`},
		"date":                 {`date = "2026-02-01"` + "\nplace", `date = "2026-02-30"` + "\nplace", `has no such day`},
		"verified by nobody":   {`kind = "official"`, `kind = "press"`, `is not an official one, so this is not verified`},
		"no source":            {`source = "signed-text"` + "\nplace = \"page 4\"\n", "", `a statement without a source`},
		"invented in real":     {"fictional = true\nname.ar = \"مذ", "name.ar = \"مذ", `is invented and the agreement is real`},
		"format":               {"mithaq-agreement/1\"", "mithaq-agreement/2\"", `format "mithaq-agreement/2" is not one this version reads`},
		"threshold":            {`amendment = "all"`, `amendment = "half"`, `amendment: threshold "half" is not`},
		"witnesses":            {"# What one", "[witnesses]\nk = 1\nof = [\"cert-sahlan\", \"mfa-norvia\"]\n# What one", `of 2 witnesses at least 2`},
		"officers":             {"of = 3", "of = 1", `2 signatures of 1 officers`},
		"nobody keeps it":      {"depositary = \"cert-sahlan\"\n", "", `nobody keeps the roll`},
		"pair of one":          {`mode = "depositary"`, `mode = "pair"`, `two parties alone need no depositary`},
		"founder without id":   {"kind = \"agency\"\nid = ", "kind = \"agency\"\ncountry = \"XX\"\n#", `founder "mfa-norvia" has no party id`},
		"address":              {`https://norvia`, `http://norvia`, `is not an https address`},
		"hash":                 {`sha256 = "`, `sha256 = "0`, `is not a SHA-256`},
		"accusation":           {"kind = \"count\"\nsays", "kind = \"accusation\"\nsays", `a count has a number`},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(text, c.old) < 1 {
				t.Fatalf("the example has no %q", c.old)
			}
			wrong := strings.Replace(text, c.old, c.new, 1)
			a, err := Load("f.toml", []byte(wrong), Options{})
			if a != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			var ps strictoml.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("%T is not a list of problems", err)
			}
			for _, p := range ps {
				if p.Pos.File != "f.toml" || p.Pos.Line < 1 || p.Pos.Column < 1 || p.Remedy == "" {
					t.Errorf("%v lacks its place or remedy", p)
				}
				if len(p.Error()) > 600 {
					t.Errorf("a problem of %d bytes", len(p.Error()))
				}
			}
		})
	}
}

func TestPlaceIsExact(t *testing.T) {
	text := strings.Replace(example(t), `kinds = ["meeting"]`, `kinds = ["meeting", "gathering"]`, 1)
	line := strings.Count(text[:strings.Index(text, `"gathering"`)], "\n") + 1
	_, err := Load("f.toml", []byte(text), Options{})
	var ps strictoml.Problems
	if !errors.As(err, &ps) || len(ps) != 1 || ps[0].Pos.Line != line || ps[0].Pos.Column != 21 {
		t.Fatalf("got %v, want line %d column 21", err, line)
	}
}

type costly struct{}

func (costly) CheckRule(label, cedar string) error { return errors.New("costs 900, more than 100") }

func TestRulesAreAskedFor(t *testing.T) {
	_, err := Load("f", []byte(example(t)), Options{Rules: costly{}})
	if err == nil || !strings.Contains(err.Error(), "costs 900") {
		t.Fatalf("got %v", err)
	}
}

// Files of the greatest size that are wrong everywhere are refused with a bounded number of problems, each of bounded length.
func TestHostileFilesAreBounded(t *testing.T) {
	head := "format = \"" + Format + "\"\n[agreement]\n"
	repeat := func(n int, line func(i int) string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < n; i++ {
			b.WriteString(line(i))
		}
		return b.String()
	}
	const most = strictoml.MaxBytes - 200
	for name, text := range map[string]string{
		"unknown keys":  repeat(most, func(i int) string { return fmt.Sprintf("labe%d = 1\n", i) }),
		"one long list": head + "founders = [" + strings.Repeat(`"x",`, most/4-50) + "]\n",
		"crosswalks":    repeat(most, func(i int) string { return fmt.Sprintf("[[crosswalk]]\nfrom = \"%d\"\n", i) }),
		"acts":          repeat(most, func(i int) string { return fmt.Sprintf("[[act]]\nsource = \"%d\"\n[[source]]\nlabel=\"%d\"\n", i, i) }),
		"languages":     repeat(most, func(i int) string { return fmt.Sprintf("name.x%d = 'x'\n", i) }),
		"long key":      head + strings.Repeat("k", most-200) + " = 1\n",
		"too big":       strings.Repeat("#", strictoml.MaxBytes+1),
	} {
		_, err := Load("f", []byte(text), Options{})
		var ps strictoml.Problems
		if !errors.As(err, &ps) || len(ps) > strictoml.MaxProblems+1 {
			t.Errorf("%s: %d problems", name, len(ps))
		}
		for _, p := range ps {
			if len(p.Error()) > 600 {
				t.Errorf("%s: a problem of %d bytes", name, len(p.Error()))
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(example(f)))
	f.Add([]byte("format = \"mithaq-agreement/1\"\n[agreement]\nlabel = \"x\"\nname.en = 3\n[[commitment]]\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := Load("f", in, Options{})
		if (a == nil) == (err == nil) {
			t.Fatal("an agreement or an error, never both nor neither")
		}
		if a == nil {
			return
		}
		printed := Print(a)
		again, err := Load("printed", printed, Options{})
		if err != nil {
			t.Fatalf("what was printed does not load: %v\n%s", err, printed)
		}
		if string(Print(again)) != string(printed) {
			t.Fatal("printing is not stable")
		}
	})
}
