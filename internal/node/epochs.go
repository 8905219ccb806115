package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// epochSealing takes an epoch for the audience: the one that exactly these recipients have, else a fresh one. A fresh epoch
// is first announced in the log, with a wrap of its key for each recipient, this party among them, and only then kept and
// used: whatever happens in between, no record is sealed with a key that its audience cannot get.
func (n *Node) epochSealing(ctx context.Context, logID string, k record.Keyring, a *record.Audience, keys []record.Key) (record.Sealing, error) {
	n.sealing.Lock()
	defer n.sealing.Unlock()
	if e, ok, err := n.reuseEpoch(ctx, logID, keys); err != nil || ok {
		return e.Sealing(n.rand), err
	}
	e, err := record.NewEpoch(n.rand)
	if err != nil {
		return record.Sealing{}, err
	}
	refs, wraps, err := e.WrapFor(keys)
	if err != nil {
		return record.Sealing{}, recordFault("making an epoch", err)
	}
	body, err := record.EncodeBody(&record.EpochBody{Epoch: e.ID(), Step: e.Step(), Mode: record.EpochFresh, Audience: a, Commit: e.Commit(), Wraps: refs})
	if err != nil {
		return record.Sealing{}, recordFault("making an epoch", err)
	}
	node := k.WithRole(record.RoleNode)[0]
	rec := record.Record{Agreement: k.Log.Agreement, Author: k.Party, Officer: node.ID, Kind: record.KindEpoch,
		Marking: record.Marking{TLP: record.TLPGreen}, Body: body}
	if _, err := n.append(ctx, logID, rec, node, uint64(k.Serial), 0, wraps); err != nil {
		return record.Sealing{}, fmt.Errorf("announcing an epoch: %w", err)
	}
	if err := n.keepEpoch(ctx, logID, k, e, keys); err != nil {
		return record.Sealing{}, err
	}
	return e.Sealing(n.rand), nil
}

// recipientSet names a set of seal keys.
func recipientSet(keys []record.Key) string {
	ids := make([]string, 0, len(keys))
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(ids), "\n")))
	return hex.EncodeToString(sum[:])
}

// keepEpoch keeps an announced epoch's key, sealed to this party, before anything is sealed with it.
func (n *Node) keepEpoch(ctx context.Context, logID string, k record.Keyring, e record.EpochKey, keys []record.Key) error {
	own, err := sealRecipients(k, "")
	if err != nil {
		return err
	}
	sealed, err := e.Wrap(own[0])
	if err != nil {
		return fmt.Errorf("keeping the key of epoch %s: %w", e.ID(), err)
	}
	return n.store.PutEpochKey(ctx, store.EpochKey{LogNo: n.book(logID).no, Epoch: e.ID(), Step: e.Step(), Created: n.now(),
		Recipients: recipientSet(keys), Commitment: e.Commit(), Sealed: sealed})
}

// reuseEpoch finds the newest epoch whose key exactly these recipients have.
func (n *Node) reuseEpoch(ctx context.Context, logID string, keys []record.Key) (record.EpochKey, bool, error) {
	rows, err := n.store.EpochKeys(ctx, n.book(logID).no)
	if err != nil {
		return record.EpochKey{}, false, err
	}
	want := recipientSet(keys)
	for _, row := range slices.Backward(rows) {
		if row.Recipients != want {
			continue
		}
		e, err := n.openEpoch(row)
		return e, err == nil, err
	}
	return record.EpochKey{}, false, nil
}

func (n *Node) openEpoch(row store.EpochKey) (record.EpochKey, error) {
	e, err := record.UnwrapEpoch(row.Epoch, row.Step, row.Commitment, row.Sealed, n.keys.sealIdentities()...)
	if err != nil {
		return record.EpochKey{}, recordFault("opening the key of epoch "+row.Epoch, err)
	}
	return e, nil
}

// identities are all keys that open this party's objects of a log: its seal keys, and the epochs that it made.
func (n *Node) identities(ctx context.Context, logNo int64) ([]age.Identity, error) {
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

// relearn takes back the keys of our own epochs from their records in a log from a place on: each was wrapped for us too.
func (n *Node) relearn(ctx context.Context, logID string, from int64) error {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return storeFault(err)
	}
	no := n.book(logID).no
	for index := from; index < l.Size; index++ {
		h, err := n.objectHash(ctx, no, index)
		if err != nil {
			return err
		}
		object, err := n.store.Object(ctx, h)
		if err != nil {
			continue // erased, or the host did not have it
		}
		r, ok := federate.ClearRecord(object)
		if !ok || r.Kind != record.KindEpoch {
			continue
		}
		body, err := record.Parse[record.EpochBody](r)
		if err != nil {
			continue
		}
		if err := n.relearnEpoch(ctx, no, body); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) relearnEpoch(ctx context.Context, no int64, body record.EpochBody) error {
	var keys []record.Key
	var own []byte
	for _, w := range body.Wraps {
		keys = append(keys, record.Key{ID: w.To})
		if !n.keys.opens(w.To) {
			continue
		}
		wrap, err := n.store.Object(ctx, hashOf(w.Object))
		if err == nil {
			own = wrap
		}
	}
	if own == nil {
		return nil
	}
	if _, err := record.UnwrapEpoch(body.Epoch, body.Step, body.Commit, own, n.keys.sealIdentities()...); err != nil {
		return recordFault("taking back the key of epoch "+body.Epoch, err)
	}
	return n.store.PutEpochKey(ctx, store.EpochKey{LogNo: no, Epoch: body.Epoch, Step: body.Step, Created: n.now(),
		Recipients: recipientSet(keys), Commitment: body.Commit, Sealed: own})
}

// hashOf reads a hash that the record package has checked to be 64 hexadecimal digits.
func hashOf(digits string) (h [32]byte) {
	raw, err := hex.DecodeString(digits)
	if err == nil {
		copy(h[:], raw)
	}
	return h
}
