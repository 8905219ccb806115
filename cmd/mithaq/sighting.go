package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type sightingCmd struct {
	List    sightingListCmd    `cmd:"" help:"List what detection found of shared indicators, and what became of it."`
	Show    sightingShowCmd    `cmd:"" help:"Why a sighting counts: its evidence term by term, and where to look it up."`
	Sensors sightingSensorsCmd `cmd:"" help:"The sensors, with what each last told of itself."`
	Approve sightingApproveCmd `cmd:"" help:"Send sightings back to who shared the indicators."`
	Refuse  sightingRefuseCmd  `cmd:"" help:"Keep sightings here, or call them false positives."`
}

type sightingListCmd struct {
	dirFlag
	State string `help:"Only those in this state: waiting, approved, refused or false-positive." enum:",waiting,approved,refused,false-positive" default:""`
	JSON  bool   `help:"Print as JSON."`
}

func (c *sightingListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		list, err := client.Sightings(ctx, c.State)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(list)
		}
		if len(list) == 0 {
			fmt.Fprintln(a.stderr, "no sightings: 'mithaq detect --publish' and 'mithaq sensor' put them here")
			return nil
		}
		w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tSTATE\tMATCHES\tFIRST\tLAST\tINDICATOR\tAGREEMENT\tSHARED BY")
		for _, s := range list {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.State, s.Count, dash(s.First), dash(s.Last), s.Indicator, s.Agreement, dash(s.Author))
		}
		return w.Flush()
	})
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

type sightingApproveCmd struct {
	dirFlag
	Victim string   `help:"Who was hit, in the words that are sent: only of one sighting, and only where a rule of the agreement permits it." placeholder:"TEXT"`
	JSON   bool     `help:"Print as JSON."`
	ID     []string `arg:"" help:"Sightings, as listed; all: every one that waits."`
}

func (sightingApproveCmd) Help() string {
	return `Example: mithaq sighting approve s-abcdefghijklmnop

What is sent is a record under the agreement the indicator came from, to the party that shared it: the indicator, the number of matches rounded down to a power of two, the days of the first and the last. Nothing in it says where it was seen, unless --victim says so; 'mithaq sighting show' tells whether the agreement permits that.`
}

func (c *sightingApproveCmd) Run(ctx context.Context, a *app) error {
	if c.Victim != "" && (len(c.ID) != 1 || c.ID[0] == "all") {
		return errors.New("approving sightings: --victim goes with one sighting: name it")
	}
	return decideSightings(ctx, a, c.dirFlag, c.ID, c.JSON, func(client *api.Client, id string) (node.SightingView, error) {
		return client.ApproveSighting(ctx, id, node.SightingVerdict{Victim: c.Victim})
	})
}

type sightingRefuseCmd struct {
	dirFlag
	Reason        string   `help:"Why, in one line." placeholder:"TEXT"`
	FalsePositive bool     `help:"What matched is harmless: the indicator counts for less from now on."`
	Tell          bool     `help:"With --false-positive: say so to those who have the indicator, as a record."`
	JSON          bool     `help:"Print as JSON."`
	ID            []string `arg:"" help:"Sightings, as listed; all: every one that waits."`
}

func (sightingRefuseCmd) Help() string {
	return "Example: mithaq sighting refuse s-abcdefghijklmnop --false-positive --reason 'our own mail server'"
}

func (c *sightingRefuseCmd) Run(ctx context.Context, a *app) error {
	v := node.SightingVerdict{Reason: c.Reason, FalsePositive: c.FalsePositive, Tell: c.Tell}
	return decideSightings(ctx, a, c.dirFlag, c.ID, c.JSON, func(client *api.Client, id string) (node.SightingView, error) {
		return client.RefuseSighting(ctx, id, v)
	})
}

// namedSightings are the ids that a person gave, or, for the one word all, those of the sightings that wait.
func namedSightings(ctx context.Context, client *api.Client, ids []string) ([]string, error) {
	if len(ids) != 1 || ids[0] != "all" {
		return ids, nil
	}
	list, err := client.Sightings(ctx, "waiting")
	if err != nil {
		return nil, err
	}
	ids = nil
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids, nil
}

// decideSightings decides on each of the ids in turn.
func decideSightings(ctx context.Context, a *app, dir dirFlag, ids []string, asJSON bool, decide func(*api.Client, string) (node.SightingView, error)) error {
	return a.withNode(ctx, dir, accessWrite, func(client *api.Client) error {
		ids, err := namedSightings(ctx, client, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			s, err := decide(client, id)
			if err != nil {
				return err
			}
			text := fmt.Sprintf("%s is %s\n", s.ID, s.State)
			if s.Leaf != "" {
				text = fmt.Sprintf("%s is %s: sent as %s under %s\n", s.ID, s.State, s.Leaf, s.Agreement)
			}
			if err := a.print(asJSON, s, "%s", text); err != nil {
				return err
			}
		}
		return nil
	})
}
