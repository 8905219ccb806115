package house_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A source is one Go file of the module.
type source struct {
	path  string // slash-separated, from the module's root
	dir   string // its folder, likewise
	lines int
	test  bool // a _test.go file, or a file of a package for tests (folder named …test, as net/http/httptest is)
	made  bool // generated
	fset  *token.FileSet
	file  *ast.File
}

// at names a place of the file as a compiler would.
func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(pos).Line)
}

// imports maps the name under which the file knows an import to its path. Without a name of its own an import is
// known by its path's last element, or the one before a major version.
func (s source) imports() map[string]string {
	names := map[string]string{}
	for _, spec := range s.file.Imports {
		p := importPath(spec)
		name := path.Base(p)
		if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	return names
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value // the parser accepts string literals only
	}
	return p
}

// readSources parses every Go file of the module rooted at fsys. It leaves out what the go command leaves out (testdata,
// vendor, names that begin with a dot or an underscore, files built never), other modules inside this one, and node_modules.
func readSources(fsys fs.FS) ([]source, error) {
	var sources []source
	fset := token.NewFileSet()
	err := fs.WalkDir(fsys, ".", func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if p != "." && (name[0] == '.' || name[0] == '_') {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			if name == "testdata" || name == "vendor" || name == "node_modules" {
				return fs.SkipDir
			}
			if p != "." {
				if _, err := fs.Stat(fsys, path.Join(p, "go.mod")); err == nil {
					return fs.SkipDir
				}
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parsing a source file: %w", err)
		}
		if neverBuilt(file) {
			return nil
		}
		dir := path.Dir(p)
		sources = append(sources, source{
			path: p, dir: dir, fset: fset, file: file,
			lines: bytes.Count(text, []byte("\n")),
			test:  strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Base(dir), "test"),
			made:  ast.IsGenerated(file),
		})
		return nil
	})
	return sources, err
}

// neverBuilt tells a script that is run by hand from a file of its package.
func neverBuilt(file *ast.File) bool {
	for _, group := range file.Comments {
		if group.Pos() > file.Package {
			return false
		}
		for _, comment := range group.List {
			if comment.Text == "//go:build ignore" {
				return true
			}
		}
	}
	return false
}

// within reports whether p is folder or lies below it.
func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

// withinAny reports whether p lies in one of folders.
func withinAny(p string, folders []string) bool {
	for _, folder := range folders {
		if within(p, folder) {
			return true
		}
	}
	return false
}
