package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// Erasure says why a record's contents are destroyed.
type Erasure struct {
	Reason string `json:"reason" enum:"error,source,legal,other"`
	Note   string `json:"note,omitempty" maxLength:"1000" doc:"A sentence for the log, in English"`
}

// Erase publishes a recall that says so, then destroys the record's contents in this store. Were the node killed in between,
// it carries the order out when it is opened again ([Node.finishErasure]). The recall of a record of a retired log stands in
// its successor. What keeps the log understandable (keyrings, epochs, acts, receipts, recalls) cannot be erased.
func (n *Node) Erase(ctx context.Context, ref string, index int64, e Erasure) (Receipt, error) {
	if n.ledger == nil {
		return Receipt{}, errReadOnly()
	}
	n.erasing.Lock()
	defer n.erasing.Unlock()
	if err := n.finishErasure(ctx); err != nil {
		return Receipt{}, err
	}
	o, l, err := n.openAt(ctx, ref, index)
	if err != nil {
		return Receipt{}, err
	}
	if o.view.Standing == StandingErased {
		return Receipt{}, fault.New(fault.Gone, "", "erasing: place %d of log %s was already %s", index, l.ID, o.view.Why)
	}
	if !o.recallable() {
		return Receipt{}, fault.New(fault.Forbidden, "publish a correction", "erasing: records of kind %s cannot be recalled", o.view.Kind)
	}
	if !l.Retired.IsZero() {
		if l, err = n.resolveLog(ctx, l.Agreement); err != nil {
			return Receipt{}, err
		}
	}
	if err := n.settled(l); err != nil {
		return Receipt{}, err
	}
	draft, err := recallOf(o.view, e)
	if err != nil {
		return Receipt{}, err
	}
	if err := n.intend(intent{Log: l.ID, From: l.Size}); err != nil {
		return Receipt{}, err
	}
	receipt, err := n.Publish(ctx, l.ID, draft)
	if err != nil {
		return Receipt{}, err
	}
	if err := n.destroy(ctx, o.view.Object, n.party.ID, e.Reason); err != nil {
		return receipt, err
	}
	return receipt, n.intended()
}

// recallable reports whether a recall may have this record for its target. What does not open can only be one that may.
func (o opened) recallable() bool {
	if o.view.Kind == "" {
		return true
	}
	spec, err := record.LookupKind(o.record.Kind)
	return err == nil && spec.Recallable
}

// recallOf drafts the recall that says that a record was erased; it goes to whoever the record went to.
func recallOf(v RecordView, e Erasure) (Draft, error) {
	recall := &record.Recall{Target: v.Leaf, Action: record.RecallErase, Reason: record.RecallReason(e.Reason)}
	if e.Note != "" {
		recall.Note = record.Text{"en": e.Note}
	}
	body, err := record.EncodeBody(recall)
	if err != nil {
		return Draft{}, recordFault("erasing", err)
	}
	return Draft{Kind: string(record.KindRecall), TLP: v.TLP, Parties: v.Parties, Persons: v.Persons,
		Refs: []string{"about:" + v.Leaf}, Body: body}, nil
}

// intentName holds the erasure that is under way, so that a killed node finishes it.
const intentName = "erasing"

// intent says where the recall of an erasure under way stands, if it was appended at all: at From or later.
type intent struct {
	Log  string `json:"log"`
	From int64  `json:"from"`
}

func (n *Node) intend(i intent) error {
	data, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("erasing: %w", err)
	}
	return writeDurable(filepath.Join(n.dir, intentName), append(data, '\n'), 0o600)
}

func (n *Node) intended() error {
	return ignoreMissing(os.Remove(filepath.Join(n.dir, intentName)))
}

// finishErasure carries out an erasure whose recall stands in the log already, but which was interrupted before its record
// was destroyed. One whose recall was not appended never happened.
func (n *Node) finishErasure(ctx context.Context) error {
	if n.ledger == nil {
		return nil
	}
	path := filepath.Join(n.dir, intentName)
	data, err := os.ReadFile(path) // #nosec G304 -- in the node's directory
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finishing an erasure: %w", err)
	}
	var i intent
	if err := json.Unmarshal(data, &i); err != nil || i.From < 0 {
		return fault.New(fault.Invalid, "remove the file, then erase the record again", "finishing an erasure: %s is damaged", path)
	}
	if n.book(i.Log) == nil {
		return n.intended() // restored beside an older store, which has neither the recall nor the log
	}
	if err := n.obeyErasures(ctx, i.Log, i.From); err != nil {
		return fmt.Errorf("finishing an erasure: %w", err)
	}
	return n.intended()
}

// destroy destroys an object's contents, in the index first.
func (n *Node) destroy(ctx context.Context, object, issuer, reason string) error {
	raw, err := hex.DecodeString(object)
	if err != nil {
		return err
	}
	return n.unindex(ctx, [32]byte(raw), func() error {
		return fault.OfStore(n.ledger.Erase(ctx, [32]byte(raw), ledger.Tombstone{At: n.now(), Issuer: issuer, Reason: reason}))
	})
}

// obeyErasures carries out the erasures that stand in a log from a place on: after a restore the recalls that were fetched
// back are obeyed once more.
func (n *Node) obeyErasures(ctx context.Context, logID string, from int64) error {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return fault.OfStore(err)
	}
	ids, err := n.identities(ctx, n.book(logID).no)
	if err != nil {
		return err
	}
	for index := from; index < l.Size; index++ {
		o, err := n.open(ctx, l, index, ids)
		if fault.CodeOf(err) == fault.NotFound {
			continue // its object did not come back
		}
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
		if err := n.obeyErasure(ctx, recall); err != nil {
			return err
		}
	}
	return nil
}

// obeyErasure destroys what a recall of this party names, where it is here and may be recalled.
func (n *Node) obeyErasure(ctx context.Context, recall record.Recall) error {
	place, err := n.Find(ctx, recall.Target)
	if fault.CodeOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	target, _, err := n.openAt(ctx, place.Log, place.Index)
	if fault.CodeOf(err) == fault.NotFound {
		return nil // its object is not here
	}
	if err != nil || target.view.Standing == StandingErased || target.object == nil || !target.recallable() {
		return err
	}
	return n.destroy(ctx, target.view.Object, n.party.ID, string(recall.Reason))
}
