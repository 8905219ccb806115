package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type draftCmd struct {
	dirFlag
	Text   string `help:"Of a kept draft: replace the agreement's text by this file's." placeholder:"FILE"`
	Out    string `help:"Of a kept draft that is being signed: write it to a file, for officers elsewhere." placeholder:"FILE"`
	Take   string `help:"Of a kept draft: take in the approvals and signatures of such a file." placeholder:"FILE"`
	Reopen bool   `help:"Of a kept draft: let its words be changed again; its approvals are dropped."`
	Drop   bool   `help:"Of a kept draft: forget it."`
	JSON   bool   `help:"Print as JSON."`
	Draft  string `arg:"" help:"Draft that --draft wrote, or the id of one that is kept on the node."`
}

func (draftCmd) Help() string {
	return "Example: mithaq agreement draft withdraw.draft\n\nShows who has approved and signed. Compare the digest by telephone: it names the exact act."
}

func (c *draftCmd) Run(ctx context.Context, a *app) error {
	if node.IsDraftID(c.Draft) {
		return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error { return c.kept(ctx, a, client) })
	}
	var d node.ActDraft
	if err := readJSON(c.Draft, &d); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a, d)
	}
	fmt.Fprintf(a.stdout, "agreement %s\ndigest    %s\nneeded    %s\n", d.Agreement, d.Digest, plural(d.Needed, "officer"))
	for _, s := range d.Approvals {
		fmt.Fprintf(a.stdout, "approved  %s\n", s.KeyID)
	}
	for _, s := range d.Signatures {
		fmt.Fprintf(a.stdout, "signed    %s\n", s.KeyID)
	}
	fmt.Fprintf(a.stdout, "\n%s\n", d.Payload)
	return nil
}

type signCmd struct {
	dirFlag
	Officer string `help:"Which officer signs (default: the first whose key is here)." placeholder:"KEY"`
	Root    string `help:"The root key's file, to open this party's log under an agreement that a kept draft founds (default: root.age in DIR)." placeholder:"FILE"`
	Draft   string `arg:"" help:"Draft that --draft wrote, which is rewritten; or the id of one that is kept on the node."`
}

func (signCmd) Help() string {
	return `Example: mithaq agreement sign withdraw.draft --officer k-…

The first call approves; nobody's signature counts before enough have approved, so whoever approved early calls again.
A kept draft that is still being written is fixed first: from then on its words stand.`
}

func (c *signCmd) Run(ctx context.Context, a *app) error {
	if node.IsDraftID(c.Draft) {
		return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error { return c.signKept(ctx, a, client) })
	}
	var d node.ActDraft
	if err := readJSON(c.Draft, &d); err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		step, err := client.SignDraft(ctx, d, c.Officer)
		if err != nil {
			return err
		}
		if err := writeJSON(c.Draft, step.Draft); err != nil {
			return err
		}
		if step.Approved {
			fmt.Fprintf(a.stdout, "approved by %s: %d of %d\n", step.Officer, len(step.Draft.Approvals), d.Needed)
		}
		if step.Signed {
			fmt.Fprintf(a.stdout, "signed by %s: %d of %d\n", step.Officer, len(step.Draft.Signatures), d.Needed)
		}
		if step.Complete {
			fmt.Fprintf(a.stdout, "complete: mithaq agreement submit %s\n", c.Draft)
		}
		return nil
	})
}

type submitCmd struct {
	actFlags
	File string `arg:"" name:"draft" help:"Draft that enough officers have signed: its file, or the id of one that is kept on the node."`
}

func (submitCmd) Help() string { return "Example: mithaq agreement submit withdraw.draft" }

func (c *submitCmd) Run(ctx context.Context, a *app) error {
	submit := func(client *api.Client) (node.ActOutcome, error) { return client.SubmitKept(ctx, c.File) }
	if !node.IsDraftID(c.File) {
		var d node.ActDraft
		if err := readJSON(c.File, &d); err != nil {
			return err
		}
		submit = func(client *api.Client) (node.ActOutcome, error) { return client.SubmitDraft(ctx, d) }
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		out, err := submit(client)
		if err != nil {
			return err
		}
		return c.report(a, "submitted", out)
	})
}
