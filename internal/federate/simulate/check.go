package simulate

import (
	"fmt"

	"github.com/mithaq/mithaq/internal/ledger"
)

// check says what does not hold when all has long been calm.
func (w *World) check() error {
	for _, n := range w.nodes {
		var err error
		switch {
		case !n.member:
			err = w.checkOutsider(n)
		case n.honest() && !n.left:
			err = w.checkMember(n)
		}
		if err != nil {
			return err
		}
	}
	return w.checkWitnesses()
}

// checkOutsider asserts that who is no member holds nothing, not even that a log exists.
func (w *World) checkOutsider(n *node) error {
	for _, f := range n.order {
		if f.shelf.tree.Size() > 0 || f.shelf.target != nil || len(f.shelf.tree.objects) > 0 {
			return fmt.Errorf("the outsider %d holds %d leaves of node %d", n.no, f.shelf.tree.Size(), f.of.no)
		}
	}
	return nil
}

// checkMember asserts that an honest member has the state that the depositary's roll leads to, and of every honest author who
// has not left every record, in its place.
func (w *World) checkMember(n *node) error {
	dep := w.nodes[0]
	if n.roll.Hash() != dep.roll.Hash() {
		return fmt.Errorf("node %d is at another state of the agreement than the depositary, after %d entries", n.no, n.folded)
	}
	if !n.roll.Connected(n.author.Party) {
		return fmt.Errorf("node %d never became a member", n.no)
	}
	for _, f := range n.order {
		switch {
		case f.of.face != nil:
			if err := w.checkFork(n, f); err != nil {
				return err
			}
		case f.of.left:
		default:
			if err := sameRecords(f.shelf, f.of.author.Log); err != nil {
				return fmt.Errorf("node %d follows node %d: %w", n.no, f.of.no, err)
			}
		}
	}
	return nil
}

func sameRecords(s *Shelf, l *Log) error {
	want, err := l.HeadAt(l.Size())
	if err != nil {
		return err
	}
	if s.Head() != want {
		return fmt.Errorf("it has %d of %d leaves", s.Head().Size, want.Size)
	}
	for i, o := range s.Objects() {
		if o == nil {
			return fmt.Errorf("the object of leaf %d is missing", i)
		}
	}
	return nil
}

// checkFork asserts that of two honest members to whom an author showed contradicting histories, each holds the proof: they
// can reach each other, and have compared.
func (w *World) checkFork(n *node, f *following) error {
	for _, m := range w.nodes[:w.cfg.Members] {
		if m == n || m == f.of || !m.honest() || m.left {
			continue
		}
		other := m.follows[f.of.author.Log.ID]
		if contradict(f.of, f.shelf.Head(), other.shelf.Head()) && len(f.evidence) == 0 {
			return fmt.Errorf("nodes %d and %d hold two histories of node %d, and node %d does not know", n.no, m.no, f.of.no, n.no)
		}
	}
	return nil
}

// contradict says whether two heads of a lying author's log are of its two faces, beyond where they part.
func contradict(of *node, a, b ledger.Head) bool {
	on := func(l *Log, h ledger.Head) bool {
		if h.Size > l.Size() {
			return false
		}
		at, err := l.HeadAt(h.Size)
		return err == nil && at == h
	}
	one, another := of.author.Log, of.face
	return on(one, a) != on(another, a) && on(one, b) != on(another, b) && on(one, a) != on(one, b)
}

// checkWitnesses asserts that no witness co-signed both histories of anybody.
func (w *World) checkWitnesses() error {
	for i, x := range w.watches {
		for _, n := range w.nodes {
			if n.face == nil {
				continue
			}
			heads := x.signed[n.author.Log.Origin]
			for _, a := range heads {
				for _, b := range heads {
					if contradict(n, a.Head, b.Head) {
						return fmt.Errorf("witness %d co-signed both histories of node %d", i, n.no)
					}
				}
			}
		}
	}
	return nil
}
