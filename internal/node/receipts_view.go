package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// ReceiptsView says who has a record, who opened it and who read it, by the holders' signed receipts, and who obeys what its
// author took back or widened since.
type ReceiptsView struct {
	Log     string          `json:"log"`
	Index   int64           `json:"index"`
	Leaf    string          `json:"leaf" doc:"Leaf hash, hexadecimal"`
	Kind    string          `json:"kind,omitempty"`
	Holders []HolderView    `json:"holders" doc:"Whoever the record is for or acknowledged it; who said nothing has no times"`
	Changes []ChangeHolders `json:"changes,omitempty" doc:"Recalls and releases of it, oldest first"`
}

// ChangeHolders says who obeys a recall or a release.
type ChangeHolders struct {
	Action  string       `json:"action" enum:"withdraw,narrow,erase,release"`
	Log     string       `json:"log"`
	Index   int64        `json:"index"`
	Time    time.Time    `json:"time"`
	Obeyed  int          `json:"obeyed" doc:"How many acknowledged that they obey it"`
	Holders []HolderView `json:"holders"`
}

// HolderView is how far a record came at one party, each since when.
type HolderView struct {
	Party   string            `json:"party"`
	Names   map[string]string `json:"names,omitempty"`
	Fetched *time.Time        `json:"fetched,omitempty" doc:"Its node has it"`
	Opened  *time.Time        `json:"opened,omitempty" doc:"Its node opened and verified it"`
	Read    *time.Time        `json:"read,omitempty" doc:"A person read it"`
	Obeyed  *time.Time        `json:"obeyed,omitempty" doc:"Of a recall or release: every exit of its node holds to it"`
	Readers []string          `json:"readers,omitempty" doc:"Key ids of the officers who signed that they read it"`
}

// Receipts tells what is known here of who has a record: to its author, to others as far as the receipts are for them too.
func (n *Node) Receipts(ctx context.Context, v Viewer, ref string, index int64) (ReceiptsView, error) {
	o, l, err := n.openAt(ctx, ref, index)
	if err != nil {
		return ReceiptsView{}, err
	}
	own := v.Own && !l.Followed()
	if !own {
		if o, l, err = n.shownAt(ctx, v, ref, index); err == nil && (o.view.Standing == StandingWithheld || o.view.Standing == StandingSealed) {
			err = fault.New(fault.Forbidden, "", "place %d of log %s is %s", index, l.ID, o.view.Why)
		}
		if err != nil {
			return ReceiptsView{}, err
		}
	}
	q := receiptQuery{node: n}
	if q.decide, err = n.decideUnder(ctx, v, l.Agreement); err != nil {
		return ReceiptsView{}, err
	}
	out := ReceiptsView{Log: l.ID, Index: index, Leaf: o.view.Leaf, Kind: o.view.Kind}
	audience := o.record.Audience
	if out.Holders, err = q.holders(ctx, l, index, record.ParseHash(o.view.Leaf), audience); err != nil {
		return out, err
	}
	changes, err := n.store.Index().ChangesOf(ctx, record.ParseHash(o.view.Leaf))
	if err != nil {
		return out, indexFault("listing receipts", err)
	}
	for _, c := range changes {
		if !counts(c, n.writerOf(l)) {
			continue
		}
		h, err := q.change(ctx, c, audience)
		if err != nil {
			return out, err
		}
		out.Changes = append(out.Changes, h)
	}
	return out, nil
}

// receiptQuery reads receipts for one answer.
type receiptQuery struct {
	node   *Node
	decide decision
}

func (q receiptQuery) change(ctx context.Context, c store.ChangeOf, audience *record.Audience) (ChangeHolders, error) {
	out := ChangeHolders{Action: c.Action, Index: c.By.Index, Time: c.By.Time}
	s := searching{node: q.node, logs: map[int64]string{}}
	var err error
	if out.Log, err = s.log(ctx, c.By.LogNo); err != nil {
		return out, err
	}
	l, err := q.node.reader.Log(ctx, out.Log)
	if err != nil {
		return out, fault.OfStore(err)
	}
	if out.Holders, err = q.holders(ctx, l, c.By.Index, c.By.Leaf, audience); err != nil {
		return out, err
	}
	for _, h := range out.Holders {
		if h.Obeyed != nil {
			out.Obeyed++
		}
	}
	return out, nil
}

// holders lists those whom a record is for and those who acknowledged it, by their ids.
func (q receiptQuery) holders(ctx context.Context, l ledger.LogInfo, index int64, leaf [32]byte, audience *record.Audience) ([]HolderView, error) {
	all := map[string]*HolderView{}
	if err := q.expected(ctx, l, audience, all); err != nil {
		return nil, err
	}
	list, err := q.node.store.Index().ReceiptsOf(ctx, l.Origin, index, leaf)
	if err != nil {
		return nil, indexFault("listing receipts", err)
	}
	for _, r := range list {
		if r.By.Standing != StandingValid || r.By.Agreement != l.Agreement || r.By.Author == q.node.writerOf(l) {
			continue
		}
		shown, err := q.decide.listed(ctx, r.By)
		if err != nil {
			return nil, err
		}
		if shown == nil {
			continue
		}
		h := all[shown.Author]
		if h == nil {
			h = &HolderView{Party: shown.Author}
			all[shown.Author] = h
		}
		h.take(shown.Stage, r.At, shown.Signers, shown.Officer)
	}
	if err := q.name(ctx, l, all); err != nil {
		return nil, err
	}
	out := make([]HolderView, 0, len(all))
	for _, h := range all {
		out = append(out, *h)
	}
	slices.SortStableFunc(out, func(a, b HolderView) int { return cmp.Compare(a.Party, b.Party) })
	return out, nil
}

// take adds what one receipt says; of several the earliest counts.
func (h *HolderView) take(state string, at time.Time, signers []string, node string) {
	var since **time.Time
	switch record.ReceiptState(state) {
	case record.ReceiptFetched:
		since = &h.Fetched
	case record.ReceiptOpened:
		since = &h.Opened
	case record.ReceiptObeyed:
		since = &h.Obeyed
	case record.ReceiptRead:
		since = &h.Read
		for _, key := range signers {
			if key != node && !slices.Contains(h.Readers, key) {
				h.Readers = append(h.Readers, key)
			}
		}
	default:
		return
	}
	at = at.UTC()
	if *since == nil || at.Before(**since) {
		*since = &at
	}
}

// expected adds those whom a record is for: its audience, or whoever runs the agreement.
func (q receiptQuery) expected(ctx context.Context, l ledger.LogInfo, audience *record.Audience, all map[string]*HolderView) error {
	writer := q.node.writerOf(l)
	add := func(party string) {
		if party != "" && party != writer {
			all[party] = &HolderView{Party: party}
		}
	}
	if l.Agreement == record.OwnAgreement {
		return nil
	}
	return q.node.withRoll(ctx, l.Agreement, func(r *roll) error {
		if audience == nil {
			for party, m := range r.state.Members {
				if m.Membership == agreement.Joined {
					add(party)
				}
			}
			return nil
		}
		for _, party := range audience.Parties {
			add(party)
		}
		for _, person := range audience.Persons {
			if k, ok := findKeyring(slices.Collect(maps.Values(r.keyrings)), func(k record.Keyring) bool { _, ok := k.Find(person); return ok }); ok {
				add(k.Party)
			}
		}
		return nil
	})
}

func (q receiptQuery) name(ctx context.Context, l ledger.LogInfo, all map[string]*HolderView) error {
	if l.Agreement == record.OwnAgreement {
		return nil
	}
	return q.node.withRoll(ctx, l.Agreement, func(r *roll) error {
		for party, h := range all {
			_, h.Names = r.nameOf(party)
		}
		return nil
	})
}

// ReadByPerson tells the author of a record that a person of this party has read it: a receipt that the officer signs beside
// the node. Whoever says so twice is given the first.
func (n *Node) ReadByPerson(ctx context.Context, v Viewer, ref string, index int64) (Receipt, error) {
	if n.ledger == nil {
		return Receipt{}, errReadOnly()
	}
	o, l, err := n.shownAt(ctx, v, ref, index)
	if err != nil {
		return Receipt{}, err
	}
	switch {
	case !l.Followed():
		return Receipt{}, fault.New(fault.Invalid, "see 'mithaq show --receipts' for who read it", "confirming: place %d of log %s is this party's own", index, l.ID)
	case o.view.Standing != StandingValid:
		return Receipt{}, fault.New(fault.Forbidden, "", "confirming: place %d of log %s is %s: %s", index, l.ID, o.view.Standing, o.view.Why)
	}
	spec, err := record.LookupKind(o.record.Kind)
	if err != nil || spec.Issuer != record.RoleOfficer {
		return Receipt{}, fault.New(fault.Invalid, "", "confirming: records of kind %s are for programs, not for people", o.view.Kind)
	}
	own, ok, err := n.receiptLog(ctx, l)
	if err == nil && !ok {
		err = fault.New(fault.Forbidden, "open a log under it with 'mithaq log open'", "confirming: this party takes no part in agreement %s", l.Agreement)
	}
	if err != nil {
		return Receipt{}, err
	}
	k, err := n.keyring(own.ID)
	if err != nil {
		return Receipt{}, err
	}
	officer, found := k.Find(v.Person)
	if !found || officer.Role != record.RoleOfficer || !n.keys.holds(officer.ID) {
		if officer, err = n.officerFor(k, record.KindReport); err != nil {
			return Receipt{}, err
		}
	}
	leaf := record.ParseHash(o.view.Leaf)
	before, err := n.store.Index().ReceiptsOf(ctx, l.Origin, index, leaf)
	if err != nil && !errors.Is(err, store.ErrNoIndex) {
		return Receipt{}, err
	}
	for _, r := range before {
		if r.By.Author == n.party.ID && r.By.Standing == StandingValid && r.By.Stage == string(record.ReceiptRead) && slices.Contains(r.By.Signers, officer.ID) {
			return Receipt{Record: r.By.ID, Kind: r.By.Kind, Log: own.ID, Index: r.By.Index, Leaf: hex.EncodeToString(r.By.Leaf[:]),
				Object: hex.EncodeToString(r.By.Object[:]), Size: own.Size, Duplicate: true}, nil
		}
	}
	return n.signReceipt(ctx, own, l, &record.ReceiptBody{Target: o.view.Leaf, State: record.ReceiptRead, Ranges: []record.Range{{index, index + 1}}}, officer)
}
