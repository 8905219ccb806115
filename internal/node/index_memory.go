package node

import (
	"runtime/debug"
	"runtime/metrics"
)

const (
	// indexRoom is how much garbage may gather while much is indexed, when what is in use takes less: the default of as much as is
	// in use has a small heap gone through dozens of times a second.
	indexRoom = 192 << 20
	// indexMany is how many leaves are much.
	indexMany = 32 << 10

	defaultGC = 100 // percent
	mostGC    = 800
)

// gcRoom lets more garbage gather for a while. It changes nothing where the operator chose a percentage (GOGC), and the limit on
// memory (GOMEMLIMIT) holds all the same.
type gcRoom struct{ now int } // 0: nothing was changed

// adjust sets the percentage to what is in use now.
func (g *gcRoom) adjust() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	percent := gcPercent(live[0].Value.Uint64())
	if g.now == 0 {
		if before := debug.SetGCPercent(percent); before != defaultGC {
			debug.SetGCPercent(before)
			return
		}
	} else if percent != g.now {
		debug.SetGCPercent(percent)
	}
	g.now = percent
}

// gcPercent is the percentage with which a heap with so much in use grows by indexRoom, or as usual.
func gcPercent(live uint64) int {
	return int(min(max(100*indexRoom/max(live, 1), defaultGC), mostGC)) / 25 * 25
}

// restore sets the percentage to what it was.
func (g *gcRoom) restore() {
	if g.now != 0 {
		debug.SetGCPercent(defaultGC)
		g.now = 0
	}
}
