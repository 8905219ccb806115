package simulate

import (
	"slices"
	"testing"

	"github.com/mithaq/mithaq/internal/ledger"
)

// ended runs a world until it has come right.
func ended(t *testing.T, c Config) *World {
	t.Helper()
	w, err := newWorld(c, own())
	if err != nil {
		t.Fatal(err)
	}
	w.plan()
	for w.failed == nil && w.step() {
	}
	if w.failed != nil || w.check() != nil {
		t.Fatal(w.failed, w.check())
	}
	return w
}

// An object may be missing only when it was lost with its author's disk, and nobody has it.
func TestAnObjectThatSomebodyHasMustBeEverywhere(t *testing.T) {
	w := ended(t, Config{Seed: 1, Members: 3, Records: 9})
	author := w.nodes[1]
	last := author.disk.tree.leaves[author.disk.tree.Size()-1]
	var trees []*Log
	for _, n := range w.nodes {
		if n != author {
			trees = append(trees, n.follows[author.author.Log.ID].shelf.tree)
		}
	}
	trees = append(trees, author.disk.tree)
	for _, tree := range trees {
		delete(tree.objects, last)
		if w.check() == nil {
			t.Fatal("nobody noticed that an object is missing, of an author whose disk never broke")
		}
		author.restored = true
		if lost := tree == author.disk.tree; lost != (w.check() == nil) {
			t.Fatalf("nobody has the object: %t; %v", lost, w.check())
		}
		author.restored = false
	}
}

// Who shares the history of a silent depositary that left two must elect with the heir, and agree with it.
func TestTwoRollsOfASilentDepositaryExcuseOnlyTheOtherSide(t *testing.T) {
	w := ended(t, Config{Seed: 2, Members: 5, SilentDepositary: true})
	dep, heir := w.nodes[0], w.nodes[1]
	if !w.mayElect() {
		t.Fatal("all are there, and could not elect")
	}
	dep.face = dep.disk.tree.copied()
	others := w.nodes[2:5]
	for _, n := range others {
		n.forgetRoll()
		n.roll = w.nodes[0].roll
	}
	if w.check() == nil {
		t.Fatal("members of the heir's side are at another state, and nobody noticed")
	}
	for _, n := range others {
		n.follows[dep.author.Log.ID].shelf.head = ledger.Head{Origin: dep.author.Log.Origin, Size: 3}
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	if w.mayElect() {
		t.Fatal("one of five elects by itself")
	}
	if slices.ContainsFunc(others, func(n *node) bool { return w.sharesPast(n, heir) }) {
		t.Fatal("another history is taken for the same")
	}
}
