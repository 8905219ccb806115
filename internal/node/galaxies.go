package node

import (
	"context"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// GalaxyView says what an object of a record has to do with an actor, a technique or a tool of ATT&CK or of a MISP galaxy.
type GalaxyView struct {
	Object string `json:"object" doc:"STIX id of the object of this record"`
	How    string `json:"how" doc:"The relationship's type; mentions: it is in what a report or grouping is about; label: a tag misp-galaxy:TYPE=\"NAME\""`
	ID     string `json:"id,omitempty" doc:"STIX id of what it has to do with; absent of a label"`
	Type   string `json:"type" doc:"STIX type, of a label the galaxy's"`
	Name   string `json:"name,omitempty" doc:"Absent when it is not here, or not for the viewer"`
	Number string `json:"number,omitempty" doc:"In ATT&CK or another catalogue: T1566, G0007"`
}

// maxGalaxies is with how many such statements one record is shown.
const maxGalaxies = 50

// inGalaxies are the types of what galaxies hold.
func inGalaxies(id string) bool {
	typ, _, _ := strings.Cut(id, "--")
	return slices.Contains([]string{"attack-pattern", "campaign", "course-of-action", "intrusion-set", "malware", "threat-actor", "tool"}, typ)
}

// galaxiesOf reads what the objects of a bundle have to do with galaxies. What stands in other records is named as far as the viewer may have it.
func (n *Node) galaxiesOf(ctx context.Context, v Viewer, b intelBody) ([]GalaxyView, error) {
	var out []GalaxyView
	say := func(object, how, id string) {
		if inGalaxies(id) && !inGalaxies(object) && len(out) < maxGalaxies {
			typ, _, _ := strings.Cut(id, "--")
			out = append(out, GalaxyView{Object: object, How: how, ID: id, Type: typ})
		}
	}
	here := map[string]stix.Value{}
	for i, o := range b.objects {
		value := b.values[i]
		if inGalaxies(o.ID) {
			here[o.ID] = value
		}
		source, target, how := value.Get("source_ref").Text(), value.Get("target_ref").Text(), value.Get("relationship_type").Text()
		say(source, how, target)
		say(target, how, source)
		if o.Type == "report" || o.Type == "grouping" {
			for _, ref := range value.Get("object_refs").Texts() {
				say(o.ID, "mentions", ref)
			}
		}
		if inGalaxies(o.ID) {
			continue // a cluster bears its own name
		}
		for _, label := range value.Get("labels").Texts() {
			if typ, name, ok := galaxyLabel(label); ok && len(out) < maxGalaxies {
				out = append(out, GalaxyView{Object: o.ID, How: "label", Type: typ, Name: name})
			}
		}
	}
	for i := range out {
		id := out[i].ID
		if id == "" {
			continue
		}
		value, asked := here[id]
		if !asked { // many indicators may show one actor
			var err error
			if value, err = n.shownSTIX(ctx, v, id); err != nil {
				return nil, err
			}
			here[id] = value
		}
		out[i].Name, out[i].Number = value.Get("name").Text(), catalogueNumber(value)
	}
	return out, nil
}

// shownSTIX finds the newest version of an object that the viewer may have; without one the value is empty.
func (n *Node) shownSTIX(ctx context.Context, v Viewer, id string) (stix.Value, error) {
	found, err := n.SearchSTIX(ctx, v, STIXQuery{Text: id, Limit: 1})
	if err != nil || len(found.Results) == 0 {
		return stix.Value{}, err
	}
	o, err := stix.ParseObject(found.Results[0].Object)
	if err != nil {
		return stix.Value{}, nil //nolint:nilerr // it is not named then
	}
	value, err := o.Open()
	if err != nil {
		return stix.Value{}, nil //nolint:nilerr // nor is one that cannot be read
	}
	return value, nil
}

// galaxyLabel reads misp-galaxy:threat-actor="Sofacy".
func galaxyLabel(label string) (typ, name string, ok bool) {
	rest, ok := strings.CutPrefix(label, "misp-galaxy:")
	if !ok {
		return "", "", false
	}
	typ, name, ok = strings.Cut(rest, "=")
	return typ, exchange.Clip(strings.Trim(name, `"`)), ok
}

// catalogueNumber is the first number that an object has in a catalogue.
func catalogueNumber(v stix.Value) string {
	for ref := range v.Get("external_references").Elements() {
		if id := ref.Get("external_id").Text(); id != "" {
			return exchange.Clip(id)
		}
	}
	return ""
}
