package house_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// module is the path under which the packages import one another.
const module = "github.com/mithaq/mithaq"

// findings applies every rule to the sources and returns one line for each breach: place, what, remedy.
func findings(sources []source) []string {
	var found []string
	report := func(place, format string, args ...any) {
		found = append(found, place+": "+fmt.Sprintf(format, args...))
	}
	for _, s := range sources {
		checkLength(s, report)
		checkName(s, report)
		if s.test {
			continue
		}
		checkPlace(s, report)
		checkDirection(s, report)
		checkImports(s, report)
		checkCalls(s, report)
		checkInit(s, report)
		checkOutlets(s, report)
	}
	checkVariables(sources, report)
	checkPackageComments(sources, report)
	checkExceptions(sources, report)
	slices.Sort(found)
	return found
}

type reporter func(place, format string, args ...any)

// floorOf is the index in floors of the folder that holds dir, or -1.
func floorOf(dir string) int {
	return slices.IndexFunc(floors, func(floor string) bool { return within(dir, floor) })
}

func isPure(dir string) bool {
	floor := floorOf(dir)
	return floor >= slices.Index(floors, pure)
}

func checkLength(s source, report reporter) {
	limit := maxLines
	if s.test {
		limit = maxTestLines
	}
	if s.lines > limit && !s.made && longFiles[s.path] == "" {
		report(s.path, "%d lines, over %d: split it by concept, or list it in longFiles with the reason", s.lines, limit)
	}
}

func checkName(s source, report reporter) {
	name := strings.TrimSuffix(s.file.Name.Name, "_test")
	if slices.Contains(vagueNames, name) || slices.Contains(vagueNames, path.Base(s.dir)) {
		report(s.at(s.file.Package), "a package named %q says nothing of what is in it: name it for what it provides", name)
	}
}

func checkPlace(s source, report reporter) {
	if s.dir != "." && floorOf(s.dir) < 0 && !withinAny(s.dir, beside) {
		report(s.path, "folder %s has no place in the house: add it to floors and to ARCHITECTURE.md, or move the code", s.dir)
	}
}

func checkDirection(s source, report reporter) {
	for _, spec := range s.file.Imports {
		target, ours := strings.CutPrefix(importPath(spec), module+"/")
		if !ours || withinAny(s.dir, beside) {
			continue
		}
		from, to := floorOf(s.dir), floorOf(target)
		switch {
		case strings.HasSuffix(path.Base(target), "test"):
			report(s.at(spec.Pos()), "imports %s, which is for tests", target)
		case withinAny(target, beside):
			report(s.at(spec.Pos()), "imports %s, which stands beside the house", target)
		case to < 0:
			report(s.at(spec.Pos()), "imports %s, which has no place in the house", target)
		case from > to:
			report(s.at(spec.Pos()), "%s imports %s, which stands above it: pass a value or an interface down instead", s.dir, floors[to])
		}
		for library, allowed := range public {
			if within(s.dir, library) && !within(target, library) && !withinAny(target, allowed) {
				report(s.at(spec.Pos()), "%s imports %s: others use %s on its own", s.dir, target, library)
			}
		}
	}
}

func checkImports(s source, report reporter) {
	for _, spec := range s.file.Imports {
		p := importPath(spec)
		if withinAny(p, testOnly) && !within(s.dir, "bench") {
			report(s.at(spec.Pos()), "imports %s, which is for tests", p)
		}
		if isPure(s.dir) && withinAny(p, impureImports) && !withinAny(p, pureImports) {
			report(s.at(spec.Pos()), "%s imports %s: the domain does no I/O; take a value, a reader or a function as a parameter", s.dir, p)
		}
		if spec.Name != nil && spec.Name.Name == "." {
			report(s.at(spec.Pos()), "imports %s into its own names: a reader cannot tell whose a name is", p)
		}
	}
}

// checkCalls looks for uses of names that an import brings; a mention counts as a call, since a function kept in a
// variable is called later.
func checkCalls(s source, report reporter) {
	names := s.imports()
	ast.Inspect(s.file, func(node ast.Node) bool {
		use, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		qualifier, ok := use.X.(*ast.Ident)
		if !ok {
			return true
		}
		p := names[qualifier.Name]
		if isPure(s.dir) && slices.Contains(impureNames[p], use.Sel.Name) {
			report(s.at(use.Pos()), "%s.%s in the domain: time and randomness are parameters", p, use.Sel.Name)
		}
		if s.file.Name.Name != "main" && slices.Contains(endings[p], use.Sel.Name) {
			report(s.at(use.Pos()), "%s.%s ends the process from a library: return an error", p, use.Sel.Name)
		}
		return true
	})
}

func checkInit(s source, report reporter) {
	for _, decl := range s.file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			report(s.at(f.Pos()), "func init does work that nobody asked for: build the value where it is used, or in a constructor")
		}
	}
}

// checkVariables finds writes to package-level variables. It resolves names package by package with every import
// missing, which is enough: only names that the package itself declares matter.
func checkVariables(sources []source, report reporter) {
	packages := map[string][]source{}
	for _, s := range sources {
		if !s.test {
			packages[s.dir] = append(packages[s.dir], s)
		}
	}
	for dir, members := range packages {
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
		config := types.Config{Importer: noImports{}, Error: func(error) {}}
		files := make([]*ast.File, len(members))
		for i, s := range members {
			files[i] = s.file
		}
		pkg, _ := config.Check(module+"/"+dir, members[0].fset, files, info) // errors: the missing imports
		for _, s := range members {
			for _, target := range writes(s.file) {
				name := root(target)
				if name == nil {
					continue
				}
				switch object := info.Uses[name].(type) {
				case *types.PkgName:
					report(s.at(name.Pos()), "writes a variable of package %s: everybody in the process would see it; pass the value instead", name.Name)
				case *types.Var:
					if object.Parent() == pkg.Scope() {
						report(s.at(name.Pos()), "writes %s, a variable of the package: two nodes in one process would share it; make it a field", name.Name)
					}
				}
			}
		}
	}
}

type noImports struct{}

func (noImports) Import(p string) (*types.Package, error) {
	return nil, fmt.Errorf("importing %s: not needed", p)
}

// writes lists the expressions that a file's functions assign to.
func writes(file *ast.File) []ast.Expr {
	var targets []ast.Expr
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			if node.Tok != token.DEFINE {
				targets = append(targets, node.Lhs...)
			}
		case *ast.IncDecStmt:
			targets = append(targets, node.X)
		case *ast.RangeStmt:
			if node.Tok == token.ASSIGN {
				targets = append(targets, node.Key, node.Value)
			}
		}
		return true
	})
	return targets
}

// root is the variable at the start of a chain of fields, elements and parentheses, or nil when there is none.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func checkPackageComments(sources []source, report reporter) {
	documented := map[string]bool{}
	for _, s := range sources {
		if !s.test || !strings.HasSuffix(s.path, "_test.go") {
			documented[s.dir] = documented[s.dir] || s.file.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			report(dir, "no package comment: say in doc.go what it is for, what it promises, what it is not for, where to start reading")
		}
	}
}

// checkExceptions keeps the list of exceptions from outliving its reasons.
func checkExceptions(sources []source, report reporter) {
	for p := range longFiles {
		i := slices.IndexFunc(sources, func(s source) bool { return s.path == p })
		if i < 0 || sources[i].lines <= maxLines {
			report(p, "is in longFiles without need: take it out")
		}
	}
}
