package policy

import (
	"slices"

	cedar "github.com/cedar-policy/cedar-go"
)

// KindVictim is the kind of an item that is no record: what a sighting would say of who was hit. Unlike records it is given to nobody because
// of its marking alone. A rule of the agreement has to permit it and to mean it:
//
//	permit (principal, action == Action::"object", resource)
//	when { resource.kind == "victim" && principal.membership == "member" };
//
// A rule that permits whatever its kind is (as one about sectors or standing) was not written for victims, and does not count for them.
const KindVictim = "victim"

// victim decides on a victim that nothing forbids.
func (q *question) victim(own *Rules) verdict {
	permitting, failed := q.meansVictims(own.permits)
	switch {
	case failed:
		return verdict{reasons: []Reason{filterReason(reasonFailed, "")}}
	case len(permitting) > 0:
		return verdict{allow: true, reasons: ruleReasons(permitting, Permits)}
	}
	return verdict{reasons: []Reason{filterReason(reasonNoVictim, "")}}
}

// meansVictims returns the agreement's rules that permit a victim and mean it.
func (q *question) meansVictims(own []group) (held rules, failed bool) {
	for _, g := range own {
		for _, r := range g.rules {
			some, bad := q.askStricter([]group{{rules: rules{r}, tlps: r.tlps, paps: r.paps}})
			if bad {
				return nil, true
			}
			if len(some) == 0 {
				continue
			}
			whatever, bad := q.holdsWithoutKind(r)
			if bad {
				return nil, true
			}
			if !whatever {
				held = append(held, r)
			}
		}
	}
	return held, false
}

// holdsWithoutKind tells whether a rule holds, at any label, for an item that is of no kind at all.
func (q *question) holdsWithoutKind(r *rule) (holds, failed bool) {
	c := q.class
	c.Kind = ""
	other := *q
	other.class, other.resources = c, [tlpCount][papCount]*cedar.Entity{}
	tlps, paps := r.tlps.between(0, tlpCount-1), r.paps.between(0, papCount-1)
	for t := range tlpCount {
		for p := range papCount {
			if !tlps.has(t) || !paps.has(p) {
				continue
			}
			held, failed := other.ask(rules{r}, t, p)
			if len(held) > 0 || failed {
				return slices.Contains(held, r), failed
			}
		}
	}
	return false, false
}
