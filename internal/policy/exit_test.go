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

// exitHomes says which folder of the module serves each exit. A folder appears when its first code does; from then on
// its code must name the exit's function, without which it can get no Grant.
func exitHomes() map[string]string {
	return map[string]string{
		"ToLog": "internal/api", "ToObject": "internal/api", "ToTAXII": "internal/api", "ToAPI": "internal/api",
		"ToSearch": "internal/api", "ToExport": "internal/api",
		"ToUI": "internal/web", "ToDetect": "internal/detect", "ToMail": "internal/desk",
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
		if homes[m] == "" {
			t.Errorf("%s has no home: say which folder serves it", m)
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

// TestEveryExitAsks: a folder that serves an exit names it.
func TestEveryExitAsks(t *testing.T) {
	root := filepath.Join("..", "..")
	for maker, home := range exitHomes() {
		dir := filepath.Join(root, filepath.FromSlash(home))
		if _, err := os.Stat(dir); err != nil {
			continue // not built yet
		}
		found := false
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			found = found || strings.Contains(string(src), "policy."+maker+"()")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			t.Errorf("%s serves an exit and never asks the policy for it: policy.%s() is not in its code", home, maker)
		}
	}
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
