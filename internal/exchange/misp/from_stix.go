package misp

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// FromOptions is what an event needs that objects do not say.
type FromOptions struct {
	// Info is the event's title where there is no report.
	Info string
	// Seed makes the event's identifier where there is no report.
	Seed string
	// Author is the name of the organisation where no identity names one.
	Author string
	// Time is the event's where there is no report.
	Time time.Time
	// Tags are added to an event that was never in MISP: markings that stand on the record that carried the objects.
	Tags []string
	// Mark, where it is not empty, becomes a tag of every event: it says that something is invented.
	Mark string
}

// FromSTIX makes a MISP event of STIX objects: the inverse of [ToSTIX] for what came from MISP, and as much as MISP can hold
// of what did not.
func FromSTIX(objects []stix.Object, opts FromOptions) (Event, exchange.Report, error) {
	b := &builder{opts: opts, table: newTable(), byID: map[string]stix.Value{}, attributes: map[string]members{}, known: stix.MarkingsOf(objects)}
	for _, o := range objects {
		v, err := o.Open()
		if err != nil {
			return Event{}, b.report, fmt.Errorf("making a MISP event: %w", err)
		}
		if _, twice := b.byID[o.ID]; twice {
			continue
		}
		b.byID[o.ID] = v
		b.order = append(b.order, o.ID)
	}
	b.report.Read = len(b.order)
	if opts.Mark != "" {
		b.tags = append(b.tags, fmt.Sprintf("mithaq:mark=%q", opts.Mark))
	}
	b.event()
	for _, id := range b.order {
		b.take(id)
	}
	b.sightings()
	b.references()
	return b.assemble(), b.report, nil
}

// builder makes one event.
type builder struct {
	opts  FromOptions
	table *table
	known stix.Markings
	byID  map[string]stix.Value
	order []string

	reportID   string
	m          members
	tags       []string
	attributes map[string]members // by the identifier of what they stand for
	sequence   []string           // identifiers of attributes in their order
	objects    []*object
	texts      []members
	refs       map[string]bool // identifiers that an object, but not the report, refers to
	report     exchange.Report
}

// object is a MISP object with what it groups.
type object struct {
	id string
	m  members
	of []string
}

func (b *builder) lookup(id string) stix.Value { return b.byID[id] }

// event begins the event, from its report if there is one.
func (b *builder) event() {
	for _, id := range b.order {
		v := b.byID[id]
		if v.Get("type").Text() != "report" {
			continue
		}
		if extensionOf(v).Kind == kindEvent {
			b.reportID = id
			break
		}
		if b.reportID == "" {
			b.reportID = id
		}
	}
	if b.reportID != "" {
		v := b.byID[b.reportID]
		d := extensionOf(v)
		if d.Kind != kindEvent {
			d = difference{}
		}
		b.m = eventMembers(v, b.byID[v.Get("created_by_ref").Text()], b.known)
		if d.Kind == "" {
			b.m.setText("comment", v.Get("description").Text())
			delete(b.m, "comment") // events have none: the text goes into an attribute
			if text := v.Get("description").Text(); text != "" {
				b.comment(exchange.UUID(b.reportID, "description"), text)
			}
		}
		d.apply(b.m)
		b.defaults()
		return
	}
	b.m = members{}
	b.m.set("uuid", exchange.UUID("misp-event-of", b.opts.Seed))
	b.m.set("info", b.opts.Info)
	b.m.set("date", b.opts.Time.UTC().Format(time.DateOnly))
	b.m.setText("timestamp", unix(b.opts.Time))
	b.defaults()
}

// defaults are members without which MISP takes no event, where the extension says nothing of them.
func (b *builder) defaults() {
	if v, ok := b.byID[b.reportID]; ok && extensionOf(v).Kind == kindEvent {
		return
	}
	if b.m["Orgc"] == nil && b.opts.Author != "" {
		org := members{}
		org.set("name", b.opts.Author)
		org.set("uuid", exchange.UUID("misp-organisation", b.opts.Author))
		b.m.set("Orgc", org)
	}
	b.m.set("threat_level_id", "4") // undefined
	b.m.set("analysis", "2")        // completed
	b.m.set("distribution", ownOrganisation)
	b.m.set("published", false)
	b.tags = append(b.tags, b.opts.Tags...)
}

func (b *builder) comment(uuid, text string) {
	m := members{}
	m.set("uuid", uuid)
	m.set("type", "comment")
	m.set("category", "Other")
	m.set("value", text)
	m.set("to_ids", false)
	b.keep("comment--"+uuid, m)
}

func (b *builder) keep(id string, m members) {
	b.attributes[id] = m
	b.sequence = append(b.sequence, id)
}

// take puts one STIX object where MISP has a place for it.
func (b *builder) take(id string) {
	v := b.byID[id]
	d := extensionOf(v)
	typ := v.Get("type").Text()
	switch {
	case id == b.reportID || d.Kind == kindCluster || d.Kind == kindSighting || d.Kind == kindReference:
	case d.Kind == kindObject || typ == "grouping":
		o := &object{id: id, m: objectMembers(v), of: v.Get("object_refs").Texts()}
		if d.Kind == "" {
			b.report.Lose(id, "a grouping has no place in MISP but as an object without a template")
		}
		d.apply(o.m)
		b.objects = append(b.objects, o)
	case d.Kind == kindReport:
		m := eventReportMembers(v)
		d.apply(m)
		b.texts = append(b.texts, m)
	case d.Kind == kindAttribute:
		m, _ := b.table.attributeMembers(v, b.lookup, b.known)
		if m == nil {
			m = common(v, b.known)
		}
		d.apply(m)
		b.keep(id, m)
	default:
		b.foreign(id, typ, v)
	}
}

// foreign takes what did not come from MISP.
func (b *builder) foreign(id, typ string, v stix.Value) {
	switch typ {
	case "indicator":
		b.indicator(id, v)
	case "observed-data":
		b.observed(id, v)
	case "vulnerability", "threat-actor", "campaign", "note":
		m, _ := b.table.attributeMembers(v, b.lookup, b.known)
		b.keep(id, m)
	case "sighting", "opinion", "relationship", "marking-definition", "extension-definition":
		// told where their ends are known, or carried as tags
	case "identity":
		if v := b.byID[b.reportID]; v.Get("created_by_ref").Text() != id && b.m["Orgc"] != nil {
			b.report.Lose(id, "an identity that is not the author has no place in MISP")
		}
	default:
		if tag := galaxyTag(v); tag != "" {
			b.tags = append(b.tags, tag)
			return
		}
		if terms := exchange.TermsOf(v, b.lookup); len(terms) > 0 {
			if !b.referred(id) {
				b.values(id, v, [][]exchange.Term{terms})
			}
			return
		}
		b.report.Lose(id, "MISP has no place for %s", exchange.Clip(typ))
	}
}

// referred tells whether another object carries an observable.
func (b *builder) referred(id string) bool {
	if b.refs == nil {
		b.refs = map[string]bool{}
		for _, other := range b.order {
			for name, ref := range b.byID[other].Members() {
				switch {
				case strings.HasSuffix(name, "_ref"):
					b.refs[ref.Text()] = true
				case strings.HasSuffix(name, "_refs") && other != b.reportID:
					for _, one := range ref.Texts() {
						b.refs[one] = true
					}
				}
			}
		}
	}
	return b.refs[id]
}

// maxSplit is into how many attributes one indicator may be split; one with more alternatives is carried as a pattern.
const maxSplit = 100

// indicator makes one attribute for each alternative of a pattern.
func (b *builder) indicator(id string, v stix.Value) {
	m, _ := b.table.attributeMembers(v, b.lookup, b.known)
	if name := v.Get("name").Text(); name != "" && m["comment"] == nil && name != m.text("value") {
		m.set("comment", name)
	}
	if m.text("type") != "stix2-pattern" {
		b.keep(id, m)
		return
	}
	alternatives, err := exchange.Alternatives(v.Get("pattern").Text())
	if err == nil && len(alternatives) <= maxSplit && len(alternatives) > 1 {
		if split := b.split(id, m, alternatives); split {
			return
		}
	}
	if err != nil {
		b.report.Lose(id, "%s: carried as a STIX pattern, which MISP does not match", exchange.OneLine(err.Error()))
	}
	b.keep(id, m)
}

// split makes an attribute for each alternative; false when one of them has no type.
func (b *builder) split(id string, m members, alternatives [][]exchange.Term) bool {
	var made []members
	for i, terms := range alternatives {
		typ, value, ok := b.table.typeOf(terms)
		if !ok {
			return false
		}
		one := members{}
		for name, v := range m {
			one[name] = v
		}
		one.set("type", typ)
		one.set("category", b.table.categoryOf(typ))
		one.set("value", value)
		if i > 0 {
			one.set("uuid", exchange.UUID(id, typ, value))
		}
		made = append(made, one)
	}
	for i, one := range made {
		name := id
		if i > 0 {
			name = fmt.Sprintf("%s#%d", id, i)
		}
		b.keep(name, one)
	}
	b.report.Lose(id, "its %d alternatives are separate attributes", len(made))
	return true
}

// observed makes attributes of what was observed.
func (b *builder) observed(id string, v stix.Value) {
	if m, why := b.table.attributeMembers(v, b.lookup, b.known); why == "" {
		b.keep(id, m)
		return
	}
	groups := observedTerms(v, b.lookup)
	if len(groups) == 0 {
		b.report.Lose(id, "nothing that was observed has a type in MISP")
		return
	}
	b.values(id, v, groups)
}

// values makes attributes that are not for detection of values.
func (b *builder) values(id string, v stix.Value, groups [][]exchange.Term) {
	n := 0
	keep := func(typ, value string) {
		m := common(v, b.known)
		delete(m, "deleted")
		m.set("uuid", exchange.UUID(id, typ, value))
		m.set("type", typ)
		m.set("category", b.table.categoryOf(typ))
		m.set("value", value)
		m.set("to_ids", false)
		b.keep(fmt.Sprintf("%s#%d", id, n), m)
		n++
	}
	for _, terms := range groups {
		if typ, value, ok := b.table.typeOf(terms); ok {
			keep(typ, value)
			continue
		}
		for _, t := range terms {
			if typ, value, ok := b.table.typeOf([]exchange.Term{t}); ok {
				keep(typ, value)
			} else {
				b.report.Lose(id, "MISP has no type for %s", exchange.Clip(t.Path))
			}
		}
	}
}

// sightings puts sightings and opinions on the attributes they are about.
func (b *builder) sightings() {
	lists := map[string][]members{}
	for _, id := range b.order {
		v := b.byID[id]
		about := v.Get("sighting_of_ref").Text()
		switch v.Get("type").Text() {
		case "sighting":
		case "opinion":
			about = v.Get("object_refs").At(0).Text()
			if word := v.Get("opinion").Text(); word != "strongly-disagree" && word != "disagree" {
				b.report.Lose(id, "MISP has sightings and false positives, and no opinion %q", exchange.Clip(word))
				continue
			}
		default:
			continue
		}
		if _, ok := b.attributes[about]; !ok {
			b.report.Lose(id, "it is about %s, which is no attribute here", exchange.Clip(about))
			continue
		}
		m := sightingMembers(v)
		if who := b.byID[v.Get("where_sighted_refs").At(0).Text()]; who.Exists() {
			org := members{}
			org.set("uuid", uuidIn(who))
			org.set("name", who.Get("name").Text())
			m.set("Organisation", org)
		}
		extensionOf(v).apply(m)
		lists[about] = append(lists[about], m)
		if n, ok := v.Get("count").Int(); ok && n > 1 {
			b.report.Lose(id, "MISP counts sightings by their number: %d became one", n)
		}
	}
	for about, list := range lists {
		b.attributes[about].set("Sighting", list)
	}
}

// references puts relationships on the objects they begin at.
func (b *builder) references() {
	lists := map[string][]members{}
	for _, id := range b.order {
		v := b.byID[id]
		d := extensionOf(v)
		if v.Get("type").Text() != "relationship" || d.Kind == kindCluster {
			continue
		}
		source := v.Get("source_ref").Text()
		if !slices.ContainsFunc(b.objects, func(o *object) bool { return o.id == source }) {
			b.report.Lose(id, "MISP ties objects alone together: %s is none", exchange.Clip(source))
			continue
		}
		m := referenceMembers(v)
		d.apply(m)
		lists[source] = append(lists[source], m)
	}
	for _, o := range b.objects {
		if list := lists[o.id]; len(list) > 0 {
			o.m.set("ObjectReference", list)
		}
	}
}

// assemble puts the event together.
func (b *builder) assemble() Event {
	inside := map[string]bool{}
	var objects []members
	for _, o := range b.objects {
		list := []members{}
		for _, id := range o.of {
			if m, ok := b.attributes[id]; ok && !inside[id] {
				inside[id] = true
				list = append(list, m)
			}
		}
		if len(list) > 0 || extensionOf(b.byID[o.id]).Kind == "" {
			o.m.set("Attribute", list)
		}
		objects = append(objects, o.m)
	}
	attributes := []members{}
	for _, id := range b.sequence {
		if !inside[id] {
			attributes = append(attributes, b.attributes[id])
		}
	}
	b.report.Made = len(b.attributes)
	ours := extensionOf(b.byID[b.reportID]).Kind != kindEvent
	put := func(name string, list []members) {
		if len(list) > 0 || ours && name == "Attribute" {
			b.m.set(name, list)
		}
	}
	put("Attribute", attributes)
	put("Object", objects)
	put("EventReport", b.texts)
	b.addTags()
	return Event{b.m}
}

// addTags adds tags to those that the event has.
func (b *builder) addTags() {
	if len(b.tags) == 0 {
		return
	}
	tags := b.m.list("Tag")
	for _, name := range b.tags {
		if !slices.ContainsFunc(tags, func(m members) bool { return strings.EqualFold(m.text("name"), name) }) {
			m := members{}
			m.set("name", name)
			tags = append(tags, m)
		}
	}
	b.m.set("Tag", tags)
}

// Document writes events the way MISP exports several.
func Document(events []Event) ([]byte, error) {
	var list []jsontext.Value
	for _, e := range events {
		v, err := e.JSON()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	m := members{}
	m.set("response", list)
	return m.encode()
}
