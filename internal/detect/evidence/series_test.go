package evidence

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/detect/event"
)

// TestLedgerKeepsItsBounds whatever comes in whatever order: calls stay sorted, no more is kept than may be, each series
// is found by its key and the list of use holds each once.
func TestLedgerKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger(5, 64)
		ev := &event.Event{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("192.0.2.1")}
		for range rapid.IntRange(1, 400).Draw(t, "calls") {
			key := rapid.Uint64Range(1, 9).Draw(t, "key")
			l.add(key, ev, false, call{time: rapid.Int64Range(0, 500).Draw(t, "time") * 1e9})
			kept, listed := 0, map[int32]bool{}
			for i := l.oldest; i >= 0; i = l.all[i].newer {
				if listed[i] {
					t.Fatal("a series is listed twice")
				}
				listed[i] = true
			}
			for i := range l.all {
				s := &l.all[i]
				kept += cap(s.calls)
				if !slices.IsSortedFunc(s.calls, func(a, b call) int { return int(a.time - b.time) }) {
					t.Fatal("calls out of order")
				}
				if at := l.find.get(l.all, s.key); s.key != 0 && at != int32(i) {
					t.Fatal("a series is not found by its key")
				}
			}
			if kept != l.kept || kept > 64+maxCalls || len(l.all) > 5 || len(listed) != len(l.all) || l.find.used > 5 {
				t.Fatalf("%d calls kept, counted %d, %d series, %d listed", kept, l.kept, len(l.all), len(listed))
			}
			if s := l.get(key); s == nil || len(s.calls) == 0 {
				t.Fatal("what was added last is not there")
			}
		}
	})
}

// TestNamesAreEqualWithoutCase, and others are not.
func TestNamesAreEqualWithoutCase(t *testing.T) {
	h := New(Options{Seed: 7, Destinations: 4, Series: 4, Names: 4})
	for _, pair := range [][2]string{{"WWW.Example.ORG.", "www.example.org"}, {"A", "a"}, {"0123456789AbCdEf", "0123456789abcdef"}} {
		if h.text([]byte(pair[0])) != h.text([]byte(pair[1])) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	seen := map[uint64]string{}
	for _, name := range []string{"", "a", "b", "@", "`", "[", "{", "a.example", "b.example", "a.example.org", "a.examplf.org", "É", "é"} {
		if other, there := seen[h.text([]byte(name))]; there {
			t.Errorf("%q and %q are the same", name, other)
		}
		seen[h.text([]byte(name))] = name
	}
}
