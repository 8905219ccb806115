package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
)

// A record is looked up by its leaf's hash and by its id, a STIX object by its id. All of these are random, so an index kept
// up row by row dirties a page for each, and one that is made in the end has to be sorted while nothing else is done. So each
// becomes a number, its handle, and numbers stand in runs: sorted, packed into blocks, and put together when they have become
// many, as the segments of the full text are. A handle only says where to look: the row there has the whole name.

// What a handle is of: its two lowest bits.
const (
	handleLeaf int64 = iota
	handleID
	handleSTIX
)

// handle is where the row of a name stands: the record's number, and of a STIX object its place in the bundle.
type handle struct{ key, no, ord int64 }

func compareHandles(a, b handle) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	if a.no != b.no {
		return cmp.Compare(a.no, b.no)
	}
	return cmp.Compare(a.ord, b.ord)
}

func handleKey(of int64, hash [32]byte) int64 {
	return int64(binary.BigEndian.Uint64(hash[:8])>>3)<<2 | of
}

func leafKey(leaf [32]byte) int64 { return handleKey(handleLeaf, leaf) }
func idKey(id string) int64       { return handleKey(handleID, sha256.Sum256([]byte(id))) }

// stixKey is of a UUID as splitSTIX gives it. Authors choose it, so that it is hashed: nobody makes many have one handle.
func stixKey(uuid []byte) int64 { return handleKey(handleSTIX, sha256.Sum256(uuid)) }

// handlesOf appends the handles of an entry.
func handlesOf(out []handle, e *IndexEntry) []handle {
	out = append(out, handle{key: leafKey(e.Leaf), no: e.No})
	if e.ID != "" {
		out = append(out, handle{key: idKey(e.ID), no: e.No})
	}
	for ord := range e.STIX {
		_, uuid := splitSTIX(e.STIX[ord].ID)
		out = append(out, handle{key: stixKey(uuid), no: e.No, ord: int64(ord)})
	}
	return out
}

func sortHandles(list []handle) []handle {
	slices.SortFunc(list, compareHandles)
	return slices.Compact(list)
}

// handleBlockBytes is about how large a block of a run is: what SQLite keeps in a page of a table without row numbers.
const handleBlockBytes = 900

// handleBlock is some handles of a run, in order: part counts blocks that begin with one key.
type handleBlock struct {
	first, part int64
	data        []byte
}

// handlePacker packs handles, given in order and each once, into blocks.
type handlePacker struct {
	give  func(handleBlock) error
	block handleBlock
	last  int64 // key
	count int64 // handles so far
}

func (p *handlePacker) add(h handle) error {
	if len(p.block.data) >= handleBlockBytes {
		if err := p.flush(); err != nil {
			return err
		}
	}
	if len(p.block.data) == 0 {
		if h.key == p.block.first && p.count > 0 {
			p.block.part++
		} else {
			p.block.part = 0
		}
		p.block.first, p.last = h.key, h.key
	}
	p.append(h)
	p.count++
	return nil
}

// append writes a handle to the block at hand.
func (p *handlePacker) append(h handle) {
	b := binary.AppendUvarint(p.block.data, uint64(h.key-p.last))
	b = binary.AppendUvarint(b, uint64(h.no))
	p.block.data = binary.AppendUvarint(b, uint64(h.ord))
	p.last = h.key
}

// flush gives the last block away.
func (p *handlePacker) flush() error {
	if len(p.block.data) == 0 {
		return nil
	}
	err := p.give(p.block)
	p.block.data = nil
	return err
}

// each calls do for the handles of a block, in order, until it returns false.
func (b handleBlock) each(do func(handle) bool) error {
	h := handle{key: b.first}
	for rest := b.data; len(rest) > 0; {
		for i, into := range [...]*int64{&h.key, &h.no, &h.ord} {
			v, n := uint64(rest[0]), 1
			if v >= 0x80 {
				v, n = binary.Uvarint(rest)
			}
			if n <= 0 || v > math.MaxInt64 || i < 2 && len(rest) == n {
				return errSpoilt
			}
			if i > 0 {
				*into = int64(v)
			} else if *into += int64(v); *into < 0 {
				return errSpoilt
			}
			rest = rest[n:]
		}
		if !do(h) {
			return nil
		}
	}
	return nil
}

// handleStream yields the handles of a run, block by block.
type handleStream struct {
	blocks []handleBlock
	more   func() ([]handleBlock, error) // empty: no more
	list   []handle                      // of the block at hand
	at     int
}

// next goes on to the next handle; false at the end.
func (s *handleStream) next() (bool, error) {
	for s.at++; s.at >= len(s.list); s.at = 0 {
		if len(s.blocks) == 0 {
			var err error
			if s.blocks, err = s.more(); err != nil || len(s.blocks) == 0 {
				return false, err
			}
		}
		s.list = s.list[:0]
		if err := s.blocks[0].each(func(h handle) bool { s.list = append(s.list, h); return true }); err != nil {
			return false, err
		}
		s.blocks = s.blocks[1:]
	}
	return true, nil
}

func (s *handleStream) handle() handle { return s.list[s.at] }

// mergeHandles calls do for the handles of all streams in order, each once.
func mergeHandles(streams []*handleStream, do func(handle) error) error {
	var heap []*handleStream
	less := func(i, j int) bool { return compareHandles(heap[i].handle(), heap[j].handle()) < 0 }
	down := func(i int) {
		for {
			least := i
			for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
				if less(child, least) {
					least = child
				}
			}
			if least == i {
				return
			}
			heap[i], heap[least] = heap[least], heap[i]
			i = least
		}
	}
	for _, s := range streams {
		s.at = -1
		more, err := s.next()
		if err != nil {
			return err
		}
		if more {
			heap = append(heap, s)
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		down(i)
	}
	for last := (handle{key: -1}); len(heap) > 0; down(0) {
		if h := heap[0].handle(); h != last {
			if err := do(h); err != nil {
				return err
			}
			last = h
		}
		more, err := heap[0].next()
		if err != nil {
			return err
		}
		if !more {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
	}
	return nil
}
