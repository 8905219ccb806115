package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// A prefix proof shows what the first from leaves of a signed tree are, without saying what they should be: the RFC 6962
// consistency proof with every hash written out. Consistency proofs leave the old root out where it is one of the hashes,
// so that they can only show that two trees agree; this one also shows that they do not, which is what evidence needs.

// Prefix returns the prefix proof of the published tree for its first size leaves.
func (r *reads) Prefix(ctx context.Context, id string, size int64) ([][32]byte, error) {
	p, err := r.view.log(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("proving a prefix: %w", err)
	}
	out, err := ProvePrefix(checkedHashes(ctx, r, id, p.head.Head), size, p.head.Size)
	if err != nil {
		return nil, fmt.Errorf("proving a prefix of log %s: %w", id, err)
	}
	return out, nil
}

// ProvePrefix makes the prefix proof for the first from leaves of a tree of size leaves, 1 ≤ from ≤ size, out of hashes
// that were checked against the tree's root.
func ProvePrefix(hashes tlog.HashReader, from, size int64) ([][32]byte, error) {
	if from < 1 || from > size {
		return nil, fmt.Errorf("a tree of %d leaves has no first %d: %w", size, from, ErrNotFound)
	}
	p, err := tlog.ProveTree(size, from, hashes)
	if err != nil {
		return nil, err
	}
	var out [][32]byte
	if from&(from-1) == 0 && from < size {
		// The consistency proof leaves out the old root, which is a hash of the new tree by itself.
		level := 0
		for 1<<level < from {
			level++
		}
		h, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(level, 0)})
		if err != nil {
			return nil, err
		}
		out = append(out, h[0])
	}
	for _, h := range p {
		out = append(out, h)
	}
	return out, nil
}

// PrefixRoots returns the roots over the first from leaves and over all size leaves that a prefix proof leads to. The
// second one must be compared with what was signed before the first one means anything. For from = size the proof is empty
// and there is nothing to compute: compare the roots themselves.
func PrefixRoots(p [][32]byte, from, size int64) (first, all [32]byte, err error) {
	if from < 1 || from >= size || len(p) > 2*63 {
		return first, all, errors.New("the prefix proof is malformed")
	}
	w := prefixWalk{rest: p, from: from}
	first, all = w.node(0, size)
	if w.short || len(w.rest) > 0 {
		return first, all, errors.New("the prefix proof has not the hashes that its sizes ask for")
	}
	return first, all, nil
}

// prefixWalk goes through the tree as the proof was made: down to where the first from leaves end, then up again.
type prefixWalk struct {
	rest  [][32]byte
	from  int64
	short bool
}

func (w *prefixWalk) take() (h Hash) {
	if len(w.rest) == 0 {
		w.short = true
		return h
	}
	h, w.rest = w.rest[0], w.rest[1:]
	return h
}

// node returns the roots over [lo, from) and over [lo, hi), where lo < from <= hi.
func (w *prefixWalk) node(lo, hi int64) (first, all Hash) {
	if w.from == hi {
		h := w.take()
		return h, h
	}
	k := int64(1)
	for 2*k < hi-lo {
		k *= 2
	}
	if w.from <= lo+k {
		first, left := w.node(lo, lo+k)
		return first, nodeHash(left, w.take())
	}
	rest, right := w.node(lo+k, hi)
	left := w.take()
	return nodeHash(left, rest), nodeHash(left, right)
}
