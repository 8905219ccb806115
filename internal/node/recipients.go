package node

import (
	"context"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// sealingFor says to whom a record is sealed: its audience, or without one the agreement's members as its roll introduced
// them; always the author too.
func (n *Node) sealingFor(ctx context.Context, logID string, rec record.Record) (record.Sealing, error) {
	form, err := record.FormFor(rec)
	if err != nil || form == record.FormClear {
		return record.Clear(), err
	}
	k, err := n.keyring(logID)
	if err != nil {
		return record.Sealing{}, err
	}
	c := chainFor(rec)
	later := c.audience == nil && n.givenLater(k.Log.Agreement, rec.Kind)
	to, err := n.holdersOf(ctx, k, c)
	if err != nil {
		return record.Sealing{}, err
	}
	if len(record.SealKeysOf(to)) > record.MaxDirect || later {
		return n.epochSealing(ctx, logID, k, c, to)
	}
	recipients, err := recipientsOf(to)
	if err != nil {
		return record.Sealing{}, err
	}
	return record.Direct(recipients...)
}

// The chains of epochs that every log under an agreement may have, besides those of named audiences.
const (
	chainMembers = "members"
	// chainRoll seals acts and roll records, for the members and for those whose joining waits for witnesses. Whoever joins gets
	// all of it, whatever the rule for other records is: the roll is what a newcomer accedes to.
	chainRoll = "roll"
)

// chain names whose epochs seal a record.
type chain struct {
	id       string
	audience *record.Audience // nil: the members
}

func chainFor(rec record.Record) chain {
	switch {
	case rec.Audience != nil:
		return chain{audienceName(rec.Audience), rec.Audience}
	case rec.Kind == record.KindRoll, rec.Kind == record.KindAct:
		return chain{chainRoll, nil}
	}
	return chain{chainMembers, nil}
}

// givenLater says whether those who join later get records of a kind that are for the members: then it takes epochs for few recipients too, since
// a record that is sealed to keys directly is opened by nobody else for ever.
func (n *Node) givenLater(id string, kind record.Kind) bool {
	t := n.termsOf(id)
	return id != record.OwnAgreement && !t.closed && (kind == record.KindRoll || t.backfill != agreement.BackfillNone)
}

// sealTerms is what an agreement's roll says about who may open what.
type sealTerms struct {
	closed   bool // nobody joins later: two parties alone
	backfill agreement.Backfill
	since    map[string]string // by party: the date from which it is a member
}

func (n *Node) termsOf(id string) sealTerms {
	n.mu.RLock()
	defer n.mu.RUnlock()
	t, ok := n.sealTerms[id]
	if !ok {
		t.backfill = agreement.BackfillNone
	}
	return t
}

// from is since when a member may have what was sealed before it came; nil: it may not.
func (t sealTerms) from(party string, c chain) *time.Time {
	switch {
	case c.audience != nil:
		return nil
	case c.id == chainRoll, t.backfill == agreement.BackfillAll:
		return &time.Time{}
	case t.backfill == agreement.BackfillYear:
		since, err := time.Parse(time.DateOnly, t.since[party])
		if err != nil {
			return nil // the depositary that is no member, or a date that no roll would hold
		}
		since = since.AddDate(-1, 0, 0)
		return &since
	}
	return nil
}

// holderOf lists the seal keys of a party, or of an officer of it, and those it had before.
func holderOf(k record.Keyring, officer string) (record.Holder, error) {
	h := record.Holder{Keys: k.SealKeys(officer)}
	if len(h.Keys) == 0 {
		return h, fault.New(fault.Invalid, "the party must add one to its keyring", "sealing to party %s: its keyring has no seal key", k.Party)
	}
	for _, r := range k.Revoked {
		h.Former = append(h.Former, r.ID)
		if r.Reason == record.RevokedSuperseded {
			h.Replaced = append(h.Replaced, r.ID)
		}
	}
	return h, nil
}

func recipientsOf(to []record.Holder) ([]*age.HybridRecipient, error) {
	var out []*age.HybridRecipient
	seen := map[string]bool{}
	for _, h := range to {
		for _, key := range h.Keys {
			if seen[key.ID] {
				continue
			}
			seen[key.ID] = true
			r, err := key.PublicKey().Recipient()
			if err != nil {
				return nil, recordFault("sealing to key "+key.ID, err)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// holdersOf finds the keys of those whom a chain is for, the author first: parties whose keyring is pinned here or came with
// the agreement's roll, and persons of them; always the newest keyring that is known.
func (n *Node) holdersOf(ctx context.Context, own record.Keyring, c chain) ([]record.Holder, error) {
	h, err := holderOf(own, "")
	if err != nil {
		return nil, err
	}
	out := []record.Holder{h}
	take := func(k record.Keyring, officer string) error {
		h, err := holderOf(n.newest(k), officer)
		h.From = n.termsOf(own.Log.Agreement).from(k.Party, c)
		out = append(out, h)
		return err
	}
	members := n.membersOf(own.Log.Agreement)
	if c.audience == nil {
		run := members
		if c.id == chainRoll {
			run = slices.Concat(members, n.newcomersOf(own.Log.Agreement))
		}
		for _, k := range run {
			if err := take(k, ""); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	keyrings := slices.Concat([]record.Keyring{own}, members)
	parties := make(map[string]record.Keyring, len(keyrings))
	for _, k := range slices.Backward(keyrings) {
		parties[k.Party] = k
	}
	for _, party := range c.audience.Parties {
		k, ok := parties[party]
		if !ok {
			if k, ok, err = n.pinOf(ctx, party); err != nil {
				return nil, err
			}
		}
		if !ok {
			return nil, fault.New(fault.NotFound, "pin its keyring with 'mithaq key pin FILE'", "sealing to party %s: its keys are not known here", party)
		}
		if err := take(k, ""); err != nil {
			return nil, err
		}
	}
	if len(c.audience.Persons) > 0 {
		pins, err := n.pins(ctx)
		if err != nil {
			return nil, err
		}
		keyrings = append(keyrings, pins...)
	}
	for _, person := range c.audience.Persons {
		k, ok := findKeyring(keyrings, func(k record.Keyring) bool {
			key, ok := n.newest(k).Find(person)
			return ok && key.Role == record.RoleOfficer
		})
		if !ok {
			return nil, fault.New(fault.NotFound, "pin the keyring of the person's party with 'mithaq key pin FILE'", "sealing to person %s: no officer with this key is known here", person)
		}
		if err := take(k, person); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func findKeyring(keyrings []record.Keyring, want func(record.Keyring) bool) (record.Keyring, bool) {
	for _, k := range keyrings {
		if want(k) {
			return k, true
		}
	}
	return record.Keyring{}, false
}
