package siem

import (
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// Kinds of events.
const (
	Alert     = "alert"     // an indicator matched own traffic
	Sighting  = "sighting"  // a party says that it saw an indicator
	Indicator = "indicator" // something to look for
)

// Event is what one log line says. Empty fields are left out.
type Event struct {
	Kind        string
	ID          string // STIX id, or what names the alert
	Time        time.Time
	Name        string // in one line, what it is about
	Description string
	Indicator   string        // STIX id of the indicator that matched or was seen
	Value       exchange.Term // what was looked for
	Confidence  int           // 0 to 100; -1: not said
	Count       int64
	First, Last time.Time
	Source      string // addresses of a connection
	Destination string
	SourcePort  int
	DestPort    int
	Rule        string // pattern, as it is
	RuleType    string
	Labels      []string
	Origin      exchange.Origin
}

// OfIndicator describes an indicator, by its first value.
func OfIndicator(in exchange.Indicator) Event {
	e := Event{Kind: Indicator, ID: in.ID, Indicator: in.ID, Time: in.Modified, Name: in.Title(), Description: in.Description, Confidence: in.Confidence,
		First: in.From, Last: in.Until, Rule: in.Pattern, RuleType: in.PatternType, Labels: in.Labels, Origin: in.Origin}
	if len(in.Alternatives) > 0 {
		if t, _, ok := exchange.Single(in.Alternatives[0]); ok {
			e.Value = t
		}
	}
	return e
}

// OfSighting describes a STIX sighting. of is the indicator that was seen, where it is at hand.
func OfSighting(o stix.Object, of *exchange.Indicator, origin exchange.Origin) (Event, error) {
	v, err := o.Open()
	if err != nil {
		return Event{}, err
	}
	e := Event{Kind: Sighting, ID: o.ID, Indicator: v.Get("sighting_of_ref").Text(), Time: o.Modified, Description: v.Get("description").Text(), Confidence: -1, Count: 1, Origin: origin}
	if n, ok := v.Get("count").Int(); ok {
		e.Count = n
	}
	if n, ok := v.Get("confidence").Int(); ok && n >= 0 && n <= 100 {
		e.Confidence = int(n)
	}
	for name, to := range map[string]*time.Time{"first_seen": &e.First, "last_seen": &e.Last} {
		if at, err := stix.ParseTimestamp(v.Get(name).Text()); err == nil {
			*to = at
		}
	}
	if !e.Last.IsZero() {
		e.Time = e.Last
	}
	if of != nil {
		e.Name, e.Value = of.Title(), OfIndicator(*of).Value
	}
	return e, nil
}

// severity is how grave an event is for CEF, 0 to 10: what is only to be looked for is no incident.
func (e *Event) severity() int {
	switch {
	case e.Kind == Indicator:
		return 0
	case e.Confidence < 0:
		return 5
	}
	return max(1, (e.Confidence+9)/10)
}
