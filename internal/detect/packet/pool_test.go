package packet

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestPoolHandsNothingOutTwice takes and gives buffers back in any order. Each is filled with its own number, which is
// still there when it comes back, and when all are back the largest fit again.
func TestPoolHandsNothingOutTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks := rapid.IntRange(1, 3000).Draw(t, "blocks")
		p := NewPool(blocks << smallestClass)
		var out [][]byte
		check := func(i int) {
			if b := out[i]; b[0] != b[len(b)-1] || !bytes.Equal(b, bytes.Repeat(b[:1], len(b))) {
				t.Fatal("two buffers share bytes")
			}
		}
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(out) > 0 && rapid.Bool().Draw(t, "back") {
				i := rapid.IntRange(0, len(out)-1).Draw(t, "which")
				check(i)
				p.Put(out[i])
				out[i] = out[len(out)-1]
				out = out[:len(out)-1]
				continue
			}
			n := 1 << rapid.IntRange(0, 21).Draw(t, "bits")
			b := p.Get(n)
			if b == nil {
				continue
			}
			if len(b) < n || p.Allocated() > blocks<<smallestClass {
				t.Fatalf("%d bytes for %d, %d taken of %d", len(b), n, p.Allocated(), blocks<<smallestClass)
			}
			for i := range b {
				b[i] = byte(step)
			}
			out = append(out, b)
		}
		for i := range out {
			check(i)
			p.Put(out[i])
		}
		for range blocks >> (classes - 1) {
			if p.Get(1<<20) == nil {
				t.Fatal("halves were not joined again")
			}
		}
	})
}
