package node

import (
	"context"
	"encoding/binary"
	"math"
	"sync"

	"github.com/mithaq/mithaq/internal/store"
)

// spansBytes bounds what is kept of where objects stand: three to five bytes an object, so that it is enough for two million.
const spansBytes = 8 << 20

// spanCache keeps where the objects of records stand in their payloads. That never changes, and asking the index for it takes
// about as long as all else that a page of objects costs. What was asked for lately is in one of two maps: when the younger is
// full, it becomes the older, which is forgotten.
type spanCache struct {
	mu         sync.Mutex
	young, old map[int64][]byte // guarded by mu: packed spans by record
	size       int              // guarded by mu: of the younger
}

func (c *spanCache) get(no int64) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if packed, ok := c.young[no]; ok {
		return packed, true
	}
	packed, ok := c.old[no]
	if ok {
		c.put(no, packed)
	}
	return packed, ok
}

func (c *spanCache) keep(no int64, packed []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(no, packed)
}

// spanOverhead is about what a map takes for an entry besides the packed bytes.
const spanOverhead = 64

// put is keep for who holds mu.
func (c *spanCache) put(no int64, packed []byte) {
	size := len(packed) + spanOverhead
	if size > spansBytes/2 {
		return
	}
	if c.size += size; c.young == nil || c.size > spansBytes/2 {
		c.young, c.old, c.size = map[int64][]byte{}, c.young, size
	}
	c.young[no] = packed
}

// spansOf returns where the objects [from, to) of a record stand in its payload.
func (n *Node) spansOf(ctx context.Context, no int64, from, to int) ([]store.STIXSpan, error) {
	if packed, ok := n.opened.spans.get(no); ok {
		return unpackSpans(packed, from, to), nil
	}
	spans, err := n.store.Index().STIXSpans(ctx, no, 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	packed, ok := packSpans(spans)
	if !ok || len(spans) == 0 { // a record's rows come all at once, so that none at all means not yet
		return spans, nil
	}
	n.opened.spans.keep(no, packed)
	return unpackSpans(packed, from, to), nil
}

// packSpans writes spans as the distance from the one before and the length, each a varint. Those that are not numbered from 0
// without a gap, or overlap, are not packed.
func packSpans(spans []store.STIXSpan) ([]byte, bool) {
	b := make([]byte, 0, 4*len(spans))
	end := 0
	for i, s := range spans {
		if s.Ord != i || s.Offset < end || s.Length < 0 {
			return nil, false
		}
		b = binary.AppendUvarint(b, uint64(s.Offset-end)) // #nosec G115 -- not negative, as tested above
		b = binary.AppendUvarint(b, uint64(s.Length))     // #nosec G115 -- not negative, as tested above
		end = s.Offset + s.Length
	}
	return append(make([]byte, 0, len(b)), b...), true
}

// unpackSpans reads the spans [from, to) of packed ones.
func unpackSpans(b []byte, from, to int) []store.STIXSpan {
	out := make([]store.STIXSpan, 0, max(0, min(to-from, len(b)/2)))
	end := 0
	for ord := 0; ord < to && len(b) > 0; ord++ {
		gap, n := binary.Uvarint(b)
		length, m := binary.Uvarint(b[n:])
		b = b[n+m:]
		s := store.STIXSpan{Ord: ord, Offset: end + int(gap), Length: int(length)} // #nosec G115 -- they were ints
		end = s.Offset + s.Length
		if ord >= from {
			out = append(out, s)
		}
	}
	return out
}
