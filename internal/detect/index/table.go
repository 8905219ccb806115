package index

import (
	"encoding/binary"
	"math/bits"

	"github.com/FastFilter/xorfilter"
)

// Table holds distinct keys and numbers them from 0. It never changes, and it is four runs of bytes, in memory or
// mapped from a file:
//
//   - a filter of 9 bits for each key (binary fuse), which turns 99.6 % of the look-ups away that find nothing;
//   - a directory of buckets, 8 bytes for 16 keys on average: where the bucket begins in the arena, and the number
//     of its first key;
//   - the arena: for each key its kind and length, mostly in one byte, then its bytes, packed where that is possible
//     (see stored.go), bucket after bucket.
//
// Keys in the order of their buckets need no slots that point at them: an open-addressed table of 4-byte places
// would cost 5 bytes a key instead of a half, and one more miss of the cache.
type Table struct {
	seed   uint64
	keys   uint32
	filter xorfilter.BinaryFuse8
	dir    []byte // of buckets+1 entries: uint32 place in the arena, uint32 number of the first key
	arena  []byte
}

// perBucket is the average number of keys in a bucket.
const perBucket = 16

// maxKey is the longest key in bytes; longer values cannot be indicators.
const maxKey = 1 << 15

func (t *Table) buckets() uint64 { return uint64(len(t.dir)/8 - 1) }

// Len is the number of keys.
func (t *Table) Len() int { return int(t.keys) }

// Size is the memory of the table in bytes.
func (t *Table) Size() int { return len(t.filter.Fingerprints) + len(t.dir) + len(t.arena) }

// Find gives the number of a key. It allocates nothing.
func (t *Table) Find(kind Kind, key []byte) (number uint32, ok bool) {
	if t.keys == 0 {
		return 0, false
	}
	h := hashKey(t.seed, kind, key)
	if !t.filter.Contains(h) {
		return 0, false
	}
	var space [maxStored]byte
	head, sought := stored(&space, kind, key)
	bucket, _ := bits.Mul64(h, t.buckets())
	at, end, number := t.bucket(bucket)
	for at < end {
		have, _, b, next := t.entry(at)
		if have == head && string(b) == string(sought) {
			return number, true
		}
		at = next
		number++
	}
	return 0, false
}

// bucket gives a bucket's place in the arena and the number of its first key.
func (t *Table) bucket(n uint64) (at, end, first uint32) {
	d := t.dir[n*8:]
	return binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[8:]), binary.LittleEndian.Uint32(d[4:])
}

// entry reads the key at a place of the arena in its stored form. A place that is no key's gives kind 0 and the arena's end: a file
// that was tampered with finds nothing, and does no harm.
func (t *Table) entry(at uint32) (head byte, s shape, b []byte, next uint32) {
	end := uint32(len(t.arena))
	if at >= end {
		return 0, s, nil, end
	}
	head = t.arena[at]
	at++
	if s = shapes[head]; s.kind == 0 {
		if head == 0 || Kind(head) >= kinds || at+2 > end {
			return 0, s, nil, end
		}
		s = shape{kind: Kind(head), size: binary.LittleEndian.Uint16(t.arena[at:])}
		at += 2
	}
	n := uint32(s.size)
	if n > end-at {
		return 0, shape{}, nil, end
	}
	return head, s, t.arena[at : at+n], at + n
}

// All goes through the keys in the order of their numbers. A key is valid during the call.
func (t *Table) All(yield func(kind Kind, key []byte) bool) {
	var space []byte
	for at := uint32(0); at < uint32(len(t.arena)); {
		_, s, b, next := t.entry(at)
		if space = appendUnpacked(space[:0], s, b); s.kind == 0 || !yield(s.kind, space) {
			return
		}
		at = next
	}
}
