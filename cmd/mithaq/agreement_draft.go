package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type draftCmd struct {
	File string `arg:"" help:"Draft that --draft wrote."`
}

func (draftCmd) Help() string {
	return "Example: mithaq agreement draft withdraw.draft\n\nShows who has approved and signed. Compare the digest by telephone: it names the exact act."
}

func (c *draftCmd) Run(_ context.Context, a *app) error {
	var d node.ActDraft
	if err := readJSON(c.File, &d); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "agreement %s\ndigest    %s\nneeded    %d officers\n", d.Agreement, d.Digest, d.Needed)
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
	File    string `arg:"" help:"Draft that --draft wrote; it is rewritten."`
}

func (signCmd) Help() string {
	return `Example: mithaq agreement sign withdraw.draft --officer k-…

The first call approves; nobody's signature counts before enough have approved, so whoever approved early calls again.`
}

func (c *signCmd) Run(ctx context.Context, a *app) error {
	var d node.ActDraft
	if err := readJSON(c.File, &d); err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		step, err := client.SignDraft(ctx, d, c.Officer)
		if err != nil {
			return err
		}
		if err := writeJSON(c.File, step.Draft); err != nil {
			return err
		}
		if step.Approved {
			fmt.Fprintf(a.stdout, "approved by %s: %d of %d\n", step.Officer, len(step.Draft.Approvals), d.Needed)
		}
		if step.Signed {
			fmt.Fprintf(a.stdout, "signed by %s: %d of %d\n", step.Officer, len(step.Draft.Signatures), d.Needed)
		}
		if step.Complete {
			fmt.Fprintf(a.stdout, "complete: mithaq agreement submit %s\n", c.File)
		}
		return nil
	})
}

type submitCmd struct {
	actFlags
	File string `arg:"" help:"Draft that enough officers have signed."`
}

func (submitCmd) Help() string { return "Example: mithaq agreement submit withdraw.draft" }

func (c *submitCmd) Run(ctx context.Context, a *app) error {
	var d node.ActDraft
	if err := readJSON(c.File, &d); err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		out, err := client.SubmitDraft(ctx, d)
		if err != nil {
			return err
		}
		return c.report(a, "submitted", out)
	})
}
