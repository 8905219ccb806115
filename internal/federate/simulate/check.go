package simulate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// check says what does not hold when all has long been calm.
func (w *World) check() error {
	for _, n := range w.nodes {
		var err error
		switch {
		case !n.member:
			err = w.checkOutsider(n)
		case n.honest() && !n.dead && !n.stuck():
			err = w.checkMember(n)
		}
		if err != nil {
			return err
		}
	}
	if err := w.checkWitnesses(); err != nil {
		return err
	}
	return w.checkSecrets()
}

// stuck says that a node signs nothing any more: its guard knows of more than anybody has.
func (n *node) stuck() bool { return n.unsettled && n.disk.guard.Size > n.disk.head.Size }

// checkOutsider asserts that who is no member was given nothing, not even that a log exists.
func (w *World) checkOutsider(n *node) error {
	if n.got {
		return fmt.Errorf("the outsider %d was given something", n.no)
	}
	for _, f := range n.order {
		if f.shelf.tree.Size() > 0 || f.shelf.target != nil || len(f.shelf.tree.objects) > 0 {
			return fmt.Errorf("the outsider %d holds %d leaves of node %d", n.no, f.shelf.tree.Size(), f.of.no)
		}
	}
	return nil
}

// checkMember asserts that an honest member has its own log whole, the state that the keeper's roll leads to, and of every
// honest author every record, in its place.
func (w *World) checkMember(n *node) error {
	if err := n.checkOwn(); err != nil {
		return err
	}
	keeper := w.keeper()
	if n.left || keeper.stuck() || keeper.lost || keeper.roll.Phase() != agreement.InForce {
		return nil
	}
	if keeper != w.nodes[0] && keeper.roll.Depositary() != keeper.author.Party {
		if w.mayElect() {
			return fmt.Errorf("the depositary is silent, and nobody succeeded it")
		}
		return nil
	}
	if !w.sharesPast(n, keeper) {
		return nil
	}
	if n.roll.Hash() != keeper.roll.Hash() {
		return fmt.Errorf("node %d is at another state of the agreement (%d entries) than node %d, who keeps it (%d)", n.no, n.roll.Size(), keeper.no, keeper.roll.Size())
	}
	if !n.roll.Connected(n.author.Party) {
		return fmt.Errorf("node %d never became a member", n.no)
	}
	for _, f := range n.order {
		switch of := f.of; {
		case of.face != nil:
			if err := w.checkFork(n, f); err != nil {
				return err
			}
		case of.left, of.stuck(), of.dead && n == keeper, !keeper.roll.Connected(of.author.Party):
		default:
			want := of.disk.head.Head
			if of.dead {
				want = keeper.follows[of.author.Log.ID].shelf.Head()
			}
			if err := w.sameRecords(f, want); err != nil {
				return fmt.Errorf("node %d follows node %d: %w", n.no, of.no, err)
			}
		}
	}
	return nil
}

// sharesPast says whether two nodes hold the same of the log of a depositary that is no more. One that lost a tail of its log with
// its disk, and went on otherwise, leaves two rolls behind, and no majority of one is a majority of the other: then only people
// can settle which one counts, and nobody changes sides by itself.
func (w *World) sharesPast(a, b *node) bool {
	dep := w.nodes[0]
	if !dep.dead || dep.face == nil || a == b {
		return true
	}
	return a.follows[dep.author.Log.ID].shelf.Head() == b.follows[dep.author.Log.ID].shelf.Head()
}

// mayElect says whether enough honest members are left to name a successor.
func (w *World) mayElect() bool {
	heir, votes := w.nodes[1], 0
	for _, n := range w.nodes[1:w.cfg.Members] {
		if heir.roll.Connected(n.author.Party) && n.face == nil && !n.left && !n.stuck() && w.sharesPast(n, heir) {
			votes++
		}
	}
	return heir.honest() && !heir.stuck() && heir.roll.Definition() != nil && votes >= heir.roll.Definition().Terms.Succession.Of(heir.roll.Joined())
}

// checkOwn asserts that all that somebody wanted in the log is there, once, where it was acknowledged, and nothing else.
func (n *node) checkOwn() error {
	tree := n.disk.tree
	times := map[[32]byte]int{}
	for _, h := range tree.leaves {
		times[h]++
	}
	known := 1 // the keyring
	for _, l := range n.letters {
		if !l.done {
			return fmt.Errorf("node %d could not publish %q", n.no, l.text)
		}
		hash := sha256.Sum256(l.object)
		if times[hash] != 1 || tree.leaves[l.index] != hash {
			return fmt.Errorf("node %d: a record that was acknowledged at leaf %d stands %d times in its log", n.no, l.index, times[hash])
		}
		known++
	}
	if len(tree.leaves) != known {
		return fmt.Errorf("node %d has %d leaves in its log, and wanted %d", n.no, len(tree.leaves), known)
	}
	if !tree.holds(n.shownHead) {
		return fmt.Errorf("node %d showed readers %d leaves that its log does not begin with", n.no, n.shownHead.Size)
	}
	return nil
}

// sameRecords asserts that a follower has what the log's author signed.
func (w *World) sameRecords(f *following, want ledger.Head) error {
	s := f.shelf
	if s.Head() != want {
		return fmt.Errorf("it has %d of %d leaves", s.Head().Size, want.Size)
	}
	for i, o := range s.Objects() {
		if o == nil && f.of.restored && !w.anybodyHas(f.of, s.tree.leaves[i]) {
			continue // followers had taken the leaf and not yet its object when the author's disk broke: it got back no more than that
		}
		if o == nil || sha256.Sum256(o) != s.tree.leaves[i] {
			return fmt.Errorf("the object of leaf %d is missing or another", i)
		}
	}
	return nil
}

// anybodyHas says whether an object of somebody's log is on any disk that is left.
func (w *World) anybodyHas(of *node, hash [32]byte) bool {
	return slices.ContainsFunc(w.nodes[:w.cfg.Members], func(m *node) bool {
		tree := of.disk.tree
		if m != of {
			tree = m.follows[of.author.Log.ID].shelf.tree
		}
		return !m.dead && tree.objects[hash] != nil
	})
}

// checkFork asserts that of two honest members to whom an author showed contradicting histories, each holds the proof: they
// can reach each other, and have compared.
func (w *World) checkFork(n *node, f *following) error {
	for _, m := range w.nodes[:w.cfg.Members] {
		if m == n || m == f.of || !m.honest() || m.left || m.dead || !n.roll.Connected(m.author.Party) {
			continue
		}
		other := m.follows[f.of.author.Log.ID]
		if contradict(f.of, f.shelf.Head(), other.shelf.Head()) && len(f.evidence) == 0 {
			return fmt.Errorf("nodes %d and %d hold two histories of node %d, and node %d does not know", n.no, m.no, f.of.no, n.no)
		}
	}
	return nil
}

// contradict says whether two heads of a log are of its two histories, beyond where they part.
func contradict(of *node, a, b ledger.Head) bool {
	one, another := of.disk.tree, of.face
	return one.holds(a) != another.holds(a) && one.holds(b) != another.holds(b) && one.holds(a) != one.holds(b)
}

// checkWitnesses asserts that no witness co-signed both histories of anybody.
func (w *World) checkWitnesses() error {
	for i, x := range w.watches {
		for _, n := range w.nodes {
			if n.face == nil {
				continue
			}
			heads := x.signed[n.author.Log.Origin]
			for j, a := range heads {
				for _, b := range heads[:j] {
					if contradict(n, a.Head, b.Head) {
						return fmt.Errorf("witness %d co-signed both histories of node %d", i, n.no)
					}
				}
			}
		}
	}
	return nil
}

// checkSecrets asserts that whoever a sealed record was meant for opens it with what is on its own disk, and nobody else with
// whatever there is: a mirror or a former member is given all bytes of all logs here, and has only its own keys.
func (w *World) checkSecrets() error {
	for _, author := range w.nodes[:w.cfg.Members] {
		if author.face != nil || author.unsettled {
			continue
		}
		keys := make([][]record.EpochKey, len(w.nodes))
		for i, m := range w.nodes {
			keys[i] = w.keysIn(author.disk.tree, author.disk.tree.Size(), m.author.seal.ID, true)
		}
		for _, l := range author.letters {
			if !l.sealed || !l.done {
				continue
			}
			for i, m := range w.nodes {
				_, err := record.OpenObject(l.object, record.EpochIdentity(keys[i]...))
				meant := slices.Contains(l.meant, i)
				if meant && err != nil && author.restored {
					continue // the epoch's record was lost with the author's disk before anybody had it
				}
				if (err == nil) != meant {
					return fmt.Errorf("node %d can open a record of node %d: %t; it was meant for it: %t", i, author.no, err == nil, meant)
				}
				if err := w.checkOpens(author, m, l); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// checkOpens asserts that a member has what it needs to read a record that was meant for it.
func (w *World) checkOpens(author, m *node, l *letter) error {
	if m == author || !slices.Contains(l.meant, m.no) || !m.honest() || m.left || m.dead || m.stuck() || author.left || author.dead || author.stuck() ||
		!w.keeper().roll.Connected(m.author.Party) {
		return nil
	}
	shelf := m.follows[author.author.Log.ID].shelf
	if shelf.Head().Size <= l.index {
		return nil // said elsewhere
	}
	o := shelf.tree.objects[shelf.tree.leaves[l.index]]
	if o == nil {
		return nil
	}
	if !bytes.Equal(o, l.object) {
		return fmt.Errorf("node %d holds other bytes at leaf %d of node %d", m.no, l.index, author.no)
	}
	opens := func(tree *Log, size int64) error {
		_, err := record.OpenObject(o, record.EpochIdentity(w.keysIn(tree, size, m.author.seal.ID, false)...))
		return err
	}
	err := opens(shelf.tree, shelf.Head().Size)
	// A slip may be lost with the author's disk before anybody had it.
	lost := author.restored && opens(author.disk.tree, author.disk.tree.Size()) != nil
	if err != nil && !lost {
		return fmt.Errorf("node %d cannot open the record at leaf %d of node %d that was meant for it: %w", m.no, l.index, author.no, err)
	}
	return nil
}
