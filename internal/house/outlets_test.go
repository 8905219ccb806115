package house_test

import (
	"go/ast"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// outlets lists every function outside the libraries that sends bytes of its own making to an HTTP caller, with the exit
// whose decision it opened (policy.Guarded.Open, policy.Ask, or a value that the node gave for a Viewer), or with why what it
// sends bears no marking. Whoever writes another enters it here and says the same of it; that is when to think of it.
var outlets = map[string]string{
	"internal/ledger/handler.go send":        "exits log and object: opens what the gate decided",
	"internal/ledger/handler.go tombstone":   "exit log: guardedReader lets it out; when, by whom and why something was erased",
	"internal/ledger/objects_batch.go batch": "exit object: guardedReader and small open each object that the gate decided",
	"internal/node/keyrings.go logHandler":   "exit log: aboutLog opened it",
	"internal/api/server.go writeText":       "health, in a word",
	"internal/api/exchange.go writeJSON":     "exit log: changes opened what it tells of logs; the card is the party's own",
	"internal/api/server.go writeProblem":    "what the caller did wrong",
	"internal/api/witness.go addCheckpoint":  "the size that a witness co-signed, to who shows the log's own signed checkpoint",
	"internal/web/files.go serveAsset":       "the screens' built files, the same for everybody",
	"internal/web/files.go sendPage":         "the screens' one page, the same for everybody",
	"internal/web/live.go stream":            "the number of the newest arrival; what arrived is asked for over the API",
	"internal/web/session.go answer":         "who is signed in, at which party",
	"internal/web/session.go fail":           "what the caller did wrong",
}

// sinks are the functions by which bytes reach a writer that is among their arguments.
var sinks = []string{"ServeContent", "ServeFile", "ServeFileFS", "Serve", "Copy", "CopyN", "CopyBuffer", "Fprint", "Fprintf", "Fprintln",
	"WriteString", "NewEncoder", "NewWriter", "MarshalWrite", "Execute", "ExecuteTemplate"}

// checkOutlets reports functions that write to a caller and are not among the outlets.
func checkOutlets(s source, report reporter) {
	if !within(s.dir, "internal") && !within(s.dir, "cmd") || within(s.dir, "internal/coding") {
		return
	}
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil || !writesToCaller(s, f) {
			continue
		}
		if name := s.path + " " + f.Name.Name; outlets[name] == "" {
			report(s.at(f.Pos()), "%s sends bytes to a caller: ask internal/policy for its exit first, then list it in outlets of internal/house/outlets_test.go with the exit, or with why what it sends bears no marking", f.Name.Name)
		}
	}
}

// writesToCaller says whether a function, or one inside it, writes to an http.ResponseWriter that it was given.
func writesToCaller(s source, f *ast.FuncDecl) bool {
	writers := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if t, ok := n.(*ast.FuncType); ok {
			for _, p := range t.Params.List {
				if x, ok := p.Type.(*ast.SelectorExpr); ok && x.Sel.Name == "ResponseWriter" && isPackage(s, x.X, "net/http") {
					for _, name := range p.Names {
						writers[name.Name] = true
					}
				}
			}
		}
		return true
	})
	found := false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := fun.X.(*ast.Ident); ok && writers[x.Name] && (strings.HasPrefix(fun.Sel.Name, "Write") && fun.Sel.Name != "WriteHeader" || fun.Sel.Name == "ReadFrom") {
			found = true
		}
		if strings.HasPrefix(fun.Sel.Name, "FileServer") && isPackage(s, fun.X, "net/http") {
			found = true
		}
		for _, arg := range call.Args {
			if x, ok := arg.(*ast.Ident); ok && writers[x.Name] && slices.Contains(sinks, fun.Sel.Name) {
				found = true
			}
		}
		return true
	})
	return found
}

func isPackage(s source, x ast.Expr, path string) bool {
	id, ok := x.(*ast.Ident)
	return ok && s.imports()[id.Name] == path
}

// An exit that nobody listed is found, whichever way its bytes leave; what only passes a request on is none.
func TestOutletsAreFound(t *testing.T) {
	const head = "package api\n\nimport (\"fmt\"; \"io\"; \"net/http\")\n\nvar _ = fmt.Sprint\nvar _ io.Reader\n\n"
	cases := map[string]bool{
		"func a(w http.ResponseWriter, b []byte) { w.Write(b) }":                                                           true,
		"func a(w http.ResponseWriter, r io.Reader) { io.Copy(w, r) }":                                                     true,
		"func a(w http.ResponseWriter) { fmt.Fprintln(w, 1) }":                                                             true,
		"func a() http.Handler { return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(nil) }) }": true,
		"func a() http.Handler { return http.FileServerFS(nil) }":                                                          true,
		"func a(w http.ResponseWriter, r *http.Request) { b(w, r) }\nfunc b(http.ResponseWriter, *http.Request) {}":        false,
		"func a(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }":                                            false,
		"func a(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }":                                           false,
		"func a(w io.Writer, b []byte) { w.Write(b) }":                                                                     false,
	}
	for code, want := range cases {
		sources, err := readSources(fstest.MapFS{"internal/api/new.go": {Data: []byte(head + code)}})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, s := range sources {
			checkOutlets(s, func(string, string, ...any) { found = true })
		}
		if found != want {
			t.Errorf("%s\nfound %v, want %v", code, found, want)
		}
	}
}

// TestOutletsAreThere: what is listed exists and writes.
func TestOutletsAreThere(t *testing.T) {
	writes := map[string]bool{}
	sources, err := readSources(os.DirFS(moduleRoot))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && writesToCaller(s, f) {
				writes[s.path+" "+f.Name.Name] = true
			}
		}
	}
	for name := range outlets {
		if !writes[name] {
			t.Errorf("%s is listed as an outlet and sends nothing: take it out", name)
		}
	}
}
