package index

import (
	"fmt"
	"sync"
	"testing"
)

// TestChangesAreMergedBeside look-ups, which find what holds at every moment: what no change touched, and of what changes give
// anew exactly one.
func TestChangesAreMergedBeside(t *testing.T) {
	b := &Builder{}
	for n := range 300 {
		add(t, b, n, Domain, fmt.Sprintf("base%d.example.org", n))
	}
	store := NewStore(build(t, b))
	done := make(chan struct{})
	var readers sync.WaitGroup
	same, moved := key(t, Domain, "base299.example.org"), key(t, Domain, "moved.example.org")
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			s := store.Set()
			if n := len(s.Find(nil, Domain, same)); n != 1 {
				t.Errorf("%d of what no change touched", n)
				return
			}
			if n := len(s.Find(nil, Domain, moved)); n > 1 {
				t.Errorf("%d of what is given anew", n)
				return
			}
		}
	})
	const rounds = 150
	for round := range rounds {
		b := &Builder{}
		for n := range 5 {
			add(t, b, 1000+5*round+n, Domain, fmt.Sprintf("new%d-%d.example.org", round, n))
		}
		add(t, b, 500, Domain, "moved.example.org")
		if err := store.Apply(b, []ID{id(round)}, uint64(round)); err != nil {
			t.Fatal(err)
		}
		if len(store.Set().Find(nil, Domain, key(t, Domain, fmt.Sprintf("new%d-4.example.org", round)))) != 1 {
			t.Fatal("a change is not visible when Apply returns")
		}
	}
	store.Wait()
	close(done)
	readers.Wait()
	s := store.Set()
	if len(s.tiers) > 8 {
		t.Errorf("%d tiers: changes are not merged", len(s.tiers))
	}
	for round := range rounds {
		if len(s.Find(nil, Domain, key(t, Domain, fmt.Sprintf("base%d.example.org", round)))) != 0 {
			t.Fatalf("indicator %d is there, which was taken away", round)
		}
		for n := range 5 {
			if len(s.Find(nil, Domain, key(t, Domain, fmt.Sprintf("new%d-%d.example.org", round, n)))) != 1 {
				t.Fatalf("change %d was lost", round)
			}
		}
	}
}

// TestHeavyChangesGoIntoTheBase.
func TestHeavyChangesGoIntoTheBase(t *testing.T) {
	store := NewStore(build(t, &Builder{}))
	store.heavy = 1000
	for round := range 3 {
		b := &Builder{}
		for n := range store.heavy / 2 {
			if err := b.Add(Domain, fmt.Appendf(nil, "%d-%d", round, n), Row{Indicator: id(n + round<<20)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Apply(b, nil, 1); err != nil {
			t.Fatal(err)
		}
	}
	store.Wait()
	s := store.Set()
	if n := s.tiers[0].Len(); n < store.heavy || s.Len() != 3*store.heavy/2 {
		t.Errorf("%d in the base, %d in all", n, s.Len())
	}
	if len(s.Find(nil, Domain, []byte("0-77"))) != 1 || len(s.Find(nil, Domain, []byte("2-77"))) != 1 {
		t.Error("what was added is not there")
	}
}
