package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/node"
)

type factsCmd struct {
	langFlag
	JSON bool   `help:"Print as JSON."`
	What string `arg:"" optional:"" help:"Number (003-1), document (003), agreement, or party; absent: all."`
}

func (factsCmd) Help() string {
	return `Examples:
  mithaq facts 003-1
  mithaq facts paris-call
  mithaq facts jp

What the documents report, each statement with its source and the place in it. Reported is not verified; what another source
says stands beside it under the same number. It ships with the program and needs no node.`
}

func (c *factsCmd) Run(_ context.Context, a *app) error {
	all, err := node.NewShelfAlone("").Facts(c.What)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a, all)
	}
	printFacts(a, all, c.languages(a))
	return nil
}

func printFacts(a *app, all []node.FactView, languages []string) {
	a = a.plain()
	for _, f := range all {
		says, _ := f.Says.In(languages...)
		claim := f.ClaimView
		claim.Facts = nil // its own number stands before it
		fmt.Fprintf(a.stdout, "%-7s %s\n%7s %s\n", f.Number, says, "", claimLine(claim, languages))
	}
}
