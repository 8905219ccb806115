package misp

import (
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// reference is a reference of an object, settled when everything of the event has its identifier.
type reference struct {
	place  string
	from   string // the grouping
	object exchange.Properties
	m      members
}

// object converts an object: a grouping of what its attributes become.
func (c *converter) object(place string, o members) {
	name := o.text("name")
	uuid := c.uuidOf(o, "object", name, place)
	if c.ids[uuid] != "" {
		c.report.Lose(place, "the same object is there twice: its attributes are carried without it")
		for i, a := range o.list("Attribute") {
			c.attribute(fmt.Sprintf("%s/Attribute/%d", place, i), a, c.marking)
		}
		return
	}
	created, modified := c.times(o)
	p := c.begin("grouping", uuid, created, modified)
	p["context"] = "unspecified"
	p["name"] = name
	if name == "" {
		p["name"] = "object"
	}
	if text := o.text("comment"); text != "" {
		p["description"] = text
	}
	if o.yes("deleted") {
		p["revoked"] = true
		c.deleted = append(c.deleted, p.ID())
	}
	c.name(o, uuid, p.ID())
	mk := c.markingOf(place, o, &c.marking)
	mk.labels = nil
	mk.mark(p)
	refs := []string{}
	for i, a := range o.list("Attribute") {
		refs = append(refs, c.attribute(fmt.Sprintf("%s/Attribute/%d", place, i), a, mk))
	}
	if len(refs) == 0 {
		refs = append(refs, c.reportID)
		c.report.Lose(place, "it has no attributes: carried as a group of nothing but its event")
	}
	p["object_refs"] = refs
	c.extendObject(p, o)
	c.add(p)
	for i, r := range o.list("ObjectReference") {
		c.pending = append(c.pending, reference{place: fmt.Sprintf("%s/ObjectReference/%d", place, i), from: p.ID(), object: p, m: r})
	}
}

func (c *converter) extendObject(p exchange.Properties, o members) {
	v, ok := c.open(p)
	if !ok {
		return
	}
	extend(p, differ(kindObject, o, objectMembers(v), "Attribute", "ObjectReference"))
}

// references makes relationships of the references between objects.
func (c *converter) references() {
	for i, r := range c.pending {
		target := c.ids[r.m.text("referenced_uuid")]
		if target == "" {
			c.report.Lose(r.place, "it refers to %s, which is not in the event", exchange.Clip(r.m.text("referenced_uuid")))
			continue
		}
		created, modified := c.times(r.m)
		p := c.begin("relationship", c.uuidOf(r.m, "reference", fmt.Sprint(i), r.from, target), created, modified)
		p["relationship_type"] = relationshipType(r.m.text("relationship_type"))
		p["source_ref"], p["target_ref"] = r.from, target
		if text := r.m.text("comment"); text != "" {
			p["description"] = text
		}
		if r.m.yes("deleted") {
			p["revoked"] = true
			c.deleted = append(c.deleted, p.ID())
		}
		c.marking.mark(p)
		delete(p, "labels")
		if v, ok := c.open(p); ok {
			extend(p, differ(kindReference, r.m, referenceMembers(v)))
		}
		c.add(p)
	}
}

// relationshipType makes a type that STIX takes: small letters, digits and hyphens.
func relationshipType(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
	if s = strings.Trim(s, "-"); s == "" {
		return "related-to"
	}
	return s
}

// eventReport carries a text that somebody wrote about the event.
func (c *converter) eventReport(place string, r members) {
	created, modified := c.times(r)
	uuid := c.uuidOf(r, "event-report", r.text("name"))
	if c.ids[uuid] != "" {
		c.report.Lose(place, "the same text is there twice: carried once")
		return
	}
	p := c.begin("note", uuid, created, modified)
	p["abstract"], p["content"] = r.text("name"), r.text("content")
	p["object_refs"] = []string{c.reportID}
	if r.yes("deleted") {
		p["revoked"] = true
		c.deleted = append(c.deleted, p.ID())
	}
	c.ids[uuid] = p.ID()
	c.marking.mark(p)
	delete(p, "labels")
	if v, ok := c.open(p); ok {
		extend(p, differ(kindReport, r, eventReportMembers(v)))
	}
	c.add(p)
}

// galaxies makes objects of the clusters that an event or attribute is tagged with, and ties them to it.
func (c *converter) galaxies(m members, about string) {
	for _, g := range m.list("Galaxy") {
		for _, cluster := range g.list("GalaxyCluster") {
			id := c.cluster(g, cluster)
			if id == "" || about == c.reportID {
				continue
			}
			p := c.begin("relationship", exchange.UUID(c.event.UUID(), about, id), c.created, c.modified)
			p["relationship_type"], p["source_ref"], p["target_ref"] = "related-to", about, id
			if strings.HasPrefix(about, "indicator--") {
				p["relationship_type"] = "indicates"
			}
			c.marking.mark(p)
			delete(p, "labels")
			extend(p, difference{Kind: kindCluster})
			c.add(p)
		}
	}
}

// clusterTypes are the types of objects that clusters of a galaxy become, by what the galaxy's type contains.
func clusterTypes() [][2]string {
	return [][2]string{
		{"attack-pattern", "attack-pattern"}, {"intrusion-set", "intrusion-set"}, {"threat-actor", "threat-actor"}, {"ransomware", "malware"},
		{"malware", "malware"}, {"malpedia", "malware"}, {"rat", "malware"}, {"botnet", "malware"}, {"backdoor", "malware"}, {"stealer", "malware"},
		{"banker", "malware"}, {"tool", "tool"}, {"course-of-action", "course-of-action"}, {"campaign", "campaign"},
	}
}

// clusterType is the type of object that a cluster of a galaxy becomes; empty where STIX has none for it.
func clusterType(galaxy string) string {
	for _, known := range clusterTypes() {
		if strings.Contains(galaxy, known[0]) {
			return known[1]
		}
	}
	return ""
}

// cluster makes the object for a cluster; empty where STIX has no type for its galaxy: its tag is carried as a label.
func (c *converter) cluster(galaxy, cluster members) string {
	kind := cluster.text("type")
	if kind == "" {
		kind = galaxy.text("type")
	}
	typ := clusterType(kind)
	value := cluster.text("value")
	if typ == "" || value == "" {
		return ""
	}
	uuid := cluster.text("uuid")
	if !exchange.IsUUID(uuid) {
		uuid = exchange.UUID("misp-cluster", kind, value)
	}
	p := exchange.Properties{"type": typ, "spec_version": "2.1", "id": typ + "--" + uuid, "name": value,
		"created": stix.FormatTimestamp(epoch()), "modified": stix.FormatTimestamp(c.modified)}
	if text := cluster.text("description"); text != "" {
		p["description"] = text
	}
	meta := cluster.object("meta")
	if typ == "malware" {
		p["is_family"] = true
	}
	if names := texts(meta, "synonyms"); len(names) > 0 && typ != "attack-pattern" && typ != "course-of-action" {
		p["aliases"] = names
	}
	for _, id := range texts(meta, "external_id") {
		if strings.HasPrefix(kind, "mitre-") {
			p["external_references"] = []map[string]string{{"source_name": "mitre-attack", "external_id": id}}
		}
	}
	c.marking.mark(p)
	delete(p, "labels")
	extend(p, difference{Kind: kindCluster})
	if !c.valid(p) {
		return ""
	}
	c.add(p)
	return p.ID()
}

// texts reads a member that is a text or a list of texts.
func texts(m members, name string) []string {
	if one := m.text(name); one != "" {
		return []string{one}
	}
	v, err := stix.OpenValue(m[name], stix.Limits{})
	if err != nil {
		return nil
	}
	return v.Texts()
}
