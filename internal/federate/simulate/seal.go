package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
)

// madeEpoch is one step of an epoch that a party made for its own records.
type madeEpoch struct {
	key  record.EpochKey
	to   []string // seal keys that have it
	kept bool
}

// slip stands in for the wrap of an epoch key: only its addressee turns it into the key.
type slip struct {
	to  string
	key record.EpochKey
}

// audience is whom a party seals to now: whom its roll knows as members, and itself.
func (n *node) audience() (keys []string, nodes []int) {
	for _, m := range n.w.nodes {
		if m == n || n.roll.Connected(m.author.Party) {
			keys, nodes = append(keys, m.author.seal.ID), append(nodes, m.no)
		}
	}
	return keys, nodes
}

// epoch is the key for the present audience. false: it is being announced.
func (n *node) epoch() (madeEpoch, []int, bool) {
	want, nodes := n.audience()
	var last madeEpoch
	if len(n.disk.epochs) > 0 {
		last = n.disk.epochs[len(n.disk.epochs)-1]
	}
	mode, wrapFor := n.w.parts.plan(last.to, want)
	if mode == "" {
		return last, nodes, true
	}
	if !slices.ContainsFunc(n.letters, func(l *letter) bool { return l.epoch != nil && !l.done }) {
		n.announce(last, mode, want, wrapFor)
	}
	return last, nil, false
}

// announce writes the next epoch's record, with a slip for everybody who needs one.
func (n *node) announce(last madeEpoch, mode record.EpochMode, want, wrapFor []string) {
	var key record.EpochKey
	var err error
	if mode == record.EpochRatchet {
		key, err = last.key.Ratchet()
	} else {
		key, err = record.NewEpoch(n.w.dice)
	}
	if err != nil {
		n.w.fail(err)
		return
	}
	body := &record.EpochBody{Epoch: key.ID(), Step: key.Step(), Mode: mode, Commit: key.Commit()}
	l := &letter{epoch: &madeEpoch{key: key, to: want}}
	for _, to := range wrapFor {
		wrap := fmt.Appendf(nil, "slip:%s:%s:%d:%d", to, key.ID(), key.Step(), n.no)
		hash := sha256.Sum256(wrap)
		n.w.slips[hash] = slip{to, key}
		body.Wraps = append(body.Wraps, record.WrapRef{To: to, Object: hex.EncodeToString(hash[:])})
		l.attachments = append(l.attachments, wrap)
	}
	encoded, err := record.EncodeBody(body)
	if err == nil {
		l.object, err = n.author.object(record.KindEpoch, record.TLPGreen, encoded, n.clock(), record.Clear())
	}
	if err != nil {
		n.w.fail(fmt.Errorf("announcing an epoch: %w", err))
		return
	}
	// The announcement goes before what waits for it.
	n.letters = append([]*letter{l}, n.letters...)
}

// keysIn are the epoch keys that the holder of a seal key finds in a log: slips addressed to it, for the epochs that records
// announce. everything takes also those that are not there: somebody may have kept them.
func (w *World) keysIn(tree *Log, size int64, seal string, everything bool) []record.EpochKey {
	var out []record.EpochKey
	for _, body := range w.epochsIn(tree, size) {
		for _, ref := range body.Wraps {
			raw, err := hex.DecodeString(ref.Object)
			if err != nil || ref.To != seal {
				continue
			}
			hash := [32]byte(raw)
			if s, known := w.slips[hash]; known && (everything || tree.objects[hash] != nil) && s.to == seal && s.key.Commit() == body.Commit {
				out = append(out, s.key)
			}
		}
	}
	return out
}

// relearn takes a party's own epochs back from its log. None is used again: the slips of others may be lost.
func (n *node) relearn() {
	n.disk.epochs = nil
	for _, body := range n.w.epochsIn(n.disk.tree, n.disk.tree.Size()) {
		if key, ok := n.slipOf(body); ok {
			n.disk.epochs = append(n.disk.epochs, madeEpoch{key: key, kept: true})
		}
	}
}

// slipOf is the party's own key of an epoch of its own: its slip, or what follows from the step before.
func (n *node) slipOf(body *record.EpochBody) (record.EpochKey, bool) {
	for _, ref := range body.Wraps {
		raw, err := hex.DecodeString(ref.Object)
		if err == nil && ref.To == n.author.seal.ID && n.disk.tree.objects[[32]byte(raw)] != nil {
			return n.w.slips[[32]byte(raw)].key, true
		}
	}
	if len(n.disk.epochs) == 0 {
		return record.EpochKey{}, false
	}
	last := n.disk.epochs[len(n.disk.epochs)-1].key
	if last.ID() != body.Epoch {
		return last, false
	}
	next, err := last.Ratchet()
	return next, err == nil && next.Commit() == body.Commit
}

// epochsIn are the epoch records that are here among the first leaves of a log.
func (w *World) epochsIn(tree *Log, size int64) []*record.EpochBody {
	var out []*record.EpochBody
	for _, h := range tree.leaves[:size] {
		o := tree.objects[h]
		if o == nil {
			continue
		}
		body, read := w.epochs[h]
		if !read {
			if b, ok := epochIn(o); ok {
				body = b
			}
			w.epochs[h] = body
		}
		if body != nil {
			out = append(out, body)
		}
	}
	return out
}

// epochIn reads an epoch record.
func epochIn(object []byte) (*record.EpochBody, bool) {
	if form, err := record.ObjectForm(object); err != nil || form != record.FormClear {
		return nil, false
	}
	r, ok := federate.ClearRecord(object)
	if !ok || r.Kind != record.KindEpoch {
		return nil, false
	}
	body, err := record.Parse[record.EpochBody](r)
	return &body, err == nil
}

// planEpoch says what an author does before it seals to exactly the holders of the seal keys want, when its newest epoch is
// for those of have: nothing, mode "", when they are the same; when all of have are still meant, the key is ratcheted, and
// only the newcomers need a wrap; when one of have is meant no more, everybody gets a fresh key, which whoever left can never
// have. wrapFor is sorted, without repeats.
func planEpoch(have, want []string) (mode record.EpochMode, wrapFor []string) {
	have, want = keySet(have), keySet(want)
	if slices.Equal(have, want) && len(have) > 0 {
		return "", nil
	}
	if len(have) == 0 || slices.ContainsFunc(have, func(k string) bool { return !slices.Contains(want, k) }) {
		return record.EpochFresh, want
	}
	return record.EpochRatchet, slices.DeleteFunc(want, func(k string) bool { return slices.Contains(have, k) })
}

func keySet(keys []string) []string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return slices.Compact(keys)
}
