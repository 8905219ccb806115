package node

import (
	"context"
	"time"

	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/store"
)

// searchDecision asks policy about each result of one search. This is the one place where search asks: who asks, under
// which rules and when is settled here and nowhere else.
type searchDecision struct {
	index   *store.Index
	decider *policy.Decider
	who     policy.Principal
	now     time.Time
}

// searchDecision prepares to decide for whoever holds this node's scope to read: a machine of the node's own party. What
// names persons is found by them alone, and so not by this one. The rules are the shipped ones; an agreement under which
// this node has no log has none here, and what stands under it is denied.
func (n *Node) searchDecision(ctx context.Context) (searchDecision, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return searchDecision{}, storeFault(err)
	}
	var rules []*policy.Rules
	seen := map[string]bool{}
	for _, l := range infos {
		if !seen[l.Agreement] {
			seen[l.Agreement] = true
			rules = append(rules, policy.NoRules(l.Agreement))
		}
	}
	book, err := policy.NewBook(rules...)
	if err != nil {
		return searchDecision{}, err
	}
	return searchDecision{
		index: n.store.Index(), decider: book.NewDecider(), now: n.now(),
		who: policy.Principal{Party: n.party.ID, Membership: policy.Member, Standing: policy.Joined, Connected: true},
	}, nil
}

// ask returns the record when it may be listed, else nil: its very existence is not told then.
func (d searchDecision) ask(ctx context.Context, e store.Indexed) (*store.Indexed, error) {
	item, err := d.item(ctx, e)
	if err != nil {
		return nil, err
	}
	shown, decision := policy.Ask(d.decider, policy.Request{Principal: d.who, Exit: policy.ToSearch(), Now: d.now}, policy.Guard(item, e))
	if !decision.Allow {
		return nil, nil
	}
	return &shown, nil
}

// item describes a record to policy, with what its author took back or widened since.
func (d searchDecision) item(ctx context.Context, e store.Indexed) (policy.Item, error) {
	it := policy.Item{
		ID: string(e.Leaf[:]), Agreement: e.Agreement, Author: e.Author, Officer: e.Officer, Kind: e.Kind,
		Marking:  policy.Marking{TLP: policy.TLP(e.TLP), PAP: policy.PAP(e.PAP)},
		Audience: audienceOf(e.Parties, e.Persons), Expires: e.Expires,
	}
	changes, err := d.index.ChangesOf(ctx, e.Leaf)
	if err != nil {
		return it, err
	}
	for _, c := range changes {
		if c.By.Author != e.Author || c.By.Standing != StandingValid {
			continue // only an author takes back or widens what is its own
		}
		if c.Action == actionRelease {
			release(&it, c)
			continue
		}
		r := policy.Restriction{Action: policy.RestrictionAction(c.Action), Parts: c.Objects, Record: string(c.By.Leaf[:])}
		if c.TLP != "" {
			r.Marking = &policy.Marking{TLP: policy.TLP(c.TLP), PAP: policy.PAP(c.PAP)}
		}
		if c.Audience {
			r.Audience = audienceOf(c.Parties, c.Persons)
		}
		it.Restrictions = append(it.Restrictions, r)
	}
	return it, nil
}

// release widens an item and lifts the narrowings of the whole that came before; a withdrawal stays.
func release(it *policy.Item, c store.ChangeOf) {
	if c.TLP != "" {
		it.Marking = policy.Marking{TLP: policy.TLP(c.TLP), PAP: policy.PAP(c.PAP)}
		if it.Marking.TLP == policy.TLPClear {
			it.Audience = nil
		}
	}
	if c.Audience {
		it.Audience = audienceOf(c.Parties, c.Persons)
	}
	var kept []policy.Restriction
	for _, r := range it.Restrictions {
		if r.Action != policy.Narrow || len(r.Parts) > 0 {
			kept = append(kept, r)
		}
	}
	it.Restrictions = kept
}

func audienceOf(parties, persons []string) *policy.Audience {
	if len(parties) == 0 && len(persons) == 0 {
		return nil
	}
	a := &policy.Audience{Parties: parties}
	for _, key := range persons {
		a.Persons = append(a.Persons, policy.Person{Key: key})
	}
	return a
}
