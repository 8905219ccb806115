package simulate

import (
	"testing"
	"time"
)

func TestFederationsComeRight(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		if err := Run(ConfigOf(seed)); err != nil {
			t.Errorf("%v\nrerun and shrink: go run ./bench/federation -seed %d", err, seed)
		}
	}
}

func TestASeedIsOneHistory(t *testing.T) {
	c := ConfigOf(3)
	var ends [2]string
	for i := range ends {
		w, err := newWorld(c)
		if err != nil {
			t.Fatal(err)
		}
		w.run()
		ends[i] = w.nodes[0].roll.Hash().String() + " " + time.Duration(w.serial).String()
		for _, n := range w.nodes {
			h, err := n.author.Log.HeadAt(n.author.Log.Size())
			if err != nil {
				t.Fatal(err)
			}
			ends[i] += string(h.Root[:])
		}
	}
	if ends[0] != ends[1] {
		t.Fatal("one seed ran two ways")
	}
}

// The asserts must bite: a world that is cut off before it could come right does not pass.
func TestAWorldWithoutCalmIsFoundOut(t *testing.T) {
	w, err := newWorld(Config{Seed: 5, Members: 4, Records: 30, Lose: 0.2, LyingAuthor: true})
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
