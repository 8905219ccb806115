package policy

import "testing"

// TestLevelsBetween: at the levels that are asked, a rule that tells apart only l gives every answer it gives between.
func TestLevelsBetween(t *testing.T) {
	for l := range allTLPs + 1 {
		for from := range 5 {
			for to := range 5 {
				ask := l.between(from, to)
				if !ask.has(from) {
					t.Fatalf("%05b from %d to %d asks %05b, not for the item's own label", l, from, to, ask)
				}
				for level := min(from, to); level <= max(from, to); level++ {
					// The item's level looks to the rule as itself if the rule names it, else as any that it does not name.
					if l.has(level) != ask.has(level) && l.has(level) || !l.has(level) && ask&^l == 0 {
						t.Fatalf("%05b from %d to %d asks %05b, which misses %d", l, from, to, ask, level)
					}
				}
				if ask>>(max(from, to)+1) != 0 || ask&(1<<min(from, to)-1) != 0 {
					t.Fatalf("%05b from %d to %d asks %05b, beyond its ends", l, from, to, ask)
				}
			}
		}
	}
}
