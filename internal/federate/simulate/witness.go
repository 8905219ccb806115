package simulate

import (
	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
)

const (
	witnesses       = 3
	enoughWitnesses = 2 // for what waits for them
)

// watch is a witness: an outsider that knows origins and keys.
type watch struct {
	refuses bool
	last    map[string]federate.Witnessed
	signed  map[string][]federate.Witnessed
}

// gather asks the witnesses for an author's newest head, and a lying author's other one.
func (n *node) gather() {
	if n.down || n.unsettled {
		return
	}
	key, err := n.key()
	n.w.fail(err)
	for i, x := range n.w.watches {
		if n.face != nil && !n.lost {
			n.w.cosign(x, n.author.Log, mustHead(n.disk.tree), key, n.disk.tree)
			n.w.cosign(x, n.author.Log, mustHead(n.face), key, n.face)
			continue
		}
		if w := n.leader(); w != nil && !n.w.loses() && w.board.Size <= n.disk.tree.Size() && n.asked[i] != w.board.Head {
			n.w.cosign(x, n.author.Log, w.board.Head, key, n.disk.tree)
			n.asked[i] = w.board.Head
		}
	}
}

func mustHead(l *Log) ledger.Head {
	h, err := l.HeadAt(l.Size())
	if err != nil {
		return ledger.Head{}
	}
	return h
}

// cosign asks a witness for a head.
func (w *World) cosign(x *watch, of *Log, head ledger.Head, key note.Verifier, tree *Log) {
	last := x.last[of.Origin]
	if x.refuses || head == last.Head {
		return
	}
	cp, err := tree.CheckpointAt(head.Size)
	w.fail(err)
	a := federate.AddCheckpoint{Old: min(last.Size, head.Size), Checkpoint: cp}
	if a.Old > 0 && a.Old < head.Size {
		a.Proof, err = tree.Prefix(a.Old, head.Size)
		w.fail(err)
		if a.Old&(a.Old-1) == 0 {
			a.Proof = a.Proof[1:]
		}
	}
	next, refusal := w.parts.witness(last, a, of.Origin, []note.Verifier{key})
	if refusal == nil {
		x.last[of.Origin] = next
		x.signed[of.Origin] = append(x.signed[of.Origin], next)
	}
}
