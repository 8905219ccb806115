package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type agreementStatusCmd struct {
	agreementFlags
	Quiet string `help:"Silence after which a commitment is shown as quiet (ISO 8601, default P6M)." placeholder:"PERIOD"`
	ID    string `arg:"" help:"Agreement id, the beginning of it, or label."`
}

func (agreementStatusCmd) Help() string {
	return `Example: mithaq agreement status sahlan-norvia

For each commitment: what puts it into practice here, the last activity, the evidence with its place and proof, the gap.
It shows what was stated and when; not what was done in the world.`
}

func (c *agreementStatusCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		v, err := client.AgreementStatus(ctx, c.ID, c.Quiet)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, v)
		}
		printStatus(a, v, c.languages(a))
		return nil
	})
}

func printStatus(a *app, v node.StatusView, languages []string) {
	a = a.plain()
	mark(a, v.Mark)
	name, _ := v.Names.In(languages...)
	fmt.Fprintf(a.stdout, "kept promises: %s (%s, version %s)\n", name, v.Phase, v.Version)
	kept := 0
	for _, p := range v.Promises {
		if p.Gap == "" {
			kept++
		}
	}
	fmt.Fprintf(a.stdout, "%d of %d commitments without a gap; %s\n", kept, len(v.Promises), plural(v.Records, "record serves them", "records serve them"))
	printWitnesses(linePrinter(a), v.Witnesses)
	for _, p := range v.Promises {
		name, _ := p.Names.In(languages...)
		fmt.Fprintf(a.stdout, "\n%s  %s\n", p.Label, name)
		line := linePrinter(a)
		line("practice", mechanism(p))
		line("activity", activityLine(p))
		for _, x := range p.Parties {
			line("", fmt.Sprintf("%s: %s", partyName(x.Names, x.Label, x.Party, languages), plural(x.Count, "record")))
		}
		for _, d := range p.Deadlines {
			line("deadline", deadlineLine(d, languages))
			for _, x := range d.Parties {
				line("", fmt.Sprintf("started by %s: %d met, %d late, %d open, %d overdue", partyName(x.Names, x.Label, x.Party, languages), x.Met, x.Late, x.Open, x.Passed))
			}
		}
		for _, e := range p.Evidence {
			recalled := ""
			if e.Recalled {
				recalled = " (recalled since)"
			}
			line("evidence", fmt.Sprintf("place %d of %s, leaf %.16s…%s", e.Index, e.Log, e.Leaf, recalled))
		}
		line("gap", gapWords(p))
	}
	if len(v.Promises) > 0 {
		fmt.Fprintln(a.stdout, "\na proof of any place: mithaq log proof LOG/PLACE -o FILE.tlog-proof --object FILE.object")
	}
}

func mechanism(p node.PromiseView) string {
	if !p.Mechanism {
		return "nothing here puts it into practice"
	}
	var kinds []string
	for _, k := range p.Kinds {
		switch {
		case k.Mechanism && k.Count > 0:
			kinds = append(kinds, fmt.Sprintf("%s (%d)", k.Kind, k.Count))
		case k.Mechanism:
			kinds = append(kinds, k.Kind)
		default:
			kinds = append(kinds, fmt.Sprintf("%s (%d, not named by the text)", k.Kind, k.Count))
		}
	}
	for _, d := range p.Deadlines {
		kinds = append(kinds, "deadline "+d.Label)
	}
	return strings.Join(kinds, ", ")
}

func activityLine(p node.PromiseView) string {
	if p.Last == nil {
		return "none"
	}
	return fmt.Sprintf("%s, last on %s", plural(p.Count, "record"), p.Last.UTC().Format(time.DateOnly))
}

func deadlineLine(d node.DeadlineView, languages []string) string {
	name, _ := d.Names.In(languages...)
	parts := []string{name}
	if d.Every != "" {
		parts = append(parts, fmt.Sprintf("%d every %s", max(1, d.AtLeast), d.Every))
		if d.Missing > 0 {
			parts = append(parts, fmt.Sprintf("%d missing", d.Missing))
		}
	} else {
		parts = append(parts, "within "+d.Within, fmt.Sprintf("%d met, %d late, %d open, %d overdue", d.Met, d.Late, d.Open, d.Passed))
	}
	if d.Next != nil {
		parts = append(parts, "next on "+d.Next.UTC().Format(time.DateOnly))
	}
	return strings.Join(filled(parts...), "; ")
}

// gapWords says what a commitment lacks.
func gapWords(p node.PromiseView) string {
	switch p.Gap {
	case "no-mechanism":
		return "NO MECHANISM: the text names no kind of record and no deadline for it"
	case "overdue":
		return "OVERDUE: a deadline has passed"
	case "no-activity":
		return "NO ACTIVITY: no record serves it yet"
	case "quiet":
		return "QUIET: nothing for a long time"
	}
	return "none"
}

// partyName is what a party is called in the first of the languages that there is, else by its label or id.
func partyName(names map[string]string, label, id string, languages []string) string {
	name, _ := agreement.Text(names).In(languages...)
	return cmp.Or(name, label, id)
}
