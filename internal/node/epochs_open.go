package node

import (
	"context"
	"errors"
	"slices"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// putEpochKey keeps a key and has what opens the log's records made anew.
func (n *Node) putEpochKey(ctx context.Context, k store.EpochKey, gifts ...store.EpochGift) error {
	if err := n.store.PutEpochKey(ctx, k, gifts...); err != nil {
		return err
	}
	n.epochsKept.Add(1)
	return nil
}

// epochName names one step's key in memory.
type epochName struct {
	logNo  int64
	epoch  string
	step   int64
	commit string
}

func (n *Node) openEpoch(row store.EpochKey) (record.EpochKey, error) {
	name := epochName{row.LogNo, row.Epoch, row.Step, row.Commitment}
	if e, ok := n.epochs.Load(name); ok {
		return e.(record.EpochKey), nil
	}
	e, err := record.UnwrapEpoch(row.Epoch, row.Step, row.Commitment, row.Sealed, n.keys.sealIdentities()...)
	if err != nil {
		return record.EpochKey{}, recordFault("opening the key of epoch "+row.Epoch, err)
	}
	n.epochs.Store(name, e)
	return e, nil
}

// identities are all keys that open what this party may open of a log: its seal keys, the epochs that it made or was given, and what
// the author released to it.
func (n *Node) identities(ctx context.Context, logNo int64) ([]age.Identity, error) {
	ids, err := n.sealedIdentities(ctx, logNo)
	if err != nil || len(ids) == 0 {
		return ids, err
	}
	if b := n.book(n.logNumbered(logNo)); b != nil && b.log.Followed() {
		released, err := n.releasedBy(ctx, b.log.Author)
		if err != nil {
			return nil, err
		}
		if released != nil {
			ids = append(ids, released)
		}
	}
	return ids, nil
}

// sealedIdentities is identities without what was released.
func (n *Node) sealedIdentities(ctx context.Context, logNo int64) ([]age.Identity, error) {
	ids := n.keys.sealIdentities()
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := n.store.EpochKeys(ctx, logNo)
	if err != nil {
		return nil, err
	}
	var epochs []record.EpochKey
	for _, row := range rows {
		e, err := n.openEpoch(row)
		if errors.Is(err, record.ErrNotForUs) {
			continue
		}
		if err != nil {
			return nil, err
		}
		epochs = append(epochs, e)
	}
	return append(ids, record.EpochIdentity(epochs...)), nil
}

// epochAt reads the epoch record at a place of a log, if that is what stands there.
func (n *Node) epochAt(ctx context.Context, no, index int64) (body record.EpochBody, ok bool, err error) {
	hash, err := n.objectHash(ctx, no, index)
	if err != nil {
		return body, false, err
	}
	object, err := n.store.Object(ctx, hash)
	if err != nil {
		return body, false, fault.OfStore(err)
	}
	r, ok := federate.ClearRecord(object)
	if !ok || r.Kind != record.KindEpoch {
		return body, false, nil
	}
	body, err = record.Parse[record.EpochBody](r)
	return body, err == nil, err
}

// learnEpochs takes the keys of epochs of a followed log whose records stand at these places.
func (n *Node) learnEpochs(ctx context.Context, logID string, places []int64, from int64) {
	for _, index := range places {
		if err := n.learnEpochAt(ctx, logID, index, from); err != nil {
			// An author who wraps another key than it commits to harms its own records only.
			n.logger.Warn("the key of an epoch could not be learnt", "log", logID, "index", index, "error", err)
		}
	}
}

// learnEpochAt takes the key of an epoch, if the record at this place or a wrap that it names is for us. from is the first of
// the leaves that came just now; 0: all were here before. Records that the key opens may have been passed by.
func (n *Node) learnEpochAt(ctx context.Context, logID string, index, from int64) error {
	no := n.book(logID).no
	body, ok, err := n.epochAt(ctx, no, index)
	if err != nil || !ok {
		return err
	}
	if row, err := n.store.EpochKey(ctx, no, body.Epoch, body.Step); err == nil {
		if _, err := n.openEpoch(row); err == nil || row.Commitment != body.Commit {
			return nil // it is here; and another key of the same name is its author's fault, and changes nothing
		}
	}
	own, e, err := n.unwrapOwn(ctx, body)
	if err != nil || own == nil {
		return err
	}
	err = n.putEpochKey(ctx, store.EpochKey{LogNo: no, Epoch: body.Epoch, Step: body.Step, Created: n.now(), Commitment: body.Commit, Sealed: own})
	if err != nil {
		return err
	}
	n.epochs.Store(epochName{no, body.Epoch, body.Step, body.Commit}, e)
	if k, err := n.keyring(logID); err != nil || !slices.ContainsFunc(k.SealKeys(""), func(own record.Key) bool {
		return slices.ContainsFunc(body.Wraps, func(w record.WrapRef) bool { return w.To == own.ID })
	}) {
		from = 0 // its author was not among those who got it now: it was in use before
	}
	return n.indexer.reopen(ctx, no, body.Epoch, body.Step, from)
}

// unwrapOwn opens the wrap of an epoch record that is for us; nil: there is none, or it has not come.
func (n *Node) unwrapOwn(ctx context.Context, body record.EpochBody) (wrap []byte, e record.EpochKey, err error) {
	for _, w := range body.Wraps {
		if !n.keys.opens(w.To) {
			continue
		}
		b, err := n.store.Object(ctx, record.ParseHash(w.Object))
		if err != nil {
			continue // it is asked for again
		}
		if e, err = record.UnwrapEpoch(body.Epoch, body.Step, body.Commit, b, n.keys.sealIdentities()...); err != nil {
			return nil, e, recordFault("taking the key of epoch "+body.Epoch, err)
		}
		return b, e, nil
	}
	return nil, e, nil
}

// relearn takes back the keys of our own epochs from their records in a log from a place on, after the log's tail was taken
// back from others: each first step was wrapped for us too, and the later ones follow from it. Whose wraps nobody had is noted,
// so that they are delivered again.
func (n *Node) relearn(ctx context.Context, logID string, from int64) error {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return fault.OfStore(err)
	}
	no := n.book(logID).no
	for index := from; index < l.Size; index++ {
		body, ok, err := n.epochAt(ctx, no, index)
		if err != nil || !ok {
			continue // erased, or the host did not have it
		}
		if err := n.relearnEpoch(ctx, no, body); err != nil {
			return err
		}
	}
	if err := n.relearnRoll(ctx, l.ID, no, from, l.Size); err != nil {
		return err
	}
	n.sealing.Lock()
	defer n.sealing.Unlock()
	delete(n.chains, logID)
	delete(n.delivered, logID)
	return nil
}

func (n *Node) relearnEpoch(ctx context.Context, no int64, body record.EpochBody) error {
	own, _, err := n.unwrapOwn(ctx, body)
	if err != nil {
		return err
	}
	if own == nil {
		e, err := n.derived(ctx, no, body)
		if err != nil {
			return nil //nolint:nilerr // no step before it is here: what it sealed stays sealed, and it is not used again
		}
		if own, err = n.sealToOwn(e); err != nil {
			return err
		}
	}
	row := store.EpochKey{LogNo: no, Epoch: body.Epoch, Step: body.Step, Created: n.now(), Chain: chainMembers, Commitment: body.Commit, Sealed: own}
	if body.Audience != nil {
		row.Chain = audienceName(body.Audience)
	}
	var gifts []store.EpochGift
	for _, w := range body.Wraps {
		g := store.EpochGift{Epoch: body.Epoch, Key: w.To, Step: body.Step, Wrap: record.ParseHash(w.Object)}
		if _, err := n.store.Places(ctx, g.Wrap); err != nil {
			g.Lost = true
		}
		gifts = append(gifts, g)
	}
	return n.putEpochKey(ctx, row, gifts...)
}

// derived is the key of a step that was not wrapped for us: it follows from one that is here.
func (n *Node) derived(ctx context.Context, no int64, body record.EpochBody) (record.EpochKey, error) {
	rows, err := n.store.EpochKeys(ctx, no)
	if err != nil {
		return record.EpochKey{}, err
	}
	for _, row := range rows {
		if row.Epoch != body.Epoch || row.Step > body.Step {
			continue
		}
		e, err := n.openEpoch(row)
		if err != nil {
			continue
		}
		if e, err = e.Forward(body.Step); err == nil && e.Commit() == body.Commit {
			return e, nil
		}
	}
	return record.EpochKey{}, record.ErrNotForUs
}

func (n *Node) sealToOwn(e record.EpochKey) ([]byte, error) {
	house, err := n.resolveLog(context.Background(), record.OwnAgreement)
	if err != nil {
		return nil, err
	}
	k, err := n.keyring(house.ID)
	if err != nil {
		return nil, err
	}
	to, err := k.SealKeys("")[0].PublicKey().Recipient()
	if err != nil {
		return nil, recordFault("keeping the key of epoch "+e.ID(), err)
	}
	return e.Wrap(to)
}

// relearnRoll finds out which of the epochs that were taken back seal the roll: their records do not say so.
func (n *Node) relearnRoll(ctx context.Context, logID string, no, from, to int64) error {
	ids, err := n.identities(ctx, no)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for index := from; index < to; index++ {
		hash, err := n.objectHash(ctx, no, index)
		if err != nil {
			return err
		}
		object, err := n.store.Object(ctx, hash)
		if err != nil {
			continue // erased, or the host did not have it
		}
		epoch, _, ok := record.SealedBy(object)
		if !ok || seen[epoch] {
			continue
		}
		seen[epoch] = true
		o := opened{view: RecordView{Log: logID, Index: index}, object: object}
		o.judge(n.book(logID).history, ids)
		if o.record.Kind != record.KindRoll && o.record.Kind != record.KindAct {
			continue
		}
		if err := n.store.SetEpochChain(ctx, no, epoch, chainRoll); err != nil {
			return err
		}
	}
	return nil
}
