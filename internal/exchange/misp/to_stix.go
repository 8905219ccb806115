package misp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// Conversion is a MISP event as STIX.
type Conversion struct {
	Bundle   []byte // a STIX 2.1 bundle
	Event    string // the report that stands for the event: report--UUID
	Modified time.Time
	// TLP and PAP are the strictest of the event's and its attributes' tags. TLP is TLPNone where the event bears none and none
	// of its attributes is stricter than AMBER: how far it may go is then for whoever shares it to say.
	TLP stix.TLP
	PAP string
	// Group is whom the event may go to, where it has sharing groups; nil when it has none. Of several, only those in all of
	// them are left: narrower, never wider.
	Group *Group
	// Deleted are the identifiers of objects that the event says are deleted; they are in the bundle, revoked.
	Deleted []string
	Report  exchange.Report
}

// ToOptions is what a conversion is held against.
type ToOptions struct {
	// Tag says what is wrong with a tag, as one that its taxonomy does not have; nil: nothing is. Such a tag becomes no label: it
	// is reported, and stays where what only MISP has a place for is kept. A tag for how far something may go is not asked about:
	// one that cannot be read stays a label, for whoever shares the event to refuse.
	Tag func(name string) error
}

// ToSTIX turns an event into a bundle: a report for the event, indicators for attributes meant for detection, observed data
// for others, notes for what STIX has no type for, groupings for objects, sightings and opinions for sightings.
func ToSTIX(e Event, opts ToOptions) (Conversion, error) {
	c := &converter{event: e, opts: opts, table: newTable(), ids: map[string]string{}, seen: map[string]bool{}}
	c.created, c.modified = e.date(), e.Timestamp()
	if c.modified.Before(c.created) {
		c.created = c.modified
	}
	if n := e.attributes(); n > MaxAttributes {
		return Conversion{}, fmt.Errorf("converting event %s: it has %d attributes, more than %d: split it", e.UUID(), n, MaxAttributes)
	}
	c.reportID = "report--" + e.UUID()
	c.marking = c.markingOf("", e.m, nil)
	c.author()
	c.groups()
	for i, a := range e.m.list("Attribute") {
		c.attribute(fmt.Sprintf("/Attribute/%d", i), a, c.marking)
	}
	for i, o := range e.m.list("Object") {
		c.object(fmt.Sprintf("/Object/%d", i), o)
	}
	c.references()
	for i, r := range e.m.list("EventReport") {
		c.eventReport(fmt.Sprintf("/EventReport/%d", i), r)
	}
	c.galaxies(e.m, c.reportID)
	c.leftOut("", e.m, "RelatedEvent", "ShadowAttribute", "CryptographicKey")
	c.eventObject()
	bundle, err := c.bundle()
	if err != nil {
		return Conversion{}, err
	}
	c.report.Made = len(c.out)
	tlp := c.strictest.tlp
	if c.marking.tlp == stix.TLPNone && tlp <= stix.TLPAmber {
		tlp = stix.TLPNone
	}
	return Conversion{Bundle: bundle, Event: c.reportID, Modified: c.modified, TLP: tlp, PAP: c.strictest.pap, Group: c.group, Deleted: c.deleted, Report: c.report}, nil
}

// attributes counts the event's attributes.
func (e Event) attributes() int {
	n := len(e.m.list("Attribute"))
	for _, o := range e.m.list("Object") {
		n += len(o.list("Attribute"))
	}
	return n
}

// converter makes the objects of one event.
type converter struct {
	event             Event
	opts              ToOptions
	table             *table
	created, modified time.Time
	reportID          string
	authorID          string
	marking           marking // the event's
	strictest         marking // of all that was marked
	group             *Group

	out     []exchange.Properties
	seen    map[string]bool
	ids     map[string]string // STIX ids by MISP's UUIDs
	pending []reference
	deleted []string
	report  exchange.Report
	err     error
}

// marking is how an object is marked: what its tags say, else what the event's say.
type marking struct {
	tlp    stix.TLP
	pap    string
	labels []string
}

// markingOf reads an event's or attribute's tags. base is what holds where the tags say nothing.
func (c *converter) markingOf(place string, m members, base *marking) marking {
	var own marking
	for i, tag := range m.list("Tag") {
		name := tag.text("name")
		if rest, ok := cutFold(name, "tlp:"); ok {
			if level, ok := stix.ParseTLP(rest); ok {
				own.tlp = max(own.tlp, level)
				continue
			}
		}
		if rest, ok := cutFold(name, "pap:"); ok {
			if level := papLevel(rest); level != "" {
				own.pap = stricterPAP(own.pap, level)
				continue
			}
		}
		if err := c.wrongTag(name); err != nil {
			c.report.Lose(fmt.Sprintf("%s/Tag/%d", place, i), "the tag %q becomes no label: %v", exchange.Clip(name), err)
			continue
		}
		if name != "" && !slices.Contains(own.labels, name) {
			own.labels = append(own.labels, name)
		}
	}
	// What may not leave its organisation is for named persons alone, whatever else is said.
	if m.text("distribution") == ownOrganisation {
		own.tlp = stix.TLPRed
	}
	c.strictest.tlp, c.strictest.pap = max(c.strictest.tlp, own.tlp), stricterPAP(c.strictest.pap, own.pap)
	if base == nil {
		return own
	}
	if own.tlp == stix.TLPNone {
		own.tlp = base.tlp
	}
	if own.pap == "" {
		own.pap = base.pap
	}
	return own
}

func (c *converter) wrongTag(name string) error {
	_, tlp := cutFold(name, "tlp:")
	_, pap := cutFold(name, "pap:")
	if c.opts.Tag == nil || tlp || pap {
		return nil
	}
	return c.opts.Tag(name)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// papLevels are the levels of PAP from the laxest to the strictest.
func papLevels() []string { return []string{"PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"} }

func papLevel(word string) string {
	level := "PAP:" + strings.ToUpper(word)
	if level == "PAP:WHITE" {
		level = "PAP:CLEAR"
	}
	if slices.Contains(papLevels(), level) {
		return level
	}
	return ""
}

func stricterPAP(a, b string) string {
	if slices.Index(papLevels(), b) > slices.Index(papLevels(), a) {
		return b
	}
	return a
}

// mark writes a marking into an object.
func (mk marking) mark(p exchange.Properties) {
	if mk.tlp != stix.TLPNone {
		p["object_marking_refs"] = []string{mk.tlp.MarkingID()}
	}
	if len(mk.labels) > 0 {
		p["labels"] = mk.labels
	}
	if mk.pap != "" {
		p["extensions"] = map[string]any{stix.ExtensionID: map[string]any{"extension_type": "property-extension", "pap": mk.pap}}
	}
}

// object begins a STIX domain or relationship object.
func (c *converter) begin(typ, uuid string, created, modified time.Time) exchange.Properties {
	p := exchange.Properties{"type": typ, "spec_version": "2.1", "id": typ + "--" + uuid,
		"created": stix.FormatTimestamp(created), "modified": stix.FormatTimestamp(modified)}
	if c.authorID != "" {
		p["created_by_ref"] = c.authorID
	}
	return p
}

// add takes an object into the bundle, each identifier once.
func (c *converter) add(p exchange.Properties) {
	if id := p.ID(); !c.seen[id] {
		c.seen[id] = true
		c.out = append(c.out, p)
	}
}

// uuidOf is the UUID of a part of the event; made from its contents where it has none that STIX can carry, or one that
// another part has already.
func (c *converter) uuidOf(m members, names ...string) string {
	if id := m.text("uuid"); exchange.IsUUID(id) && c.ids[id] == "" {
		return id
	}
	return exchange.UUID(append([]string{c.event.UUID()}, names...)...)
}

// name notes what a part of the event became, by the UUID it was given and by the one that references to it bear.
func (c *converter) name(m members, uuid, id string) {
	c.ids[uuid] = id
	if own := m.text("uuid"); c.ids[own] == "" {
		c.ids[own] = id
	}
}

// times are when a part was made and changed: it is made with its event.
func (c *converter) times(m members) (created, modified time.Time) {
	modified = m.seconds("timestamp")
	if modified.IsZero() {
		modified = c.modified
	}
	created = c.created
	if modified.Before(created) {
		created = modified
	}
	return created, modified
}

// author makes the identity of the organisation that created the event.
func (c *converter) author() {
	if org := c.event.m.object("Orgc"); org != nil {
		c.authorID = c.identity(org)
	}
}

// identity makes the identity of an organisation and gives its identifier; empty where nothing names it.
func (c *converter) identity(org members) string {
	name, uuid := org.text("name"), org.text("uuid")
	if name == "" && uuid == "" {
		return ""
	}
	if !exchange.IsUUID(uuid) {
		uuid = exchange.UUID("misp-organisation", name)
	}
	p := exchange.Properties{"type": "identity", "spec_version": "2.1", "id": "identity--" + uuid, "identity_class": "organization",
		"created": stix.FormatTimestamp(epoch()), "modified": stix.FormatTimestamp(epoch()), "name": name}
	if name == "" {
		p["name"] = uuid
	}
	c.add(p)
	return p.ID()
}

// epoch is when identities of organisations were made, for all: an event does not say when.
func epoch() time.Time { return time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC) }

// groups reads whom the event may go to. An attribute or object with a sharing group of its own narrows it for all.
func (c *converter) groups() {
	take := func(place string, m members) {
		if m.text("distribution") != inSharingGroup {
			return
		}
		g := groupOf(m.object("SharingGroup"))
		switch {
		case g == nil:
			g = &Group{UUID: m.text("sharing_group_id")}
			c.report.Lose(place, "it is for a sharing group that the event does not name: nobody is in its audience until you say who")
		case place != "" && (c.group == nil || c.group.UUID != g.UUID):
			c.report.Lose(place, "it has a sharing group of its own: the whole event goes only to those who are in all of its groups")
		}
		if c.group == nil {
			c.group = g
			return
		}
		c.group.Organisations = slices.DeleteFunc(c.group.Organisations, func(o Organisation) bool { return !slices.Contains(g.Organisations, o) })
	}
	take("", c.event.m)
	for i, a := range c.event.m.list("Attribute") {
		take(fmt.Sprintf("/Attribute/%d", i), a)
	}
	for i, o := range c.event.m.list("Object") {
		take(fmt.Sprintf("/Object/%d", i), o)
		for j, a := range o.list("Attribute") {
			take(fmt.Sprintf("/Object/%d/Attribute/%d", i, j), a)
		}
	}
}

// leftOut reports members that are about the server the event comes from, not about the event.
func (c *converter) leftOut(place string, m members, names ...string) {
	for _, name := range names {
		if n := len(m.list(name)); n > 0 {
			why := map[string]string{
				"RelatedEvent":     "which other events correlate is known to the server it comes from alone",
				"ShadowAttribute":  "proposals of changes are settled where the event is kept",
				"CryptographicKey": "the signature is over MISP's form of the event and would not hold over another",
			}[name]
			c.report.Lose(place+"/"+name, "%d left out: %s", n, why)
		}
	}
}

// eventObject makes the report that stands for the event.
func (c *converter) eventObject() {
	m := c.event.m
	p := c.begin("report", c.event.UUID(), c.created, c.modified)
	p["name"] = m.text("info")
	if m.text("info") == "" {
		p["name"] = "(untitled)"
	}
	p["report_types"] = []string{"threat-report"}
	p["published"] = stix.FormatTimestamp(c.created)
	if at := m.seconds("publish_timestamp"); !at.IsZero() {
		p["published"] = stix.FormatTimestamp(at)
	}
	c.marking.mark(p)
	refs := []string{}
	for _, o := range c.out {
		refs = append(refs, o.ID())
	}
	if len(refs) == 0 {
		refs = append(refs, c.identity(c.somebody()))
	}
	p["object_refs"] = refs
	got := members{}
	if v, ok := c.open(p); ok {
		got = eventMembers(v, c.orgc(), nil)
	}
	extend(p, differ(kindEvent, m, got, "Attribute", "Object", "EventReport", "RelatedEvent", "ShadowAttribute", "CryptographicKey"))
	c.out = append([]exchange.Properties{p}, c.out...)
}

// somebody is the organisation of an event that names none: a report has to refer to something.
func (c *converter) somebody() members {
	m := members{}
	m.set("name", "MISP")
	return m
}

// orgc is the author's identity as it stands in the bundle.
func (c *converter) orgc() stix.Value {
	for _, o := range c.out {
		if c.authorID != "" && o.ID() == c.authorID {
			v, _ := c.open(o)
			return v
		}
	}
	return stix.Value{}
}

// open reads an object that was made, as somebody who gets it would.
func (c *converter) open(p exchange.Properties) (stix.Value, bool) {
	raw, err := p.Encode()
	if err == nil {
		var v stix.Value
		if v, err = stix.OpenValue(raw, stix.Limits{}); err == nil {
			return v, true
		}
	}
	c.err = errors.Join(c.err, err)
	return stix.Value{}, false
}

// bundle writes what was made.
func (c *converter) bundle() ([]byte, error) {
	if c.err != nil {
		return nil, fmt.Errorf("converting event %s: %w", c.event.UUID(), c.err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"bundle","id":"bundle--%s","objects":[`, exchange.UUID("misp-bundle", c.event.UUID(), stix.FormatTimestamp(c.modified)))
	levels := map[string]stix.TLP{}
	for i, p := range c.out {
		raw, err := p.Encode()
		if err != nil {
			return nil, fmt.Errorf("converting event %s: %w", c.event.UUID(), err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
		if refs, ok := p["object_marking_refs"].([]string); ok {
			for _, ref := range refs {
				levels[ref], _ = stix.TLPOf(ref)
			}
		}
	}
	for _, level := range []stix.TLP{stix.TLPClear, stix.TLPGreen, stix.TLPAmber, stix.TLPAmberStrict, stix.TLPRed} {
		if _, used := levels[level.MarkingID()]; used {
			b.WriteByte(',')
			b.Write(level.MarkingDefinition())
		}
	}
	b.WriteString("]}")
	return []byte(b.String()), nil
}
