package node

import (
	"runtime/debug"
	"testing"
)

func TestRoomForGarbage(t *testing.T) {
	g := gcRoom{of: func() uint64 { return 192 << 20 }}
	for live, want := range map[uint64]int{0: mostGC, 1 << 20: mostGC, 64 << 20: 300, 150 << 20: 125, 192 << 20: 100, 1 << 40: 100} {
		if got := roomPercent(192<<20, live); got != want {
			t.Errorf("%d bytes in use: %d percent, want %d", live, got, want)
		}
	}
	// What was chosen stays: this test must not run beside another that changes it.
	before := debug.SetGCPercent(70)
	defer debug.SetGCPercent(before)
	g.index()()
	if now := debug.SetGCPercent(70); now != 70 {
		t.Errorf("the operator chose 70 percent, now it is %d", now)
	}
	debug.SetGCPercent(defaultGC)
	done := g.index()
	if now := debug.SetGCPercent(g.now); now != g.now || now < defaultGC {
		t.Errorf("set to %d, said to be %d", now, g.now)
	}
	done()
	if now := debug.SetGCPercent(defaultGC); now != defaultGC {
		t.Errorf("left at %d percent", now)
	}
}

func TestRoomIsAPartOfTheMemory(t *testing.T) {
	if room := roomHere(); room < leastRoom || room > mostRoom {
		t.Errorf("%d bytes", room)
	}
	for text, want := range map[string]uint64{
		"MemFree: 1 kB\nMemTotal:       24574840 kB\n": 24574840 << 10, "": 0, "MemTotal: -1 kB\n": 0, "MemTotal: 5 MB\n": 0, "MemTotal: 99999999999999999999 kB": 0,
	} {
		if got := totalMemory(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
