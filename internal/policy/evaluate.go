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

func newQuestion(c Class) *question {
	q := &question{class: c, author: cedar.NewEntityUID(partyType, cedar.String(c.Author)), sectors: set(c.Sectors)}
	q.principal = cedar.Entity{
		UID: cedar.NewEntityUID(partyType, cedar.String(c.Party)),
		Attributes: cedar.NewRecord(cedar.RecordMap{
			"membership": cedar.String(c.Membership),
			"standing":   cedar.String(c.Standing),
			"connected":  cedar.Boolean(c.Connected),
			"sectors":    set(c.PartySectors),
		}),
	}
	q.request = cedar.Request{
		Principal: q.principal.UID,
		Action:    cedar.NewEntityUID(actionType, cedar.String(c.Exit.String())),
		Resource:  cedar.NewEntityUID(itemType, ""),
		Context: cedar.NewRecord(cedar.RecordMap{
			"audience": cedar.String(c.Audience),
			"named":    cedar.Boolean(c.Named),
			"hosts":    cedar.Boolean(c.Hosts),
			"sealed":   cedar.Boolean(c.Sealed),
			"own":      cedar.Boolean(c.Own),
			"use":      cedar.String(c.Use),
		}),
	}
	return q
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
