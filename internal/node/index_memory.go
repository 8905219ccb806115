package node

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// leastRoom and mostRoom bound how much garbage may gather while much is indexed, when what is in use takes less: the default of
	// as much as is in use has a small heap gone through dozens of times a second.
	leastRoom = 64 << 20
	mostRoom  = 384 << 20
	// roomPart is the part of the machine's memory that it may take.
	roomPart = 32
	// postRoom bounds it while objects are posted, who may go on for hours.
	postRoom = 96 << 20
	// postRoomKept is how long room is kept after a post.
	postRoomKept = time.Second
	// indexMany is how many leaves are much.
	indexMany = 32 << 10

	defaultGC = 100 // percent
	mostGC    = 800
)

// gcRoom lets more garbage gather for a while. It changes nothing where the operator chose a percentage (GOGC), and the limit on
// memory (GOMEMLIMIT) holds all the same.
type gcRoom struct {
	of func() uint64 // bytes, at most

	mu       sync.Mutex // guards what follows
	indexing int        // how many index much
	posting  int        // how many post, or did a moment ago
	now      int        // percent; 0: nothing was changed
}

// roomHere is how much garbage may gather on this machine.
func roomHere() uint64 { return min(max(memoryHere()/roomPart, leastRoom), mostRoom) }

// index makes room until much is indexed.
func (g *gcRoom) index() (done func()) { return g.hold(&g.indexing) }

// post makes room until some time after a post has ended: where one comes after the other, room is made once.
func (g *gcRoom) post() (done func()) {
	done = g.hold(&g.posting)
	return func() { time.AfterFunc(postRoomKept, done) }
}

func (g *gcRoom) hold(holders *int) (done func()) {
	g.mu.Lock()
	*holders++
	g.mu.Unlock()
	g.adjust()
	return func() {
		g.mu.Lock()
		*holders--
		g.mu.Unlock()
		g.adjust()
	}
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

// adjust sets the percentage to what is in use now, or back to what it was where nobody needs room.
func (g *gcRoom) adjust() {
	g.mu.Lock()
	defer g.mu.Unlock()
	var room uint64
	switch {
	case g.indexing > 0:
		room = g.of()
	case g.posting > 0:
		room = min(g.of(), postRoom)
	case g.now != 0:
		debug.SetGCPercent(defaultGC)
		g.now = 0
		return
	default:
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	percent := roomPercent(room, live[0].Value.Uint64())
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

// roomPercent is the percentage with which a heap with so much in use grows by the room, or as usual.
func roomPercent(room, live uint64) int {
	return int(min(max(100*room/max(live, 1), defaultGC), mostGC)) / 25 * 25
}
