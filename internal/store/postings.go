package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// The full text is kept in segments. A segment is a run of documents, numbered from 0 in the order of their rows, and the
// terms that stand in them: for each term the ascending numbers of its documents, written as differences. Terms are
// sorted and packed into blocks; a directory says with which term each block begins. So a word is one block to read,
// a beginning a few that follow each other, and what is read and written is a tenth of what a row for each term would be.

// errSpoilt says that bytes of the full text do not make sense: the disk spoilt them, or somebody wrote to the file.
var errSpoilt = errors.New("the full text is damaged: run 'mithaq reindex'")

// blockBytes is about how large a block is; a long list makes it longer.
const blockBytes = 4 << 10

// posting is a term with the numbers of its documents, as written.
type posting struct {
	term []byte
	list []byte
}

// blockWriter packs postings, given in the order of their terms, into blocks.
type blockWriter struct {
	blocks [][]byte
	first  directory
	last   []byte
	block  []byte
}

func (w *blockWriter) add(p posting) {
	if len(w.block) > 0 && len(w.block)+len(p.list) > blockBytes {
		w.flush()
	}
	shared := 0
	if len(w.block) == 0 {
		w.first = append(w.first, bytes.Clone(p.term))
	} else {
		shared = commonPrefix(w.last, p.term)
	}
	w.block = binary.AppendUvarint(w.block, uint64(shared))
	w.block = binary.AppendUvarint(w.block, uint64(len(p.term)-shared))
	w.block = append(w.block, p.term[shared:]...)
	w.block = binary.AppendUvarint(w.block, uint64(len(p.list)))
	w.block = append(w.block, p.list...)
	w.last = append(w.last[:0], p.term...)
}

func (w *blockWriter) flush() {
	if len(w.block) > 0 {
		w.blocks, w.block = append(w.blocks, w.block), nil
	}
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// blockReader yields the postings of a block in the order of their terms.
type blockReader struct {
	rest []byte
	posting
}

// next goes on to the next posting; false at the end. The term's bytes are valid until the next call.
func (r *blockReader) next() (bool, error) {
	if len(r.rest) == 0 {
		return false, nil
	}
	shared, err := r.number()
	if err != nil || shared > uint64(len(r.term)) {
		return false, errSpoilt
	}
	suffix, err := r.bytes()
	if err != nil {
		return false, err
	}
	r.term = append(r.term[:shared], suffix...)
	r.list, err = r.bytes()
	return err == nil, err
}

func (r *blockReader) number() (uint64, error) {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		return 0, errSpoilt
	}
	r.rest = r.rest[n:]
	return v, nil
}

func (r *blockReader) bytes() ([]byte, error) {
	n, err := r.number()
	if err != nil || n > uint64(len(r.rest)) {
		return nil, errSpoilt
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out, nil
}

// directory is which term each block of a segment begins with.
type directory [][]byte

func readDirectory(b []byte) (directory, error) {
	d := make(directory, 0, len(b)/8)
	for r := (blockReader{rest: b}); len(r.rest) > 0; {
		t, err := r.bytes()
		if err != nil {
			return nil, err
		}
		d = append(d, t)
	}
	return d, nil
}

// span returns the blocks [from, to] in which a term can stand or, with prefix, the terms that begin with it; to < from:
// in none.
func (d directory) span(term []byte, prefix bool) (from, to int) {
	// The last block that begins with the term or before it.
	to = sort.Search(len(d), func(i int) bool { return bytes.Compare(d[i], term) > 0 }) - 1
	from = max(to, 0)
	if prefix {
		for to+1 < len(d) && bytes.HasPrefix(d[to+1], term) {
			to++
		}
	}
	return from, to
}

// afterAll sorts after every term.
const afterAll = "\xff"

// begin notes with which term block i begins now; nil: with none, because it is empty. An empty block is named for the
// one after it, so that nothing is looked for in it.
func (d directory) begin(i int, first []byte) {
	old := d[i]
	switch {
	case first != nil:
	case i+1 < len(d):
		first = d[i+1]
	default:
		first = []byte(afterAll)
	}
	for ; i >= 0 && bytes.Equal(d[i], old); i-- {
		d[i] = first
	}
}

func (d directory) encode() []byte {
	var out []byte
	for _, t := range d {
		out = binary.AppendUvarint(out, uint64(len(t)))
		out = append(out, t...)
	}
	return out
}

// appendList writes ascending numbers as differences.
func appendList(b []byte, numbers []uint32) []byte {
	next := uint32(0)
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n-next))
		next = n + 1
	}
	return b
}

// eachOf calls do for each number of a list; of must be greater than all of them.
func eachOf(list []byte, of uint32, do func(uint32)) error {
	next := uint64(0)
	for len(list) > 0 {
		v, n := uint64(list[0]), 1
		if v >= 0x80 {
			v, n = binary.Uvarint(list)
		}
		next += v
		if n <= 0 || next >= uint64(of) || v >= uint64(of) {
			return errSpoilt
		}
		do(uint32(next))
		next++
		list = list[n:]
	}
	return nil
}

// rowsOf reads the rows of a segment's documents, ascending; appendRows writes them.
func rowsOf(b []byte) ([]int64, error) {
	count := 0
	for _, c := range b {
		if c < 0x80 {
			count++ // a number ends
		}
	}
	out := make([]int64, 0, count)
	for row := int64(0); len(b) > 0; {
		d, n := binary.Uvarint(b)
		if n <= 0 || int64(d) < 0 || row+int64(d) < row {
			return nil, errSpoilt
		}
		row += int64(d)
		out, b = append(out, row), b[n:]
	}
	return out, nil
}

func appendRows(b []byte, rows []int64) []byte {
	last := int64(0)
	for _, row := range rows {
		b = binary.AppendUvarint(b, uint64(row-last))
		last = row
	}
	return b
}

// segment is a segment's contents.
type segment struct {
	rows []int64 // of its documents, ascending
	blockWriter
}

// textRow is a document: its terms joined by spaces, each once.
type textRow struct {
	row   int64
	words string
}

// newSegment makes a segment of documents in the order of their rows.
func newSegment(docs []textRow) *segment {
	s := &segment{rows: make([]int64, len(docs))}
	type list struct {
		next uint32
		b    []byte
	}
	terms := make(map[string]int, 64*min(len(docs), 1024))
	var lists []list
	for i, d := range docs {
		s.rows[i] = d.row
		for term := range strings.SplitSeq(d.words, " ") {
			if term == "" {
				continue
			}
			at, ok := terms[term]
			if !ok {
				at = len(lists)
				terms[term] = at
				lists = append(lists, list{})
			}
			l := &lists[at]
			if uint32(i) < l.next {
				continue // a second time in this document
			}
			l.b = binary.AppendUvarint(l.b, uint64(uint32(i)-l.next))
			l.next = uint32(i) + 1
		}
	}
	sorted := make([]string, 0, len(terms))
	for t := range terms {
		sorted = append(sorted, t)
	}
	slices.Sort(sorted)
	for _, t := range sorted {
		s.add(posting{[]byte(t), lists[terms[t]].b})
	}
	s.flush()
	return s
}

// without rewrites a block so that a document no longer stands under some terms. It fails when one of them is not there.
func without(block []byte, of, doc uint32, terms map[string]bool) ([]byte, error) {
	var w blockWriter
	for r := (blockReader{rest: block}); ; {
		more, err := r.next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		p := r.posting
		if terms[string(p.term)] {
			delete(terms, string(p.term))
			var kept []uint32
			found := false
			if err := eachOf(p.list, of, func(n uint32) {
				if n == doc {
					found = true
				} else {
					kept = append(kept, n)
				}
			}); err != nil {
				return nil, err
			}
			if !found {
				return nil, fmt.Errorf("a term does not stand in the document: %w", errSpoilt)
			}
			if p.list = appendList(nil, kept); len(kept) == 0 {
				continue
			}
		}
		w.add(p)
	}
	w.flush()
	return bytes.Join(w.blocks, nil), nil
}
