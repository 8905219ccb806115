package facts

import (
	"strings"

	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

// alias is a set of other words for a government.
type alias struct {
	party     string
	capital   map[string][]string
	adjective map[string][]string
	also      map[string][]string
}

func (l *loader) names(root *strictoml.Table) {
	if t := root.Table("ambiguous"); t != nil {
		for _, language := range t.Keys() {
			for _, word := range t.Texts(language) {
				l.f.ambiguous[strings.Join(foldWords(word), " ")] = true
			}
		}
		t.Done()
	}
	for _, t := range root.Tables("alias") {
		code := t.Need("code")
		if _, ok := l.f.Country(code); !ok {
			t.Fail("code", "use a code of countries.tsv", "there is no country %q", code)
		}
		l.f.aliases = append(l.f.aliases, alias{party: strings.ToLower(code), capital: l.fields.Aliases(t, "capital"),
			adjective: l.fields.Aliases(t, "adjective"), also: l.fields.Aliases(t, "also")})
		t.Done()
	}
	for _, t := range root.Tables("term") {
		l.f.Terms = append(l.f.Terms, Term{Label: l.label(t), Also: l.fields.Aliases(t, "also")})
		t.Done()
	}
}
