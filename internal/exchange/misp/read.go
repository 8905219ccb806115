package misp

import (
	"errors"
	"fmt"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/internal/exchange"
)

// Bounds on one document.
const (
	// MaxEvents is how many events one document may hold.
	MaxEvents = 10_000
	// MaxAttributes is how many attributes one event may hold, those of its objects included.
	MaxAttributes = 200_000
)

// Event is one MISP event, its members as they came.
type Event struct{ m members }

// Read reads the events of a document: one event, a list of them, or a server's answer to a search.
func Read(b []byte) ([]Event, error) {
	v, err := decode(b)
	if err != nil {
		return nil, err
	}
	events, err := eventsOf(v, 0)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, errors.New("reading MISP JSON: there is no event in it")
	}
	return events, nil
}

// eventsOf looks for events below response and Event, where servers and exports put them.
func eventsOf(v jsontext.Value, depth int) ([]Event, error) {
	switch {
	case depth > 4:
		return nil, errors.New("reading MISP JSON: events lie too deep")
	case v.Kind() == '[':
		var list []jsontext.Value
		if err := jsonv2.Unmarshal(v, &list); err != nil {
			return nil, fmt.Errorf("reading MISP JSON: %w", err)
		}
		var all []Event
		for _, one := range list {
			events, err := eventsOf(one, depth+1)
			if err != nil {
				return nil, err
			}
			if all = append(all, events...); len(all) > MaxEvents {
				return nil, fmt.Errorf("reading MISP JSON: more than %d events: split it", MaxEvents)
			}
		}
		return all, nil
	case v.Kind() != '{':
		return nil, errors.New("reading MISP JSON: an event is a JSON object")
	}
	m := objectOf(v)
	for _, wrapper := range []string{"response", "Event"} {
		if inner, ok := m[wrapper]; ok && m["info"] == nil {
			return eventsOf(inner, depth+1)
		}
	}
	if m["info"] == nil && m["Attribute"] == nil && m["Object"] == nil {
		return nil, nil
	}
	return []Event{{m}}, nil
}

// Looks tells whether a document's beginning looks like MISP JSON rather than STIX.
func Looks(head []byte) bool {
	for _, name := range []string{`"Event"`, `"Attribute"`, `"threat_level_id"`, `"Orgc"`} {
		if contains(head, name) {
			return true
		}
	}
	return false
}

func contains(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if string(b[i:i+len(s)]) == s {
			return true
		}
	}
	return false
}

// UUID is the event's identifier; made from its title where it has none.
func (e Event) UUID() string {
	if id := e.m.text("uuid"); exchange.IsUUID(id) {
		return id
	}
	return exchange.UUID("misp-event", e.m.text("uuid"), e.m.text("info"), e.m.text("date"))
}

// Info is the event's title.
func (e Event) Info() string { return e.m.text("info") }

// Timestamp is when the event was changed last; where it does not say, the day it bears.
func (e Event) Timestamp() time.Time {
	if at := e.m.seconds("timestamp"); !at.IsZero() {
		return at
	}
	return e.date()
}

// date is the day that the event bears.
func (e Event) date() time.Time {
	if at := e.m.moment("date"); !at.IsZero() {
		return at
	}
	if at := e.m.seconds("timestamp"); !at.IsZero() {
		return at.Truncate(24 * time.Hour)
	}
	return time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC) // before MISP's first release: nothing better is known
}

// JSON is the event as MISP reads it.
func (e Event) JSON() ([]byte, error) {
	m := members{}
	inner, err := e.m.encode()
	if err != nil {
		return nil, err
	}
	m["Event"] = inner
	return m.encode()
}

// Group is a sharing group as an event names it: who may have it, by the organisations' identifiers and names.
type Group struct {
	UUID          string
	Name          string
	Organisations []Organisation
}

// Organisation is one member of a sharing group.
type Organisation struct{ UUID, Name string }

// groupOf reads a sharing group.
func groupOf(m members) *Group {
	if m == nil {
		return nil
	}
	g := &Group{UUID: m.text("uuid"), Name: m.text("name")}
	for _, o := range m.list("SharingGroupOrg") {
		org := o.object("Organisation")
		if org == nil {
			org = o
		}
		g.Organisations = append(g.Organisations, Organisation{UUID: org.text("uuid"), Name: org.text("name")})
	}
	return g
}

// Distribution levels of MISP: how far an event or attribute may go where no sharing group says so.
const (
	ownOrganisation = "0"
	inSharingGroup  = "4"
)
