package simulate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
)

// keep makes a backup of all that is on a machine.
func (n *node) keep() {
	for _, f := range n.order {
		f.backup = f.shelf.Copy()
	}
	n.backup = n.disk.copied()
}

// putBack restores the backup: what the machine knew since is gone, and it signs nothing until it is settled. Now and then only
// the database is put back, by somebody who does not say so, and the guard beside it notices.
func (n *node) putBack() {
	if n.backup == nil || n.dead || n.face != nil || n.unsettled || n.w.healed {
		return
	}
	if !n.isHeld() && n.w.dice.chance(0.8) {
		n.w.in(2*time.Minute, n.putBack) // mostly, what was published has been fetched by the time a disk breaks
		return
	}
	n.restart()
	for _, f := range n.order {
		if f.backup != nil {
			f.shelf = f.backup.Copy()
		}
	}
	guard, fence := n.disk.guard, n.disk.fence
	n.disk = n.backup.copied()
	n.disk.fence = fence // another process may still run
	for _, w := range n.writers {
		w.board = ledger.SignedHead{}
	}
	if n.no > 0 && n.w.dice.chance(0.5) {
		n.disk.guard = guard
		n.up()
	} else {
		n.unsettled = true
	}
	n.forgetRoll()
	n.fold()
}

// isHeld says whether somebody has all that readers were shown of the log.
func (n *node) isHeld() bool {
	return slices.ContainsFunc(n.w.nodes[:n.w.cfg.Members], func(m *node) bool {
		f := m.follows[n.author.Log.ID]
		return f != nil && f.shelf.Head() == n.shownHead
	})
}

// settle asks everybody who followed the log how far it had grown, and takes the tail back. It signs again once all have
// answered: the one who did not may be the one who has the newest part.
func (n *node) settle() {
	if !n.unsettled || n.down {
		return
	}
	silent := 0
	var answered []*node
	for _, host := range n.w.nodes[:n.w.cfg.Members] {
		if host == n || host.dead {
			continue // whom an operator leaves out
		}
		if err := n.ask(host); err != nil {
			silent++
			continue
		}
		answered = append(answered, host)
	}
	if !n.w.parts.settle(len(answered), silent) {
		return
	}
	d := n.disk
	if n.w.parts.compare(d.tree.ID, d.head.Head, d.guard, n.writers[0].rootAt) != nil {
		return // the guard knows of more than anybody has: only a successor log would help
	}
	n.unsettled, n.restored = false, true
	for _, host := range answered {
		if src := host.mirrored(n); src != nil {
			n.fill(src)
		}
	}
	n.relearn()
	if !d.tree.holds(n.shownHead) {
		n.loseTail()
	}
	n.sortLetters()
	n.forgetRoll()
	n.fold()
	n.up()
}

// sortLetters finds out what is in the log after a restore. What is not, is asked for again: people notice that it is gone. What
// the machine itself had begun, it begins anew.
func (n *node) sortLetters() {
	n.letters = slices.DeleteFunc(n.letters, func(l *letter) bool {
		l.done, l.flying = false, false
		if l.object != nil {
			l.index = n.disk.tree.index[sha256.Sum256(l.object)]
			l.done = l.index > 0
		}
		if l.sealed && !l.done {
			l.object, l.meant = nil, nil // its epoch may be gone
		}
		return !l.done && (l.epoch != nil || l.entry)
	})
}

// loseTail notes that the log goes on otherwise than readers were shown: nobody who could be asked had the rest. That is no
// crime, but it is two histories, and must not go unnoticed either. A follower that has the lost part on its shelf would be a
// fault of the restore.
func (n *node) loseTail() {
	for _, m := range n.w.nodes[:n.w.cfg.Members] {
		if m == n || m.dead {
			continue
		}
		if h := m.follows[n.author.Log.ID].shelf.Head(); h.Size > n.disk.head.Size {
			n.w.fail(fmt.Errorf("node %d was restored to %d leaves and signs on, while node %d holds %d", n.no, n.disk.head.Size, m.no, h.Size))
		}
	}
	n.face, n.lost = n.longest.copied(), true
	n.longest, n.shownHead = n.disk.tree, n.disk.head.Head
}

// ask takes what a host has of this node's own log and the disk does not.
func (n *node) ask(host *node) error {
	silent := true
	for range 3 { // tries, as a transport makes them
		silent = silent && n.w.loses()
	}
	if host.down || n.w.apart(n, host) || silent || host.liar && n.w.dice.chance(0.3) {
		return errNoAnswer
	}
	src := host.mirrored(n)
	if src == nil {
		return nil // it has nothing
	}
	ctx, d := context.Background(), n.disk
	key, err := n.key()
	if err != nil {
		return err
	}
	cp, err := src.Checkpoint(ctx)
	if err != nil {
		return err
	}
	theirs, err := ledger.OpenCheckpoint(cp, d.tree.Origin, key)
	if err != nil {
		return err
	}
	if theirs.Size <= d.head.Size {
		return nil
	}
	g := &ledger.Growth{}
	for _, h := range d.tree.leaves {
		g.Add(h)
	}
	g.Cut()
	o := ledger.AuditOptions{Origin: d.tree.Origin, Verifier: key, Workers: 1, Checkpoint: cp}
	if err := ledger.Extend(ctx, src, o, d.head.Head, g); err != nil {
		n.w.fail(fmt.Errorf("node %d cannot take its own log back from node %d: %w", n.no, host.no, err))
		return err
	}
	_, leaves, _ := g.Cut()
	return n.adopt(ctx, src, leaves, ledger.SignedHead{Head: theirs, Checkpoint: cp})
}

// adopt puts a tail on the disk under the checkpoint that the host had.
func (n *node) adopt(ctx context.Context, src federate.Source, leaves [][32]byte, head ledger.SignedHead) error {
	d := n.disk
	for _, h := range leaves {
		object, err := src.Object(ctx, h)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
		if err := d.tree.add(h, object); err != nil {
			return err
		}
	}
	d.head = head
	return nil
}

// fill takes objects that are missing, and slips, from a host that may have them.
func (n *node) fill(src federate.Source) {
	tree := n.disk.tree
	for _, h := range tree.leaves {
		if tree.objects[h] != nil {
			continue
		}
		if object, err := src.Object(context.Background(), h); err == nil && sha256.Sum256(object) == h {
			tree.objects[h] = object
		}
	}
	for hash, object := range attachmentsOf(src) {
		if _, leaf := tree.index[hash]; !leaf {
			tree.objects[hash] = object
		}
	}
}

// attachmentsOf are the slips that a host has of a log.
func attachmentsOf(src federate.Source) map[[32]byte][]byte {
	p, ok := src.(published)
	if !ok {
		return nil
	}
	out := map[[32]byte][]byte{}
	for hash, object := range p.objects {
		if _, leaf := p.index[hash]; !leaf {
			out[hash] = object
		}
	}
	return out
}
