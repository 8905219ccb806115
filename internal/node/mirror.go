package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// A mirror serves what it follows to those who fetch from it, so it needs what opens the logs for them: everybody's wraps, none
// of which it can open but its own.

// mirrors says whether this node keeps everybody's wraps of the logs under an agreement.
func (n *Node) mirrors(ctx context.Context, id string) bool {
	if n.cfg.Mirror {
		return true
	}
	keeps := false
	err := n.withRoll(ctx, id, func(r *roll) error { keeps = r.state.Depositary() == n.party.ID; return nil })
	return err == nil && keeps
}

// wrapsOf says which wraps of a followed log are taken, beside its author's own.
func (n *Node) wrapsOf(l federate.Log) func(record.WrapRef) bool {
	if n.mirrors(context.Background(), l.Agreement) {
		return func(record.WrapRef) bool { return true }
	}
	return func(w record.WrapRef) bool { return n.keys.opens(w.To) }
}

// mirroredSetting marks a log of which everybody's wraps were asked for, since this node became its mirror.
const mirroredSetting = "mirrored/"

// catchUpMirror asks for the wraps of followed logs that were not taken while this node was no mirror.
func (n *Node) catchUpMirror(ctx context.Context) error {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return fault.OfStore(err)
	}
	for _, l := range infos {
		if !l.Followed() || l.Size == 0 {
			continue
		}
		done, err := n.store.Setting(ctx, mirroredSetting+l.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fault.OfStore(err)
		}
		mirrors := n.mirrors(ctx, l.Agreement)
		if mirrors == (len(done) > 0) {
			continue
		}
		var mark []byte
		if mirrors {
			mark = []byte("1")
			if err := n.wantMissingWraps(ctx, l.ID, l.Size); err != nil {
				return err
			}
		}
		if err := n.store.SetSetting(ctx, mirroredSetting+l.ID, mark); err != nil {
			return fault.OfStore(err)
		}
	}
	return nil
}

// wantMissingWraps has the wraps of a log that are not here fetched with its next round.
func (n *Node) wantMissingWraps(ctx context.Context, logID string, size int64) error {
	no := n.book(logID).no
	places, err := n.store.EpochPlaces(ctx, no, 0, size)
	if err != nil {
		return err
	}
	for _, index := range places {
		body, ok, err := n.epochAt(ctx, no, index)
		if err != nil || !ok {
			continue // what its author wrote wrongly is nobody's key
		}
		var wanted []store.WantedWrap
		for _, w := range body.Wraps {
			h := record.ParseHash(w.Object)
			if _, err := n.store.Places(ctx, h); err != nil {
				wanted = append(wanted, store.WantedWrap{Hash: h, Index: index, Due: n.now()})
			}
		}
		if err := n.store.WantWraps(ctx, no, wanted); err != nil {
			return fmt.Errorf("becoming a mirror of log %s: %w", logID, err)
		}
	}
	n.follower.Forget(logID)
	return nil
}
