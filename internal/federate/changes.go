package federate

import (
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Feed remembers in which order logs last changed, so that a reader who names where it stopped learns what changed since,
// each log once. It is in memory: after a restart every reader begins anew, which costs one list. Safe for concurrent use.
type Feed struct {
	session string

	mu      sync.Mutex // guards all below
	version uint64
	latest  map[string]uint64
	pressed map[string]uint64 // by log, its last urgent change
	log     []change          // by version; an entry that is not the latest of its log is passed over
	wake    chan struct{}
	urgent  chan struct{}
}

type change struct {
	version uint64
	log     string
	urgent  bool // where a list is made for a reader: something since its cursor was
}

// NewFeed makes an empty feed. session tells this process's cursors from those of another: random, without a dot.
func NewFeed(session string) *Feed {
	return &Feed{session: session, latest: map[string]uint64{}, pressed: map[string]uint64{}, wake: make(chan struct{}), urgent: make(chan struct{})}
}

// Note says that a log changed, and wakes who waits: for any change, and for an urgent one where it is that.
func (f *Feed) Note(log string, urgent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version++
	f.latest[log] = f.version
	f.log = append(f.log, change{version: f.version, log: log})
	if len(f.log) > 2*len(f.latest)+64 {
		f.compact()
	}
	close(f.wake)
	f.wake = make(chan struct{})
	if urgent {
		f.pressed[log] = f.version
		close(f.urgent)
		f.urgent = make(chan struct{})
	}
}

// Urgent is closed at the next urgent change.
func (f *Feed) Urgent() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.urgent
}

func (f *Feed) compact() {
	kept := make([]change, 0, len(f.latest))
	for _, c := range f.log {
		if f.latest[c.log] == c.version {
			kept = append(kept, c)
		}
	}
	f.log = kept
}

// Since lists up to limit logs that changed after a cursor, the one that changed first first, with the cursor to go on
// from; urgent says whether a change of one of them was, and wake is closed at the next change. scope names what the reader may see, without a dot: when that has changed, or the
// cursor is of another process, reading begins anew. visible may take its time: nothing waits for it.
func (f *Feed) Since(cursor, scope string, limit int, visible func(log string) bool) (logs []string, next string, urgent bool, wake <-chan struct{}) {
	prefix := f.session + "." + scope + "."
	changes, upto, wake := f.after(cursor, prefix)
	for i, c := range changes {
		if !visible(c.log) {
			continue
		}
		if len(logs) == limit {
			upto = changes[i-1].version
			break
		}
		logs = append(logs, c.log)
		urgent = urgent || c.urgent
	}
	return logs, prefix + strconv.FormatUint(upto, 10), urgent, wake
}

// after copies the last change of each log since a cursor.
func (f *Feed) after(cursor, prefix string) (changes []change, upto uint64, wake <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := f.position(cursor, prefix)
	i := sort.Search(len(f.log), func(i int) bool { return f.log[i].version > from })
	for _, c := range f.log[i:] {
		if f.latest[c.log] == c.version {
			c.urgent = f.pressed[c.log] > from
			changes = append(changes, c)
		}
	}
	return changes, f.version, f.wake
}

func (f *Feed) position(cursor, prefix string) uint64 {
	number, ours := strings.CutPrefix(cursor, prefix)
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || !ours || n > f.version {
		return 0
	}
	return n
}
