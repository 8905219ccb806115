package node

import (
	"context"
	"errors"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Pin keeps another party's keyring, so that records can be sealed to it. A keyring of a party that is pinned already must
// not be older. Whoever pins compares the fingerprint by telephone.
func (n *Node) Pin(ctx context.Context, envelope []byte) (PartyView, error) {
	if n.ledger == nil {
		return PartyView{}, errReadOnly()
	}
	k, err := record.ParseKeyring(envelope)
	if err != nil {
		return PartyView{}, recordFault("pinning a keyring", err)
	}
	if k.Party == n.party.ID {
		return PartyView{}, fault.New(fault.Invalid, "", "pinning a keyring: it is this node's own")
	}
	old, known, err := n.pinOf(ctx, k.Party)
	if err != nil {
		return PartyView{}, err
	}
	if known {
		if err := newer(old, k); err != nil {
			return PartyView{}, err
		}
	}
	err = n.store.PutPin(ctx, store.Pin{Party: k.Party, Pinned: n.now(), Keyring: k.Envelope()})
	n.known.Add(1)
	if err != nil {
		return PartyView{}, fault.OfStore(err)
	}
	return viewParty(k), nil
}

// newer refuses to replace a pinned keyring by an older one, or by one of a root key that was replaced since: whoever stole
// an old root key must not bring it back.
func newer(old, k record.Keyring) error {
	sameRoots := len(k.Roots) >= len(old.Roots)
	for i := 0; sameRoots && i < len(old.Roots); i++ {
		sameRoots = k.Roots[i].Key().ID() == old.Roots[i].Key().ID()
	}
	older := k.Issued.Time.Before(old.Issued.Time) || k.Log.ID == old.Log.ID && k.Serial < old.Serial
	if older || !sameRoots {
		return fault.New(fault.Conflict, "ask the party for its current one", "pinning a keyring: a newer one of %s is pinned", k.Party)
	}
	return nil
}

// pinOf is the keyring of a party that is pinned.
func (n *Node) pinOf(ctx context.Context, party string) (k record.Keyring, ok bool, err error) {
	p, err := n.store.Pin(ctx, party)
	if errors.Is(err, store.ErrNotFound) {
		return k, false, nil
	}
	if err != nil {
		return k, false, fault.OfStore(err)
	}
	if k, err = n.keyrings.parse(p.Keyring); err != nil {
		return k, false, recordFault("reading the pinned keyring of "+party, err)
	}
	return k, true, nil
}

func (n *Node) pins(ctx context.Context) ([]record.Keyring, error) {
	rows, err := n.store.Pins(ctx)
	if err != nil {
		return nil, err
	}
	var out []record.Keyring
	for _, p := range rows {
		k, err := n.keyrings.parse(p.Keyring)
		if err != nil {
			return nil, recordFault("reading the pinned keyring of "+p.Party, err)
		}
		out = append(out, k)
	}
	return out, nil
}
