package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// keep begins a draft on the node instead of acting. A founding proposal has no id before its words are fixed.
func (f *actFlags) keep(ctx context.Context, a *app, client *api.Client, id string, q node.ActRequest) error {
	if q.Act == "propose" {
		id = ""
	}
	d, err := client.KeepDraft(ctx, node.DraftWords{Agreement: id, Act: q})
	if err != nil {
		return err
	}
	if f.JSON {
		return printJSON(a, d)
	}
	fmt.Fprintf(a.stdout, "draft %s of %s is kept on the node: %s must approve and sign it\nnext: mithaq agreement sign %s --officer KEY\n", d.ID, q.Act, plural(d.Needed, "officer"), d.ID)
	return nil
}

type draftsCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (draftsCmd) Help() string {
	return "Example: mithaq agreement drafts\n\nWhat --keep began, here or on the screens: who changed it last, and how many officers have approved and signed."
}

func (c *draftsCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		list, err := client.Drafts(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, list)
		}
		if len(list) == 0 {
			fmt.Fprintln(a.stdout, "no draft is kept here: begin one with --keep, as in 'mithaq agreement amend ID FILE --keep'")
		}
		a = a.plain()
		for _, d := range list {
			fmt.Fprintf(a.stdout, "%s  %s  %-9s  %-8s  %d of %d approved, %d signed  %s\n", d.ID, d.Changed.Local().Format(time.DateTime), d.State, d.Act.Act, d.Approved, d.Needed, d.Signed, d.Names["en"])
		}
		return nil
	})
}

// kept shows a draft that is kept on the node, after the change that was asked for.
func (c *draftCmd) kept(ctx context.Context, a *app, client *api.Client) error {
	if c.Drop {
		return client.DropDraft(ctx, c.Draft)
	}
	d, err := client.Draft(ctx, c.Draft)
	if err == nil && c.Reopen {
		d, err = client.ReopenDraft(ctx, c.Draft)
	}
	if err == nil && c.Text != "" {
		var text []byte
		if text, err = os.ReadFile(c.Text); err == nil {
			d.Act.Definition = string(text)
			d, err = client.SaveDraft(ctx, c.Draft, node.DraftWords{Revision: d.Revision, Act: d.Act})
		}
	}
	if err == nil && c.Take != "" {
		var f node.ActDraft
		if err = readJSON(c.Take, &f); err == nil {
			d, err = client.TakeDraft(ctx, c.Draft, f)
		}
	}
	if err == nil && c.Out != "" {
		if d.File == nil {
			err = &fault.Fault{Code: fault.Conflict, What: "writing draft " + d.ID + ": it is being written", Remedy: "fix its words: mithaq agreement sign " + d.ID}
		} else {
			err = writeJSON(c.Out, d.File)
		}
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a, d)
	}
	printKept(a, d)
	return nil
}

func printKept(a *app, d node.KeptDraft) {
	a = a.plain()
	mark(a, d.Mark)
	fmt.Fprintf(a.stdout, "draft     %s of %s, %s\nagreement %s\n", d.ID, d.Act.Act, d.State, d.Agreement)
	if d.File != nil {
		fmt.Fprintf(a.stdout, "digest    %s\n", d.File.Digest)
	}
	fmt.Fprintf(a.stdout, "needed    %s: %d approved, %d signed\n", plural(d.Needed, "officer"), d.Approved, d.Signed)
	for _, o := range d.Officers {
		switch {
		case o.Signed:
			fmt.Fprintf(a.stdout, "signed    %s\n", o.Key)
		case o.Approved:
			fmt.Fprintf(a.stdout, "approved  %s\n", o.Key)
		}
	}
	if d.Trouble != "" {
		fmt.Fprintf(a.stdout, "trouble   %s\n", strings.ReplaceAll(d.Trouble, "\n", "; "))
	}
	printChanges(a, d.Changes)
}

// signKept approves, and signs when enough have approved. Words that are still open are fixed first.
func (c *signCmd) signKept(ctx context.Context, a *app, client *api.Client) error {
	d, err := client.Draft(ctx, c.Draft)
	if err == nil && d.State == "writing" {
		d, err = c.fix(ctx, a, client, d)
	}
	if err != nil {
		return err
	}
	if d.File == nil {
		return &fault.Fault{Code: fault.Conflict, What: "signing draft " + d.ID + ": it was submitted already"}
	}
	before := d
	if d, err = client.SignKept(ctx, d.ID, node.DraftTurn{Digest: d.File.Digest, Officer: c.Officer}); err != nil {
		return err
	}
	if d.Approved > before.Approved {
		fmt.Fprintf(a.stdout, "approved: %d of %d\n", d.Approved, d.Needed)
	}
	if d.Signed > before.Signed {
		fmt.Fprintf(a.stdout, "signed: %d of %d\n", d.Signed, d.Needed)
	}
	if d.Complete {
		fmt.Fprintf(a.stdout, "complete: mithaq agreement submit %s\n", d.ID)
	}
	return nil
}

// fix ends the writing. The words of a founding proposal tell under which agreement this party needs a log.
func (c *signCmd) fix(ctx context.Context, a *app, client *api.Client, d node.KeptDraft) (node.KeptDraft, error) {
	turn := node.DraftTurn{Revision: d.Revision, Officer: c.Officer}
	fixed, err := client.FixDraft(ctx, d.ID, turn)
	if fault.CodeOf(err) != fault.NoLog {
		return fixed, err
	}
	id := d.Agreement
	if id == "" {
		id = agreement.ID([]byte(d.Act.Definition))
	}
	if err := openLog(ctx, a, c.dirFlag, client, node.KeyChange{Agreement: id}, c.Root, false); err != nil {
		return d, err
	}
	return client.FixDraft(ctx, d.ID, turn)
}
