package node

import (
	"context"
	"encoding/hex"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// Erasure says why a record's contents are destroyed.
type Erasure struct {
	Reason string `json:"reason" enum:"error,source,legal,other"`
	Note   string `json:"note,omitempty" maxLength:"1000" doc:"A sentence for the log, in English"`
}

// Erase publishes a recall that says so, then destroys the record's contents in this store. The recall comes first: were the
// node killed in between, the order stands in the log and Erase is repeated. What keeps the log understandable (keyrings,
// epochs, acts, receipts, recalls) cannot be erased.
func (n *Node) Erase(ctx context.Context, ref string, index int64, e Erasure) (Receipt, error) {
	if n.ledger == nil {
		return Receipt{}, errReadOnly()
	}
	o, l, err := n.openAt(ctx, ref, index)
	if err != nil {
		return Receipt{}, err
	}
	if err := n.settled(l); err != nil {
		return Receipt{}, err
	}
	if o.view.Standing == StandingErased {
		return Receipt{}, faultf(CodeGone, "", "erasing: place %d of log %s was already %s", index, l.ID, o.view.Why)
	}
	if o.view.Kind != "" {
		spec, err := record.LookupKind(o.record.Kind)
		if err != nil || !spec.Recallable {
			return Receipt{}, faultf(CodeForbidden, "publish a correction", "erasing: records of kind %s cannot be recalled", o.view.Kind)
		}
	}
	recall := &record.Recall{Target: o.view.Leaf, Action: record.RecallErase, Reason: record.RecallReason(e.Reason)}
	if e.Note != "" {
		recall.Note = record.Text{"en": e.Note}
	}
	body, err := record.EncodeBody(recall)
	if err != nil {
		return Receipt{}, recordFault("erasing", err)
	}
	d := Draft{Kind: string(record.KindRecall), TLP: o.view.TLP, Parties: o.view.Parties, Persons: o.view.Persons,
		Refs: []string{"about:" + o.view.Leaf}, Body: body}
	receipt, err := n.Publish(ctx, l.ID, d)
	if err != nil {
		return Receipt{}, err
	}
	return receipt, n.destroy(ctx, o.view.Object, n.party.ID, e.Reason)
}

// destroy destroys an object's contents, in the index first.
func (n *Node) destroy(ctx context.Context, object, issuer, reason string) error {
	raw, err := hex.DecodeString(object)
	if err != nil {
		return err
	}
	return n.unindex(ctx, [32]byte(raw), func() error {
		return storeFault(n.ledger.Erase(ctx, [32]byte(raw), ledger.Tombstone{At: n.now(), Issuer: issuer, Reason: reason}))
	})
}

// obeyErasures carries out the erasures that stand in a log from a place on: after a restore the recalls that were fetched
// back are obeyed once more.
func (n *Node) obeyErasures(ctx context.Context, logID string, from int64) error {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return storeFault(err)
	}
	ids, err := n.identities(ctx, n.book(logID).no)
	if err != nil {
		return err
	}
	for index := from; index < l.Size; index++ {
		o, err := n.open(ctx, l, index, ids)
		if err != nil {
			return err
		}
		if o.view.Standing != StandingValid || o.record.Kind != record.KindRecall {
			continue
		}
		recall, err := record.Parse[record.Recall](o.record)
		if err != nil || recall.Action != record.RecallErase {
			continue
		}
		target, err := n.Find(ctx, recall.Target)
		if CodeOf(err) == CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		view, err := n.Record(ctx, target.Log, target.Index)
		if err != nil || view.Standing == StandingErased {
			continue
		}
		if err := n.destroy(ctx, view.Object, n.party.ID, string(recall.Reason)); err != nil {
			return err
		}
	}
	return nil
}
