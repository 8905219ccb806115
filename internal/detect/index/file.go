package index

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// The file holds one layer: a head of 128 bytes, then the runs of bytes that the layer consists of, each beginning at
// a multiple of 8, then the words (sources and names) as JSON. Numbers are little-endian. It is a cache that one
// program writes for itself: it is built again, not converted, when its version changes.
const (
	fileMagic   = "mithaqix"
	fileVersion = 3
	headSize    = 128
)

// runs of a file, in their order.
const (
	runFilter = iota
	runDir
	runArena
	runRows
	runOwns
	runForms
	runMore
	runGate
	runWords
	runCount
)

// ErrFile means that a file is not an index that this version reads, or was damaged.
var ErrFile = errors.New("not an index of this version, or damaged")

type words struct {
	Sources []Source `json:"sources"`
	Names   []string `json:"names"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteTo writes a set as a file that Open maps. Changes since the base was built are written as part of it, so that
// the file holds one layer.
func (s *Set) WriteTo(w io.Writer) (int64, error) {
	l := s.tiers[0].layer
	if len(s.tiers) > 1 {
		whole, err := s.merged(0, len(s.tiers)-1)
		if err != nil {
			return 0, fmt.Errorf("writing an index: %w", err)
		}
		l = whole.layer
	}
	text, err := json.Marshal(words{l.sources, l.names})
	if err != nil {
		return 0, fmt.Errorf("writing an index: %w", err)
	}
	all := [runCount][]byte{l.filter.Fingerprints, l.dir, l.arena, l.rows, l.owns, l.forms, l.more, l.gate, text}
	sum := uint32(0)
	for _, run := range all {
		sum = crc32.Update(sum, castagnoli, run)
	}
	written := int64(0)
	for _, part := range append([][]byte{l.head(all, sum)}, all[:]...) {
		n, err := w.Write(append(part[:len(part):len(part)], make([]byte, padding(len(part)))...))
		written += int64(n)
		if err != nil {
			return written, fmt.Errorf("writing an index: %w", err)
		}
	}
	return written, nil
}

func padding(n int) int { return -n & 7 }

func (l *layer) head(all [runCount][]byte, sum uint32) []byte {
	h := append(make([]byte, 0, headSize), fileMagic...)
	h = binary.LittleEndian.AppendUint32(h, fileVersion)
	h = binary.LittleEndian.AppendUint32(h, sum)
	h = binary.LittleEndian.AppendUint64(h, l.seed)
	h = binary.LittleEndian.AppendUint64(h, l.filter.Seed)
	for _, n := range []uint32{l.keys, l.filter.SegmentLength, l.filter.SegmentLengthMask, l.filter.SegmentCount, l.filter.SegmentCountLength} {
		h = binary.LittleEndian.AppendUint32(h, n)
	}
	for _, run := range all {
		h = binary.LittleEndian.AppendUint64(h, uint64(len(run)))
	}
	h = append(h, make([]byte, headSize-4-len(h))...)
	return binary.LittleEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
}

// parse reads a file's bytes; the set's runs are pieces of b. It checks everything that a look-up relies on, so that
// no file can make one fail. The error is ErrFile.
func parse(b []byte) (*Set, error) {
	if len(b) < headSize || string(b[:8]) != fileMagic || binary.LittleEndian.Uint32(b[8:]) != fileVersion ||
		crc32.Checksum(b[:headSize-4], castagnoli) != binary.LittleEndian.Uint32(b[headSize-4:]) {
		return nil, ErrFile
	}
	l := &layer{}
	l.seed = binary.LittleEndian.Uint64(b[16:])
	l.filter.Seed = binary.LittleEndian.Uint64(b[24:])
	for i, to := range []*uint32{&l.keys, &l.filter.SegmentLength, &l.filter.SegmentLengthMask, &l.filter.SegmentCount, &l.filter.SegmentCountLength} {
		*to = binary.LittleEndian.Uint32(b[32+4*i:])
	}
	var all [runCount][]byte
	at, sum := headSize, uint32(0)
	for i := range all {
		n := binary.LittleEndian.Uint64(b[52+8*i:])
		if n > uint64(len(b)-at) {
			return nil, ErrFile
		}
		all[i] = b[at : at+int(n) : at+int(n)]
		sum = crc32.Update(sum, castagnoli, all[i])
		at = min(len(b), at+int(n)+padding(int(n)))
	}
	if sum != binary.LittleEndian.Uint32(b[12:]) {
		return nil, ErrFile
	}
	l.filter.Fingerprints, l.dir, l.arena, l.more, l.gate = all[runFilter], all[runDir], all[runArena], all[runMore], all[runGate]
	l.provenance = provenance{rows: all[runRows], owns: all[runOwns], forms: all[runForms]}
	var text words
	if err := json.Unmarshal(all[runWords], &text); err != nil || !l.sound() {
		return nil, ErrFile
	}
	l.sources, l.names = text.Sources, text.Names
	return &Set{tiers: []tier{{layer: l}}}, nil
}

// sound tells whether the sizes of the runs fit together.
func (l *layer) sound() bool {
	f := &l.filter
	places := uint64(f.SegmentCountLength) + 2*uint64(f.SegmentLength)
	return len(l.dir) >= 16 && len(l.dir)%8 == 0 && len(l.arena) <= math.MaxUint32 && len(l.gate) == gateSize &&
		len(l.rows)%placeSize == 0 && len(l.rows)/placeSize >= int(l.keys) && len(l.owns)%ownSize == 0 && len(l.forms)%formSize == 0 && len(l.more)%8 == 0 &&
		(l.keys == 0 || uint64(len(f.Fingerprints)) >= places && f.SegmentLength > 0 && f.SegmentLengthMask == f.SegmentLength-1 &&
			f.SegmentCountLength == f.SegmentCount*f.SegmentLength)
}

// Close gives back what Open mapped. Nothing of the set may be used afterwards, nor of sets that came from it by
// Apply, nor keys of hits; see Store.Wait.
func (s *Set) Close() error {
	if c := s.tiers[0].close; c != nil {
		s.tiers[0].close = nil
		return c()
	}
	return nil
}
