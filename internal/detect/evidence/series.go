package evidence

import (
	"slices"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/room"
)

// call is one connection of a series.
type call struct {
	time     int64
	at       int64  // line or packet
	bytes    uint32 // 0 is not known; more than fit is the most that fits
	duration uint32 // milliseconds, rounded up; 0 is not known
	file     uint32
}

// series is who calls whom: a source, and a destination with its port or a name.
type series struct {
	key          uint64
	src, dst     [16]byte // an invalid dst is a name
	port         uint16
	newer, older int32
	calls        []call // by time, the newest maxCalls of them
	missed       int64  // that gave way
}

// maxCalls is how many calls of a series are kept.
const maxCalls = 128

// ledger keeps series in the order of last use, a fixed number of them with a fixed number of calls in all.
type ledger struct {
	all            []series
	find           finder
	newest, oldest int32
	kept, most     int // calls that there is room for
	limit          int // series
	dropped        int64
	free           [rooms][][]call // room that series gave back, by its size
	waiting        []waitingCall   // not in their series yet
	touched        uint64          // what settle looked at ahead: the compiler must not leave that out
}

// waitingCall is a call with what its series is to be if it is the first of it.
type waitingCall struct {
	key uint64
	call
	src, dst [16]byte
	port     uint16
}

// What a history is shown it writes down first, and takes in when so much waits or somebody asks. Its tables are larger than
// a processor's caches; who looks at several places of them before it goes on waits once for all of these places.
const (
	mostWaiting = 1 << 10
	ahead       = 16
)

// rooms is how many sizes of room for calls there are: 8, 16, 32, 64 and 128. Room is given back and taken again, so that
// a ledger that is full allocates nothing.
const (
	rooms     = 5
	firstRoom = 8
)

// larger moves a series' calls to the next size of room.
func (l *ledger) larger(s *series) {
	class := 0
	for firstRoom<<class <= cap(s.calls) {
		class++
	}
	var room []call
	if n := len(l.free[class]); n > 0 {
		room = l.free[class][n-1]
		l.free[class] = l.free[class][:n-1]
	} else {
		room = make([]call, 0, firstRoom<<class)
	}
	room = append(room, s.calls...)
	l.giveBack(s)
	s.calls = room
	l.kept += cap(room)
}

func (l *ledger) giveBack(s *series) {
	if cap(s.calls) == 0 {
		return
	}
	class := 0
	for firstRoom<<class < cap(s.calls) {
		class++
	}
	l.kept -= cap(s.calls)
	l.free[class] = append(l.free[class], s.calls[:0])
	s.calls = nil
}

func newLedger(limit, most int) *ledger {
	return &ledger{all: room.Make[series](limit)[:0], find: newFinder(limit), newest: -1, oldest: -1, limit: limit, most: most,
		waiting: make([]waitingCall, 0, mostWaiting)}
}

// get gives a key's series, nil for none.
func (l *ledger) get(key uint64) *series {
	l.settle()
	if i := l.find.get(l.all, key); i >= 0 {
		return &l.all[i]
	}
	return nil
}

// add notes a call. Calls may come in any order: logs are read one after the other.
func (l *ledger) add(key uint64, ev *event.Event, named bool, c call) {
	w := waitingCall{key: key, call: c, src: ev.Src.As16()}
	if !named {
		w.dst, w.port = ev.Dst.As16(), ev.DstPort
	}
	l.waiting = append(l.waiting, w)
	if len(l.waiting) == cap(l.waiting) {
		l.settle()
	}
}

// settle takes in what waits.
func (l *ledger) settle() {
	var places [ahead]int32
	for all := l.waiting; len(all) > 0; {
		now := all[:min(len(all), ahead)]
		all = all[len(now):]
		for i := range now {
			places[i] = l.find.slots[l.find.home(now[i].key)]
		}
		for i := range now {
			if places[i] > 0 {
				l.touched ^= l.all[places[i]-1].key
			}
		}
		for i := range now {
			l.take(&now[i])
		}
	}
	l.waiting = l.waiting[:0]
}

func (l *ledger) take(w *waitingCall) {
	c := w.call
	i := l.find.get(l.all, w.key)
	if i < 0 {
		i = l.place(w.key)
		s := &l.all[i]
		s.src, s.dst, s.port = w.src, w.dst, w.port
	} else {
		l.touch(i)
	}
	s := &l.all[i]
	at := len(s.calls) // mostly calls come in their order
	if at > 0 && s.calls[at-1].time >= c.time {
		at, _ = slices.BinarySearchFunc(s.calls, c.time, func(a call, t int64) int {
			if a.time < t {
				return -1
			}
			return 1
		})
	}
	// The same connection in another log, or the second of two at once.
	for _, near := range [2]int{at - 1, at} {
		if near >= 0 && near < len(s.calls) && max(c.time-s.calls[near].time, s.calls[near].time-c.time) < together {
			old := &s.calls[near]
			old.bytes, old.duration = max(old.bytes, c.bytes), max(old.duration, c.duration)
			return
		}
	}
	if len(s.calls) == maxCalls {
		s.missed++
		if at == 0 {
			return
		}
		copy(s.calls, s.calls[1:at])
		s.calls[at-1] = c
		return
	}
	if len(s.calls) == cap(s.calls) {
		l.larger(s)
	}
	s.calls = slices.Insert(s.calls, at, c)
	for l.kept > l.most && l.oldest != i {
		l.drop()
	}
}

// restore brings a series back that is not there, as the newest.
func (l *ledger) restore(s series, calls []call) {
	i := l.place(s.key)
	at := &l.all[i]
	at.src, at.dst, at.port, at.missed = s.src, s.dst, s.port, s.missed
	for _, c := range calls {
		if len(at.calls) == cap(at.calls) {
			l.larger(at)
		}
		at.calls = append(at.calls, c)
	}
	for l.kept > l.most && l.oldest != i {
		l.drop()
	}
}

// place makes room for a series and gives its number.
func (l *ledger) place(key uint64) int32 {
	var i int32
	if len(l.all) < l.limit {
		i = int32(len(l.all))
		l.all = append(l.all, series{})
	} else {
		i = l.drop()
		l.unlink(i)
	}
	l.all[i] = series{key: key, newer: -1, older: -1}
	l.find.put(l.all, i)
	l.front(i)
	return i
}

// drop empties the series that was unused for longest. It becomes the newest of those without calls: the next to be
// taken is the one behind it.
func (l *ledger) drop() int32 {
	i := l.oldest
	s := &l.all[i]
	l.dropped++
	l.find.remove(l.all, s.key)
	s.key = 0
	l.giveBack(s)
	l.touch(i)
	return i
}

func (l *ledger) touch(i int32) {
	if i != l.newest {
		l.unlink(i)
		l.front(i)
	}
}

func (l *ledger) unlink(i int32) {
	s := &l.all[i]
	if s.older >= 0 {
		l.all[s.older].newer = s.newer
	} else {
		l.oldest = s.newer
	}
	if s.newer >= 0 {
		l.all[s.newer].older = s.older
	} else {
		l.newest = s.older
	}
}

func (l *ledger) front(i int32) {
	s := &l.all[i]
	s.older, s.newer = l.newest, -1
	if l.newest >= 0 {
		l.all[l.newest].newer = i
	} else {
		l.oldest = i
	}
	l.newest = i
}

// rhythm reads a series' rhythm.
func (s *series) rhythm(room *rhythmRoom) Rhythm {
	if s == nil || len(s.calls) < minCalls {
		return Rhythm{}
	}
	room.times, room.sizes, room.durations = room.times[:0], room.sizes[:0], room.durations[:0]
	for _, c := range s.calls {
		room.times = append(room.times, c.time)
		room.sizes = append(room.sizes, int64(c.bytes))
		room.durations = append(room.durations, int64(c.duration))
	}
	return RhythmOf(room.times, room.sizes, room.durations)
}

type rhythmRoom struct{ times, sizes, durations []int64 }
