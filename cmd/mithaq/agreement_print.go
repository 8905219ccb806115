package main

import (
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/node"
)

// printAgreements prints two lists under two headings: who joined here, and who stands where in the world.
func printAgreements(a *app, all []node.AgreementView, languages []string, lists bool) {
	a = a.plain()
	fmt.Fprintln(a.stdout, "CONNECTED: agreements that run on this node, folded from their rolls")
	none := true
	for _, v := range all {
		if v.Here == nil {
			continue
		}
		none = false
		name, _ := v.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-24s %s%s\n  %24s %s, %d connected, %s\n", v.Label, name, tagged(a, v.Mark), "", v.Here.Phase, v.Here.Joined, v.ID)
	}
	if none {
		fmt.Fprintln(a.stdout, "  none: begin with 'mithaq agreement propose FILE' or 'mithaq agreement import FILE'")
	}
	fmt.Fprintln(a.stdout, "\nSTANDING: the shelf, unofficial copies; where parties stand in the world, on whose word; nothing of it runs here")
	hidden := 0
	for _, v := range all {
		if v.Shelf == nil {
			continue
		}
		if !lists && v.Shelf.Named == 0 && len(v.Shelf.Counts) == 0 && isList(v.Type) {
			hidden++
			continue
		}
		name, _ := v.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-24s %s%s\n  %24s %s\n", v.Label, name, tagged(a, v.Mark), "", strings.Join(shelfLine(v), ", "))
		fmt.Fprintf(a.stdout, "  %24s source: %s\n", "", sourceLine(v.Shelf.Source, languages))
	}
	if hidden > 0 {
		fmt.Fprintf(a.stdout, "\nnot shown: %s (sectors, incident types, markings): mithaq agreement list --all\n", plural(hidden, "list"))
	}
}

func isList(kind string) bool { return kind == "list" || kind == "directory" || kind == "survey" }

func shelfLine(v node.AgreementView) []string {
	line := []string{"unofficial copy", v.Type, v.Force}
	line = append(line, filled(dated(v.Date, v.Printed))...)
	if v.Shelf.Named > 0 {
		line = append(line, fmt.Sprintf("%d of %d named parties stand by it", v.Shelf.Stand, v.Shelf.Named))
	}
	return line
}

// plural is a number with its noun: "1 officer", "3 entries".
func plural(n int, one string, many ...string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, append(many, one+"s")[0])
}

// dated is a date as it was understood, with what the source printed for it.
func dated(date, printed string) string {
	if printed == "" || printed == date {
		return date
	}
	return fmt.Sprintf("%s (printed: %s)", date, printed)
}

func printAgreement(a *app, v node.AgreementView, languages []string) {
	a = a.plain()
	mark(a, v.Mark)
	name, _ := v.Names.In(languages...)
	fmt.Fprintf(a.stdout, "%s\n", name)
	p := linePrinter(a)
	p("label", v.Label)
	p("type", strings.Join(filled(v.Type, v.Force, "version "+v.Version, dated(v.Date, v.Printed)), ", "))
	place, _ := v.Place.In(languages...)
	p("place", place)
	purpose, _ := v.Purpose.In(languages...)
	p("purpose", purpose)
	p("sectors", strings.Join(v.Sectors, ", "))
	for _, l := range v.Links {
		note, _ := l.Note.In(languages...)
		p(l.Relation, strings.Join(filled(l.To, note), ": "))
	}
	if v.Here != nil {
		printHere(a, v, languages)
	}
	if v.Shelf != nil {
		printShelf(a, v, languages)
	}
	printCommitments(a, v, languages)
}

func linePrinter(a *app) func(name, value string) {
	return func(name, value string) {
		if value != "" {
			fmt.Fprintf(a.stdout, "  %-11s %s\n", name, value)
		}
	}
}

func filled(words ...string) []string {
	var out []string
	for _, w := range words {
		if w != "" && w != "version " {
			out = append(out, w)
		}
	}
	return out
}

func printHere(a *app, v node.AgreementView, languages []string) {
	h := v.Here
	p := linePrinter(a)
	p("agreement", v.ID)
	p("runs here", fmt.Sprintf("%s, %d connected, %s", h.Phase, h.Joined, plural(h.Entries, "entry", "entries")))
	keeper := h.Depositary
	if h.Keeps {
		keeper += " (this node)"
	}
	if h.Pair {
		keeper = "none: a pair, in force when each log holds the other's act over the same text"
	}
	p("depositary", keeper)
	p("state", h.State)
	p("basis", h.Basis)
	p("text", h.TextHash)
	printTexts(p, h.Texts)
	if h.Pending > 0 && h.Pair {
		p("pending", fmt.Sprintf("%s of this party, not in the other's log or not seen there yet: mithaq agreement export %s --out FILE", plural(h.Pending, "act"), v.Label))
	} else if h.Pending > 0 {
		p("pending", fmt.Sprintf("%s of this party, not in the roll yet: mithaq agreement export %s --acts --out FILE", plural(h.Pending, "act"), v.Label))
	}
	printWitnesses(p, h.Witnesses)
	names := map[string]string{}
	fmt.Fprintln(a.stdout, "\nconnected here (the roll)")
	for _, m := range h.Members {
		name, _ := agreement.Text(m.Names).In(languages...)
		names[m.Party] = name
		fmt.Fprintf(a.stdout, "  %-10s %s  %s  %s%s\n", m.Membership, m.Since, m.Party, name, waitsFor(m.Waits, h.Witnesses))
		for _, r := range m.Reservations {
			words, _ := r.Text.In(languages...)
			fmt.Fprintf(a.stdout, "             reservation to %s: %s\n", r.Commitment, words)
		}
	}
	for _, x := range h.Proposals {
		fmt.Fprintf(a.stdout, "\nopen proposal %s\n  version %s by %s, %s: %d of %d approvals\n", x.Leaf, x.Version, names[x.Party], x.Date, x.Approvals, h.Needed)
	}
	for _, s := range h.Statements {
		what := "declaration"
		if s.ObjectsTo != "" {
			what = "objection to " + s.ObjectsTo[:12] + "…"
		}
		for _, t := range s.Texts {
			words, _ := t.In(languages...)
			fmt.Fprintf(a.stdout, "\n%s by %s, %s\n  %s\n", what, names[s.Party], s.Date, words)
		}
	}
	fmt.Fprintln(a.stdout, "\nacts")
	for _, x := range h.Acts {
		seen := waitsFor(x.Waits, h.Witnesses)
		if seen == "" && x.Seen != nil && !*x.Seen {
			seen = "  not yet witnessed"
		}
		fmt.Fprintf(a.stdout, "  %s  %-10s %s  (%s)  %s%s\n", x.Date, wordOf(x.Word, x.Act, languages), names[x.Party], plural(x.Officers, "officer"), x.Leaf, seen)
		by, _ := x.Mandate.In(languages...)
		basis, _ := x.Basis.In(languages...)
		if by != "" {
			fmt.Fprintf(a.stdout, "              mandate: %s\n", strings.Join(filled(by, basis, x.Granted), ", "))
		}
		if note, _ := x.Note.In(languages...); note != "" {
			fmt.Fprintf(a.stdout, "              note: %s\n", note)
		}
	}
	for _, c := range h.Cases {
		fmt.Fprintf(a.stdout, "\ncase %s, found %s: proof that %s gave its word for two children of one parent\n  %s\n", c.ID, c.Found.Format("2006-01-02"), c.Party, decided(c.Decision))
	}
}

func wordOf(own agreement.Text, act string, languages []string) string {
	if w, _ := own.In(languages...); w != "" {
		return w
	}
	return act
}

func sourceLine(s *node.SourceView, languages []string) string {
	if s == nil {
		return ""
	}
	if s.Protected {
		return "a protected source (" + s.Kind + ")"
	}
	title, _ := s.Title.In(languages...)
	if title == "" {
		title = s.Label
	}
	return title
}

func printDifference(a *app, d node.DifferenceView) {
	a = a.plain()
	if d.From == d.To {
		fmt.Fprintf(a.stdout, "%s, version %s: the founding text (mithaq agreement show %s --text)\n", d.Label, d.To, d.Label)
		return
	}
	fmt.Fprintf(a.stdout, "%s: from version %s to version %s, proposed by %s\n", d.Label, d.From, d.To, d.By)
	printChanges(a, d.Changes)
}

// printChanges prints what changes between two texts, by article.
func printChanges(a *app, changes []agreement.Difference) {
	for _, x := range changes {
		fmt.Fprintf(a.stdout, "  %s %s: %s\n", x.Section, x.Label, x.Change)
		for _, f := range x.Fields {
			fmt.Fprintf(a.stdout, "    %s: %s\n", strings.Join(filled(f.Field, f.Language), "."), words(f.Words))
		}
	}
}

// words prints a difference of words: [-gone-] and {+new+}.
func words(pieces []agreement.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		switch p.Op {
		case agreement.Delete:
			b.WriteString("[-" + strings.TrimSpace(p.Text) + "-] ")
		case agreement.Insert:
			b.WriteString("{+" + strings.TrimSpace(p.Text) + "+} ")
		default:
			b.WriteString(p.Text)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
