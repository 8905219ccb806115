package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// opened is one leaf of a log of this node, as far as it can be opened.
type opened struct {
	view   RecordView
	record record.Record
	object []byte
}

// open reads, verifies and opens the record at a place of one of this node's logs.
func (n *Node) open(ctx context.Context, l ledger.LogInfo, index int64, ids []age.Identity) (opened, error) {
	if index < 0 || index >= l.Size {
		return opened{}, fault.New(fault.NotFound, "see 'mithaq log list'", "there is no place %d in log %s, which has %d leaves", index, l.ID, l.Size)
	}
	b := n.book(l.ID)
	if b == nil {
		return opened{}, fault.New(fault.NotFound, "see 'mithaq log list'", "log %s has no keyring here", l.ID)
	}
	hash, err := n.objectHash(ctx, b.no, index)
	if err != nil {
		return opened{}, err
	}
	leaf := record.LeafHash(append([]byte{1}, hash[:]...))
	o := opened{view: RecordView{Log: l.ID, Index: index, Leaf: hex.EncodeToString(leaf[:]), Object: hex.EncodeToString(hash[:])}}
	o.object, err = n.store.Object(ctx, hash)
	if errors.Is(err, store.ErrErased) {
		t, err := n.store.Tombstone(ctx, hash)
		if err != nil {
			return opened{}, err
		}
		o.view.Standing = StandingErased
		o.view.Why = fmt.Sprintf("erased on %s: %s", t.At.UTC().Format("2006-01-02"), t.Reason)
		return o, nil
	}
	if errors.Is(err, store.ErrNotFound) && l.Followed() {
		// Who serves the log keeps it from this party: it was sealed to others, or taken back before it could come.
		o.view.Standing, o.view.Why = StandingWithheld, "its object has not come: it is not for this party, or was taken back"
		return o, nil
	}
	if err != nil {
		return opened{}, fault.OfStore(err)
	}
	o.judge(b.history, ids)
	return o, nil
}

// judge opens the object, verifies the record against the history, and fills in the view.
func (o *opened) judge(h *record.History, ids []age.Identity) {
	v := &o.view
	form, err := record.ObjectForm(o.object)
	if err != nil {
		v.Standing, v.Why = StandingInvalid, err.Error()
		return
	}
	v.Sealed = form == record.FormSealed
	envelope, err := record.OpenObject(o.object, ids...)
	if errors.Is(err, record.ErrNotForUs) {
		v.Standing, v.Why = StandingSealed, "sealed to others"
		if len(ids) == 0 {
			v.Why = "sealed, and the node's keys were not opened"
		}
		return
	}
	if err != nil {
		v.Standing, v.Why = StandingInvalid, err.Error()
		return
	}
	rec, verdict, err := h.Judge(v.Index, envelope)
	if err == nil {
		err = record.CheckForm(form, rec)
	}
	if err != nil {
		v.Standing, v.Why = StandingInvalid, err.Error()
		return
	}
	v.Standing = StandingValid
	if !verdict.Valid() {
		v.Standing, v.Why = StandingNotVouched, verdict.String()
	}
	o.record = rec
	v.fill(rec)
}

func (v *RecordView) fill(r record.Record) {
	v.ID, v.Agreement, v.Author, v.Officer, v.Kind = r.ID, r.Agreement, r.Author, r.Officer, string(r.Kind)
	v.Time, v.Expires = &r.Time, r.Expires
	v.TLP, v.PAP = string(r.Marking.TLP), string(r.Marking.PAP)
	if r.Audience != nil {
		v.Parties, v.Persons = r.Audience.Parties, r.Audience.Persons
	}
	v.Serves = r.Serves
	for _, ref := range r.Refs {
		v.Refs = append(v.Refs, RefView{Rel: string(ref.Rel), Leaf: ref.Leaf})
	}
	v.Body = json.RawMessage(r.Body)
}

// openAt resolves a log and opens one of its records.
func (n *Node) openAt(ctx context.Context, ref string, index int64) (opened, ledger.LogInfo, error) {
	l, err := n.resolveLog(ctx, ref)
	if err != nil {
		return opened{}, l, err
	}
	b := n.book(l.ID)
	if b == nil {
		return opened{}, l, fault.New(fault.NotFound, "see 'mithaq log list'", "log %s has no keyring here", l.ID)
	}
	ids, err := n.identities(ctx, b.no)
	if err != nil {
		return opened{}, l, err
	}
	o, err := n.open(ctx, l, index, ids)
	return o, l, err
}

// Record returns the record at a place of a log, as far as the viewer may have it.
func (n *Node) Record(ctx context.Context, v Viewer, ref string, index int64) (RecordView, error) {
	o, l, err := n.shownAt(ctx, v, ref, index)
	if err == nil {
		err = n.annotate(ctx, v, &o)
	}
	if err != nil {
		return o.view, err
	}
	return o.view, n.markWitnessed(ctx, l, &o.view)
}

// markWitnessed says of a record whether enough witnesses have co-signed a tree that holds it.
func (n *Node) markWitnessed(ctx context.Context, l ledger.LogInfo, v *RecordView) error {
	size, asked, err := n.WitnessedSize(ctx, l)
	if err != nil || !asked {
		return err
	}
	yes := v.Index < size
	v.Witnessed = &yes
	return nil
}

// shownAt opens a record and asks whether the viewer may have it. Recalls that are on their way into the index are waited for.
func (n *Node) shownAt(ctx context.Context, v Viewer, ref string, index int64) (opened, ledger.LogInfo, error) {
	o, l, err := n.openAt(ctx, ref, index)
	if err != nil {
		return o, l, err
	}
	o.view.Mark = n.markOfLog(ctx, l.ID, l.Agreement)
	d, err := n.decideFor(ctx, v)
	if err != nil {
		return opened{}, l, err
	}
	if n.indexer != nil {
		if err := n.WaitIndexed(ctx, l.ID, l.Size); err != nil {
			return opened{}, l, err
		}
	}
	o, err = d.shown(ctx, o)
	return o, l, err
}

// Records lists records in order, without their bodies.
func (n *Node) Records(ctx context.Context, v Viewer, ref string, from int64, limit int) ([]RecordView, error) {
	l, err := n.resolveLog(ctx, ref)
	if err != nil {
		return nil, err
	}
	b := n.book(l.ID)
	if b == nil {
		return nil, fault.New(fault.NotFound, "see 'mithaq log list'", "log %s has no keyring here", l.ID)
	}
	ids, err := n.identities(ctx, b.no)
	if err != nil {
		return nil, err
	}
	d, err := n.decideFor(ctx, v)
	if err != nil {
		return nil, err
	}
	out, mark := []RecordView{}, n.markOfLog(ctx, l.ID, l.Agreement)
	for index := from; index < l.Size && len(out) < limit; index++ {
		o, err := n.open(ctx, l, index, ids)
		o.view.Mark = mark
		if err == nil {
			o, err = d.shown(ctx, o)
		}
		if err != nil {
			return nil, err
		}
		o.view.Body = nil
		out = append(out, o.view)
	}
	return out, nil
}

// RecordBody returns the exact bytes of a record's body; of intel those of its bundle.
func (n *Node) RecordBody(ctx context.Context, v Viewer, ref string, index int64) ([]byte, error) {
	o, l, err := n.shownAt(ctx, v, ref, index)
	if err != nil {
		return nil, err
	}
	switch o.view.Standing {
	case StandingErased:
		return nil, fault.New(fault.Gone, "", "place %d of log %s was %s", index, l.ID, o.view.Why)
	case StandingSealed:
		return nil, fault.New(fault.Forbidden, "", "place %d of log %s is %s", index, l.ID, o.view.Why)
	case StandingWithheld:
		return nil, fault.New(fault.Forbidden, "", "place %d of log %s is withheld: %s", index, l.ID, o.view.Why)
	case StandingInvalid:
		return nil, fault.New(fault.Invalid, "", "place %d of log %s does not verify: %s", index, l.ID, o.view.Why)
	}
	if o.view.Partial {
		return nil, fault.New(fault.Forbidden, "see the rest of it with 'mithaq show'", "its exact bytes are withheld: place %d of log %s: %s", index, l.ID, o.view.Why)
	}
	if o.record.Kind == record.KindIntel {
		if bundle, ok := unwrapBundle(o.record.Body); ok {
			return bundle, nil
		}
	}
	return o.record.Body, nil
}

// Object returns the object at a place of a log, as it is served to the viewer.
func (n *Node) Object(ctx context.Context, v Viewer, ref string, index int64) ([]byte, error) {
	o, l, err := n.openAt(ctx, ref, index)
	if err != nil {
		return nil, err
	}
	if o.view.Standing == StandingErased {
		return nil, fault.New(fault.Gone, "", "place %d of log %s was %s", index, l.ID, o.view.Why)
	}
	it, grant, err := n.mayCarry(ctx, v, ledger.Object{Hash: record.ParseHash(o.view.Object), Bytes: o.object, Logs: []ledger.LogInfo{l}}, 0)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	object, err := policy.Guard(it, o.object).Open(policy.ToObject(), grant)
	if err != nil {
		return nil, fault.New(fault.Forbidden, "ask 'mithaq agreement why'", "place %d of log %s is withheld from you", index, l.ID)
	}
	return object, nil
}

// Proof returns the offline proof that a place of a log is in its published tree.
func (n *Node) Proof(ctx context.Context, ref string, index int64) ([]byte, error) {
	l, err := n.resolveLog(ctx, ref)
	if err != nil {
		return nil, err
	}
	proof, err := n.reader.(ledger.Prover).Proof(ctx, l.ID, index)
	return proof, fault.OfStore(err)
}

// Find tells where a record stands: ref is a record id, a leaf hash or an object hash. The index knows; while it does not
// yet, the logs are read.
func (n *Node) Find(ctx context.Context, ref string) (Place, error) {
	raw, err := hex.DecodeString(ref)
	isHash, isID := err == nil && len(raw) == 32, record.IsID(ref, record.PrefixRecord)
	if !isHash && !isID {
		return Place{}, fault.New(fault.Invalid, "give a place (12, or LOG/12), a record id, a leaf hash or an object hash", "finding a record: %q is none of these", ref)
	}
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return Place{}, fault.OfStore(err)
	}
	if p, found, err := n.findIndexed(ctx, infos, ref, raw); err != nil || found {
		return p, err
	}
	if isID {
		return n.findID(ctx, infos, ref)
	}
	return n.findHash(ctx, infos, [32]byte(raw))
}

// findIndexed asks the index for a record id, or for a leaf hash when raw is not empty.
func (n *Node) findIndexed(ctx context.Context, infos []ledger.LogInfo, ref string, raw []byte) (Place, bool, error) {
	var list []store.Indexed
	var err error
	if len(raw) > 0 {
		list, err = n.store.Index().ByLeaf(ctx, [32]byte(raw))
	} else {
		list, err = n.store.Index().ByID(ctx, ref)
	}
	if errors.Is(err, store.ErrNoIndex) {
		return Place{}, false, nil
	}
	if err != nil {
		return Place{}, false, err
	}
	for _, e := range list {
		for _, l := range infos {
			if b := n.book(l.ID); b != nil && b.no == e.LogNo && e.Index < l.Size {
				return Place{Log: l.ID, Index: e.Index}, true, nil
			}
		}
	}
	return Place{}, false, nil
}

// findID opens the records that are not indexed yet, log by log, until one has the id.
func (n *Node) findID(ctx context.Context, infos []ledger.LogInfo, id string) (Place, error) {
	sizes, err := n.store.Index().Sizes(ctx)
	if err != nil && !errors.Is(err, store.ErrNoIndex) {
		return Place{}, err
	}
	for _, l := range infos {
		b := n.book(l.ID)
		if b == nil {
			continue
		}
		ids, err := n.identities(ctx, b.no)
		if err != nil {
			return Place{}, err
		}
		for index := sizes[b.no]; index < l.Size; index++ {
			o, err := n.open(ctx, l, index, ids)
			if err != nil {
				return Place{}, err
			}
			if o.view.ID == id {
				return Place{Log: l.ID, Index: index}, nil
			}
		}
	}
	return Place{}, fault.New(fault.NotFound, "", "no log here holds a record %s that can be opened", id)
}

func (n *Node) findHash(ctx context.Context, infos []ledger.LogInfo, hash [32]byte) (Place, error) {
	places, err := n.store.Places(ctx, hash)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Place{}, err
	}
	for _, l := range infos {
		b := n.book(l.ID)
		if b == nil {
			continue
		}
		for _, p := range places {
			if p.LogNo == b.no && p.Index >= 0 && p.Index < l.Size {
				return Place{Log: l.ID, Index: p.Index}, nil
			}
		}
		index, err := n.findLeaf(ctx, l, b.no, hash)
		if err != nil || index >= 0 {
			return Place{Log: l.ID, Index: index}, err
		}
	}
	return Place{}, fault.New(fault.NotFound, "", "no log here holds a leaf or object %x", hash)
}

// findLeaf looks for a leaf hash, or returns -1. It reads the leaves only, 33 bytes each.
func (n *Node) findLeaf(ctx context.Context, l ledger.LogInfo, no int64, want [32]byte) (int64, error) {
	for from := int64(0); from < l.Size; from += store.BundleWidth {
		to := min(from+store.BundleWidth, l.Size)
		hashes, err := n.store.Leaves(ctx, no, from, to)
		if err != nil {
			return -1, fault.OfStore(err)
		}
		for i := from; i < to; i++ {
			h := hashes[(i-from)*32:][:32]
			if record.LeafHash(append([]byte{1}, h...)) == want {
				return i, nil
			}
		}
	}
	return -1, nil
}
