package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/stix"
)

// publishEvent publishes a MISP event that was converted to STIX, each version once; already says that this version, or a later
// one, was published before. base is what the caller says of the record; an empty marking or audience is the event's own. orgs are
// party ids by the names or UUIDs of MISP's organisations, beside those whose names are the parties' own. What the event says is
// deleted is recalled in this party's earlier records. The report is told what could not be carried.
func (n *Node) publishEvent(ctx context.Context, log string, base Draft, c misp.Conversion, orgs map[string]string, report *exchange.Report) (receipts []Receipt, already bool, err error) {
	before, err := n.Carriers(ctx, c.Event)
	if err != nil || published(before, c.Modified) {
		return nil, err == nil, err
	}
	d := base
	d.Kind, d.Body = "intel", c.Bundle
	if d.TLP == "" {
		d.TLP = c.TLP.String()
	}
	if d.PAP == "" {
		d.PAP = c.PAP
	}
	if i := slices.IndexFunc(before, func(one Carrier) bool { return one.Own }); i >= 0 {
		d.Refs = append(slices.Clone(d.Refs), "replaces:"+before[i].Leaf)
	}
	if c.Group != nil && len(d.Parties)+len(d.Persons) == 0 {
		if d.Parties, err = n.audienceOfGroup(ctx, log, d, c.Group, orgs, report); err != nil {
			return nil, false, err
		}
	}
	fresh, err := n.Publish(ctx, log, d)
	if err != nil {
		return nil, false, fmt.Errorf("event %s of %s: %w", c.Event, stix.FormatTimestamp(c.Modified), err)
	}
	recalled, err := n.recallDeleted(ctx, fresh, c)
	return append([]Receipt{fresh}, recalled...), false, err
}

// eventHere tells whether this party has published this version of an event, or a later one.
func (n *Node) eventHere(ctx context.Context, c misp.Conversion) (bool, error) {
	before, err := n.Carriers(ctx, c.Event)
	return err == nil && published(before, c.Modified), err
}

func published(before []Carrier, version time.Time) bool {
	return slices.ContainsFunc(before, func(one Carrier) bool { return one.Own && !older(one.Version, version) })
}

// older tells whether a version is from before a time.
func older(version string, at time.Time) bool {
	v, err := stix.ParseTimestamp(version)
	return err != nil || v.Before(at)
}

// audienceOfGroup finds the parties that a sharing group's organisations are. Who is not found does not get it, and the report
// says so: narrower, never wider.
func (n *Node) audienceOfGroup(ctx context.Context, log string, d Draft, g *misp.Group, orgs map[string]string, report *exchange.Report) ([]string, error) {
	preview, err := n.Preview(ctx, log, d)
	if err != nil {
		return nil, err
	}
	byName := map[string]string{}
	for _, r := range preview.Recipients {
		for _, name := range r.Names {
			byName[strings.ToLower(strings.TrimSpace(name))] = r.Party
		}
	}
	for name, party := range orgs {
		byName[strings.ToLower(strings.TrimSpace(name))] = party
	}
	parties := map[string]bool{}
	for _, org := range g.Organisations {
		party := byName[strings.ToLower(strings.TrimSpace(org.Name))]
		if p := byName[strings.ToLower(org.UUID)]; p != "" {
			party = p
		}
		if party == "" {
			report.Lose("SharingGroup "+g.Name, "the organisation %s is no party known here: it does not get the record", exchange.Clip(org.Name))
			continue
		}
		parties[party] = true
	}
	if len(parties) == 0 {
		return nil, fault.New(fault.Invalid, "say who they are with --org NAME=PARTY, or who gets it with --to PARTY", "publishing: no organisation of the sharing group %s is a party known here", fault.Clip(g.Name))
	}
	return slices.Sorted(maps.Keys(parties)), nil
}

// recallDeleted takes back, in earlier records of this party, the objects that an event says are deleted. One recall for each
// record names them all.
func (n *Node) recallDeleted(ctx context.Context, fresh Receipt, c misp.Conversion) ([]Receipt, error) {
	if len(c.Deleted) == 0 {
		return nil, nil
	}
	versions, err := versionsIn(c.Bundle)
	if err != nil {
		return nil, err
	}
	objects := map[Place][]string{}
	var places []Place
	for _, id := range c.Deleted {
		before, err := n.Carriers(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, one := range before {
			// A version that is the very one which says that it is deleted needs no recall.
			if !one.Own || one.Leaf == fresh.Leaf || !older(one.Version, versions[id]) {
				continue
			}
			if objects[one.Place] == nil {
				places = append(places, one.Place)
			}
			objects[one.Place] = append(objects[one.Place], id)
		}
	}
	var out []Receipt
	for _, p := range places {
		slices.Sort(objects[p])
		r, err := n.ChangeRecord(ctx, p.Log, p.Index, Change{Action: "withdraw", Reason: "error", Objects: slices.Compact(objects[p]), Note: "Deleted in MISP."})
		if err != nil {
			return out, fmt.Errorf("recalling what MISP event %s says is deleted: %w", c.Event, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// versionsIn are the times at which a bundle's objects were changed last.
func versionsIn(bundle []byte) (map[string]time.Time, error) {
	b, err := stix.Parse(bundle)
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	for _, o := range b.Objects {
		out[o.ID] = o.Modified
	}
	return out, nil
}
