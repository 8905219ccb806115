package facts

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

//go:embed data
var data embed.FS

// Format is the first key of every fact file.
const Format = "mithaq-facts/1"

// Languages are those in which every fact is given.
func Languages() []string { return []string{"ar", "en", "fr"} }

// Facts is everything embedded. It is never changed after [Load].
type Facts struct {
	Shelf     *agreement.Library
	Sources   []agreement.Source
	Parties   []agreement.Party // states first, by code; then the others in the order of their file
	Countries []Country
	Facts     []Fact
	Terms     []Term
	// Taxonomies are those of taxonomies.toml, then TLP and the incident taxonomy.
	Taxonomies []Taxonomy

	aliases   []alias
	ambiguous map[string]bool
	matcher   *matcher
}

// Fact is one statement of a document, with what the program makes of it. Two facts of one number stand side by side:
// what the document reports, and what another source says.
type Fact struct {
	agreement.Claim
	Agreement string // label on the shelf, where it is about one
	Becomes   string // "meeting", "act", "claim": what it is entered as
	Parties   []string
}

// Term is a word of the field with its spellings by language.
type Term struct {
	Label string
	Also  map[string][]string
}

// Load reads the embedded files. It fails only when they are wrong, which a test of this package rules out.
func Load() (*Facts, error) {
	l := loader{f: &Facts{ambiguous: map[string]bool{}}}
	steps := []func() error{
		l.countries,
		func() error { return l.file("sources.toml", l.sources) },
		func() error { return l.file("parties.toml", l.parties) },
		func() error { return l.file("aliases.toml", l.names) },
		l.shelf,
		func() error { return l.file("facts.toml", l.facts) },
		func() error { return l.file("taxonomies.toml", l.taxonomies) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("loading facts: %w", err)
		}
	}
	l.f.matcher = newMatcher(l.f)
	return l.f, nil
}

// Source returns a source by its label.
func (f *Facts) Source(label string) (agreement.Source, bool) {
	i := slices.IndexFunc(f.Sources, func(s agreement.Source) bool { return s.Label == label })
	if i < 0 {
		return agreement.Source{}, false
	}
	return f.Sources[i], true
}

// Party returns a party by its label: a state by its ISO code in lower case.
func (f *Facts) Party(label string) (agreement.Party, bool) {
	i := slices.IndexFunc(f.Parties, func(p agreement.Party) bool { return p.Label == label })
	if i < 0 {
		return agreement.Party{}, false
	}
	return f.Parties[i], true
}

// ByRef lists the facts of a number, as "003-1": what the document reports first, what other sources say after it.
func (f *Facts) ByRef(ref string) []Fact {
	var out []Fact
	for _, x := range f.Facts {
		if slices.Contains(x.Refs, ref) {
			out = append(out, x)
		}
	}
	return out
}

// File returns an embedded agreement file as it is, for export and import.
func (f *Facts) File(label string) ([]byte, bool) {
	if _, ok := f.Shelf.Agreement(label); !ok {
		return nil, false
	}
	b, err := data.ReadFile("data/agreements/" + label + ".toml")
	return b, err == nil
}

// Elsewhere says of a place in an agreement whether that agreement is on the shelf and has it.
func (f *Facts) Elsewhere(label, place string) (known, ok bool) {
	a, known := f.Shelf.Agreement(label)
	if !known || place == "" {
		return known, known
	}
	_, commitment := a.Commitment(place)
	_, item := a.Item(place)
	return true, commitment || item
}

// Options are those with which the shelf was read: its files name parties and sources of this register.
func (f *Facts) Options() agreement.Options {
	return agreement.Options{
		Party: func(label string) (fictional, ok bool) {
			p, ok := f.Party(label)
			return p.Fictional, ok
		},
		Source: func(label string) (reliable, ok bool) {
			s, ok := f.Source(label)
			return s.Reliable(), ok
		},
	}
}

type loader struct {
	f      *Facts
	log    strictoml.Log
	fields agreement.Fields
}

func (l *loader) file(name string, read func(*strictoml.Table)) error {
	b, err := data.ReadFile("data/" + name)
	if err != nil {
		return err
	}
	l.log = strictoml.Log{}
	l.fields = agreement.NewFields(&l.log)
	root := strictoml.Parse(name, b, &l.log)
	if root != nil {
		root.OneOf("format", "", Format)
		read(root)
		root.Done()
	}
	return l.log.Err()
}

func (l *loader) sources(root *strictoml.Table) {
	for _, t := range root.Tables("source") {
		s := l.fields.Source(t, l.label(t))
		if _, ok := l.f.Source(s.Label); ok {
			t.Fail("label", "rename one", "source %q is there twice", s.Label)
		}
		l.f.Sources = append(l.f.Sources, s)
		t.Done()
	}
}

func (l *loader) label(t *strictoml.Table) string {
	s := t.Need("label")
	if err := agreement.CheckLabel(s); err != nil {
		t.Fail("label", "shorten it", "%v", err)
	}
	return s
}

func (l *loader) parties(root *strictoml.Table) {
	for _, t := range root.Tables("party") {
		p := l.fields.Party(t, l.label(t))
		p.Of = t.Text("of")
		if _, ok := l.f.Party(p.Label); ok {
			t.Fail("label", "rename one", "party %q is there twice", p.Label)
		}
		if p.Of != "" {
			if _, ok := l.f.Party(p.Of); !ok {
				t.Fail("of", "put that party before this one", "there is no party %q", p.Of)
			}
		}
		l.f.Parties = append(l.f.Parties, p)
		t.Done()
	}
}

func (l *loader) shelf() error {
	entries, err := fs.ReadDir(data, "data/agreements")
	if err != nil {
		return err
	}
	var all []*agreement.Agreement
	for _, e := range entries {
		b, err := data.ReadFile("data/agreements/" + e.Name())
		if err != nil {
			return err
		}
		a, err := agreement.Load(e.Name(), b, l.f.Options())
		if err != nil {
			return err
		}
		if a.Label+".toml" != e.Name() {
			return fmt.Errorf("%s: the agreement's label is %q", e.Name(), a.Label)
		}
		all = append(all, a)
	}
	if l.f.Shelf, err = agreement.NewLibrary(all...); err != nil {
		return err
	}
	return l.f.Shelf.Check()
}

func (l *loader) facts(root *strictoml.Table) {
	reliable := func(label string) bool {
		s, ok := l.f.Source(label)
		return ok && s.Reliable()
	}
	for i, t := range root.Tables("fact") {
		ref := t.Need("ref")
		source := t.Need("source")
		x := Fact{Claim: l.fields.Claim(t, ref, source, reliable), Agreement: t.Text("agreement"), Becomes: t.Need("becomes"), Parties: t.Texts("parties")}
		x.Refs = []string{ref}
		// Facts of one number are kept apart by their place in the file.
		x.Label = fmt.Sprintf("%s.%d", strings.TrimSpace(ref), i)
		if _, ok := l.f.Source(source); !ok && source != "" {
			t.Fail("source", "add it to sources.toml", "there is no source %q", source)
		}
		if x.Agreement != "" {
			if _, ok := l.f.Shelf.Agreement(x.Agreement); !ok {
				t.Fail("agreement", "add its file", "there is no agreement %q on the shelf", x.Agreement)
			}
		}
		for _, w := range t.Words("parties") {
			if _, ok := l.f.Party(w.Text); !ok {
				l.log.Add(w.Pos, "add it to parties.toml", "there is no party %q", w.Text)
			}
		}
		l.f.Facts = append(l.f.Facts, x)
		t.Done()
	}
}
