package node

import (
	"context"
	"hash/maphash"
	"maps"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
)

const (
	// MaxUnlisted is how many objects may be accepted and durable, but not in the index yet: a million takes the index less than two
	// minutes, and remembering which they are some 50 MB.
	MaxUnlisted = 1 << 20
	// freshWait is how long a post of objects that are just being indexed waits for the index.
	freshWait = 30 * time.Second
	// roomWait is how long one waits for the index where it is as far behind as it may be. It always gets on within that, unless it
	// stands still.
	roomWait = 10 * time.Second
)

// backlog is the intelligence of this party's own that is in its logs and not in the index yet. It bounds how much that is, and knows
// the objects, so that whoever sends them again is told that they are here. It takes some 30 bytes for an object.
type backlog struct {
	seed  maphash.Seed
	most  int           // objects
	wait  time.Duration // for room
	index follower      // the index

	mu     sync.Mutex // guards what follows
	list   []unlisted
	first  uint32            // number of the first in list
	at     map[uint64]uint32 // by the hash of an object's id: the number of the last record that holds it
	size   int               // objects in list
	coming int               // objects that were let in and are not in list yet, or a moment ago
	freed  chan struct{}     // closed and replaced when fewer are coming
	from   map[string]int64  // by log: how much of it was there before what is noted here
}

// follower is what a backlog asks of the index.
type follower interface {
	// indexedTo is how many leaves of a log are indexed.
	indexedTo(log string) int64
	// hurry has the index go on at full speed until over is called.
	hurry() (over func())
	// progressed returns a channel that is closed when the index has got on.
	progressed() <-chan struct{}
}

// unlisted is a record whose objects are not in the index yet.
type unlisted struct {
	Place
	ids []uint64
}

func newBacklog() backlog {
	return backlog{seed: maphash.MakeSeed(), most: MaxUnlisted, wait: roomWait, freed: make(chan struct{})}
}

// begin says how long the logs are that are not known to be indexed: until they are, nobody can say which objects are here.
func (b *backlog) begin(index follower, sizes map[string]int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.index, b.from = index, maps.Clone(sizes)
}

// admit makes sure that there is room for so many objects and keeps it until done is called, when they have been noted or not come. Where
// the index is too far behind, it is waited for.
func (b *backlog) admit(ctx context.Context, objects int) (done func(), err error) {
	objects = min(objects, b.most) // one record may hold more
	if b.take(objects) {
		return func() { b.give(objects) }, nil
	}
	defer b.index.hurry()()
	ctx, cancel := context.WithTimeout(ctx, b.wait)
	defer cancel()
	for {
		b.mu.Lock()
		freed := b.freed
		b.mu.Unlock()
		moved := b.index.progressed() // before looking, so that nothing is missed
		if b.take(objects) {
			return func() { b.give(objects) }, nil
		}
		select {
		case <-freed:
		case <-moved:
		case <-ctx.Done():
			return nil, &fault.Fault{Code: fault.Unavailable, What: "the index is as far behind what is published as it may be", Err: ctx.Err(), Remedy: "send it again in a moment"}
		}
	}
}

func (b *backlog) take(objects int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	if b.size+b.coming > b.most-objects {
		return false
	}
	b.coming += objects
	return true
}

func (b *backlog) give(objects int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.coming -= objects
	close(b.freed)
	b.freed = make(chan struct{})
}

// note remembers the objects of a record that was appended, and forgets those that are indexed.
func (b *backlog) note(at Place, ids []string) {
	one := unlisted{Place: at, ids: make([]uint64, len(ids))}
	for i, id := range ids {
		one.ids[i] = maphash.String(b.seed, id)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	if b.at == nil {
		b.at = map[uint64]uint32{}
	}
	number := b.first + uint32(len(b.list))
	for _, id := range one.ids {
		b.at[id] = number
	}
	b.list = append(b.list, one)
	b.size += len(one.ids)
}

// forget drops what is indexed; its caller holds mu.
func (b *backlog) forget() {
	done := 0
	for done < len(b.list) && b.index.indexedTo(b.list[done].Log) > b.list[done].Index {
		done++
	}
	if done == len(b.list) {
		b.list, b.at, b.size = nil, nil, 0 // a map never becomes smaller
		return
	}
	for i, one := range b.list[:done] {
		b.size -= len(one.ids)
		for _, id := range one.ids {
			if b.at[id] == b.first+uint32(i) {
				delete(b.at, id)
			}
		}
	}
	b.list, b.first = b.list[done:], b.first+uint32(done)
}

// of returns up to where logs have to be indexed so that the index knows all objects with these ids that a log holds: how many leaves,
// by log.
func (b *backlog) of(log string, ids []string) map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]int64{}
	if size := b.from[log]; size > 0 {
		if b.index.indexedTo(log) >= size {
			delete(b.from, log)
		} else {
			out[log] = size
		}
	}
	if b.forget(); len(b.list) == 0 {
		return out
	}
	for _, id := range ids {
		if number, ok := b.at[maphash.String(b.seed, id)]; ok {
			at := b.list[number-b.first]
			out[at.Log] = max(out[at.Log], at.Index+1)
		}
	}
	return out
}

// await waits until what was published before under the same ids is indexed.
func (b *backlog) await(ctx context.Context, n *Node, log string, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, freshWait)
	defer cancel()
	for log, size := range b.of(log, ids) {
		if err := n.WaitIndexed(ctx, log, size); err != nil {
			return &fault.Fault{Code: fault.Unavailable, What: "some of these objects were published a moment ago and are not listed yet", Err: err, Remedy: "send them again later"}
		}
	}
	return nil
}
