package record

import (
	"fmt"
	"iter"
	"sort"
)

// A History folds the keyrings of one log, in the order of their leaves, and judges its records. The zero value is
// empty: the first keyring is added at index 0.
type History struct {
	steps []step
	// revoked has for each revoked key the smallest size that any keyring gave.
	revoked map[string]Revocation
}

type step struct {
	index   int64
	keyring Keyring
}

// Add appends the keyring of the leaf at index. It refuses a keyring that does not follow, and one that vouches for or
// revokes records that are not in the log yet.
func (h *History) Add(index int64, k Keyring) error {
	if k.Hash() == "" {
		return fail(CodeChain, "", "a draft is not part of a log: sign the keyring and parse it")
	}
	if len(h.steps) == 0 {
		if index != 0 || k.Serial != 1 {
			return fail(CodeChain, "/serial", "a log begins with a keyring of serial 1 at leaf 0, this is serial %d at leaf %d", k.Serial, index)
		}
	} else {
		last := h.steps[len(h.steps)-1]
		if index <= last.index {
			return fail(CodeChain, "", "the keyring at leaf %d comes after the one at leaf %d", index, last.index)
		}
		if err := last.keyring.Next(k); err != nil {
			return err
		}
	}
	for i, r := range k.Revoked {
		if r.Size > index {
			return fail(CodeChain, fmt.Sprintf("/revoked/%d/size", i), "the log had %d leaves: a revocation cannot vouch for later ones", index)
		}
	}
	if h.revoked == nil {
		h.revoked = make(map[string]Revocation)
	}
	for _, r := range k.Revoked {
		// Next saw to it that sizes only shrink.
		h.revoked[r.ID] = r
	}
	h.steps = append(h.steps, step{index, k})
	return nil
}

// Len returns the number of keyrings.
func (h *History) Len() int { return len(h.steps) }

// Keyrings yields the keyrings in the order of their leaves.
func (h *History) Keyrings() iter.Seq[Keyring] {
	return func(yield func(Keyring) bool) {
		for _, s := range h.steps {
			if !yield(s.keyring) {
				return
			}
		}
	}
}

// Placed yields the keyrings with the indexes of their leaves, in order.
func (h *History) Placed() iter.Seq2[int64, Keyring] {
	return func(yield func(int64, Keyring) bool) {
		for _, s := range h.steps {
			if !yield(s.index, s.keyring) {
				return
			}
		}
	}
}

// Last returns the keyring in force at the log's end, and false when there is none.
func (h *History) Last() (Keyring, bool) {
	if len(h.steps) == 0 {
		return Keyring{}, false
	}
	return h.steps[len(h.steps)-1].keyring, true
}

// At returns the keyring against which the record at index is verified: the one of that leaf if it is a keyring's, else
// the last before it. It is false when the history has none.
func (h *History) At(index int64) (Keyring, bool) {
	n := sort.Search(len(h.steps), func(i int) bool { return h.steps[i].index > index })
	if n == 0 {
		return Keyring{}, false
	}
	return h.steps[n-1].keyring, true
}

// A Verdict says whether a record that verifies is also vouched for today.
type Verdict struct {
	// NotVouched is nil for a valid record. Otherwise it is the revocation of one of its keys: the leaf stays, but its author
	// no longer stands by what that key signed at an index from Size on.
	NotVouched *Revocation
}

// Valid says whether the record is vouched for.
func (v Verdict) Valid() bool { return v.NotVouched == nil }

// String says the verdict in one line.
func (v Verdict) String() string {
	if v.NotVouched == nil {
		return "valid"
	}
	return fmt.Sprintf("not vouched for: the key %s is revoked (%s) from size %d of the log on", v.NotVouched.ID, v.NotVouched.Reason, v.NotVouched.Size)
}

// Judge opens the record that stands at index of the log and says whether it is vouched for. An error means that it is
// not valid at all. The history must have every keyring up to and including index; later ones may add revocations.
func (h *History) Judge(index int64, envelope []byte) (Record, Verdict, error) {
	r, signers, _, err := h.JudgeSigned(index, envelope)
	if err != nil {
		return Record{}, Verdict{}, err
	}
	return r, h.Vouched(index, r.Kind, signers), nil
}

// JudgeSigned is Judge that returns the ids of the keys that signed, for [History.Vouched], and the payload.
func (h *History) JudgeSigned(index int64, envelope []byte) (r Record, signers []string, payload []byte, err error) {
	k, ok := h.At(index)
	if !ok {
		return Record{}, nil, nil, fail(CodeChain, "", "no keyring before leaf %d: read the log from its leaf 0", index)
	}
	e, err := ParseEnvelope(envelope)
	if err != nil {
		return Record{}, nil, nil, err
	}
	if r, err = e.openRecord(k); err != nil {
		return Record{}, nil, nil, err
	}
	signers = make([]string, len(e.Signatures))
	for i, s := range e.Signatures {
		signers[i] = s.KeyID
	}
	return r, signers, e.Payload, nil
}
