package misp

import (
	"fmt"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// attribute converts one attribute and gives the identifier of what stands for it.
func (c *converter) attribute(place string, a members, base marking) string {
	c.report.Read++
	typ, value := a.text("type"), a.text("value")
	uuid := c.uuidOf(a, "attribute", typ, value)
	if c.ids[uuid] != "" {
		c.report.Lose(place, "the same attribute is there twice: carried once")
		return c.ids[uuid]
	}
	mk := c.markingOf(place, a, &base)
	made := c.sdo(place, uuid, typ, value, a)
	for _, p := range made {
		if p["created"] == nil {
			continue // an observable
		}
		if text := a.text("comment"); text != "" && (p["type"] == "indicator" || p["type"] == "vulnerability" || p["type"] == "threat-actor" || p["type"] == "campaign") {
			p["description"] = text
		}
		if a.yes("deleted") {
			p["revoked"] = true
			c.deleted = append(c.deleted, p.ID())
		}
		mk.mark(p)
	}
	main := made[0]
	id := main.ID()
	c.name(a, uuid, id)
	c.sightings(place, a, main)
	lookup := c.lookup(made)
	if v, ok := c.open(main); ok {
		got, _ := c.table.attributeMembers(v, lookup, stix.Markings{})
		extend(main, differ(kindAttribute, a, got, "Sighting", "ShadowAttribute"))
	}
	for _, p := range made {
		c.add(p)
	}
	c.galaxies(a, id)
	c.leftOut(place, a, "ShadowAttribute")
	return id
}

// lookup finds the observables that were made for one attribute.
func (c *converter) lookup(made []exchange.Properties) func(id string) stix.Value {
	return func(id string) stix.Value {
		for _, p := range made {
			if p.ID() == id {
				v, _ := c.open(p)
				return v
			}
		}
		return stix.Value{}
	}
}

// sdo makes the object that stands for an attribute, first, and the observables it refers to.
func (c *converter) sdo(place, uuid, typ, value string, a members) []exchange.Properties {
	created, modified := c.times(a)
	detect := a.yes("to_ids")
	if kind, ok := ruleTypes()[typ]; ok {
		if p := c.rule(uuid, kind, value, created, modified, a); p != nil {
			return []exchange.Properties{p}
		}
		c.report.Lose(place, "the %s rule cannot be read: carried as a note", typ)
		return []exchange.Properties{c.note(uuid, typ, value, created, modified)}
	}
	if p := c.named(uuid, typ, value, created, modified); p != nil {
		return []exchange.Properties{p}
	}
	if data := a.text("data"); data != "" && (typ == "attachment" || typ == "malware-sample") {
		if made := c.artifact(uuid, typ, value, data, created, modified, a); made != nil {
			return made
		}
	}
	terms, why := c.table.terms(typ, value)
	if why == "" && detect {
		p := c.indicator(uuid, value, terms, created, modified, a)
		if c.valid(p) {
			return []exchange.Properties{p}
		}
		why = "the value is not of its type"
	}
	if why == "" {
		objects, ok, err := exchange.Observables(terms)
		if err != nil {
			c.err = err
		}
		if ok {
			if made := append([]exchange.Properties{c.observed(uuid, objects, created, a)}, objects...); c.valid(made...) {
				made[0]["modified"] = stix.FormatTimestamp(modified)
				return made
			}
			why = "the value is not of its type"
		} else {
			why = "STIX has no observable for it"
		}
	}
	if detect || !plainText(typ) {
		c.report.Lose(place, "%s: carried as a note, which detection does not look at", why)
	}
	return []exchange.Properties{c.note(uuid, typ, value, created, modified)}
}

// plainText tells whether a type is text for people: a note is its very form in STIX.
func plainText(typ string) bool {
	switch typ {
	case "comment", "text", "other", "link", "hex", "datetime", "email-body":
		return true
	}
	return false
}

// valid tells whether STIX takes what was made.
func (c *converter) valid(made ...exchange.Properties) bool {
	for _, p := range made {
		raw, err := p.Encode()
		if err != nil {
			c.err = err
			return false
		}
		if !stix.Validate(raw, stix.Options{MaxFindings: 1}).Valid {
			return false
		}
	}
	return true
}

func (c *converter) indicator(uuid, value string, terms []exchange.Term, created, modified time.Time, a members) exchange.Properties {
	p := c.begin("indicator", uuid, created, modified)
	text, err := exchange.Pattern(terms)
	if err != nil {
		text = "" // the validator refuses it
	}
	p["name"], p["pattern"], p["pattern_type"] = strings.ToValidUTF8(value, "\uFFFD"), text, "stix"
	p["indicator_types"] = []string{"malicious-activity"}
	p["valid_from"] = stix.FormatTimestamp(c.from(created, a))
	return p
}

// from is since when an attribute counts: since it was seen first, else since its event.
func (c *converter) from(created time.Time, a members) time.Time {
	if at := a.moment("first_seen"); !at.IsZero() {
		return at
	}
	return created
}

// rule makes the indicator for a rule of another language; nil for a STIX pattern that is none.
func (c *converter) rule(uuid, kind, text string, created, modified time.Time, a members) exchange.Properties {
	p := c.begin("indicator", uuid, created, modified)
	p["pattern"], p["pattern_type"] = text, kind
	p["indicator_types"] = []string{"malicious-activity"}
	p["valid_from"] = stix.FormatTimestamp(c.from(created, a))
	if !c.valid(p) {
		return nil
	}
	return p
}

// named makes the objects that stand for names of things: vulnerabilities, threat actors, campaigns.
func (c *converter) named(uuid, typ, value string, created, modified time.Time) exchange.Properties {
	sdo := map[string]string{"vulnerability": "vulnerability", "threat-actor": "threat-actor", "campaign-name": "campaign"}[typ]
	if sdo == "" || value == "" {
		return nil
	}
	p := c.begin(sdo, uuid, created, modified)
	p["name"] = value
	if upper := strings.ToUpper(value); sdo == "vulnerability" && strings.HasPrefix(upper, "CVE-") {
		p["external_references"] = []map[string]string{{"source_name": "cve", "external_id": upper}}
	}
	if !c.valid(p) {
		return nil
	}
	return p
}

func (c *converter) observed(uuid string, objects []exchange.Properties, created time.Time, a members) exchange.Properties {
	p := c.begin("observed-data", uuid, created, created)
	first := c.from(created, a)
	last := a.moment("last_seen")
	if last.Before(first) {
		last = first
	}
	p["first_observed"], p["last_observed"], p["number_observed"] = stix.FormatTimestamp(first), stix.FormatTimestamp(last), 1
	refs := make([]string, len(objects))
	for i, o := range objects {
		refs[i] = o.ID()
	}
	p["object_refs"] = refs
	return p
}

// artifact makes the observed data for an attached file.
func (c *converter) artifact(uuid, typ, value, data string, created, modified time.Time, a members) []exchange.Properties {
	content := exchange.Properties{"type": "artifact", "spec_version": "2.1", "id": "artifact--" + exchange.UUID("artifact", uuid), "payload_bin": data}
	if typ == "malware-sample" { // MISP keeps samples in an archive with the password that everybody uses
		content["mime_type"], content["encryption_algorithm"], content["decryption_key"] = "application/zip", "mime-type-indicated", "infected"
	}
	name, _, _ := strings.Cut(value, "|")
	if name == "" {
		return nil
	}
	file := exchange.Properties{"type": "file", "spec_version": "2.1", "id": "file--" + exchange.UUID("file", uuid), "name": name, "content_ref": content.ID()}
	made := []exchange.Properties{c.observed(uuid, []exchange.Properties{file, content}, created, a), file, content}
	made[0]["modified"] = stix.FormatTimestamp(modified)
	if !c.valid(made...) {
		return nil
	}
	return made
}

// note carries what STIX has no other form for.
func (c *converter) note(uuid, typ, value string, created, modified time.Time) exchange.Properties {
	p := c.begin("note", uuid, created, modified)
	p["abstract"] = fmt.Sprintf("MISP %s", typ)
	p["content"] = value
	p["object_refs"] = []string{c.reportID}
	return p
}
