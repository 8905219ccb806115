package node

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

const (
	// leastRoom and mostRoom bound how much garbage may gather while much is indexed, when what is in use takes less: the default of
	// as much as is in use has a small heap gone through dozens of times a second.
	leastRoom = 64 << 20
	mostRoom  = 384 << 20
	// roomPart is the part of the machine's memory that it may take.
	roomPart = 32
	// indexMany is how many leaves are much.
	indexMany = 32 << 10

	defaultGC = 100 // percent
	mostGC    = 800
)

// gcRoom lets more garbage gather for a while. It changes nothing where the operator chose a percentage (GOGC), and the limit on
// memory (GOMEMLIMIT) holds all the same.
type gcRoom struct {
	room uint64 // bytes
	now  int    // percent; 0: nothing was changed
}

func newGCRoom() gcRoom {
	return gcRoom{room: min(max(memoryHere()/roomPart, leastRoom), mostRoom)}
}

// memoryHere is how many bytes of memory this process may count on: the machine's, or its container's; 0 where nobody tells.
func memoryHere() uint64 {
	var total uint64
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		total = totalMemory(string(text))
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if most, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && most < total {
			return most
		}
	}
	return total
}

// totalMemory reads "MemTotal:       24574 kB" (proc_meminfo(5)).
func totalMemory(meminfo string) uint64 {
	for line := range strings.Lines(meminfo) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
			if n, err := strconv.ParseUint(f[1], 10, 53); err == nil {
				return n << 10
			}
		}
	}
	return 0
}

// adjust sets the percentage to what is in use now.
func (g *gcRoom) adjust() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	percent := g.percent(live[0].Value.Uint64())
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

// percent is the percentage with which a heap with so much in use grows by the room, or as usual.
func (g *gcRoom) percent(live uint64) int {
	return int(min(max(100*g.room/max(live, 1), defaultGC), mostGC)) / 25 * 25
}

// restore sets the percentage to what it was.
func (g *gcRoom) restore() {
	if g.now != 0 {
		debug.SetGCPercent(defaultGC)
		g.now = 0
	}
}
