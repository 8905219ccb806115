package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type showCmd struct {
	dirFlag
	JSON bool   `help:"Print the record as JSON." xor:"form"`
	Raw  bool   `help:"Print the exact bytes of the body." xor:"form"`
	Ref  string `arg:"" help:"Place (12, or LOG/12), record id, leaf hash or object hash."`

	Receipts bool `help:"Say who has it, who opened it and who read it, and who obeys its recalls." xor:"what"`
	Read     bool `help:"Tell its author that you have read it, once it was shown." xor:"what"`
}

func (showCmd) Help() string {
	return `Examples:
  mithaq show 3 --raw > bundle.json
  mithaq show 3 --receipts`
}

func (c *showCmd) Run(ctx context.Context, a *app) error {
	need := accessRead
	if c.Read {
		need = accessWrite
	}
	return a.withNode(ctx, c.dirFlag, need, func(client *api.Client) error {
		place, err := resolve(ctx, client, c.Ref)
		if err != nil {
			return err
		}
		if c.Receipts {
			return a.printReceipts(ctx, client, place, c.JSON)
		}
		if err := c.show(ctx, a, client, place); err != nil || !c.Read {
			return err
		}
		return a.confirmRead(ctx, client, place, false)
	})
}

// show prints a record as it is wanted.
func (c *showCmd) show(ctx context.Context, a *app, client *api.Client, place node.Place) error {
	if c.Raw {
		body, err := client.RecordBody(ctx, place.Log, place.Index)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(body)
		return err
	}
	rec, err := client.Record(ctx, place.Log, place.Index)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rec)
	}
	if err := printRecord(a, rec); err != nil || rec.Kind != "intel" || len(rec.Body) == 0 {
		return err
	}
	return a.printCorrelations(ctx, client, place)
}

// printCorrelations tells where else the values of a record stand.
func (a *app) printCorrelations(ctx context.Context, client *api.Client, place node.Place) error {
	c, err := client.Correlate(ctx, place.Log, place.Index)
	if fault.CodeOf(err) == fault.Unavailable {
		return nil // there is no index yet, and the record was shown
	}
	if err != nil {
		return err
	}
	for _, v := range c.Values {
		if v.Capped {
			fmt.Fprintf(a.stdout, "correlates %s: in too many records to tell anything\n", oneLine(v.Value))
		}
		for _, o := range v.Others {
			what := ""
			if o.How != "same" {
				what = " " + o.How + " " + oneLine(o.Value)
			}
			fmt.Fprintf(a.stdout, "correlates %s%s: %s/%d, %s\n", oneLine(v.Value), what, o.Log, o.Index, o.Object)
		}
	}
	if c.Omitted > 0 {
		fmt.Fprintf(a.stdout, "correlates: %d more values were not looked for\n", c.Omitted)
	}
	return nil
}

// resolve turns what a person types for a record into its place.
func resolve(ctx context.Context, client *api.Client, ref string) (node.Place, error) {
	log, number, ok := strings.Cut(ref, "/")
	if !ok {
		log, number = "own", ref
	}
	if index, err := strconv.ParseInt(number, 10, 64); err == nil && index >= 0 {
		return node.Place{Log: log, Index: index}, nil
	}
	return client.Find(ctx, ref)
}

func printRecord(a *app, r node.RecordView) error {
	a = a.plain()
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(a.stdout, "%-10s %s\n", name, value)
		}
	}
	mark(a, r.Mark)
	line("place", fmt.Sprintf("%d of %s", r.Index, r.Log))
	line("standing", r.Standing)
	line("why", r.Why)
	if r.Witnessed != nil {
		line("witnessed", map[bool]string{true: "yes: the log with it only grew (no witness read it)", false: "not yet witnessed"}[*r.Witnessed])
	}
	line("kind", r.Kind)
	line("record", r.ID)
	line("author", r.Author)
	line("officer", r.Officer)
	if r.Time != nil {
		line("signed", r.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if r.Expires != nil {
		line("expires", r.Expires.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	line("marking", strings.TrimSpace(r.TLP+" "+r.PAP))
	line("audience", strings.Join(append(r.Parties, r.Persons...), " "))
	line("serves", strings.Join(r.Serves, " "))
	for _, ref := range r.Refs {
		line("ref", ref.Rel+" "+ref.Leaf)
	}
	for _, t := range r.Tags {
		line("tag", oneLine(t.Tag)+" ("+t.Names["en"]+")")
	}
	for _, g := range r.Galaxies {
		name := oneLine(g.Name)
		if !strings.Contains(name, g.Number) {
			name += " " + oneLine(g.Number)
		}
		if name == "" {
			name = oneLine(g.ID) + ", which is not here"
		}
		line("galaxy", fmt.Sprintf("%s %s %s (%s)", oneLine(g.Object), oneLine(g.How), name, oneLine(g.Type)))
	}
	for _, w := range r.Warnings {
		line("warning", fmt.Sprintf("%s is on the list %q", oneLine(w.Value), oneLine(w.List)))
	}
	for _, o := range r.Recalled {
		line("recalled", oneLine(o.Object)+" (entry "+o.By+")")
	}
	line("leaf", r.Leaf)
	line("object", r.Object)
	if len(r.Body) == 0 {
		return nil
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, r.Body, "", "  "); err != nil {
		return fmt.Errorf("showing the body: %w", err)
	}
	fmt.Fprintf(a.stdout, "\n%s\n", pretty.Bytes())
	return nil
}
