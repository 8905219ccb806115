package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type partyCmd struct {
	agreementFlags
	Ref string `arg:"" optional:"" name:"party" help:"Party id, label, or a state's ISO code (default: this node's own)."`
}

func (partyCmd) Help() string {
	return "Example: mithaq party fr\n\nWhere a party stands in the world and what it runs here are shown apart: one is a source's word, the other a roll's."
}

func (c *partyCmd) Run(ctx context.Context, a *app) error {
	show := func(p node.PartyPage, err error) error {
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, p)
		}
		printParty(a, p, c.languages(a))
		return nil
	}
	if shelf, alone, err := c.shelfAlone(a); err != nil {
		return err
	} else if alone && c.Ref != "" {
		return show(shelf.Party(c.Ref))
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		return show(client.PartyPage(ctx, c.Ref))
	})
}

func printParty(a *app, p node.PartyPage, languages []string) {
	a = a.plain()
	mark(a, p.Mark)
	name, _ := p.Names.In(languages...)
	fmt.Fprintf(a.stdout, "%s\n", name)
	line := linePrinter(a)
	line("party", p.ID)
	line("label", p.Label)
	line("kind", strings.Join(filled(p.Kind, p.Country), ", "))
	office, _ := p.Office.In(languages...)
	line("office", office)
	line("of", p.Of)
	line("fingerprint", p.Fingerprint)
	fmt.Fprintln(a.stdout, "\nconnected here (rolls)")
	for _, r := range p.Connected {
		fmt.Fprintf(a.stdout, "  %-10s %s  %s\n", r.Membership, r.Since, r.Label)
	}
	if len(p.Connected) == 0 {
		fmt.Fprintln(a.stdout, "  none")
	}
	fmt.Fprintln(a.stdout, "\nstanding in the world (as sources say)")
	for _, s := range p.Standing {
		fmt.Fprintf(a.stdout, "  %-20s %s\n", s.Agreement, standingLine(s, languages))
	}
	for _, s := range p.Through {
		body, _ := s.Names.In(languages...)
		fmt.Fprintf(a.stdout, "  %-20s %s, through %s\n", s.Agreement, standingLine(s, languages), body)
	}
	if len(p.Standing)+len(p.Through) == 0 {
		fmt.Fprintln(a.stdout, "  nothing known")
	}
	if len(p.Facts) > 0 {
		fmt.Fprintln(a.stdout, "\nwhat documents say of it, each with its source")
		printFacts(a, p.Facts, languages)
	}
}

// standingLine says in one line where a party stands, since when, on whose word.
func standingLine(s node.PartyStanding, languages []string) string {
	since := "undated"
	if s.Since != "" {
		since = "since " + dated(s.Since, s.Printed)
	}
	return strings.Join(filled(wordOf(s.Word, s.Act, languages), since, s.Status, sourceLine(s.Source, languages)), ", ")
}
