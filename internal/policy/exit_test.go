package policy

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// exitHomes says which folders of the module serve each exit; none: nothing does yet. Whoever builds an exit enters its
// folder here, and from then on code there must name the exit's function, without which it can get no Grant.
func exitHomes() map[string][]string {
	return map[string][]string{
		"ToLog":    {"internal/ledger", "internal/node"}, // ledger opens what node has asked about
		"ToObject": {"internal/ledger", "internal/node"},
		"ToTAXII":  {"internal/node"},
		"ToAPI":    {"internal/node"},
		"ToUI":     {},
		"ToSearch": {"internal/node"},
		"ToExport": {"internal/node"},
		"ToDetect": {"internal/node"},
		"ToMail":   {"internal/node"},
	}
}

// TestExitsAreListedOnce: each function that makes an Exit is in Exits, has a name and a home, and nothing outside
// exit.go makes one.
func TestExitsAreListedOnce(t *testing.T) {
	makers := functionsReturning(t, "exit.go", "Exit")
	if len(makers) != len(Exits()) {
		t.Errorf("%d functions make exits and %d are listed: %v", len(makers), len(Exits()), makers)
	}
	homes := exitHomes()
	for _, m := range makers {
		if _, ok := homes[m]; !ok {
			t.Errorf("%s is not in exitHomes: say which folder serves it", m)
		}
	}
	names := map[string]bool{}
	for _, e := range Exits() {
		if e.String() == "" || names[e.String()] {
			t.Errorf("an exit without a name of its own: %v", e)
		}
		names[e.String()] = true
	}
	for _, v := range []any{Exit{}, Grant{}, Guarded[string]{}} {
		for f := range reflect.TypeOf(v).Fields() {
			if f.IsExported() {
				t.Errorf("%T.%s is exported: another package could make one up", v, f.Name)
			}
		}
	}
}

// TestEveryExitAsks: the folder that serves an exit names it, and no folder uses an exit that is not its own.
func TestEveryExitAsks(t *testing.T) {
	used := exitsUsed(t, filepath.Join("..", ".."))
	for maker, homes := range exitHomes() {
		for _, home := range homes {
			if !slices.Contains(used[maker], home) {
				t.Errorf("%s serves an exit and never asks the policy for it: policy.%s() is not in its code", home, maker)
			}
		}
		for _, folder := range used[maker] {
			if !slices.ContainsFunc(homes, func(home string) bool { return folder == home || strings.HasPrefix(folder, home+"/") }) {
				t.Errorf("%s uses policy.%s(), and exitHomes says that %q serve it", folder, maker, homes)
			}
		}
	}
}

// exitsUsed returns, by the name of an exit's function, the folders of the module whose code calls it.
func exitsUsed(t *testing.T, root string) map[string][]string {
	t.Helper()
	used := make(map[string][]string)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "policy" || name == "bench") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for maker := range exitHomes() {
			if strings.Contains(string(src), "policy."+maker+"()") {
				used[maker] = append(used[maker], filepath.ToSlash(folder))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// functionsReturning lists the package's exported functions with this one result, and fails for those outside file.
func functionsReturning(t *testing.T, file, result string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Type.Results == nil || len(fn.Type.Results.List) != 1 || !fn.Name.IsExported() {
				continue
			}
			if id, ok := fn.Type.Results.List[0].Type.(*ast.Ident); ok && id.Name == result {
				names = append(names, fn.Name.Name)
				if entry.Name() != file {
					t.Errorf("%s makes an %s outside %s", fn.Name.Name, result, file)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}
