package house_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const moduleRoot = "../.."

func TestTheHouseStands(t *testing.T) {
	sources, err := readSources(os.DirFS(moduleRoot))
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) < 5 {
		t.Fatalf("only %d source files found from %s: is it still the module's root?", len(sources), moduleRoot)
	}
	for _, finding := range findings(sources) {
		t.Error(finding)
	}
}

// tableRow is a line of the house in ARCHITECTURE.md: folder, state, what it holds.
var tableRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| (here|planned) \\|")

func TestArchitectureTellsTheHouse(t *testing.T) {
	page, err := os.ReadFile(moduleRoot + "/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := readSources(os.DirFS(moduleRoot))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, row := range tableRow.FindAllStringSubmatch(string(page), -1) {
		folder, state := row[1], row[2]
		told = append(told, folder)
		built := slices.ContainsFunc(sources, func(s source) bool { return !s.test && within(s.dir, folder) })
		if built && state == "planned" {
			t.Errorf("ARCHITECTURE.md calls %s planned, but its code is here", folder)
		}
	}
	if !slices.Equal(told, floors) {
		t.Errorf("ARCHITECTURE.md lists the folders\n  %s\nthe rules list\n  %s",
			strings.Join(told, " "), strings.Join(floors, " "))
	}
}

// requirement is a line of go.mod that this module asked for itself.
var requirement = regexp.MustCompile(`(?m)^(?:\t|require )([a-z][^ ]*\.[^ ]+) v[^ ]+$`)

func TestEveryDependencyHasItsReason(t *testing.T) {
	mod, err := os.ReadFile(moduleRoot + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(moduleRoot + "/docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, required := range requirement.FindAllStringSubmatch(string(mod), -1) {
		if !strings.Contains(string(page), "`"+required[1]+"`") {
			t.Errorf("go.mod requires %s: say in docs/dependencies.md what for, what it beats, its licence and upkeep", required[1])
		}
	}
}

// TestRulesBite shows each rule a small module that breaks it, and one that only looks as if it did.
func TestRulesBite(t *testing.T) {
	const doc = "// Package p is documented.\npackage p\n"
	for _, c := range []struct {
		name string
		file string
		text string
		want string // part of the only finding; empty: none
	}{
		{"import up", "internal/store/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/ledger"`, "stands above it"},
		{"import down", "internal/ledger/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/store"`, ""},
		{"import within a folder", "internal/detect/index/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/detect/packet"`, ""},
		{"record leans on policy", "internal/record/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/policy"`, ""},
		{"policy leans on record", "internal/policy/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/record"`, "stands above it"},
		{"a folder of similar name", "internal/stores/a.go", doc, "has no place in the house"},
		{"import from beside", "internal/node/a.go", doc + `import _ "github.com/mithaq/mithaq/bench"`, "beside the house"},
		{"import of a suite", "internal/node/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/store/storetest"`, "for tests"},
		{"import of nowhere", "internal/node/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/nowhere"`, "no place in the house"},
		{"taxii leans on stix", "taxii/a.go", doc + `import _ "github.com/mithaq/mithaq/stix/pattern"`, ""},
		{"taxii leans on the rest", "taxii/a.go", doc + `import _ "github.com/mithaq/mithaq/internal/record"`, "on its own"},
		{"I/O in the domain", "stix/pattern/a.go", doc + `import _ "os"`, "does no I/O"},
		{"network in the domain", "internal/policy/a.go", doc + `import _ "net/http"`, "does no I/O"},
		{"addresses in the domain", "stix/a.go", doc + `import _ "net/netip"`, ""},
		{"I/O above the domain", "internal/store/a.go", doc + `import _ "os"`, ""},
		{"clock in the domain", "internal/agreement/a.go", doc + "import \"time\"\nvar clock = time.Now", "time.Now in the domain"},
		{"clock under another name", "internal/agreement/a.go", doc + "import t \"time\"\nfunc f() { _ = t.Now() }", "time.Now in the domain"},
		{"time as a value", "internal/agreement/a.go", doc + "import \"time\"\nfunc f(now time.Time) time.Time { return now.Add(time.Hour) }", ""},
		{"global randomness", "internal/record/a.go", doc + "import \"crypto/rand\"\nfunc f() any { return rand.Reader }", "crypto/rand.Reader in the domain"},
		{"seeded randomness", "stix/a.go", doc + "import \"math/rand/v2\"\nfunc f() any { return rand.New(rand.NewPCG(1, 2)) }", ""},
		{"global dice", "stix/a.go", doc + "import \"math/rand/v2\"\nfunc f() int { return rand.IntN(6) }", "IntN in the domain"},
		{"clock above the domain", "internal/node/a.go", doc + "import \"time\"\nfunc f() any { return time.Now() }", ""},
		{"exit from a library", "internal/node/a.go", doc + "import \"os\"\nfunc f() { os.Exit(1) }", "ends the process"},
		{"exit from main", "cmd/mithaq/main.go", "// Command mithaq.\npackage main\nimport \"os\"\nfunc main() { os.Exit(1) }", ""},
		{"testing in production", "internal/store/a.go", doc + `import _ "testing"`, "which is for tests"},
		{"testing in a suite", "internal/store/storetest/a.go", doc + `import _ "testing"`, ""},
		{"the oracle in production", "internal/ledger/a.go", doc + `import _ "github.com/transparency-dev/tessera/client"`, "which is for tests"},
		{"the oracle in a test", "internal/ledger/a_test.go", doc + `import _ "github.com/transparency-dev/tessera/client"`, ""},
		{"the oracle in a benchmark", "bench/a.go", doc + `import _ "github.com/transparency-dev/tessera"`, ""},
		{"imports without a name", "internal/node/a.go", doc + `import . "strings"`, "into its own names"},
		{"vague name", "internal/node/util/a.go", "// Package util is.\npackage util", "says nothing"},
		{"vague test package", "internal/node/a_test.go", "package common_test", "says nothing"},
		{"init", "internal/node/a.go", doc + "func init() {}", "func init"},
		{"a method named init", "internal/node/a.go", doc + "type t struct{}\nfunc (t) init() {}", ""},
		{"write to a global", "internal/node/a.go", doc + "var n int\nfunc f() { n++ }", "writes n"},
		{"write into a global map", "internal/node/a.go", doc + "var m = map[string]int{}\nfunc f() { m[\"a\"] = 1 }", "writes m"},
		{"write to a local of the same name", "internal/node/a.go", doc + "var n int\nfunc f() { n := 1; n++; _ = n }", ""},
		{"write to another package's global", "internal/node/a.go", doc + "import \"net/http\"\nfunc f() { http.DefaultClient = nil }", "writes a variable of package http"},
		{"a logger as a parameter", "internal/policy/a.go", doc + "import \"log/slog\"\nfunc f(l *slog.Logger) { l.Info(\"a\") }", ""},
		{"the logger of everybody", "internal/policy/a.go", doc + "import \"log/slog\"\nfunc f() { slog.Info(\"a\") }", "log/slog.Info in the domain"},
		{"no package comment", "internal/node/a.go", "package p", "no package comment"},
		{"long file", "internal/node/a.go", doc + strings.Repeat("\n", maxLines), "over 600"},
		{"long generated file", "internal/node/a.go", "// Code generated by hand. DO NOT EDIT.\n\n" + doc + strings.Repeat("\n", maxLines), ""},
		{"script", "internal/node/a.go", "//go:build ignore\n\npackage main\nfunc init() {}", ""},
		{"test data", "internal/node/testdata/a.go", "package util", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			sources, err := readSources(fstest.MapFS{c.file: {Data: []byte(c.text)}})
			if err != nil {
				t.Fatal(err)
			}
			found := findings(sources)
			switch {
			case c.want == "" && len(found) > 0:
				t.Errorf("findings where there is no fault:\n%s", strings.Join(found, "\n"))
			case c.want != "" && len(found) == 0:
				t.Errorf("nothing found, want %q", c.want)
			case c.want != "" && !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.want) }):
				t.Errorf("found\n%s\nwant %q", strings.Join(found, "\n"), c.want)
			}
		})
	}
}

// TestOtherModulesAreNotOurs keeps tools, pinned in a module of their own, out of the rules.
func TestOtherModulesAreNotOurs(t *testing.T) {
	sources, err := readSources(fstest.MapFS{
		"tools/go.mod":  {Data: []byte("module other")},
		"tools/util.go": {Data: []byte("package util")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) != 0 {
		t.Errorf("%d files of another module were read", len(sources))
	}
}
