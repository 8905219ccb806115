package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mithaq/mithaq/internal/arabic"
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

// textRow is a document: its terms, as numbers of a vocabulary.
type textRow struct {
	row        int64
	terms      []uint32
	vocabulary *arabic.Vocabulary
}

// newSegment makes a segment of documents in the order of their rows.
func newSegment(docs []textRow) *segment {
	s := &segment{rows: make([]int64, len(docs))}
	total := 0
	for _, d := range docs {
		total += len(d.terms)
	}
	g := gathering{places: make(map[string]uint32, total/16), docs: make([]uint32, 0, total), which: make([]uint32, 0, total)}
	for i, d := range docs {
		s.rows[i] = d.row
		g.add(uint32(i), d)
	}
	lists := g.lists()
	slices.SortFunc(g.terms, func(a, b gathered) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		return strings.Compare(a.term, b.term)
	})
	var term, list []byte
	for _, t := range g.terms {
		term, list = append(term[:0], t.term...), appendList(list[:0], lists[t.from:t.from+t.count])
		s.add(posting{term, list})
	}
	s.flush()
	return s
}

// gathering collects in which documents each term stands.
type gathering struct {
	terms  []gathered
	places map[string]uint32 // of a term in terms, plus one
	docs   []uint32          // of every time that a term stands in another document than before
	which  []uint32          // the term of each
	// What follows is of the vocabulary that the last document had.
	vocabulary *arabic.Vocabulary
	known      []uint32 // by the place of a number: the place of its term, plus one
}

// gathered is a term and how many documents it stands in.
type gathered struct {
	head        uint64 // the first eight bytes: most terms are told apart by them
	term        string
	count, from uint32 // from: where its documents begin
	next        uint32 // the document after the last
}

func (g *gathering) add(doc uint32, d textRow) {
	if d.vocabulary != g.vocabulary {
		n := d.vocabulary.Len()
		if n > cap(g.known) {
			g.known = make([]uint32, n+n/4)
		}
		g.vocabulary, g.known = d.vocabulary, g.known[:n]
		clear(g.known)
	}
	for _, number := range d.terms {
		at := &g.known[g.vocabulary.Place(number)]
		if *at == 0 {
			*at = g.place(g.vocabulary.Term(number))
		}
		t := &g.terms[*at-1]
		if t.next > doc {
			continue // a second time in this document
		}
		t.next = doc + 1
		t.count++
		g.docs, g.which = append(g.docs, doc), append(g.which, *at-1)
	}
}

func (g *gathering) place(term string) uint32 {
	if at, ok := g.places[term]; ok {
		return at
	}
	var head [8]byte
	copy(head[:], term)
	g.terms = append(g.terms, gathered{head: binary.BigEndian.Uint64(head[:]), term: term})
	g.places[term] = uint32(len(g.terms))
	return uint32(len(g.terms))
}

// lists returns the documents of all terms, each term's in ascending order from where it says.
func (g *gathering) lists() []uint32 {
	from := uint32(0)
	at := make([]uint32, len(g.terms))
	for i := range g.terms {
		g.terms[i].from, at[i] = from, from
		from += g.terms[i].count
	}
	out := make([]uint32, len(g.docs))
	for i, doc := range g.docs {
		t := g.which[i]
		out[at[t]] = doc
		at[t]++
	}
	return out
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
