package node

import (
	"context"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
)

// A log that grows all the time has a newest checkpoint which nobody has co-signed yet, always. What counts is the last one that
// enough witnesses co-signed: its tree is the beginning of the newest one. It travels beside the newest checkpoint.

// enoughRows remembers, by log number, the largest checkpoint that enough witnesses co-signed: it is asked for whenever anybody
// tells of a head or asks for one. Only the node's writer remembers. The zero value is empty.
type enoughRows struct {
	mu  sync.Mutex
	all map[int64]enoughRow // guarded by mu
}

type enoughRow struct {
	size       int64
	checkpoint []byte
}

// enoughOf is the largest checkpoint of a log that enough witnesses co-signed; size 0: none.
func (n *Node) enoughOf(ctx context.Context, logNo int64) (size int64, checkpoint []byte, err error) {
	n.enough.mu.Lock()
	defer n.enough.mu.Unlock() // also while it is read, so that nothing newer is replaced by it
	if e, known := n.enough.all[logNo]; known {
		return e.size, e.checkpoint, nil
	}
	if size, checkpoint, err = n.store.Enough(ctx, logNo); err != nil {
		return 0, nil, fault.OfStore(err)
	}
	if n.ledger != nil {
		n.enough.put(logNo, enoughRow{size, checkpoint})
	}
	return size, checkpoint, nil
}

// put remembers. The caller holds mu.
func (e *enoughRows) put(logNo int64, row enoughRow) {
	if e.all == nil {
		e.all = map[int64]enoughRow{}
	}
	e.all[logNo] = row
}

// putEnough keeps a checkpoint that enough witnesses co-signed, if it is the largest.
func (n *Node) putEnough(ctx context.Context, logNo, size int64, checkpoint []byte) error {
	n.enough.mu.Lock()
	defer n.enough.mu.Unlock()
	if err := n.store.PutEnough(ctx, logNo, size, checkpoint); err != nil {
		delete(n.enough.all, logNo)
		return fault.OfStore(err)
	}
	if e, known := n.enough.all[logNo]; known && size > e.size {
		n.enough.put(logNo, enoughRow{size, checkpoint})
	}
	return nil
}

// witnessedBefore is the last checkpoint of a log that enough witnesses co-signed, nil where that is the newest one or none.
func (n *Node) witnessedBefore(ctx context.Context, l ledger.LogInfo) ([]byte, error) {
	no, err := n.logNo(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	size, checkpoint, err := n.enoughOf(ctx, no)
	if err != nil || size == 0 || size >= l.Size {
		return nil, err
	}
	return checkpoint, nil
}

// heardWitnessed keeps what a host shows as the last witnessed checkpoint of a followed log, and says whether it is news. It is
// believed when its tree is the beginning of the one here, and enough witnesses co-signed it.
func (n *Node) heardWitnessed(ctx context.Context, logID, checkpoint string) (bool, error) {
	if checkpoint == "" || n.ledger == nil {
		return false, nil
	}
	l, err := n.reader.Log(ctx, logID)
	if err != nil || !l.Followed() {
		return false, err
	}
	head, err := ledger.ParseCheckpoint([]byte(checkpoint))
	if err != nil {
		return false, fetch.As(fetch.Malformed, err)
	}
	if head.Origin != l.Origin {
		return false, fetch.Refuse(fetch.Malformed, "log %s: its last witnessed checkpoint is of log %s", logID, fault.Clip(head.Origin))
	}
	no, err := n.logNo(ctx, logID)
	if err != nil {
		return false, err
	}
	size, _, err := n.enoughOf(ctx, no)
	if err != nil || head.Size <= size || head.Size > l.Size {
		return false, err // known, or of a tree that is not here yet
	}
	root, err := n.reader.(ledger.Prover).RootAt(ctx, logID, head.Size)
	if err != nil {
		return false, fault.OfStore(err)
	}
	if root != head.Root {
		return false, fetch.Refuse(fetch.WrongHash, "log %s: its last witnessed checkpoint is of another tree of %d leaves", logID, head.Size)
	}
	policies, err := n.witnessPolicies(ctx, l.Agreement, l.Author)
	if err != nil {
		return false, err
	}
	only := federate.OnlySigned([]byte(checkpoint), append(n.checkpointVerifiers(logID), n.cosigners.Of(witnessesOf(policies))...))
	if !n.suffices(policies, only) {
		return false, nil // by the witnesses that are known here
	}
	if err := n.putEnough(ctx, no, head.Size, only); err != nil {
		return false, err
	}
	n.grown.Add(1)
	n.feed.Note(logID, false) // those who follow it here
	return true, nil
}

// checkpointVerifiers verify the checkpoints of a log by all keys that it has had.
func (n *Node) checkpointVerifiers(logID string) []note.Verifier {
	b := n.book(logID)
	if b == nil {
		return nil
	}
	var out []note.Verifier
	for k := range b.history.Keyrings() {
		if v, err := note.NewVerifier(keyringVKey(k)); err == nil {
			out = append(out, v)
		}
	}
	return out
}

// rollProof proves that a leaf of a roll stands in its log: under the last checkpoint that enough witnesses co-signed where that
// covers it, since it is what makes the entry count, else under the newest one.
func (n *Node) rollProof(ctx context.Context, logID string, index int64) ([]byte, error) {
	prover := n.reader.(ledger.Prover)
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	witnessed, err := n.witnessedBefore(ctx, l)
	if err != nil {
		return nil, err
	}
	if head, err := ledger.ParseCheckpoint(witnessed); err == nil && index < head.Size {
		// Whoever reads the roll knows the newest key of the log alone.
		if v, err := note.NewVerifier(n.book(logID).vkey()); err == nil {
			if _, err := note.Open(witnessed, note.VerifierList(v)); err == nil {
				proof, err := prover.ProofIn(ctx, logID, index, witnessed)
				return proof, fault.OfStore(err)
			}
		}
	}
	proof, err := prover.Proof(ctx, logID, index)
	return proof, fault.OfStore(err)
}
