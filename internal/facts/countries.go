package facts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

// Country is a country or area of ISO 3166-1. Names follow UN usage where the reviewed exceptions say so, and CLDR otherwise.
type Country struct {
	Code   string // ISO 3166-1 alpha-2
	Names  agreement.Text
	Also   map[string][]string
	Status string // "member" or "observer" of the United Nations, or "other"
	Why    string // why the name is not CLDR's; empty where it is
}

// Country returns a country by its code.
func (f *Facts) Country(code string) (Country, bool) {
	i, ok := slices.BinarySearchFunc(f.Countries, code, func(c Country, code string) int { return strings.Compare(c.Code, code) })
	if !ok {
		return Country{}, false
	}
	return f.Countries[i], true
}

// countries reads the generated table and the exceptions, and makes states parties.
func (l *loader) countries() error {
	b, err := data.ReadFile("data/countries.tsv")
	if err != nil {
		return err
	}
	for n, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != 4 || len(cells[0]) != 2 {
			return fmt.Errorf("countries.tsv:%d: not a code and three names", n+1)
		}
		c := Country{Code: cells[0], Names: agreement.Text{}, Also: map[string][]string{}, Status: "member"}
		for i, language := range []string{"en", "ar", "fr"} {
			names := strings.Split(cells[i+1], "|")
			c.Names[language] = names[0]
			c.Also[language] = names[1:]
		}
		l.f.Countries = append(l.f.Countries, c)
	}
	if err := l.file("country-exceptions.toml", l.exceptions); err != nil {
		return err
	}
	for _, c := range l.f.Countries {
		if c.Status != "other" {
			l.f.Parties = append(l.f.Parties, agreement.Party{Label: strings.ToLower(c.Code), Kind: agreement.KindState, Names: c.Names, Also: c.Also, Country: c.Code})
		}
	}
	return nil
}

func (l *loader) exceptions(root *strictoml.Table) {
	at := func(t *strictoml.Table, key, code string) *Country {
		i := slices.IndexFunc(l.f.Countries, func(c Country) bool { return c.Code == code })
		if i < 0 {
			t.Fail(key, "use a code of countries.tsv", "there is no country %q", code)
			return &Country{}
		}
		return &l.f.Countries[i]
	}
	if t := root.Table("codes"); t != nil {
		for _, code := range t.Texts("observers") {
			at(t, "observers", code).Status = "observer"
		}
		for _, code := range t.Texts("others") {
			at(t, "others", code).Status = "other"
		}
		t.Done()
	}
	for _, t := range root.Tables("country") {
		c := at(t, "code", t.Need("code"))
		c.Why = t.Need("why")
		names := l.fields.Names(t, "name", true)
		for _, language := range names.Languages() {
			if old := c.Names[language]; old != names[language] && c.Also != nil {
				c.Also[language] = append(slices.Clone(c.Also[language]), old)
			}
		}
		c.Names = names
		t.Done()
	}
}
