package node

import (
	"bytes"
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
	spans, err := n.findSpans(ctx, no)
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

// findSpans finds where all objects of a record stand: in its payload, checked against what the index says of them all; from the
// index where that is not so.
func (n *Node) findSpans(ctx context.Context, no int64) ([]store.STIXSpan, error) {
	opened, err := n.openedFor(ctx, no)
	if err != nil || opened == nil {
		return nil, err
	}
	extent, err := n.store.Index().STIXExtent(ctx, no)
	if err != nil {
		return nil, err
	}
	if spans, ok := scanSpans(opened.payload, extent); ok {
		return spans, nil
	}
	return n.store.Index().STIXSpans(ctx, no, 0, math.MaxInt32)
}

// scanSpans goes through a list of objects from the first on. The payload was read as JSON before it was indexed, so that brackets
// and quotes are enough to go by.
func scanSpans(payload []byte, want store.STIXExtent) ([]store.STIXSpan, bool) {
	spans := make([]store.STIXSpan, 0, want.Count)
	at := want.First
	for ord := range want.Count {
		end := endOfObject(payload, at)
		if end < 0 {
			return nil, false
		}
		spans = append(spans, store.STIXSpan{Ord: ord, Offset: at, Length: end - at})
		want.Offsets, want.Lengths = want.Offsets-at, want.Lengths-(end-at)
		at = end
		for at < len(payload) && (payload[at] == ',' || payload[at] == ' ' || payload[at] == '\n' || payload[at] == '\r' || payload[at] == '\t') {
			at++
		}
	}
	return spans, want.Offsets == 0 && want.Lengths == 0
}

// endOfObject finds the end of the JSON object that begins at a place, -1 when none does.
func endOfObject(b []byte, at int) int {
	if at < 0 || at >= len(b) || b[at] != '{' {
		return -1
	}
	depth := 0
	for i := at; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			if i = endOfText(b, i+1); i < 0 {
				return -1
			}
		}
	}
	return -1
}

// endOfText finds the quote that ends the text that begins at a place, -1 when none does.
func endOfText(b []byte, at int) int {
	for at <= len(b) {
		quote := bytes.IndexByte(b[at:], '"')
		if quote < 0 {
			return -1
		}
		escape := bytes.IndexByte(b[at:at+quote], '\\')
		if escape < 0 {
			return at + quote
		}
		at += escape + 2
	}
	return -1
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
