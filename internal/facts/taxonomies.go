package facts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

// Taxonomy is a list of tags by which intelligence is labelled, written namespace:predicate="value" as MISP does.
type Taxonomy struct {
	Namespace  string
	Names      agreement.Text
	Source     string      // label of a source
	Predicates []Predicate // one without a label where values follow the namespace
}

// Predicate is one question that a taxonomy answers.
type Predicate struct {
	Label  string
	Names  agreement.Text
	Values []Value
}

// Value is one answer.
type Value struct {
	Label string
	Names agreement.Text
}

// Tag is what a tag of a known taxonomy says.
type Tag struct {
	Namespace string
	Names     map[string]string // by language: the taxonomy's, the predicate's and the value's names
}

func (l *loader) taxonomies(root *strictoml.Table) {
	for _, t := range root.Tables("taxonomy") {
		x := Taxonomy{Namespace: l.label(t), Names: l.fields.Names(t, "name", true), Source: t.Need("source")}
		if _, ok := l.f.Source(x.Source); !ok {
			t.Fail("source", "add it to sources.toml", "there is no source %q", x.Source)
		}
		if values := l.values(t); len(values) > 0 {
			x.Predicates = append(x.Predicates, Predicate{Values: values})
		}
		for _, p := range t.Tables("predicate") {
			x.Predicates = append(x.Predicates, Predicate{Label: l.label(p), Names: l.fields.Names(p, "name", true), Values: l.values(p)})
			p.Done()
		}
		l.f.Taxonomies = append(l.f.Taxonomies, x)
		t.Done()
	}
	l.f.Taxonomies = append(l.f.Taxonomies, l.shelved("tlp"), l.shelved("rsit"))
	// What TLP 1 called CLEAR is still written, and AMBER+STRICT has a sign that labels have not.
	tlp := &l.f.Taxonomies[len(l.f.Taxonomies)-2].Predicates[0]
	for i, v := range tlp.Values {
		switch v.Label {
		case "CLEAR":
			tlp.Values = append(tlp.Values, Value{Label: "WHITE", Names: v.Names})
		case "AMBER-STRICT":
			tlp.Values[i].Label = "AMBER+STRICT"
		}
	}
}

func (l *loader) values(t *strictoml.Table) []Value {
	var out []Value
	for _, v := range t.Tables("value") {
		out = append(out, Value{Label: l.label(v), Names: l.fields.Names(v, "name", true)})
		v.Done()
	}
	return out
}

// shelved makes a taxonomy of a list on the shelf: its groups are predicates.
func (l *loader) shelved(label string) Taxonomy {
	x := Taxonomy{Namespace: label}
	a, ok := l.f.Shelf.Agreement(label)
	if !ok {
		return x
	}
	x.Names, x.Source = a.Names, a.Source
	name := func(i agreement.Item) string {
		if i.Code != "" {
			return i.Code
		}
		return i.Label
	}
	for _, item := range a.Items {
		if !slices.ContainsFunc(a.Items, func(i agreement.Item) bool { return i.Group == item.Label }) {
			continue
		}
		p := Predicate{Label: name(item), Names: item.Names}
		for _, i := range a.Items {
			if i.Group == item.Label {
				p.Values = append(p.Values, Value{Label: name(i), Names: i.Names})
			}
		}
		x.Predicates = append(x.Predicates, p)
	}
	if len(x.Predicates) == 0 {
		var p Predicate
		for _, i := range a.Items {
			p.Values = append(p.Values, Value{Label: name(i), Names: i.Names})
		}
		x.Predicates = []Predicate{p}
	}
	return x
}

// Tag reads a tag. known is false for a text that belongs to no taxonomy here; the error says that a taxonomy here has no
// such tag, and which it has.
func (f *Facts) Tag(text string) (tag Tag, known bool, err error) {
	namespace, rest, ok := strings.Cut(text, ":")
	i := slices.IndexFunc(f.Taxonomies, func(t Taxonomy) bool { return strings.EqualFold(t.Namespace, namespace) })
	if !ok || i < 0 {
		return Tag{}, false, nil
	}
	x := f.Taxonomies[i]
	predicate, value, quoted := strings.Cut(rest, "=")
	if !quoted {
		predicate, value = "", rest
	}
	value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
	j := slices.IndexFunc(x.Predicates, func(p Predicate) bool { return strings.EqualFold(p.Label, predicate) })
	if j < 0 {
		return Tag{}, true, fmt.Errorf("the taxonomy %s has no %q: write one of %s", x.Namespace, clip(predicate), x.examples())
	}
	p := x.Predicates[j]
	k := slices.IndexFunc(p.Values, func(v Value) bool { return strings.EqualFold(v.Label, value) })
	if k < 0 {
		var labels []string
		for _, v := range p.Values {
			labels = append(labels, v.Label)
		}
		return Tag{}, true, fmt.Errorf("the taxonomy %s has no %q: write one of %s", strings.Trim(x.Namespace+":"+p.Label, ":"), clip(value), strings.Join(labels, ", "))
	}
	tag = Tag{Namespace: x.Namespace, Names: map[string]string{}}
	for _, language := range Languages() {
		parts := []string{x.Names[language]}
		if p.Label != "" {
			parts = append(parts, p.Names[language])
		}
		tag.Names[language] = strings.Join(append(parts, p.Values[k].Names[language]), ": ")
	}
	return tag, true, nil
}

// examples are tags of a taxonomy, one for each predicate.
func (x *Taxonomy) examples() string {
	var out []string
	for _, p := range x.Predicates {
		if p.Label == "" {
			out = append(out, x.Namespace+":"+p.Values[0].Label)
			continue
		}
		out = append(out, fmt.Sprintf("%s:%s=%q", x.Namespace, p.Label, p.Values[0].Label))
	}
	return strings.Join(out, ", ")
}

// clip bounds what a message quotes of a tag.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
