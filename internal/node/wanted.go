package node

import (
	"context"
	"errors"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

// eachWanted opens the records of one log that the index knows to be wanted, from a place on and in order, and after them every
// record that is not indexed yet, but for what this process knows not to be: so a log of a million records is not read for the
// few that matter, and nothing that was just appended is missed.
func (n *Node) eachWanted(ctx context.Context, l ledger.LogInfo, no, from int64, wanted store.Wanted, absent func(int64), do func(opened) error) error {
	ids, err := n.identities(ctx, no)
	if err != nil {
		return err
	}
	open := func(index int64) error {
		if n.besideRoll.has(l.ID, index) {
			return nil
		}
		o, err := n.open(ctx, l, index, ids)
		if l.Followed() && errors.Is(err, store.ErrNotFound) {
			absent(index) // what its author keeps back stops nothing else
			return nil
		}
		if err != nil {
			return err
		}
		return do(o)
	}
	for _, place := range wanted.Places {
		if place >= from && place < min(wanted.Size, l.Size) {
			if err := open(place); err != nil {
				return err
			}
		}
	}
	for index := max(from, wanted.Size); index < l.Size; index++ {
		if err := open(index); err != nil {
			return err
		}
	}
	return nil
}
