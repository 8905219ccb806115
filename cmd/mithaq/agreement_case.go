package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type agreementCaseCmd struct {
	dirFlag
	ID      string `arg:"" optional:"" help:"Agreement id, the beginning of it, or label."`
	Case    string `arg:"" optional:"" help:"Case id, or the beginning of it. Without it all are listed."`
	Publish bool   `help:"Tell the parties: make an allegation under the agreement, with both acts as its evidence." xor:"decision"`
	Dismiss bool   `help:"Leave it be: nothing is published." xor:"decision"`
	Why     string `help:"The reason for the decision." placeholder:"TEXT"`
	Officer string `help:"Key id of the officer who decides (default: the first whose key is here)." placeholder:"ID"`
	Out     string `short:"o" help:"Write the proof to this file." placeholder:"FILE"`
	Verify  string `help:"Check this proof; needs no node." placeholder:"FILE"`
	JSON    bool   `help:"Print as JSON."`
}

func (agreementCaseCmd) Help() string {
	return `Examples:
  mithaq agreement case sahlan-norvia
  mithaq agreement case sahlan-norvia 5df6 -o double.json
  mithaq agreement case --verify double.json
  mithaq agreement case sahlan-norvia 5df6 --publish --why "Norvia was asked and does not answer."

A case is proof that a party approved two children of one parent: two acts with its own signatures. It waits here for a
person, because a mistake or a stolen key is no crime: ask that party first. A decision stands once it is made.`
}

func (c *agreementCaseCmd) Run(ctx context.Context, a *app) error {
	if c.Verify != "" {
		return c.verify(a)
	}
	if c.ID == "" || c.Case == "" && (c.Publish || c.Dismiss || c.Out != "") {
		return &fault.Fault{Code: fault.Invalid, What: "no agreement or no case is named", Remedy: "give both, as 'mithaq agreement list' and 'mithaq agreement case AGREEMENT' list them"}
	}
	if (c.Publish || c.Dismiss) != (c.Why != "") {
		return &fault.Fault{Code: fault.Invalid, What: "a decision needs a reason, and a reason a decision", Remedy: "give --publish or --dismiss, and --why TEXT"}
	}
	access := accessRead
	if c.Publish || c.Dismiss {
		access = accessWrite
	}
	return a.withNode(ctx, c.dirFlag, access, func(client *api.Client) error {
		if c.Case == "" {
			return c.list(ctx, a, client)
		}
		if c.Publish || c.Dismiss {
			v, err := client.DecideCase(ctx, c.ID, c.Case, node.CaseDecision{Publish: c.Publish, Why: c.Why, By: c.Officer})
			if err != nil {
				return err
			}
			if err := a.print(c.JSON, v, "%s: %s\n", v.ID, decided(v.Decision)); err != nil || c.Out == "" {
				return err
			}
		}
		file, err := client.CaseFile(ctx, c.ID, c.Case)
		switch {
		case err != nil:
			return err
		case c.Out != "":
			return writeJSON(c.Out, file)
		}
		return printJSON(a, file)
	})
}

func (c *agreementCaseCmd) list(ctx context.Context, a *app, client *api.Client) error {
	all, err := client.Cases(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a, all)
	}
	for _, v := range all {
		fmt.Fprintf(a.stdout, "%s  found on %s, %s\n  %s\n", v.ID, v.Found.Format("2006-01-02"), decided(v.Decision), v.Says)
	}
	return nil
}

// decided says what became of a case.
func decided(d *node.CaseDecision) string {
	switch {
	case d == nil:
		return "waits for a person; nothing of it is published"
	case d.Publish:
		return fmt.Sprintf("published on %s as the allegation %.16s…: %s", d.At.Format("2006-01-02"), d.Record, d.Why)
	}
	return fmt.Sprintf("left be on %s: %s", d.At.Format("2006-01-02"), d.Why)
}

// verify checks a proof offline: exit code 0 when it proves misconduct, 1 when it proves nothing, 2 when it is no such file.
func (c *agreementCaseCmd) verify(a *app) error {
	data, err := readFile(c.Verify)
	if err != nil {
		return err
	}
	file, err := node.ParseCase(data)
	if err != nil {
		return unreadable{err}
	}
	m, err := file.Verify()
	if err != nil {
		return fmt.Errorf("%s proves nothing: %w", c.Verify, err)
	}
	return a.print(c.JSON, m, "proved: %s\nBoth acts bear its signatures. Whether it was a mistake or a stolen key, they do not say.\n", node.SaysOf(m))
}
