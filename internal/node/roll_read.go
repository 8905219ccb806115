package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// maxWaitingEntries bounds the roll records that are kept although they do not follow: a party that is no depositary can write
// as many as it likes.
const maxWaitingEntries = 4096

// waitingEntry is a roll record that did not follow from the state when it was read: the entry before it stands in another
// log, or was sealed before this party joined.
type waitingEntry struct {
	record record.Record
	place  rollPlace
	own    bool
}

// foundAct is an act of another party, read in its log.
type foundAct struct {
	logID string
	ownAct
}

// logsUnder lists the logs under an agreement that are here, this party's own first. A followed log ends where its keyrings were
// last read: what comes after may be signed by a key that is not known yet.
func (n *Node) logsUnder(ctx context.Context, id string) ([]ledger.LogInfo, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	infos = slices.DeleteFunc(infos, func(l ledger.LogInfo) bool { return l.Agreement != id || !n.begun(l.ID) })
	for i, l := range infos {
		if b := n.book(l.ID); l.Followed() && b != nil {
			infos[i].Size = min(l.Size, b.log.Size)
		}
	}
	slices.SortStableFunc(infos, func(a, b ledger.LogInfo) int {
		if a.Followed() == b.Followed() {
			return 0
		}
		if a.Followed() {
			return 1
		}
		return -1
	})
	return infos, nil
}

// How many new records of a log are opened before the index is asked, and before it is waited for, to say which of them belong to
// the roll. To open a large one takes longer than to ask.
const (
	readUnasked      = 8
	readWithoutIndex = 256
)

// rollPlaces returns where in a log acts and roll records stand that were not read yet.
func (n *Node) rollPlaces(ctx context.Context, r *roll, l ledger.LogInfo, no int64) (store.Wanted, error) {
	from := r.read[l.ID]
	if l.Size-from <= readUnasked {
		return store.Wanted{Size: from}, nil
	}
	ask := func() (store.Wanted, error) {
		return n.store.Index().OfKinds(ctx, no, r.id, n.authorOf(l.ID), []string{string(record.KindAct), string(record.KindRoll)}, from)
	}
	wanted, err := ask()
	if err == nil && n.indexer != nil && l.Size-wanted.Size > readWithoutIndex {
		// The index is being built, which is quicker than opening everything here.
		if err = n.WaitIndexed(ctx, l.ID, l.Size); err == nil {
			wanted, err = ask()
		}
	}
	wanted.Size = max(wanted.Size, from)
	return wanted, err
}

// readLogForRoll takes in what is new in a log: acts are remembered, roll records wait to be folded, all else is passed over.
func (n *Node) readLogForRoll(ctx context.Context, r *roll, l ledger.LogInfo) error {
	b := n.book(l.ID)
	if b == nil {
		return nil
	}
	wanted, err := n.rollPlaces(ctx, r, l, b.no)
	if err != nil {
		return err
	}
	if err := n.readLacking(ctx, r, l, b.no); err != nil {
		return err
	}
	err = n.eachWanted(ctx, l, b.no, r.read[l.ID], wanted, func(index int64) { r.lack(l.ID, index) }, func(o opened) error {
		err := n.readForRoll(ctx, r, l, o)
		if err != nil && !l.Followed() {
			return err
		}
		if err != nil { // what another party wrote cannot stop this node
			n.logger.Warn("a record of another party is passed over", "log", l.ID, "index", o.view.Index, "error", err)
		}
		r.read[l.ID] = o.view.Index + 1
		return nil
	})
	if err == nil {
		r.read[l.ID] = l.Size
		n.besideRoll.forget(l.ID, l.Size)
	}
	return err
}

// lack notes a place of a followed log whose object has not come: an author, or a mirror, that keeps one back stops nothing else.
func (r *roll) lack(logID string, index int64) {
	if len(r.lacks[logID]) < maxWaitingEntries && !slices.Contains(r.lacks[logID], index) {
		r.lacks[logID] = append(r.lacks[logID], index)
	}
}

// readLacking reads what has come since.
func (n *Node) readLacking(ctx context.Context, r *roll, l ledger.LogInfo, no int64) error {
	if len(r.lacks[l.ID]) == 0 {
		return nil
	}
	ids, err := n.identities(ctx, no)
	if err != nil {
		return err
	}
	r.lacks[l.ID] = slices.DeleteFunc(r.lacks[l.ID], func(index int64) bool {
		o, err := n.open(ctx, l, index, ids)
		if err == nil {
			err = n.readForRoll(ctx, r, l, o)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			n.logger.Warn("a record of another party is passed over", "log", l.ID, "index", index, "error", err)
		}
		return !errors.Is(err, store.ErrNotFound)
	})
	return nil
}

func (n *Node) readForRoll(ctx context.Context, r *roll, l ledger.LogInfo, o opened) error {
	if o.view.Standing != StandingValid || o.record.Kind != record.KindAct && o.record.Kind != record.KindRoll {
		return nil
	}
	envelope, err := n.envelopeOf(ctx, o)
	if err != nil {
		return err
	}
	place := rollPlace{keeper: o.record.Author, leaf: o.view.Leaf, envelope: envelope, object: o.view.Object, origin: l.Origin, index: o.view.Index, log: l.ID}
	pair, err := n.readForPair(r, l, o.record, place)
	if err != nil || pair && o.record.Kind == record.KindRoll {
		return err
	}
	if o.record.Kind == record.KindRoll {
		if r.holds(o.view.Leaf) || slices.ContainsFunc(r.waiting, func(w waitingEntry) bool { return w.place.leaf == o.view.Leaf }) {
			return nil
		}
		if len(r.waiting) >= maxWaitingEntries {
			return fmt.Errorf("over %d roll records do not follow from the roll", maxWaitingEntries)
		}
		r.waiting = append(r.waiting, waitingEntry{o.record, place, !l.Followed()})
		return nil
	}
	if slices.ContainsFunc(r.own, func(a ownAct) bool { return a.leaf == o.view.Leaf }) ||
		slices.ContainsFunc(r.found, func(f foundAct) bool { return f.leaf == o.view.Leaf }) {
		return nil // it was read before
	}
	act, err := actOf(o.record)
	if err != nil {
		return err
	}
	a := ownAct{index: o.view.Index, leaf: o.view.Leaf, object: o.view.Object, envelope: envelope, act: act, time: o.record.Time}
	if l.Followed() {
		if !slices.ContainsFunc(r.found, func(f foundAct) bool { return f.leaf == a.leaf }) {
			r.found = append(r.found, foundAct{l.ID, a})
		}
	} else {
		r.own = append(r.own, a)
	}
	return nil
}

// readForPair keeps a record of one of the two logs of a pair. It says whether this is one.
func (n *Node) readForPair(r *roll, l ledger.LogInfo, rec record.Record, place rollPlace) (bool, error) {
	k, ok := n.book(l.ID).history.At(place.index)
	if !ok || !r.isPair() && (len(r.places) > 0 || len(r.waiting) > 0) {
		return r.isPair(), nil
	}
	line, ok, err := r.lineOf(rec, place, k)
	if err != nil || !ok {
		return ok, err
	}
	if err := r.noteLine(line); err != nil {
		return true, err
	}
	if !r.isPair() {
		r.foldPair() // what is read next is known to be of a pair
	}
	return true, nil
}

// holds says whether a roll record was folded.
func (r *roll) holds(leaf string) bool {
	return slices.ContainsFunc(r.places, func(p rollPlace) bool { return p.leaf == leaf })
}

// foldWaiting folds roll records in the order in which each follows from the state, from whichever log. One that follows and
// is refused is dropped: its keeper may not write it, or it is not what it says. This node's own must all fold.
func (n *Node) foldWaiting(r *roll) error {
	for {
		i := slices.IndexFunc(r.waiting, func(w waitingEntry) bool { return r.follows(w.record) })
		if i < 0 {
			break
		}
		w := r.waiting[i]
		r.waiting = slices.Delete(r.waiting, i, i+1)
		if err := r.take(w.record, w.place); err != nil {
			if w.own {
				return fmt.Errorf("folding the roll of %s at place %d of log %s: %w", r.id, w.place.index, w.place.log, err)
			}
			n.logger.Warn("an entry of the roll is refused", "agreement", r.id, "log", w.place.log, "index", w.place.index, "error", err)
		}
	}
	for _, w := range r.waiting {
		if w.own && len(r.found) == 0 && len(r.places) > 0 && r.state.Depositary() == w.place.keeper {
			return fmt.Errorf("folding the roll of %s at place %d of log %s: it does not follow from the entry before it", r.id, w.place.index, w.place.log)
		}
	}
	r.found = slices.DeleteFunc(r.found, func(f foundAct) bool { return r.entered(f.leaf) })
	return nil
}

// follows says whether a roll record names the present state as its parent.
func (r *roll) follows(rec record.Record) bool {
	body, err := record.Parse[record.RollEntry](rec)
	return err == nil && body.Parent == r.state.Hash().String()
}

// gap says whether the roll goes on beyond what this node can read: an entry is here that does not follow, or an act of ours
// waits although other logs have grown: the depositary may have entered it in a record that was sealed before we came.
func (r *roll) gap() bool {
	if r.isPair() && r.pair.Waiting() > 0 {
		return true
	}
	if slices.ContainsFunc(r.waiting, func(w waitingEntry) bool { return !w.own && w.place.keeper == r.state.Depositary() }) {
		return true
	}
	waits := slices.ContainsFunc(r.own, func(o ownAct) bool { return !r.entered(o.leaf) })
	return waits && len(r.read) > 1
}

// enterFound enters the acts that others wrote into their logs, where this node keeps the roll: oldest first, and those that
// were refused once more when the state has changed, for one may wait for another. The caller holds r.mu.
func (n *Node) enterFound(ctx context.Context, r *roll) error {
	if n.ledger == nil {
		return nil
	}
	if r.isPair() {
		return n.holdKnown(ctx, r)
	}
	slices.SortStableFunc(r.found, func(a, b foundAct) int { return a.time.Compare(b.time) })
	for again := true; again; {
		again = false
		for _, f := range slices.Clone(r.found) {
			state := r.state.Hash().String()
			if !n.keepsRoll(r, f.act) || r.entered(f.leaf) || r.refused[f.leaf] == state || n.now().Sub(f.time) > foundPatience {
				continue
			}
			signed, err := n.signFound(ctx, f)
			if err != nil {
				return err
			}
			if _, err = n.enterAct(ctx, r, signed); err == nil {
				again = true
				continue
			}
			if fault.CodeOf(err) == fault.Unavailable || fault.CodeOf(err) == fault.Behind || fault.CodeOf(err) == fault.NoLog {
				return err
			}
			r.refused[f.leaf] = state
			n.logger.Info("an act found in another party's log is refused", "agreement", r.id, "log", f.logID, "index", f.index, "error", err)
		}
	}
	return nil
}

// foundPatience is how old an act may be when it is entered because it was found. An older one its party brings itself: what
// was refused then and would be taken now may not be meant any more.
const foundPatience = 30 * 24 * time.Hour

// signFound makes the roll entry of an act in a followed log, with its proof under the newest checkpoint here.
func (n *Node) signFound(ctx context.Context, f foundAct) (record.RollEntry, error) {
	l, err := n.reader.Log(ctx, f.logID)
	if err != nil {
		return record.RollEntry{}, fault.OfStore(err)
	}
	return n.signOwnAct(ctx, l, f.ownAct)
}
