package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/FastFilter/xorfilter"
)

// tableBuilder collects keys for a Table.
type tableBuilder struct {
	arena  []byte
	places []uint32 // where each added key begins in arena
}

// add adds a key, which may be there already.
func (b *tableBuilder) add(kind Kind, key []byte) error {
	if len(key) > maxKey {
		return fmt.Errorf("indexing a value of %d bytes: more than %d", len(key), maxKey)
	}
	if len(b.arena)+len(key)+4 > math.MaxUint32 {
		return errors.New("indexing: all values together are more than 4 GiB")
	}
	b.places = append(b.places, uint32(len(b.arena)))
	b.arena = appendStored(b.arena, kind, key)
	return nil
}

// build makes the table; numbers gives for each added key, in the order of add, its number in the table.
func (b *tableBuilder) build(seed uint64) (t *Table, numbers []uint32, err error) {
	buckets := uint64(len(b.places)/perBucket + 1)
	source := &Table{arena: b.arena}
	hashes := make([]uint64, len(b.places))
	counts := make([]uint32, buckets+1)
	var key []byte
	for i, at := range b.places {
		_, s, packed, _ := source.entry(at)
		key = appendUnpacked(key[:0], s, packed)
		hashes[i] = hashKey(seed, s.kind, key)
		n, _ := bits.Mul64(hashes[i], buckets)
		counts[n+1]++
	}
	for n := range buckets {
		counts[n+1] += counts[n]
	}
	order := make([]uint32, len(b.places))
	next := append([]uint32(nil), counts[:buckets]...)
	for i := range b.places {
		n, _ := bits.Mul64(hashes[i], buckets)
		order[next[n]] = uint32(i)
		next[n]++
	}
	t = &Table{seed: seed, dir: make([]byte, (buckets+1)*8), arena: make([]byte, 0, len(b.arena))}
	numbers = make([]uint32, len(b.places))
	distinct := make([]uint64, 0, len(b.places))
	for n := range buckets {
		binary.LittleEndian.PutUint32(t.dir[n*8:], uint32(len(t.arena)))
		binary.LittleEndian.PutUint32(t.dir[n*8+4:], t.keys)
		distinct = t.fill(source, b.places, order[counts[n]:counts[n+1]], hashes, numbers, distinct)
	}
	binary.LittleEndian.PutUint32(t.dir[buckets*8:], uint32(len(t.arena)))
	binary.LittleEndian.PutUint32(t.dir[buckets*8+4:], t.keys)
	if t.keys > 0 {
		filter, err := xorfilter.PopulateBinaryFuse8(distinct)
		if err != nil {
			return nil, nil, fmt.Errorf("indexing %d values: building the filter: %w", t.keys, err)
		}
		t.filter = *filter
	}
	return t, numbers, nil
}

// fill writes one bucket: each of its keys once.
func (t *Table) fill(source *Table, places, members []uint32, hashes []uint64, numbers []uint32, distinct []uint64) []uint64 {
	begin := uint32(len(t.arena))
	first := t.keys
	seen := len(distinct)
	for _, i := range members {
		head, _, key, whole := source.entry(places[i])
		number, found := first, false
		for at := begin; at < uint32(len(t.arena)); number++ {
			have, _, there, next := t.entry(at)
			if distinct[seen+int(number-first)] == hashes[i] && have == head && string(there) == string(key) {
				found = true
				break
			}
			at = next
		}
		if !found {
			t.arena = append(t.arena, source.arena[places[i]:whole]...)
			distinct = append(distinct, hashes[i])
			number = t.keys
			t.keys++
		}
		numbers[i] = number
	}
	return distinct
}
