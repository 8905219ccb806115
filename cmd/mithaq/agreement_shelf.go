package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/node"
)

// printShelf prints what sources say of an agreement: who stands where, since when, on whose word.
func printShelf(a *app, v node.AgreementView, languages []string) {
	s := v.Shelf
	p := linePrinter(a)
	p("on the shelf", "unofficial copy; it does not run here")
	p("source", sourceLine(s.Source, languages))
	printTexts(p, s.Texts)
	if len(s.Standings) > 0 {
		fmt.Fprintln(a.stdout, "\nstanding in the world (as sources say)")
	}
	for _, x := range s.Standings {
		printStanding(a, x, languages)
	}
	printWorldCounts(a, s.Counts, languages)
	printClaims(a, s.Claims, languages)
	printItems(a, s.Items, languages)
}

// printTexts prints where the authentic texts are, each with its hash.
func printTexts(p func(name, value string), texts []node.TextView) {
	for _, t := range texts {
		what := "translation"
		if t.Authentic {
			what = "authentic text"
		}
		hash, modified := "no hash was vouched for", ""
		if t.SHA256 != "" {
			hash = "sha256 " + t.SHA256
		}
		if t.Modified != "" {
			modified = "changed " + t.Modified
		}
		p(what, strings.Join(filled(t.Language, t.Title, t.URL, t.Size, modified, hash), ", "))
	}
}

// printStanding prints where a party stands now, and below it every act with its own source.
func printStanding(a *app, x node.StandingView, languages []string) {
	name, _ := x.Names.In(languages...)
	since := "undated"
	if x.Since != "" {
		since = "since " + dated(x.Since, x.Printed)
	}
	fmt.Fprintf(a.stdout, "  %s: %s, %s, %s\n", name, wordOf(x.Word, x.Act, languages), since, x.Status)
	for _, h := range x.History {
		government, _ := h.Government.In(languages...)
		by, _ := h.By.In(languages...)
		note, _ := h.Note.In(languages...)
		if by != "" {
			by = "by " + by
		}
		fmt.Fprintf(a.stdout, "      %-10s %-10s %s\n", firstOf(h.Date, "undated"), wordOf(h.Word, h.Act, languages),
			strings.Join(filled(statusLine(h.Status, h.Confidence), by, government, sourced(h.Source, h.Place, languages), factsLine(h.Facts)), "; "))
		if note != "" {
			fmt.Fprintf(a.stdout, "      %21s %s\n", "", note)
		}
	}
}

// printWorldCounts prints the numbers that somebody gave.
func printWorldCounts(a *app, counts []node.CountView, languages []string) {
	if len(counts) > 0 {
		fmt.Fprintln(a.stdout, "\ncounts (side by side; none replaces another)")
	}
	for _, c := range counts {
		bound := c.Bound
		if bound == "exactly" {
			bound = ""
		}
		fmt.Fprintf(a.stdout, "  %-22s %-6s %6d  %-12s %s; %s\n", c.Of, bound, c.Number, c.Date, statusLine(c.Status, c.Confidence), sourced(c.Source, c.Place, languages))
	}
}

// printClaims prints what sources say, but for the counts, which have their own table.
func printClaims(a *app, claims []node.ClaimView, languages []string) {
	claims = slices.DeleteFunc(slices.Clone(claims), func(c node.ClaimView) bool { return c.Kind == "count" })
	if len(claims) > 0 {
		fmt.Fprintln(a.stdout, "\nstatements, each with its source")
	}
	for _, c := range claims {
		says, _ := c.Says.In(languages...)
		fmt.Fprintf(a.stdout, "  %s: %s\n      %s\n", c.Label, says, claimLine(c, languages))
	}
}

// claimLine says what a statement is and on whose word it rests.
func claimLine(c node.ClaimView, languages []string) string {
	by, _ := c.SaidBy.In(languages...)
	switch {
	case by != "" && c.Protected:
		by = "said by " + by + ", who is not to be named"
	case by != "":
		by = "said by " + by
	case c.Protected:
		by = "said by somebody who is not to be named"
	}
	about, against, language := "", "", ""
	if c.About != "" {
		about = "about " + c.About
	}
	if len(c.Against) > 0 {
		against = "against " + strings.Join(c.Against, ", ")
	}
	if c.Language != "" {
		language = "in " + c.Language
	}
	return strings.Join(filled(c.Kind, statusLine(c.Status, c.Confidence), about, by, sourced(c.Source, c.Place, languages), language,
		dated(c.Date, c.Printed), against, factsLine(c.Facts)), "; ")
}

// printItems prints the entries of a list, by group.
func printItems(a *app, items []node.ItemView, languages []string) {
	if len(items) > 0 {
		fmt.Fprintln(a.stdout, "\nentries")
	}
	for _, i := range items {
		name, _ := i.Names.In(languages...)
		indent := ""
		if i.Group != "" {
			indent = "  "
		}
		code := ""
		if i.Code != "" && i.Code != i.Label {
			code = " (" + i.Code + ")"
		}
		fmt.Fprintf(a.stdout, "  %s%-24s %s%s\n", indent, i.Label, name, code)
		printCorrespondences(a, i.Correspondences, languages)
	}
}

// printCommitments prints what is promised, what puts it into practice, and what it corresponds to elsewhere.
func printCommitments(a *app, v node.AgreementView, languages []string) {
	if len(v.Commitments) > 0 {
		fmt.Fprintln(a.stdout, "\ncommitments")
	}
	for _, c := range v.Commitments {
		name, _ := c.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-4s %s\n", c.Label, strings.Join(filled(name, c.Article), ", "))
		practice := slices.Clone(c.Kinds)
		for _, d := range c.Deadlines {
			practice = append(practice, "deadline "+d)
		}
		if len(practice) == 0 {
			practice = []string{"nothing: NO MECHANISM, the text names no kind of record and no deadline"}
		}
		fmt.Fprintf(a.stdout, "       put into practice by: %s\n", strings.Join(practice, ", "))
		if note, _ := c.Note.In(languages...); note != "" {
			fmt.Fprintf(a.stdout, "       note: %s\n", note)
		}
		printCorrespondences(a, c.Correspondences, languages)
	}
}

func printCorrespondences(a *app, all []agreement.Correspondence, languages []string) {
	for _, x := range all {
		name, _ := x.Names.In(languages...)
		fmt.Fprintf(a.stdout, "       %s %s\n", x.Relation, strings.Join(filled(x.There, name), ": "))
	}
}

// statusLine keeps reported and verified apart, with how sure whoever entered the statement is.
func statusLine(status, confidence string) string {
	if confidence == "" {
		return status
	}
	return status + ", " + confidence + " confidence"
}

// sourced is a source with the place in it.
func sourced(s *node.SourceView, place string, languages []string) string {
	if s == nil {
		return ""
	}
	return strings.Join(filled(sourceLine(s, languages), place), ", ")
}

func factsLine(facts []string) string {
	if len(facts) == 0 {
		return ""
	}
	return "facts " + strings.Join(facts, " ")
}

func firstOf(words ...string) string {
	return append(filled(words...), "")[0]
}
