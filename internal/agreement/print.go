package agreement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Print writes an agreement as a file in the one stable form: sections in a fixed order, each with a comment that says
// what it is, keys in a fixed order, languages by their tags. Loading what it writes gives the agreement back.
func Print(a *Agreement) []byte {
	w := &writer{}
	w.raw("# " + Format + ": an agreement that mithaq runs or knows. docs/agreement-file.md explains every key.\n")
	w.str("format", Format)
	w.head(a)
	w.rules(a)
	for i := range a.Sources {
		w.first(i, "Where the statements below come from. A protected source is never named at any exit.")
		w.source(&a.Sources[i])
	}
	for i := range a.Parties {
		w.first(i, "Who is named below. An id is there only for a party that runs mithaq.")
		w.party(&a.Parties[i])
	}
	for i := range a.Texts {
		w.first(i, "The agreement's own text, by language and hash. It stays with its owner.")
		w.authentic(&a.Texts[i])
	}
	for i := range a.Deadlines {
		w.first(i, "Times that start with one kind of record and are met by another, or that come round.")
		w.deadline(&a.Deadlines[i])
	}
	for i := range a.Commitments {
		w.first(i, "What is promised, and which records and deadlines put it into practice. A promise with neither is shown as such.")
		w.commitment(&a.Commitments[i])
	}
	for i := range a.Items {
		w.first(i, "The entries of this list.")
		item := &a.Items[i]
		w.section("item")
		w.str("label", item.Label)
		w.str("group", item.Group)
		w.str("code", item.Code)
		w.text("name", item.Names)
		w.text("note", item.Note)
	}
	for i := range a.Rules {
		w.first(i, "Sharing rules beside TLP and PAP, in Cedar. They can only be read together with those.")
		w.section("rule")
		w.str("label", a.Rules[i].Label)
		w.text("name", a.Rules[i].Names)
		w.str("cedar", a.Rules[i].Cedar)
	}
	for i := range a.Crosswalks {
		w.first(i, "How these promises correspond to those of other agreements: from is same, broader, narrower than, or related to to.")
		c := &a.Crosswalks[i]
		w.section("crosswalk")
		w.str("from", c.From)
		w.str("to", c.To)
		w.str("relation", string(c.Relation))
		w.text("note", c.Note)
	}
	for i := range a.Links {
		w.first(i, "Agreements that this one belongs with.")
		w.section("link")
		w.str("to", a.Links[i].To)
		w.str("relation", a.Links[i].Relation)
		w.text("note", a.Links[i].Note)
	}
	for i := range a.Acts {
		w.first(i, "What parties did in the world, as sources say. Who runs the agreement here stands in its roll, not in this file.")
		w.act(&a.Acts[i])
	}
	for i := range a.Claims {
		w.first(i, "Statements about the agreement, each with its source. Two that differ stand side by side.")
		w.claim(&a.Claims[i])
	}
	return []byte(w.b.String())
}

type writer struct{ b strings.Builder }

func (w *writer) raw(s string) { w.b.WriteString(s) }

func (w *writer) first(i int, comment string) {
	if i == 0 {
		w.raw("\n# " + comment)
	}
}

func (w *writer) section(name string) { w.raw("\n[[" + name + "]]\n") }

func (w *writer) str(key, value string) {
	if value != "" {
		w.raw(key + " = " + quote(value) + "\n")
	}
}

func (w *writer) yes(key string, value bool) {
	if value {
		w.raw(key + " = true\n")
	}
}

func (w *writer) num(key string, n int) {
	if n != 0 {
		w.raw(key + " = " + strconv.Itoa(n) + "\n")
	}
}

func (w *writer) list(key string, values []string) {
	if len(values) > 0 {
		w.raw(key + " = " + quoteList(values) + "\n")
	}
}

func (w *writer) text(key string, t Text) {
	for _, l := range t.Languages() {
		w.raw(key + "." + l + " = " + quote(t[l]) + "\n")
	}
}

func (w *writer) aliases(key string, m map[string][]string) {
	tags := make([]string, 0, len(m))
	for l := range m {
		tags = append(tags, l)
	}
	slices.Sort(tags)
	for _, l := range tags {
		w.raw(key + "." + l + " = " + quoteList(m[l]) + "\n")
	}
}

func (w *writer) period(key string, p Period) {
	if !p.IsZero() {
		w.str(key, p.String())
	}
}

func (w *writer) date(key string, d FuzzyDate) {
	if d.IsZero() {
		return
	}
	if d.Calendar == "" && d.Relative == "" && d.Said == "" && d.Time == "" && d.Zone == "" && d.Printed == "" && len(d.Also) == 0 {
		w.str(key, d.At)
		return
	}
	parts := inline{}.add("at", d.At).add("calendar", string(d.Calendar)).add("relative", d.Relative).add("said", d.Said).
		add("time", d.Time).add("zone", d.Zone).add("printed", d.Printed)
	if len(d.Also) > 0 {
		var beside []string
		for _, b := range d.Also {
			beside = append(beside, inline{}.add("at", b.At).add("calendar", string(b.Calendar)).add("printed", b.Printed).String())
		}
		parts = append(parts, "also = ["+strings.Join(beside, ", ")+"]")
	}
	w.raw(key + " = " + parts.String() + "\n")
}

type inline []string

func (p inline) add(key, value string) inline {
	if value == "" {
		return p
	}
	return append(p, key+" = "+quote(value))
}

func (p inline) String() string { return "{ " + strings.Join(p, ", ") + " }" }

func quoteList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote writes a TOML string: on one line, or between three quotes when it has several lines.
func quote(s string) string {
	escaped := func(keepLines bool) string {
		var b strings.Builder
		for i, r := range s {
			switch {
			case r == '"' && keepLines && i+1 < len(s) && s[i+1] != '"':
				b.WriteRune(r) // one quote alone needs no escape between three
			case r == '\n' && keepLines:
				b.WriteRune(r)
			case r == '\n':
				b.WriteString(`\n`)
			case r == '\t':
				b.WriteString(`\t`)
			case r == '"' || r == '\\':
				b.WriteString(`\` + string(r))
			case r < ' ' || r == 0x7f:
				fmt.Fprintf(&b, `\u%04X`, r)
			default:
				b.WriteRune(r)
			}
		}
		return b.String()
	}
	if strings.Contains(s, "\n") {
		return "\"\"\"\n" + escaped(true) + "\"\"\""
	}
	return `"` + escaped(false) + `"`
}
