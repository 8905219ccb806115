package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// changeFlags are shared by recall and release.
type changeFlags struct {
	dirFlag
	TLP  string   `help:"New TLP 2.0 label." placeholder:"LABEL"`
	PAP  string   `help:"New PAP label." placeholder:"LABEL"`
	To   []string `help:"New audience: party ids or officers' key ids." placeholder:"ID"`
	Note string   `help:"A sentence, in English." placeholder:"TEXT"`
	JSON bool     `help:"Print the receipt as JSON."`
	Ref  string   `arg:"" help:"Place (12, or LOG/12), leaf hash or object hash."`
}

type recallCmd struct {
	changeFlags
	Action  string   `help:"withdraw: nobody may have it any more; narrow: fewer may." enum:"withdraw,narrow" default:"withdraw"`
	Reason  string   `help:"error, false-positive, source, legal or other." enum:"error,false-positive,source,legal,other" required:""`
	Objects []string `help:"Only these objects of the bundle." placeholder:"STIX-ID"`
}

func (recallCmd) Help() string {
	return `Examples:
  mithaq recall 12 --reason false-positive
  mithaq recall 12 --action narrow --tlp AMBER --reason source

The record stays in the log; every holder obeys the recall at every exit. To destroy the contents too: mithaq erase.`
}

func (c *recallCmd) Run(ctx context.Context, a *app) error {
	return c.change(ctx, a, node.Change{Action: c.Action, Reason: c.Reason, Objects: c.Objects}, "recalled")
}

type releaseCmd struct {
	changeFlags
	Reason string `help:"Why, in one line." required:"" placeholder:"TEXT"`
}

func (releaseCmd) Help() string {
	return "Example: mithaq release 12 --tlp CLEAR --reason 'agreed by all parties'"
}

func (c *releaseCmd) Run(ctx context.Context, a *app) error {
	return c.change(ctx, a, node.Change{Action: "release", Reason: c.Reason}, "released")
}

func (c *changeFlags) change(ctx context.Context, a *app, ch node.Change, done string) error {
	var err error
	ch.TLP, ch.PAP, ch.Note = c.TLP, c.PAP, c.Note
	if ch.Parties, ch.Persons, err = audienceOf(c.To); err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		place, err := resolve(ctx, client, c.Ref)
		if err != nil {
			return err
		}
		receipt, err := client.ChangeRecord(ctx, place.Log, place.Index, ch)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, receipt)
		}
		fmt.Fprintf(a.stdout, "%s place %d of %s; the %s stands at place %d\n", done, place.Index, receipt.Log, receipt.Kind, receipt.Index)
		return nil
	})
}

// audienceOf sorts what --to names into parties and persons.
func audienceOf(to []string) (parties, persons []string, err error) {
	for _, id := range to {
		switch {
		case len(id) > 2 && id[:2] == "p-":
			parties = append(parties, id)
		case len(id) > 2 && id[:2] == "k-":
			persons = append(persons, id)
		default:
			return nil, nil, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("--to %s is neither a party id (p-…) nor a key id (k-…)", id)}
		}
	}
	return parties, persons, nil
}
