package simulate

import (
	"bytes"
	"context"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
)

// loses says whether a message is lost.
func (w *World) loses() bool { return !w.healed && w.dice.chance(w.cfg.Lose) }

// apart says whether a partition is between two nodes.
func (w *World) apart(a, b *node) bool { return !w.healed && w.cut[[2]int{a.no, b.no}] > 0 }

// split begins or ends a partition.
func (w *World) split(side map[int]bool, by int) {
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if side[a.no] != side[b.no] {
				w.cut[[2]int{a.no, b.no}] += by
			}
		}
	}
}

// answer serves a resource of somebody's log to whom this node believes to be a member, or to its author.
func (n *node) answer(to, of *node, r federate.Request) ([]byte, error) {
	if to != of && !n.serves(to) {
		return nil, ledger.ErrNotFound
	}
	var src federate.Source
	if n == of {
		src = n.shown(to)
	} else {
		src = n.mirrored(of)
	}
	if src == nil {
		return nil, ledger.ErrNotFound
	}
	b, err := r.Of(context.Background(), src)
	if err == nil && n.liar && n != of && n.w.dice.chance(0.3) && len(b) > 0 && !bytes.HasPrefix(b, []byte("slip:")) {
		b = append([]byte{}, b...)
		b[n.w.dice.IntN(len(b))] ^= 1
	}
	if err == nil && !to.member {
		to.got = true
	}
	return b, err
}

// serves is the decision: members by this node's own roll, and those whom the founding text names.
func (n *node) serves(to *node) bool {
	return n.author.Party == to.author.Party || to.no < 2 || n.w.parts.serves(n.roll, to.author.Party)
}

// shown is the log that an author shows to somebody: a lying one has two; of an honest one's writers any may answer.
func (n *node) shown(to *node) federate.Source {
	switch {
	case n.face != nil && !n.lost && to.no%2 == 1:
		return n.face
	case n.face != nil && !n.lost:
		return n.disk.tree
	}
	var up []*writer
	for _, w := range n.writers {
		if w.board.Checkpoint != nil && w.until <= n.w.now {
			up = append(up, w)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return published{n.disk.tree, up[n.w.dice.IntN(len(up))].board.Checkpoint}
}

// mirrored is a followed log as its follower re-serves it; nil when there is nothing.
func (n *node) mirrored(of *node) federate.Source {
	f := n.follows[of.author.Log.ID]
	if f == nil || f.shelf.Head().Size == 0 {
		return nil
	}
	shelf := f.shelf
	shelf.tree.keyrings = of.author.Log.keyrings
	return published{shelf.tree, shelf.note}
}

// published is a log under one of its checkpoints.
type published struct {
	*Log
	note []byte
}

// Checkpoint implements federate.Source.
func (p published) Checkpoint(context.Context) ([]byte, error) { return p.note, nil }
