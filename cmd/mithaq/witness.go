package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
)

type witnessCmd struct {
	Show   witnessShowCmd   `cmd:"" help:"This node as a witness: its key, its address, what it co-signed."`
	Add    witnessAddCmd    `cmd:"" help:"Co-sign a log that is not followed here, as an outsider."`
	Policy witnessPolicyCmd `cmd:"" help:"Who must co-sign under an agreement (C2SP tlog-policy)."`
}

type witnessShowCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (witnessShowCmd) Help() string { return "Example: mithaq witness show" }

func (c *witnessShowCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		v, err := client.Witness(ctx)
		if err != nil {
			return err
		}
		if err := a.print(c.JSON, v, "vkey  %s\nurl   %s\n%s\n", v.VKey, v.URL, v.Note); err != nil || c.JSON {
			return err
		}
		for _, l := range v.Logs {
			fmt.Fprintf(a.stdout, "  %s  co-signed at %d leaves\n", l.Origin, l.Size)
		}
		return nil
	})
}

type witnessAddCmd struct {
	dirFlag
	VKey string `arg:"" name:"vkey" help:"The log's verifier key, as its author's 'mithaq log list' prints it."`
	JSON bool   `help:"Print as JSON."`
}

func (witnessAddCmd) Help() string {
	return "Example: mithaq witness add 'mithaq/l-…+…'\n\nThe witness learns an opaque name, sizes and hashes: not whose log it is, nor what is in it."
}

func (c *witnessAddCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		v, err := client.WitnessLog(ctx, c.VKey)
		if err != nil {
			return err
		}
		return a.print(c.JSON, v, "co-signs %s from now on, when its author asks\n", v.Origin)
	})
}

type witnessPolicyCmd struct {
	dirFlag
	Agreement string `arg:"" help:"Agreement id or label."`
}

func (witnessPolicyCmd) Help() string { return "Example: mithaq witness policy sahlan-norvia" }

func (c *witnessPolicyCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		text, err := client.WitnessPolicy(ctx, c.Agreement)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(text)
		return err
	})
}
