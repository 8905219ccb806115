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
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		p, err := client.PartyPage(ctx, c.Ref)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, p)
		}
		printParty(a, p, c.languages(a))
		return nil
	})
}

func printParty(a *app, p node.PartyPage, languages []string) {
	mark(a, p.Mark)
	name, _ := p.Names.In(languages...)
	fmt.Fprintf(a.stdout, "%s\n", name)
	line := linePrinter(a)
	line("party", p.ID)
	line("label", p.Label)
	line("kind", strings.Join(filled(p.Kind, p.Country), ", "))
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
		fmt.Fprintf(a.stdout, "  %-24s %-12s %-12s %s, %s\n", s.Agreement, wordOf(s.Word, s.Act, languages), s.Since, s.Status, sourceLine(s.Source, languages))
	}
	if len(p.Standing) == 0 {
		fmt.Fprintln(a.stdout, "  nothing known")
	}
}
