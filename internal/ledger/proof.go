package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proof returns the C2SP tlog-proof of one leaf under the newest published checkpoint. With the object it shows,
// offline and for ever, that the object was logged.
func (r *reads) Proof(ctx context.Context, id string, index int64) ([]byte, error) {
	p, err := r.view.log(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("proving: %w", err)
	}
	if index < 0 || index >= p.head.Size {
		return nil, fmt.Errorf("proving leaf %d of log %s, which has %d: %w", index, id, p.head.Size, ErrNotFound)
	}
	out, err := proofOf(p.head.Size, index, p.head.Checkpoint, checkedHashes(ctx, r, id, p.head.Head))
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", id, err)
	}
	return out, nil
}

// ProofIn is Proof under an earlier checkpoint of the log: one that is signed by more. It must be a checkpoint of this log, which
// is not checked here.
func (r *reads) ProofIn(ctx context.Context, id string, index int64, checkpoint []byte) ([]byte, error) {
	h, err := ParseCheckpoint(checkpoint)
	if err != nil {
		return nil, fmt.Errorf("proving: %w", err)
	}
	hashes, err := r.hashesOf(ctx, id, h.Size)
	if err != nil {
		return nil, fmt.Errorf("proving: %w", err)
	}
	if index < 0 || index >= h.Size {
		return nil, fmt.Errorf("proving leaf %d of log %s, which had %d: %w", index, id, h.Size, ErrNotFound)
	}
	return proofOf(h.Size, index, checkpoint, hashes)
}

// proofOf writes the proof that a leaf is in the tree of so many leaves that a checkpoint signs.
func proofOf(size, index int64, checkpoint []byte, hashes tlog.HashReader) ([]byte, error) {
	path, err := tlog.ProveRecord(size, index, hashes)
	if err != nil {
		return nil, fmt.Errorf("proving leaf %d: %w", index, err)
	}
	out := proof.TLogProof{Index: uint64(index), Checkpoint: checkpoint, Hashes: make([][32]byte, len(path))}
	for i, h := range path {
		out.Hashes[i] = h
	}
	return out.Marshal(), nil
}

// Prover gives proofs besides reading; *Ledger and the Reader of NewReader are Provers.
type Prover interface {
	Proof(ctx context.Context, id string, index int64) ([]byte, error)
	ProofIn(ctx context.Context, id string, index int64, checkpoint []byte) ([]byte, error)
	Consistency(ctx context.Context, id string, from, to int64) ([][32]byte, error)
	RootAt(ctx context.Context, id string, size int64) (Hash, error)
}

// hashesOf reads the inner hashes of a log's published tree, which must have at least so many leaves.
func (r *reads) hashesOf(ctx context.Context, id string, size int64) (tlog.HashReader, error) {
	p, err := r.view.log(ctx, id)
	if err != nil {
		return nil, err
	}
	if size < 0 || size > p.head.Size {
		return nil, fmt.Errorf("log %s has %d leaves, not %d: %w", id, p.head.Size, size, ErrNotFound)
	}
	return checkedHashes(ctx, r, id, p.head.Head), nil
}

// RootAt returns the root that a log's published tree had at an earlier size.
func (r *reads) RootAt(ctx context.Context, id string, size int64) (Hash, error) {
	hashes, err := r.hashesOf(ctx, id, size)
	if err != nil {
		return Hash{}, fmt.Errorf("computing an earlier root: %w", err)
	}
	if size == 0 {
		return (&edge{}).root(), nil
	}
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return Hash{}, fmt.Errorf("computing the root of log %s at %d leaves: %w", id, size, err)
	}
	return Hash(root), nil
}

// Consistency returns the RFC 6962 proof that the tree of to leaves grew out of the one with from leaves. The published tree may
// have grown further since.
func (r *reads) Consistency(ctx context.Context, id string, from, to int64) ([][32]byte, error) {
	hashes, err := r.hashesOf(ctx, id, to)
	if err != nil {
		return nil, fmt.Errorf("proving consistency: %w", err)
	}
	if from < 1 || from > to {
		return nil, fmt.Errorf("proving that %d leaves of log %s grew out of %d: %w", to, id, from, ErrNotFound)
	}
	tp, err := tlog.ProveTree(to, from, hashes)
	if err != nil {
		return nil, fmt.Errorf("proving consistency of log %s: %w", id, err)
	}
	out := make([][32]byte, len(tp))
	for i, h := range tp {
		out[i] = h
	}
	return out, nil
}

// maxProof bounds a proof on reading: 63 hashes and a checkpoint.
const maxProof = maxCheckpoint + 8<<10

// VerifyProof checks offline that leaf (its bytes, not its hash) is in the log whose checkpoints verifier verifies.
// It returns the leaf's index and the head that the proof leads to.
func VerifyProof(b, leaf []byte, origin string, verifier note.Verifier) (int64, Head, error) {
	if len(b) > maxProof {
		return 0, Head{}, fmt.Errorf("verifying a proof: it has %d bytes, more than %d", len(b), maxProof)
	}
	var p proof.TLogProof
	if err := p.Unmarshal(b); err != nil {
		return 0, Head{}, fmt.Errorf("verifying a proof: %w", err)
	}
	h, err := OpenCheckpoint(p.Checkpoint, origin, verifier)
	if err != nil {
		return 0, Head{}, fmt.Errorf("verifying a proof: %w", err)
	}
	if p.Index >= uint64(h.Size) {
		return 0, Head{}, fmt.Errorf("verifying a proof: leaf %d is beyond the tree of %d", p.Index, h.Size)
	}
	path := make(tlog.RecordProof, len(p.Hashes))
	for i, x := range p.Hashes {
		path[i] = x
	}
	if err := tlog.CheckRecord(path, h.Size, tlog.Hash(h.Root), int64(p.Index), tlog.RecordHash(leaf)); err != nil {
		return 0, Head{}, fmt.Errorf("verifying a proof: leaf %d: %w", p.Index, err)
	}
	return int64(p.Index), h, nil
}

// ProofCheckpoint returns the checkpoint of a proof with its signatures, which is for VerifyProof to verify.
func ProofCheckpoint(b []byte) ([]byte, error) {
	if len(b) > maxProof {
		return nil, fmt.Errorf("reading a proof: it has %d bytes, more than %d", len(b), maxProof)
	}
	var p proof.TLogProof
	if err := p.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("reading a proof: %w", err)
	}
	return p.Checkpoint, nil
}

// CheckConsistency checks a proof of Consistency: the tree of the newer head grew out of the older one's.
func CheckConsistency(p [][32]byte, older, newer Head) error {
	if older.Size == 0 {
		if len(p) > 0 || older.Root != (&edge{}).root() {
			return errors.New("the empty tree takes no proof")
		}
		return nil
	}
	tp := make(tlog.TreeProof, len(p))
	for i, h := range p {
		tp[i] = h
	}
	return tlog.CheckTree(tp, newer.Size, tlog.Hash(newer.Root), older.Size, tlog.Hash(older.Root))
}

// checkedHashes reads inner hashes from tiles, each checked against the head's root before it is used.
func checkedHashes(ctx context.Context, r Reader, id string, h Head) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: h.Size, Hash: tlog.Hash(h.Root)}, &tileReader{ctx, r, id})
}

// tileReader fits a Reader to golang.org/x/mod/sumdb/tlog.
type tileReader struct {
	ctx context.Context // of the one proof that this reader is made for
	r   Reader
	id  string
}

func (t *tileReader) Height() int                     { return tileHeight }
func (t *tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, x := range tiles {
		var err error
		if out[i], err = t.r.Tile(t.ctx, t.id, x.L, x.N, x.W); err != nil {
			return nil, err
		}
	}
	return out, nil
}
