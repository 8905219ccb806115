package node

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Viewer is on whose behalf records of this node are read. The zero Viewer is a stranger.
type Viewer struct {
	Own    bool   // the node's own party: the owner's socket, or a token that it gave out
	Party  string // another party, for which somebody asks what it would get; empty: none
	Person string // key id of the officer who looks; empty for a machine
}

// Owner is the viewer at the node's own socket: the officer whose key is here. Who can open the socket can use that key.
func (n *Node) Owner() Viewer {
	v := Viewer{Own: true}
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, b := range n.books {
		k, ok := b.history.Last()
		if !ok || b.log.Followed() || b.log.Agreement != record.OwnAgreement {
			continue
		}
		if officer, err := n.officerFor(k, record.KindReport); err == nil {
			v.Person = officer.ID
		}
	}
	return v
}

// decision asks policy about each record of one answer. This is the one place where this node asks: who asks, under which
// rules and when is settled here and nowhere else.
type decision struct {
	index   *store.Index
	decider *policy.Decider
	who     policy.Principal
	members map[string]policy.Membership // of who asks, by agreement
	now     time.Time
	counted *auditor
}

// decideFor prepares to decide for a viewer. Beside the shipped rules stand those of each agreement whose roll is here; an
// agreement under which this node has no log has none, and what stands under it is denied.
func (n *Node) decideFor(ctx context.Context, v Viewer) (decision, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return decision{}, fault.OfStore(err)
	}
	agreements := make([]string, len(infos))
	for i, l := range infos {
		agreements[i] = l.Agreement
	}
	return n.decideUnder(ctx, v, agreements...)
}

// decideUnder is decideFor for what stands under a few agreements.
func (n *Node) decideUnder(ctx context.Context, v Viewer, agreements ...string) (decision, error) {
	d := decision{index: n.store.Index(), members: map[string]policy.Membership{}, now: n.now(), counted: &n.audited}
	if v.Own {
		d.who = policy.Principal{Party: n.party.ID, Person: v.Person, Standing: policy.Joined, Connected: true}
	}
	if v.Party != "" {
		d.who = policy.Principal{Party: v.Party, Person: v.Person}
	}
	var rules []*policy.Rules
	for _, id := range agreements {
		if _, seen := d.members[id]; seen {
			continue
		}
		own, membership, err := n.rulesFor(ctx, id, d.who.Party)
		if err != nil {
			return decision{}, err
		}
		d.members[id] = membership
		rules = append(rules, own)
	}
	book, err := policy.NewBook(rules...)
	if err != nil {
		return decision{}, err
	}
	d.decider = book.NewDecider()
	return d, nil
}

// rulesFor returns an agreement's own rules, perhaps none, and what a party is in it.
func (n *Node) rulesFor(ctx context.Context, id, party string) (*policy.Rules, policy.Membership, error) {
	rules, membership, err := n.standingIn(ctx, id, party)
	if rules == nil {
		rules = policy.NoRules(id)
	}
	return rules, membership, err
}

// standingIn returns an agreement's own rules (nil: it has none) and what a party is in it, both as its roll says. A party is
// alone in its own house.
func (n *Node) standingIn(ctx context.Context, id, party string) (rules *policy.Rules, membership policy.Membership, err error) {
	membership = policy.NoMember
	if id == record.OwnAgreement {
		if party == n.party.ID {
			membership = policy.Member
		}
		return rules, membership, nil
	}
	err = n.withRoll(ctx, id, func(r *roll) error {
		if m, ok := r.effect.Member(party); ok && m.Membership == agreement.Joined {
			membership = policy.Member
		}
		if r.rules == nil || r.rulesOf != r.effect.Text() {
			text := r.effect.Definition()
			if text == nil {
				return nil
			}
			if r.rules, err = compileRules(id, text); err != nil {
				return err
			}
			r.rulesOf = r.effect.Text()
		}
		rules = r.rules
		return nil
	})
	return rules, membership, err
}

// request is the question whether who asks may have an item through an exit.
func (d decision) request(exit policy.Exit, it policy.Item) policy.Request {
	who := d.who
	who.Membership = d.members[it.Agreement]
	return policy.Request{Principal: who, Exit: exit, Item: it, Now: d.now}
}

// listed returns the record when it may be listed as a result, else nil: its very existence is not told then.
func (d decision) listed(ctx context.Context, e store.Indexed) (*store.Indexed, error) {
	item, err := d.withChanges(ctx, e.Leaf, itemOfIndexed(e))
	if err != nil {
		return nil, err
	}
	shown, answer := ask(d, d.request(policy.ToSearch(), item), policy.Guard(item, e))
	if !answer.Allow {
		return nil, nil
	}
	return &shown, nil
}

// shown returns what of an opened leaf may be shown over the API. What may not keeps its place and says why; of intelligence of which
// single objects were taken back the rest is shown.
func (d decision) shown(ctx context.Context, o opened) (opened, error) {
	if o.record.Kind == "" {
		return o, nil // sealed to others, erased or broken: there are no contents to decide on
	}
	item, err := d.itemOf(ctx, o)
	if err != nil {
		return opened{}, err
	}
	allowed, answer := ask(d, d.request(policy.ToAPI(), item), policy.Guard(item, o))
	if answer.Allow {
		return allowed, nil
	}
	if rest, ok := d.rest(o, item, answer); ok {
		return rest, nil
	}
	v := o.view
	return opened{object: o.object, view: RecordView{Log: v.Log, Index: v.Index, Mark: v.Mark, Leaf: v.Leaf, Object: v.Object, Sealed: v.Sealed,
		Kind: v.Kind, Standing: StandingWithheld, Why: strings.Join(answer.Why("en"), " "), WhyIn: inLanguages(answer)}}, nil
}

// inLanguages gives a decision's reasons as one text in each language of the screens.
func inLanguages(d policy.Decision) map[string]string {
	out := map[string]string{}
	for _, language := range []string{"ar", "en", "fr"} {
		out[language] = strings.Join(d.Why(language), " ")
	}
	return out
}

// itemOfIndexed describes a record to policy by what the index has of it.
func itemOfIndexed(e store.Indexed) policy.Item {
	return policy.Item{
		ID: string(e.Leaf[:]), Agreement: e.Agreement, Author: e.Author, Officer: e.Officer, Kind: e.Kind,
		Marking:  policy.Marking{TLP: policy.TLP(e.TLP), PAP: policy.PAP(e.PAP)},
		Audience: audienceOf(e.Parties, e.Persons), Expires: e.Expires,
	}
}

// itemOf describes an opened record to policy.
func (d decision) itemOf(ctx context.Context, o opened) (policy.Item, error) {
	leaf := record.ParseHash(o.view.Leaf)
	r := o.record
	item := policy.Item{ID: string(leaf[:]), Agreement: r.Agreement, Author: r.Author, Officer: r.Officer, Kind: string(r.Kind), Marking: r.Marking}
	if r.Audience != nil {
		item.Audience = audienceOf(r.Audience.Parties, r.Audience.Persons)
	}
	if r.Expires != nil {
		item.Expires = *r.Expires
	}
	return d.withChanges(ctx, leaf, item)
}

// withChanges completes an item with what its author took back or widened since.
func (d decision) withChanges(ctx context.Context, leaf [32]byte, it policy.Item) (policy.Item, error) {
	if spec, err := record.LookupKind(record.Kind(it.Kind)); err != nil || !spec.Recallable {
		return it, nil //nolint:nilerr // acts, keyrings, recalls and answers cannot be taken back
	}
	changed, err := withChanges(ctx, d.index, leaf, it)
	if errors.Is(err, store.ErrNoIndex) && d.who.Party != "" && it.Author == d.who.Party {
		return it, nil // the author's own record, before there is an index
	}
	return changed, err
}

func withChanges(ctx context.Context, index *store.Index, leaf [32]byte, it policy.Item) (policy.Item, error) {
	changes, err := index.ChangesOf(ctx, leaf)
	if err != nil {
		return it, err
	}
	applyChanges(&it, changes)
	return it, nil
}

// counts says whether a recall or release binds a record of an author: only an author takes back or widens what is its own.
func counts(c store.ChangeOf, author string) bool {
	return c.By.Author == author && c.By.Standing == StandingValid
}

// applyChanges adds to an item what its author took back or widened, in the order given.
func applyChanges(it *policy.Item, changes []store.ChangeOf) {
	for _, c := range changes {
		if !counts(c, it.Author) {
			continue
		}
		if c.Action == entry.ActionRelease {
			release(it, c)
			continue
		}
		r := policy.Restriction{Action: policy.RestrictionAction(c.Action), Parts: c.Objects, Record: hex.EncodeToString(c.By.Leaf[:])}
		if c.TLP != "" {
			r.Marking = &policy.Marking{TLP: policy.TLP(c.TLP), PAP: policy.PAP(c.PAP)}
		}
		if c.Audience {
			r.Audience = audienceOf(c.Parties, c.Persons)
		}
		it.Restrictions = append(it.Restrictions, r)
	}
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
