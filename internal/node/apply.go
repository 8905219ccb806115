package node

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// ApplyKeyrings appends each keyring to its log, creating a log for a first one. All are checked before any is put into
// force; one that fails afterwards leaves those before it in force, as the receipts say.
func (n *Node) ApplyKeyrings(ctx context.Context, s SignedKeyrings) ([]Receipt, error) {
	if n.ledger == nil {
		return nil, errReadOnly()
	}
	if n.unsettled() {
		return nil, errUnsettled("changing keys")
	}
	n.ceremony.Lock()
	defer n.ceremony.Unlock()
	var keyrings []record.Keyring
	for i, envelope := range s.Keyrings {
		k, err := record.ParseKeyring(envelope)
		if err != nil {
			return nil, recordFault(fmt.Sprintf("reading keyring %d", i), err)
		}
		if err := n.checkKeyring(ctx, k); err != nil {
			return nil, err
		}
		keyrings = append(keyrings, k)
	}
	if len(keyrings) == 0 {
		return nil, fault.New(fault.Invalid, "sign the proposal first", "applying keyrings: there are none")
	}
	var receipts []Receipt
	for _, k := range keyrings {
		r, err := n.putKeyring(ctx, k, s.Public)
		if err != nil {
			return receipts, err
		}
		receipts = append(receipts, r)
	}
	return receipts, nil
}

// checkKeyring says whether k may be put into force here: it is ours, it follows, and its keys are held here.
func (n *Node) checkKeyring(ctx context.Context, k record.Keyring) error {
	if n.party.ID != "" && k.Party != n.party.ID {
		return fault.New(fault.Forbidden, "", "applying a keyring: it is of party %s, this node is %s", k.Party, n.party.ID)
	}
	if l, err := n.resolveLog(ctx, k.Log.ID); err == nil {
		if err := n.settled(l); err != nil {
			return err
		}
	}
	current, err := n.keyring(k.Log.ID)
	switch {
	case err == nil:
		if err := current.Next(k); err != nil {
			return &fault.Fault{Code: fault.Conflict, What: "applying a keyring to log " + k.Log.ID, Err: err, Remedy: "propose it again"}
		}
	case k.Serial != 1:
		return fault.New(fault.NotFound, "propose it again", "applying a keyring: log %s is not here", k.Log.ID)
	}
	for _, role := range []record.Role{record.RoleLog, record.RoleNode} {
		for _, key := range k.WithRole(role) {
			if !n.keys.holds(key.ID) {
				return fault.New(fault.Conflict, "propose it on this node again", "applying a keyring: the private key of %s (%s) is not here", key.ID, role)
			}
		}
	}
	return nil
}

// putKeyring appends the record of a keyring, signed by the node key that it names.
func (n *Node) putKeyring(ctx context.Context, k record.Keyring, public bool) (Receipt, error) {
	id := k.Log.ID
	n.mu.Lock()
	n.pending[id] = k
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.pending, id)
		n.mu.Unlock()
	}()
	if !n.created(ctx, id) {
		spec := ledger.LogSpec{ID: id, Origin: k.Log.Origin, Agreement: k.Log.Agreement, Generation: k.Log.Generation, Public: public}
		if err := n.ledger.Create(ctx, spec); err != nil {
			return Receipt{}, fault.OfStore(err)
		}
	}
	body, err := record.EncodeBody(&record.KeyringBody{Keyring: k.Envelope()})
	if err != nil {
		return Receipt{}, recordFault("making the keyring's record", err)
	}
	node := k.WithRole(record.RoleNode)[0]
	rec := record.Record{Agreement: k.Log.Agreement, Author: k.Party, Officer: node.ID, Kind: record.KindKeyring,
		Marking: record.Marking{TLP: record.TLPClear}, Body: body}
	receipt, err := n.append(ctx, id, rec, node, uint64(k.Serial-1), uint64(k.Serial), nil)
	if err != nil {
		return Receipt{}, err
	}
	return receipt, n.refreshBook(ctx, id)
}

// created reports whether the ledger has a log of this id, be it empty.
func (n *Node) created(ctx context.Context, id string) bool {
	_, err := n.reader.Log(ctx, id)
	return err == nil
}
