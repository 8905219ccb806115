package policy

import (
	"iter"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
)

// Entity types of the schema. There is one resource per question, so it needs no id.
const (
	partyType  cedar.EntityType = "Party"
	actionType cedar.EntityType = "Action"
	itemType   cedar.EntityType = "Item"
)

// rule is one Cedar policy, ready to be asked.
type rule struct {
	id     string
	where  string // file:line:column
	words  map[string]string
	policy *cedar.Policy
	tlps   levels // the TLP labels its conditions tell apart
	paps   levels
	cost   int
}

// rules is a list of policies that are evaluated together.
type rules []*rule

// All implements cedar.PolicyIterator.
func (rs rules) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, r := range rs {
			if !yield(cedar.PolicyID(r.id), r.policy) {
				return
			}
		}
	}
}

func (rs rules) byID(id string) *rule {
	for _, r := range rs {
		if r.id == id {
			return r
		}
	}
	return nil
}

// question is one class in Cedar's terms. It is a cedar.EntityGetter over its principal and its resource. Resources are
// built when a marking is first looked at.
type question struct {
	class     Class
	request   cedar.Request
	principal cedar.Entity
	resource  cedar.Entity
	resources [5][4]*cedar.Entity
	author    cedar.EntityUID
	sectors   cedar.Set
}

// asker is a class's principal, or rather what rules can see of it. On a page it is the same for every class.
type asker struct {
	party      string
	membership Membership
	standing   Standing
	connected  bool
	sectors    string
}

func (c *Class) asker() asker {
	return asker{party: c.Party, membership: c.Membership, standing: c.Standing, connected: c.Connected, sectors: c.PartySectors}
}

func (a asker) entity() cedar.Entity {
	return cedar.Entity{
		UID: cedar.NewEntityUID(partyType, cedar.String(a.party)),
		Attributes: cedar.NewRecord(cedar.RecordMap{
			"membership": cedar.String(a.membership),
			"standing":   cedar.String(a.standing),
			"connected":  cedar.Boolean(a.connected),
			"sectors":    set(a.sectors),
		}),
	}
}

// circumstances is a class's context. There are a few hundred of them at most.
type circumstances struct {
	audience                  string
	named, hosts, sealed, own bool
	use                       Use
}

func (c *Class) circumstances() circumstances {
	return circumstances{audience: c.Audience, named: c.Named, hosts: c.Hosts, sealed: c.Sealed, own: c.Own, use: c.Use}
}

func (c circumstances) record() cedar.Record {
	return cedar.NewRecord(cedar.RecordMap{
		"audience": cedar.String(c.audience),
		"named":    cedar.Boolean(c.named),
		"hosts":    cedar.Boolean(c.hosts),
		"sealed":   cedar.Boolean(c.sealed),
		"own":      cedar.Boolean(c.own),
		"use":      cedar.String(c.use),
	})
}

// parts remembers what the classes of a page have in common: building Cedar's values costs as much as asking.
type parts struct {
	asker     asker
	principal cedar.Entity
	contexts  map[circumstances]cedar.Record
}

func newParts() *parts {
	return &parts{principal: asker{}.entity(), contexts: make(map[circumstances]cedar.Record)}
}

func (p *parts) question(c Class) *question {
	if a := c.asker(); a != p.asker {
		p.asker, p.principal = a, a.entity()
	}
	k := c.circumstances()
	context, ok := p.contexts[k]
	if !ok {
		context = k.record()
		p.contexts[k] = context
	}
	return &question{
		class: c, principal: p.principal,
		author: cedar.NewEntityUID(partyType, cedar.String(c.Author)), sectors: set(c.Sectors),
		request: cedar.Request{
			Principal: p.principal.UID,
			Action:    cedar.NewEntityUID(actionType, cedar.String(c.Exit.String())),
			Resource:  cedar.NewEntityUID(itemType, ""),
			Context:   context,
		},
	}
}

func set(labels string) cedar.Set {
	if labels == "" {
		return cedar.NewSet()
	}
	var values []cedar.Value
	for l := range strings.SplitSeq(labels, " ") {
		values = append(values, cedar.String(l))
	}
	return cedar.NewSet(values...)
}

// Get implements cedar.EntityGetter.
func (q *question) Get(uid cedar.EntityUID) (cedar.Entity, bool) {
	switch uid {
	case q.request.Principal:
		return q.principal, true
	case q.request.Resource:
		return q.resource, true
	}
	return cedar.Entity{}, false
}

// ask evaluates rules as if the item bore the labels at these levels, and returns the rules that hold. Any error makes
// failed true: rules that cannot be evaluated must not be passed over, since one of them may forbid.
func (q *question) ask(rs rules, tlp, pap int) (held rules, failed bool) {
	if len(rs) == 0 {
		return nil, false
	}
	if q.resources[tlp][pap] == nil {
		q.resources[tlp][pap] = &cedar.Entity{
			UID: q.request.Resource,
			Attributes: cedar.NewRecord(cedar.RecordMap{
				"agreement": cedar.String(q.class.Agreement),
				"author":    q.author,
				"kind":      cedar.String(q.class.Kind),
				"sectors":   q.sectors,
				"tlp":       cedar.String(tlpLabels()[tlp]),
				"pap":       cedar.String(papLabels()[pap]),
			}),
		}
	}
	q.resource = *q.resources[tlp][pap]
	_, diagnostic := cedar.Authorize(rs, q, q.request)
	for _, reason := range diagnostic.Reasons {
		held = append(held, rs.byID(string(reason.PolicyID)))
	}
	return held, len(diagnostic.Errors) > 0
}
