package main

import (
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/node"
)

// printAgreements prints two lists under two headings: who joined here, and who stands where in the world.
func printAgreements(a *app, all []node.AgreementView, languages []string, lists bool) {
	fmt.Fprintln(a.stdout, "CONNECTED: agreements that run on this node, folded from their rolls")
	none := true
	for _, v := range all {
		if v.Here == nil {
			continue
		}
		none = false
		name, _ := v.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-24s %s%s\n  %24s %s, %d connected, %s\n", v.Label, name, marked(v.Mark), "", v.Here.Phase, v.Here.Joined, v.ID)
	}
	if none {
		fmt.Fprintln(a.stdout, "  none: begin with 'mithaq agreement propose FILE' or 'mithaq agreement import FILE'")
	}
	fmt.Fprintln(a.stdout, "\nSTANDING: the shelf, unofficial copies; where parties stand in the world, on whose word; nothing of it runs here")
	for _, v := range all {
		if v.Shelf == nil || !lists && v.Shelf.Named == 0 && len(v.Shelf.Counts) == 0 && isList(v.Type) {
			continue
		}
		name, _ := v.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-24s %s%s\n  %24s %s\n", v.Label, name, marked(v.Mark), "", strings.Join(shelfLine(v), ", "))
	}
}

func isList(kind string) bool { return kind == "list" || kind == "directory" || kind == "survey" }

func shelfLine(v node.AgreementView) []string {
	line := []string{"unofficial copy", v.Type, v.Force}
	if v.Date != "" {
		line = append(line, v.Date)
	}
	if v.Shelf.Named > 0 {
		line = append(line, fmt.Sprintf("%d of %d named parties stand by it", v.Shelf.Stand, v.Shelf.Named))
	}
	return line
}

func marked(words string) string {
	if words == "" {
		return ""
	}
	return "  [" + words + "]"
}

func printAgreement(a *app, v node.AgreementView, languages []string) {
	mark(a, v.Mark)
	name, _ := v.Names.In(languages...)
	fmt.Fprintf(a.stdout, "%s\n", name)
	p := linePrinter(a)
	p("label", v.Label)
	p("type", strings.Join(filled(v.Type, v.Force, "version "+v.Version, v.Date), ", "))
	purpose, _ := v.Purpose.In(languages...)
	p("purpose", purpose)
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
	p("runs here", fmt.Sprintf("%s, %d connected, %d entries", h.Phase, h.Joined, h.Entries))
	keeper := h.Depositary
	if h.Keeps {
		keeper += " (this node)"
	}
	p("depositary", keeper)
	p("state", h.State)
	p("basis", h.Basis)
	p("text", h.TextHash)
	if h.Pending > 0 {
		p("pending", fmt.Sprintf("%d acts of this party are not in the roll: mithaq agreement export %s --acts --out FILE", h.Pending, v.Label))
	}
	names := map[string]string{}
	fmt.Fprintln(a.stdout, "\nconnected here (the roll)")
	for _, m := range h.Members {
		name, _ := agreement.Text(m.Names).In(languages...)
		names[m.Party] = name
		fmt.Fprintf(a.stdout, "  %-10s %s  %s  %s\n", m.Membership, m.Since, m.Party, name)
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
		word, _ := x.Word.In(languages...)
		if word == "" {
			word = x.Act
		}
		fmt.Fprintf(a.stdout, "  %s  %-10s %s  (%d officers)  %s\n", x.Date, word, names[x.Party], x.Officers, x.Leaf)
	}
	for _, c := range h.Cases {
		fmt.Fprintf(a.stdout, "\ncase %s, found %s: proof that %s gave its word for two children of one parent\n  %s\n", c.ID, c.Found.Format("2006-01-02"), c.Party, decided(c.Decision))
	}
}

func printShelf(a *app, v node.AgreementView, languages []string) {
	s := v.Shelf
	p := linePrinter(a)
	p("on the shelf", "unofficial copy; it does not run here")
	p("source", sourceLine(s.Source, languages))
	for _, t := range s.Texts {
		what := "translation"
		if t.Authentic {
			what = "authentic text"
		}
		p(what, strings.Join(filled(t.Language, t.Title, t.URL), ", "))
	}
	if len(s.Standings) > 0 {
		fmt.Fprintln(a.stdout, "\nstanding in the world (as sources say)")
	}
	for _, x := range s.Standings {
		name, _ := x.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-28s %-12s %-12s %s, %s\n", name, wordOf(x.Word, x.Act, languages), x.Since, x.Status, sourceLine(x.Source, languages))
		for _, h := range x.History {
			if len(x.History) > 1 {
				by, _ := h.Government.In(languages...)
				fmt.Fprintf(a.stdout, "  %28s %-12s %-12s %s\n", "·", h.Act, h.Date, strings.Join(filled(h.Status, by, h.Place), ", "))
			}
		}
	}
	if len(s.Counts) > 0 {
		fmt.Fprintln(a.stdout, "\ncounts (side by side; none replaces another)")
	}
	for _, c := range s.Counts {
		bound := c.Bound
		if bound == "exactly" {
			bound = ""
		}
		fmt.Fprintf(a.stdout, "  %-22s %-6s %6d  %-12s %s, %s\n", c.Of, bound, c.Number, c.Date, c.Status, sourceLine(c.Source, languages))
	}
	printClaims(a, s.Claims, languages)
}

func printClaims(a *app, claims []node.ClaimView, languages []string) {
	if len(claims) > 0 {
		fmt.Fprintln(a.stdout, "\nstatements, each with its source")
	}
	for _, c := range claims {
		says, _ := c.Says.In(languages...)
		fmt.Fprintf(a.stdout, "  %s (%s, %s; %s)\n", says, c.Kind, c.Status, sourceLine(c.Source, languages))
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

func printCommitments(a *app, v node.AgreementView, languages []string) {
	if len(v.Commitments) > 0 {
		fmt.Fprintln(a.stdout, "\ncommitments")
	}
	for _, c := range v.Commitments {
		name, _ := c.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-4s %s\n", c.Label, name)
		for _, x := range c.Correspondences {
			fmt.Fprintf(a.stdout, "       %s %s\n", x.Relation, x.There)
		}
	}
}

func printDifference(a *app, d node.DifferenceView) {
	if d.From == d.To {
		fmt.Fprintf(a.stdout, "%s, version %s: the founding text (mithaq agreement show %s --text)\n", d.Label, d.To, d.Label)
		return
	}
	fmt.Fprintf(a.stdout, "%s: from version %s to version %s, proposed by %s\n", d.Label, d.From, d.To, d.By)
	for _, x := range d.Changes {
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
