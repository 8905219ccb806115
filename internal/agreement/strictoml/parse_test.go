package strictoml

import (
	"fmt"
	"strings"
	"testing"
)

func TestProblemsNameTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"unknown key":    {"a = 1\n[t]\n  nmae = \"x\"\n", "f:3:10: unknown key \"nmae\" (did you mean name?)"},
		"wrong type":     {"[t]\nname = 4\n", "f:2:8: \"name\" is a whole number (write text)"},
		"defined twice":  {"[t]\nname = \"x\"\nname = \"y\"\n", "f:3:"},
		"table twice":    {"[t]\n[u]\n[t]\n", "f:3:"},
		"syntax":         {"[t]\nname = \n", "f:2:"},
		"not UTF-8":      {"[t]\nname = \"\xff\"\n", "f:2:9: the bytes are not UTF-8"},
		"deep brackets":  {"a = " + strings.Repeat("[", 100000), "f:1:21: brackets nest deeper"},
		"deep key":       {strings.Repeat("a.", 200000) + "a = 1", "more than 8 parts"},
		"deep in inline": {"a = {" + strings.Repeat("a.", 20) + "a = 1}", "more than 8 parts"},
		"many keys":      {"[t]\n" + many("k%d = 1\n"), "f:1002:1: more than 1000 keys"},
		"many sections":  {many("[s%d]\n"), "more than 1000 keys or kinds of sections"},
		"many inline":    {"a = {" + many("k%d = 1, ") + "z = 1}", "more than 1000 keys in one table"},
		"missing":        {"[t]\n", "f:1:2: \"name\" is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			var log Log
			if root := Parse("f", []byte(c.in), &log); root != nil {
				if tab := root.Table("t"); tab != nil {
					tab.Need("name")
					tab.Done()
				}
			}
			err := log.Err()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
}

func many(line string) string {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, line, i)
	}
	return b.String()
}

func TestTablesKeepOrderAndNesting(t *testing.T) {
	in := "x.en = \"1\"\nx.ar = \"2\"\n[[s]]\nn.fr = \"a\"\n[s.deep]\nk = true\n[[s]]\nlist = [\"p\", \"q\"]\nd = 2013-05-15\nm = {a = 1, b.c = \"z\"}\n"
	var log Log
	root := Parse("f", []byte(in), &log)
	if err := log.Err(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(root.Table("x").Keys(), " "); got != "en ar" {
		t.Fatalf("keys %q", got)
	}
	s := root.Tables("s")
	if len(s) != 2 || s[0].Table("n").Text("fr") != "a" || !s[0].Table("deep").Bool("k", false) {
		t.Fatalf("first section was read wrongly")
	}
	if strings.Join(s[1].Texts("list"), "") != "pq" || s[1].Text("d") != "2013-05-15" || s[1].Table("m").Table("b").Text("c") != "z" {
		t.Fatalf("second section was read wrongly")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a = 1\n[[b]]\nc.d = [1, {e = 'x'}]\n"))
	f.Add([]byte("[a.b]\nx=1\n[a]\ny='''z'''\n"))
	f.Add([]byte("a = \"\"\"x\"\"\"\"\"\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var log Log
		root := Parse("f", in, &log)
		if (root == nil) == (log.Err() == nil) {
			t.Fatal("a table or problems, never both nor neither")
		}
	})
}
