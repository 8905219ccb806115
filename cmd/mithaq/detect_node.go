package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/sensor"
	"github.com/mithaq/mithaq/internal/detect/warning"
	"github.com/mithaq/mithaq/internal/node"
)

// isNode tells whether a name among the indicators means a node and not a file.
func isNode(name string) bool {
	return name == "node" || strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://")
}

// connect opens the node that indicators come from, or that sightings go to.
func (d *detection) connect(ctx context.Context) (done func(), err error) {
	named := slices.DeleteFunc(slices.Clone(d.cmd.Indicators), func(s string) bool { return !isNode(s) })
	if slices.ContainsFunc(d.cmd.Shadow, isNode) {
		return nil, unreadable{errors.New("a node cannot be on trial: --shadow takes files")}
	}
	switch {
	case len(named) > 1:
		return nil, unreadable{errors.New("one node at a time: name it once in --indicators")}
	case len(named) == 1 && named[0] != "node":
		d.client = api.Over(named[0], d.app.env("MITHAQ_TOKEN"))
		return d.client.Close, nil
	case len(named) == 0 && !d.cmd.Publish:
		return func() {}, nil
	}
	dir, err := d.cmd.path(d.app)
	if err != nil {
		return nil, err
	}
	client, stop, err := d.app.connect(ctx, dir, accessWrite)
	if err != nil {
		return nil, err
	}
	d.client = client
	return func() {
		if err := stop(); err != nil {
			fmt.Fprintln(d.app.stderr, "mithaq:", err)
		}
	}, nil
}

// openFeed makes the feed of a node's indicators, where one is named.
func (d *detection) openFeed(seed uint64, lists *warning.Lists) (*feed.Feed, error) {
	if !slices.ContainsFunc(d.cmd.Indicators, isNode) {
		return nil, nil
	}
	return feed.Open(feed.Options{Name: "node", Seed: seed, Warnings: lists, Now: time.Now,
		Refused: func(r intel.Refusal) { d.name("indicator left out: " + r.String()) }})
}

// pull takes in what changed at the node, beside what files hold.
func (d *detection) pull(ctx context.Context) error {
	if d.feed == nil {
		return nil
	}
	got, err := d.feed.Pull(ctx, d.client.Indicators)
	if err != nil {
		return err
	}
	if got.Reset {
		if err := d.feed.Store().Add(d.base, 1); err != nil {
			return err
		}
	}
	plans := d.feed.Plans()
	maps.Copy(plans, d.files.Plans)
	d.engine.SetPlans(plans)
	n, _ := d.feed.Len()
	d.summary.FromNode = n
	return nil
}

// feedback joins what partners say in files with what the node knows.
func (d *detection) feedback(id index.ID) engine.Feedback {
	f := engine.Feedback{Partners: d.files.Doubted[id]}
	if d.feed != nil {
		v := d.feed.Verdicts(id)
		f.Confirmed, f.Refused, f.Partners = v.Confirmed, v.Refused, f.Partners+v.Partners
	}
	return f
}

// publish puts sightings of indicators that came in records up for a person's approval.
func (d *detection) publish(ctx context.Context) error {
	if !d.cmd.Publish {
		return nil
	}
	if err := d.client.ReportSensor(ctx, d.picture()); err != nil {
		return err
	}
	var found []node.FoundSighting
	unknown := 0
	for _, f := range d.sightings.All() {
		if f.From.Record == "" {
			unknown++
			continue
		}
		found = append(found, node.FoundSighting{Indicator: f.Indicator.ID, Record: f.From.Record, Count: f.Count, First: f.First, Last: f.Last, Example: f.Example})
	}
	if unknown > 0 {
		fmt.Fprintf(d.app.stderr, "%d indicators name no record they were shared in: there is nobody to send a sighting to\n", unknown)
	}
	if len(found) == 0 {
		return nil
	}
	added, err := d.client.AddSightings(ctx, found)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.app.stderr, "%d sightings wait for approval: see 'mithaq sighting list'\n", added.Added)
	return nil
}

// picture is what this run tells of itself, as a sensor would.
func (d *detection) picture() node.SensorReport {
	stats := d.engine.Stats()
	r := sensorReport("detect", sensor.Draw(d.history, d.engine))
	r.Once, r.Source, r.Started, r.Indicators = true, clipText(strings.Join(d.cmd.Inputs, " "), 400), d.started, d.summary.FromNode+d.files.Report.Indicators
	r.Alerts, r.Context = stats.Matches[engine.Alert], stats.Matches[engine.Context]
	for _, in := range d.summary.Inputs {
		r.Events += in.Events
	}
	for _, in := range d.summary.Packets {
		r.Events += in.Events
	}
	return r
}

// sensorReport makes what a sensor tells of the traffic.
func sensorReport(name string, p sensor.Picture) node.SensorReport {
	r := node.SensorReport{Name: clipText(name, 100), Version: clipText(version(), 100), Hellos: p.Prints.Hellos, Sources: int64(p.Prints.Sources), Settled: p.Prints.Settled}
	for _, f := range p.Prints.Rarest {
		r.Prints = append(r.Prints, node.SensorPrint{Kind: f.Kind, Value: f.Value, Count: f.Count, Sources: int64(f.Sources)})
	}
	for _, m := range p.Beacons {
		r.Beacons = append(r.Beacons, node.SensorBeacon{Time: m.Time, Sure: m.Sure, Flow: m.Flow, Value: clipText(m.Seen.Value, 400), Evidence: m.Evidence})
	}
	return r
}

// clipText shortens a text to so many bytes, whole letters.
func clipText(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
