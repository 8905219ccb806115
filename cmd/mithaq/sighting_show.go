package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/node"
)

type sightingShowCmd struct {
	dirFlag
	JSON bool   `help:"Print as JSON."`
	ID   string `arg:"" help:"Sighting, as listed; all: every one that waits."`
}

func (sightingShowCmd) Help() string {
	return "Example: mithaq sighting show s-abcdefghijklmnop\n\nThe surest match: what was seen, which term of the evidence added how much, the packets or lines behind it. None of it is sent. The last line says whether the agreement lets a sighting name who was hit."
}

func (c *sightingShowCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		ids, err := namedSightings(ctx, client, []string{c.ID})
		if err != nil {
			return err
		}
		for _, id := range ids {
			s, err := client.Sighting(ctx, id)
			if err != nil {
				return err
			}
			if c.JSON {
				err = json.NewEncoder(a.stdout).Encode(s)
			} else {
				err = printSighting(a.plain(), s)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func printSighting(a *app, s node.SightingView) error {
	fmt.Fprintf(a.stdout, "%s  %s  %d matches  %s\n", s.ID, s.State, s.Count, s.Indicator)
	e := s.Example
	if e == nil {
		fmt.Fprintln(a.stdout, "  detection gave no example")
		return nil
	}
	fmt.Fprintf(a.stdout, "  seen %s %s (%s), sure %.2f\n", e.Seen.Kind, e.Seen.Value, e.Seen.Field, e.Sure)
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	for _, t := range e.Evidence {
		fmt.Fprintf(w, "  %s\t%+.2f\t%s\n", t.Name, t.Weight, t.Why)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range e.Rows {
		at := "at an unknown time"
		if r.Time != nil {
			at = r.Time.Format(time.RFC3339)
		}
		fmt.Fprintf(a.stdout, "  %s  %s  %s\n", at, placeText(r.Where), flowText(r.Flow))
	}
	printVictim(a, s.Victim)
	return nil
}

// printVictim says whether the sighting may name who was hit.
func printVictim(a *app, v *node.VictimView) {
	if v == nil {
		return
	}
	fmt.Fprintf(a.stdout, "  naming who was hit: %s\n", strings.ToLower(strings.Join(v.Why["en"], " ")))
	if v.Allowed && len(v.Hosts) > 0 {
		fmt.Fprintf(a.stdout, "  the other ends here: %s (sent only if you write it: --victim)\n", strings.Join(v.Hosts, ", "))
	}
}

// placeText says where something can be looked up.
func placeText(w engine.Where) string {
	switch {
	case w.Packet > 0:
		return fmt.Sprintf("%s packet %d", w.File, w.Packet)
	case w.Line > 0:
		return fmt.Sprintf("%s line %d", w.File, w.Line)
	}
	return strings.TrimSpace(w.File + " " + w.Object)
}

func flowText(f *engine.Flow) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%s → %s:%d %s", f.Src, f.Dst, f.DstPort, f.Protocol)
}

type sightingSensorsCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (c *sightingSensorsCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		list, err := client.Sensors(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(list)
		}
		if len(list) == 0 {
			fmt.Fprintln(a.stderr, "no sensor has told of itself: 'mithaq sensor' and 'mithaq detect --publish' do")
			return nil
		}
		w := tabwriter.NewWriter(a.plain().stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tTOLD\tEVENTS\tALERTS\tCONTEXT\tINDICATORS\tBEACONS\tREADS")
		for _, s := range list {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", s.Name, s.Told.Local().Format(time.DateTime), s.Events, s.Alerts, s.Context, s.Indicators, len(s.Beacons), s.Source)
		}
		return w.Flush()
	})
}
