package simulate

import (
	"fmt"
	"testing"
)

func TestFederationsComeRight(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		if err := Run(ConfigOf(seed)); err != nil {
			t.Errorf("%v\nrerun and shrink: go run ./bench/federation -seed %d", err, seed)
		}
	}
}

func TestASeedIsOneHistory(t *testing.T) {
	var ends [2]string
	for i := range ends {
		w, err := newWorld(ConfigOf(3), own())
		if err != nil {
			t.Fatal(err)
		}
		w.plan()
		for w.step() {
		}
		ends[i] = fmt.Sprint(w.now, w.serial, w.keeper().roll.Hash())
		for _, n := range w.nodes {
			ends[i] += fmt.Sprint(n.disk.tree.Size(), len(n.letters), n.restored, n.lost)
		}
	}
	if ends[0] != ends[1] {
		t.Fatalf("one seed ran two ways:\n%s\n%s", ends[0], ends[1])
	}
}

// The asserts must bite: a world that is cut off before it could come right does not pass.
func TestAWorldWithoutCalmIsFoundOut(t *testing.T) {
	w, err := newWorld(Config{Seed: 5, Members: 4, Records: 30, Lose: 0.2, LyingAuthor: true}, own())
	if err != nil {
		t.Fatal(err)
	}
	w.plan()
	for range 2000 {
		w.step()
	}
	if w.failed != nil {
		t.Fatal(w.failed)
	}
	if w.check() == nil {
		t.Fatal("an unfinished federation was found to be right")
	}
}

func BenchmarkSeed(b *testing.B) {
	seed := uint64(0)
	for b.Loop() {
		if err := Run(ConfigOf(seed)); err != nil {
			b.Fatal(err)
		}
		seed++
	}
}
