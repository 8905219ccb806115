package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
)

type agreementFetchCmd struct {
	dirFlag
	ID   string `arg:"" optional:"" help:"Agreement id or label (default: list what is shown)."`
	JSON bool   `help:"Print as JSON."`
}

func (agreementFetchCmd) Help() string {
	return `Example: mithaq agreement fetch sahlan-norvia

A peer shows the agreements whose roll names this party: to which it was invited, above all. The roll proves itself.`
}

func (c *agreementFetchCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		if c.ID == "" {
			return c.list(ctx, a, client)
		}
		got, err := client.FetchRoll(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, got)
		}
		mark(a, got.Mark)
		fmt.Fprintf(a.stdout, "roll of %s: %d entries, %d of them new, %s\n", got.Label, got.Entries, got.Fresh, got.Phase)
		return nil
	})
}

func (c *agreementFetchCmd) list(ctx context.Context, a *app, client *api.Client) error {
	offered, err := client.OfferedRolls(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a, offered)
	}
	for _, o := range offered {
		mark(a, o.Mark)
		fmt.Fprintf(a.stdout, "%-24s %-10s %-10s %d entries, shown by %s\n", o.Label, o.Membership, o.Phase, o.Entries, o.Peer)
	}
	if len(offered) == 0 {
		fmt.Fprintln(a.stdout, "no peer shows this party an agreement")
	}
	return nil
}
