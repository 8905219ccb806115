package agreement

import (
	"fmt"
	"slices"
	"strings"
)

// Change says what became of an article, rule or section between two versions.
type Change string

// The changes.
const (
	Added     Change = "added"
	Dropped   Change = "removed"
	Rewritten Change = "changed"
)

// Difference is one thing that differs between two versions of an agreement.
type Difference struct {
	Section string            `json:"section"`         // "agreement", "commitment", "deadline", "rule", "party", "terms", …
	Label   string            `json:"label,omitempty"` // of the article; empty for a section without labels
	Change  Change            `json:"change"`
	Fields  []FieldDifference `json:"fields,omitempty"` // for what was rewritten
}

// FieldDifference is one field of an article, in one language where it has several.
type FieldDifference struct {
	Field    string  `json:"field"` // "name", "text", "kinds", …
	Language string  `json:"language,omitempty"`
	Words    []Piece `json:"words"`
}

// Compare lists what differs between two versions, by article, in the order of the new text;
// removed articles stand at the end of their section.
func (a *Agreement) Compare(newer *Agreement) []Difference {
	var out []Difference
	out = append(out, compareOne("agreement", "", headFields(a), headFields(newer))...)
	out = append(out, compareOne("words", "", wordFields(a), wordFields(newer))...)
	out = append(out, compareOne("terms", "", termFields(a), termFields(newer))...)
	out = append(out, compareAll("party", a.Parties, newer.Parties, func(p *Party) (string, fieldList) { return p.Label, partyFields(p) })...)
	out = append(out, compareAll("text", a.Texts, newer.Texts, func(t *AuthenticText) (string, fieldList) {
		return t.Language, fieldList{}.line("authentic", fmt.Sprint(t.Authentic)).line("title", t.Title).line("url", t.URL).line("sha256", t.SHA256)
	})...)
	out = append(out, compareAll("commitment", a.Commitments, newer.Commitments, func(c *Commitment) (string, fieldList) {
		return c.Label, fieldList{}.line("article", c.Article).line("group", c.Group).texts("name", c.Names).texts("text", c.Text).
			texts("note", c.Note).lines("kinds", c.Kinds).lines("deadlines", c.Deadlines)
	})...)
	out = append(out, compareAll("item", a.Items, newer.Items, func(i *Item) (string, fieldList) {
		return i.Label, fieldList{}.line("group", i.Group).line("code", i.Code).texts("name", i.Names).texts("note", i.Note)
	})...)
	out = append(out, compareAll("deadline", a.Deadlines, newer.Deadlines, func(d *Deadline) (string, fieldList) {
		return d.Label, fieldList{}.texts("name", d.Names).line("starts", d.Starts).line("due", d.Due).period("within", d.Within).
			period("every", d.Every).line("at-least", fmt.Sprint(d.AtLeast)).texts("note", d.Note)
	})...)
	out = append(out, compareAll("rule", a.Rules, newer.Rules, func(r *Rule) (string, fieldList) {
		return r.Label, fieldList{}.texts("name", r.Names).line("cedar", r.Cedar)
	})...)
	out = append(out, compareAll("crosswalk", a.Crosswalks, newer.Crosswalks, func(c *Crosswalk) (string, fieldList) {
		return c.From + " → " + c.To, fieldList{}.line("relation", string(c.Relation)).texts("note", c.Note)
	})...)
	return out
}

// field is one comparable field; the list keeps their order.
type field struct{ name, language, value string }

type fieldList []field

func (f fieldList) line(name, value string) fieldList { return append(f, field{name, "", value}) }

func (f fieldList) lines(name string, values []string) fieldList {
	return f.line(name, strings.Join(values, ", "))
}

func (f fieldList) period(name string, p Period) fieldList {
	if p.IsZero() {
		return f.line(name, "")
	}
	return f.line(name, p.String())
}

func (f fieldList) texts(name string, t Text) fieldList {
	for _, l := range t.Languages() {
		f = append(f, field{name, l, t[l]})
	}
	return f
}

func (f fieldList) aliases(name string, m map[string][]string) fieldList {
	t := Text{}
	for l, names := range m {
		t[l] = strings.Join(names, ", ")
	}
	return f.texts(name, t)
}

func headFields(a *Agreement) fieldList {
	return fieldList{}.line("type", a.Type).line("force", a.Force).line("version", a.Version).line("mode", string(a.Mode)).
		texts("name", a.Names).texts("short", a.Short).aliases("also", a.Also).line("date", a.Date.String()).line("date as printed", a.Date.Source()).texts("place", a.Place).
		texts("purpose", a.Purpose).line("depositary", a.Depositary).lines("founders", a.Founders).lines("sectors", a.Sectors).
		line("newcomers", string(a.Backfill))
}

func wordFields(a *Agreement) (f fieldList) {
	for _, key := range WordKeys() {
		f = f.texts(key, a.Words[key])
	}
	return f
}

func termFields(a *Agreement) fieldList {
	t := a.Terms
	f := fieldList{}.line("founding", string(t.Founding)).line("amendment", string(t.Amendment)).line("accession", t.Accession).
		line("admission", string(t.Admission)).line("removal", string(t.Removal)).line("succession", string(t.Succession)).
		period("silence", t.Silence).period("review", t.Review)
	for _, o := range a.Officers {
		f = f.line("officers", fmt.Sprintf("%v: %d of %d, mandate %t", o.Acts, o.Signatures, o.Of, o.Mandate))
	}
	return f.line("witnesses", fmt.Sprintf("%d of %s", a.Witnesses.K, strings.Join(a.Witnesses.Of, ", "))).line("quota", fmt.Sprintf("%+v", a.Quota))
}

func partyFields(p *Party) fieldList {
	return fieldList{}.line("kind", string(p.Kind)).line("id", p.ID).texts("name", p.Names).texts("short", p.Short).aliases("also", p.Also).
		line("country", p.Country).line("of", p.Of).texts("office", p.Office)
}

// compareOne compares two lists of fields of the same article.
func compareOne(section, label string, old, new fieldList) []Difference {
	var changed []FieldDifference
	done := make([]bool, len(old))
	for _, n := range new {
		before := ""
		if i := slices.IndexFunc(old, func(o field) bool { return o.name == n.name && o.language == n.language }); i >= 0 && !done[i] {
			before, done[i] = old[i].value, true
		}
		if before != n.value {
			changed = append(changed, FieldDifference{n.name, n.language, DiffWords(before, n.value)})
		}
	}
	for i, o := range old {
		if !done[i] && o.value != "" {
			changed = append(changed, FieldDifference{o.name, o.language, DiffWords(o.value, "")})
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return []Difference{{Section: section, Label: label, Change: Rewritten, Fields: changed}}
}

func compareAll[T any](section string, old, new []T, of func(*T) (string, fieldList)) []Difference {
	before := map[string]fieldList{}
	for i := range old {
		label, fields := of(&old[i])
		before[label] = fields
	}
	var out []Difference
	for i := range new {
		label, fields := of(&new[i])
		if was, ok := before[label]; ok {
			out = append(out, compareOne(section, label, was, fields)...)
			delete(before, label)
			continue
		}
		out = append(out, Difference{Section: section, Label: label, Change: Added, Fields: fieldsOf(fields, Insert)})
	}
	for i := range old {
		label, fields := of(&old[i])
		if _, left := before[label]; left {
			out = append(out, Difference{Section: section, Label: label, Change: Dropped, Fields: fieldsOf(fields, Delete)})
		}
	}
	return out
}

func fieldsOf(fields fieldList, op Op) []FieldDifference {
	var out []FieldDifference
	for _, f := range fields {
		if f.value != "" {
			out = append(out, FieldDifference{f.name, f.language, []Piece{{op, f.value}}})
		}
	}
	return out
}
