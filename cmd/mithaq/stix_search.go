package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type stixSearchCmd struct {
	dirFlag
	JSON      bool     `help:"Print the results with the objects as JSON."`
	Type      string   `help:"Objects of this STIX type only." placeholder:"TYPE"`
	Agreement string   `help:"Under this agreement only: its id, or own." placeholder:"ID"`
	Limit     int      `help:"How many results (1 to 1000)." default:"20"`
	Before    int64    `help:"Go on after a page: its next." placeholder:"N"`
	Query     []string `arg:"" help:"Words, an indicator or a STIX id."`
}

func (stixSearchCmd) Help() string {
	return `Examples:
  mithaq stix search emotet --type malware
  mithaq stix search 198.51.100.7
  mithaq stix search indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60 --json

Unlike 'mithaq search' it lists single objects. What was recalled, has expired or may not be shown is not found. Exit code
1: nothing was found.`
}

func (c *stixSearchCmd) Run(ctx context.Context, a *app) error {
	if c.Limit < 1 || c.Limit > node.MaxSTIXResults {
		return &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("searching for %d results", c.Limit), Remedy: fmt.Sprintf("give --limit 1 to %d", node.MaxSTIXResults)}
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		found, err := client.SearchSTIX(ctx, node.STIXQuery{Text: strings.Join(c.Query, " "), Type: c.Type, Agreement: c.Agreement, Limit: c.Limit, Before: c.Before})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(found)
		}
		for _, r := range found.Results {
			fmt.Fprintf(a.stdout, "%s  %s  %s/%d  %s%s\n", r.ID, r.TLP, r.Log, r.Index, oneLine(labelOf(r.Object)), tagged(a, r.Mark))
		}
		if found.Next > 0 {
			fmt.Fprintf(a.stdout, "more: --before %d\n", found.Next)
		}
		if len(found.Results) == 0 {
			fmt.Fprintln(a.stderr, "mithaq: nothing found")
			return exitCode(exitNo)
		}
		return nil
	})
}

// labelOf is what a person recognises an object by: its name, its value or its pattern.
func labelOf(object json.RawMessage) string {
	var o struct{ Name, Value, Pattern, Abstract, Content, Description string }
	if json.Unmarshal(object, &o) != nil {
		return ""
	}
	for _, text := range []string{o.Name, o.Value, o.Pattern, o.Abstract, o.Content, o.Description} {
		if text != "" {
			return clipLine(text)
		}
	}
	return ""
}

func clipLine(s string) string {
	const most = 120
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
