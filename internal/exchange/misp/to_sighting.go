package misp

import (
	"fmt"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// Types of sightings in MISP.
const (
	sightingSeen          = "0"
	sightingFalsePositive = "1"
	sightingExpiration    = "2"
)

// sightings converts what others say of an attribute: seen (a STIX sighting), a false positive or expired (an opinion). An
// expiration also ends an indicator's validity.
func (c *converter) sightings(place string, a members, about exchange.Properties) {
	for i, s := range a.list("Sighting") {
		at := s.seconds("date_sighting")
		if at.IsZero() {
			at = c.modified
		}
		uuid := c.uuidOf(s, "sighting", about.ID(), fmt.Sprint(i), s.text("type"), s.text("date_sighting"), s.text("source"))
		if c.ids[uuid] != "" {
			c.report.Lose(fmt.Sprintf("%s/Sighting/%d", place, i), "the same sighting is there twice: carried once")
			continue
		}
		var p exchange.Properties
		switch s.text("type") {
		case sightingFalsePositive, sightingExpiration:
			p = c.begin("opinion", uuid, at, at)
			p["opinion"], p["explanation"] = "strongly-disagree", "false positive"
			if s.text("type") == sightingExpiration {
				p["opinion"], p["explanation"] = "disagree", "expired"
				if until := stix.FormatTimestamp(at); about["type"] == "indicator" {
					if from, _ := about["valid_from"].(string); until > from {
						about["valid_until"] = until
					}
				}
			}
			p["object_refs"] = []string{about.ID()}
		default:
			p = c.begin("sighting", uuid, at, at)
			p["sighting_of_ref"], p["count"] = about.ID(), 1
			p["first_seen"], p["last_seen"] = stix.FormatTimestamp(at), stix.FormatTimestamp(at)
			if org := s.object("Organisation"); org != nil {
				if id := c.identity(org); id != "" {
					p["where_sighted_refs"] = []string{id}
				}
			}
		}
		delete(p, "created_by_ref") // the event's author is not who saw it
		c.ids[uuid] = p.ID()
		c.marking.mark(p)
		delete(p, "labels")
		if v, ok := c.open(p); ok {
			extend(p, differ(kindSighting, s, sightingMembers(v)))
		}
		c.add(p)
	}
}
