package ledger

import (
	"context"
	"crypto/sha256"
	"testing"

	"github.com/mithaq/mithaq/internal/store"
)

// Leaves that are staged beyond a head do not hinder the trees below them: their edge is known, a head can be set within them, and
// both survive a restart.
func TestAHeadWithinStagedLeaves(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	f := openFixture(t, dir)
	const id, staged, within = "l-followed", 700, 513
	if err := f.Follow(ctx, FollowSpec{ID: id, Origin: "mithaq/" + id, Author: "p-them", Agreement: "a-one", Source: "http://host.test"}); err != nil {
		t.Fatal(err)
	}
	grown := func(size int) *Growth {
		g := &Growth{}
		for i := range size {
			g.Add(sha256.Sum256(objectNo(id, i)))
		}
		return g
	}
	take := store.Taking{}
	take.From, take.Leaves, take.Tiles = grown(staged).Cut()
	if err := f.Take(ctx, id, take); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 255, 256, 257, within, 699, staged} {
		want := grown(size)
		root, frontier, err := f.Edge(ctx, id, int64(size))
		if err != nil || root != want.Root() || string(frontier) != string(want.Frontier()) {
			t.Fatalf("the edge of the first %d leaves is another: %v", size, err)
		}
	}
	root, frontier, err := f.Edge(ctx, id, within)
	if err != nil {
		t.Fatal(err)
	}
	head := &store.Head{Size: within, Root: root, Frontier: frontier, Checkpoint: []byte("signed")}
	if err := f.Take(ctx, id, store.Taking{From: staged, Head: head}); err != nil {
		t.Fatal(err)
	}
	f.shut(t)
	f = openFixture(t, dir)
	s, err := f.Stand(ctx, id)
	if err != nil || s.Log.Size != within || s.Growth.Size() != staged || s.Growth.Root() != grown(staged).Root() {
		t.Fatalf("%d leaves are published, %d staged: %v", s.Log.Size, s.Growth.Size(), err)
	}
	proof, err := f.Prefix(ctx, id, 300)
	if err != nil {
		t.Fatal(err)
	}
	if first, all, err := PrefixRoots(proof, 300, within); err != nil || all != root || first != grown(300).Root() {
		t.Fatalf("what is published does not prove its beginning: %v", err)
	}
}
