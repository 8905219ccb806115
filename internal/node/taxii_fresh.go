package node

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mithaq/mithaq/taxii"
)

// freshWait is how long a post of objects that are just being indexed waits for the index.
const freshWait = 30 * time.Second

// freshMost is how many records are remembered: more than there ever are unless a log cannot be indexed.
const freshMost = 1 << 12

// freshPosts are objects that were posted and are not indexed yet, so that whoever sends them again is told that they are here. It
// takes some 30 bytes for an object, and the index is never far behind.
type freshPosts struct {
	seed maphash.Seed

	mu    sync.Mutex // guards what follows
	list  []freshPost
	first uint32            // number of the first in list
	at    map[uint64]uint32 // by the hash of an object's id: the number of the last post that holds it
}

type freshPost struct {
	Place
	ids []uint64
}

func newFreshPosts() freshPosts { return freshPosts{seed: maphash.MakeSeed()} }

// note remembers the objects of a record that was appended, and forgets those that are indexed.
func (f *freshPosts) note(n *Node, at Place, objects []taxii.Object) {
	post := freshPost{at, make([]uint64, len(objects))}
	for i, o := range objects {
		post.ids[i] = maphash.String(f.seed, o.ID)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(n)
	if f.at == nil {
		f.at = map[uint64]uint32{}
	}
	number := f.first + uint32(len(f.list))
	for _, id := range post.ids {
		f.at[id] = number
	}
	f.list = append(f.list, post)
}

// forget drops what is indexed, and the oldest where a log is not indexed at all; its caller holds mu.
func (f *freshPosts) forget(n *Node) {
	done := max(0, len(f.list)-freshMost)
	for done < len(f.list) && n.indexer.indexedTo(f.list[done].Log) > f.list[done].Index {
		done++
	}
	if done == len(f.list) {
		f.list, f.at = nil, nil // a map never becomes smaller
		return
	}
	for i, post := range f.list[:done] {
		for _, id := range post.ids {
			if f.at[id] == f.first+uint32(i) {
				delete(f.at, id)
			}
		}
	}
	f.list, f.first = f.list[done:], f.first+uint32(done)
}

// of returns up to where logs have to be indexed so that the index knows all objects with the same ids.
func (f *freshPosts) of(n *Node, objects []taxii.Object) map[string]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.forget(n); len(f.list) == 0 {
		return nil
	}
	out := map[string]int64{}
	for _, o := range objects {
		if number, ok := f.at[maphash.String(f.seed, o.ID)]; ok {
			at := f.list[number-f.first]
			out[at.Log] = max(out[at.Log], at.Index)
		}
	}
	return out
}

// await waits until what was posted before under the same ids is indexed.
func (f *freshPosts) await(ctx context.Context, n *Node, objects []taxii.Object) error {
	ctx, cancel := context.WithTimeout(ctx, freshWait)
	defer cancel()
	for log, index := range f.of(n, objects) {
		if err := n.WaitIndexed(ctx, log, index+1); err != nil {
			return errors.Join(&taxii.Error{Title: http.StatusText(http.StatusServiceUnavailable), Description: "some of these objects were posted a moment ago and are not listed yet: send them again later",
				HTTPStatus: strconv.Itoa(http.StatusServiceUnavailable), Status: http.StatusServiceUnavailable, RetryAfter: time.Second}, err)
		}
	}
	return nil
}
