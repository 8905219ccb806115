package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// enterAct writes an act into the roll that this node keeps. The caller holds r.mu, so of two acts that arrive at once the
// second is judged on the state that the first one made. A refused act changes nothing.
func (n *Node) enterAct(ctx context.Context, r *roll, signed record.RollEntry) (Receipt, error) {
	if n.ledger == nil {
		return Receipt{}, errReadOnly()
	}
	act, err := proveAct(signed, r.id)
	if err == nil {
		err = r.checkKeyring(act.keyring)
	}
	if err != nil {
		return Receipt{}, &fault.Fault{Code: fault.Invalid, What: "entering an act", Err: err}
	}
	if r.isPair() || r.foundsPair(act.entry.Act) {
		return n.holdAct(ctx, r, act)
	}
	entry, next, err := agreement.Compose(r.state, act.entry)
	if err != nil {
		return Receipt{}, n.refused(ctx, r, act, err)
	}
	if err := agreement.MayKeep(r.state, next, entry, n.party.ID); err != nil {
		return Receipt{}, &fault.Fault{Code: fault.Forbidden, What: "entering an act", Err: err, Remedy: "take the file to that party"}
	}
	l, err := n.resolveLog(ctx, r.id)
	if fault.CodeOf(err) == fault.NotFound {
		return Receipt{}, fault.New(fault.NoLog, "open one with 'mithaq log open --agreement "+r.id+"' and import the file again", "entering an act: this node has no log under the agreement")
	}
	if err != nil {
		return Receipt{}, err
	}
	if err := n.settled(l); err != nil {
		return Receipt{}, err
	}
	signed.Parent, signed.Result = entry.Parent.String(), entry.Result.String()
	receipt, err := n.appendRoll(ctx, r, l, signed, act.record.Marking)
	if err != nil {
		return Receipt{}, err
	}
	if err := n.catchUpRoll(ctx, r); err != nil {
		return receipt, err
	}
	return receipt, n.deliverEpochs(ctx, r.id)
}

// appendRoll writes a roll record with an act into this party's log under the agreement.
func (n *Node) appendRoll(ctx context.Context, r *roll, l ledger.LogInfo, signed record.RollEntry, marking record.Marking) (Receipt, error) {
	body, err := record.EncodeBody(&signed)
	if err != nil {
		return Receipt{}, recordFault("entering an act", err)
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		return Receipt{}, err
	}
	node := k.WithRole(record.RoleNode)[0]
	rec := record.Record{Agreement: r.id, Author: k.Party, Officer: node.ID, Kind: record.KindRoll, Marking: marking, Body: body}
	return n.append(ctx, l.ID, rec, node, uint64(k.Serial), 0, nil)
}

// refused says why the roll does not take an act. Proof of misconduct is kept until a person decides on it.
func (n *Node) refused(ctx context.Context, r *roll, act provenAct, err error) error {
	var double *agreement.MisconductError
	if errors.As(err, &double) {
		path, kept := n.keepCase(ctx, r, act, double.Misconduct)
		if kept != nil {
			return errors.Join(refusal("entering an act", err), kept)
		}
		return &fault.Fault{Code: fault.Conflict, What: "entering an act", Err: err, Remedy: "see " + path}
	}
	return refusal("entering an act", err)
}

// refusal gives an agreement's refusal the code of what its author can do about it.
func refusal(what string, err error) error {
	var r *agreement.Refusal
	if !errors.As(err, &r) {
		return fmt.Errorf("%s: %w", what, err)
	}
	code := fault.Conflict
	switch r.Code {
	case agreement.Malformed, agreement.BadText, agreement.TooFew:
		code = fault.Invalid
	case agreement.NotEntitled:
		code = fault.Forbidden
	case agreement.NoSuch:
		code = fault.NotFound
	}
	return &fault.Fault{Code: code, What: what, Err: err}
}

// signOwnAct makes the roll entry of an act in this node's own log, with its proof under the newest checkpoint.
func (n *Node) signOwnAct(ctx context.Context, l ledger.LogInfo, a ownAct) (record.RollEntry, error) {
	k, err := n.keyring(l.ID)
	if err != nil {
		return record.RollEntry{}, err
	}
	proof, err := n.reader.(ledger.Prover).Proof(ctx, l.ID, a.index)
	if err != nil {
		return record.RollEntry{}, fault.OfStore(err)
	}
	return record.RollEntry{Leaf: a.leaf, Origin: l.Origin, Object: a.object, Act: jsontext.Value(a.envelope), Keyring: jsontext.Value(k.Envelope()), Proof: string(proof)}, nil
}
