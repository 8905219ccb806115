package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// textParts is how many documents one record can have: a document's row is its record's no times textParts, plus the part.
const textParts = 4096

const (
	// segmentFan is how many segments of about one size become one, so that a search reads few of them and a document
	// is written again once for each power of it.
	segmentFan = 8
	// segmentMost is up to how many documents segments are put together. A search goes from the newest segment back and
	// mostly ends in the first.
	segmentMost = 1 << 16
	// blockNos is how many numbers of blocks a segment has for itself.
	blockNos = 1 << 20
)

const (
	putSegment = `INSERT INTO ix_segment (no, docs, low, high, row_nos, directory) VALUES ($1, $2, $3, $4, $5, $6)`
	putBlock   = `INSERT INTO ix_block (no, data) VALUES ($1, $2)`

	listSegments    = `SELECT no, docs, low, high FROM ix_segment ORDER BY high DESC, no DESC`
	readSegmentDir  = `SELECT directory FROM ix_segment WHERE no = $1`
	readSegmentRows = `SELECT row_nos FROM ix_segment WHERE no = $1`
	readBlock       = `SELECT data FROM ix_block WHERE no BETWEEN $1 AND $2 ORDER BY no`
)

// segmentRow is what the table says of a segment; rows and the directory are read when they are needed.
type segmentRow struct {
	no        int64
	docs      uint32
	low, high int64 // of its documents' rows
}

// sizeClass is the power of segmentFan that a number of documents has reached.
func sizeClass(docs uint32) int { return (bits.Len32(docs) - 1) / bits.TrailingZeros(segmentFan) }

// addText writes a segment and puts segments together that have become many.
func addText(ctx context.Context, t *tx, s *segment) error {
	all, err := segmentRows(ctx, t)
	if err != nil {
		return err
	}
	added, err := writeSegment(ctx, t, s, all)
	if err != nil {
		return err
	}
	for all = append(all, added); ; {
		like := alike(all, added)
		if len(like) < 2 {
			return nil
		}
		merged, err := readTogether(ctx, t, like)
		if err != nil {
			return err
		}
		for _, s := range like {
			if err := dropSegment(ctx, t, s.no); err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(r segmentRow) bool { return r.no == s.no })
		}
		if added, err = writeSegment(ctx, t, merged, all); err != nil {
			return err
		}
		all = append(all, added)
	}
}

// alike returns the segments that are to become one with s: all of its size when they are enough and fit together.
func alike(all []segmentRow, s segmentRow) (like []segmentRow) {
	total, same := uint32(0), 0
	for _, r := range all {
		if sizeClass(r.docs) != sizeClass(s.docs) {
			continue
		}
		same++
		if total+r.docs <= segmentMost {
			like, total = append(like, r), total+r.docs
		}
	}
	if same < segmentFan {
		return nil
	}
	return like
}

func segmentRows(ctx context.Context, q queryer) (out []segmentRow, err error) {
	rows, err := q.QueryContext(ctx, listSegments)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s segmentRow
		if err := rows.Scan(&s.no, &s.docs, &s.low, &s.high); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func writeSegment(ctx context.Context, t *tx, s *segment, all []segmentRow) (segmentRow, error) {
	r := segmentRow{docs: uint32(len(s.rows)), low: s.rows[0], high: s.rows[len(s.rows)-1]}
	for _, other := range all {
		r.no = max(r.no, other.no)
	}
	r.no++
	if len(s.blocks) >= blockNos {
		return r, fmt.Errorf("%d blocks of text are too many for one segment", len(s.blocks))
	}
	if _, err := t.exec(ctx, putSegment, r.no, int64(r.docs), r.low, r.high, appendRows(nil, s.rows), orEmpty(s.first.encode())); err != nil {
		return r, err
	}
	for i, b := range s.blocks {
		if _, err := t.exec(ctx, putBlock, r.no*blockNos+int64(i), b); err != nil {
			return r, err
		}
	}
	return r, nil
}

func dropSegment(ctx context.Context, t *tx, no int64) error {
	if _, err := t.exec(ctx, `DELETE FROM ix_block WHERE no >= $1 AND no < $2`, no*blockNos, (no+1)*blockNos); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM ix_segment WHERE no = $1`, no)
	return err
}

// stream yields the postings of a segment one after the other.
type stream struct {
	blockReader
	blocks [][]byte
	number []uint32 // the number that each document has in the whole
	done   bool
}

func (s *stream) advance() error {
	for {
		more, err := s.next()
		if err != nil || more {
			return err
		}
		if len(s.blocks) == 0 {
			s.done = true
			return nil
		}
		s.rest, s.blocks = s.blocks[0], s.blocks[1:]
	}
}

// readTogether reads segments and makes one of them.
func readTogether(ctx context.Context, q queryer, like []segmentRow) (*segment, error) {
	streams := make([]*stream, len(like))
	var out segment
	rowsOfEach := make([][]int64, len(like))
	for i, s := range like {
		rows, _, err := readSegment(ctx, q, s)
		if err != nil {
			return nil, err
		}
		streams[i] = &stream{number: make([]uint32, len(rows))}
		if streams[i].blocks, err = readBlocks(ctx, q, s.no*blockNos, (s.no+1)*blockNos-1); err != nil {
			return nil, err
		}
		rowsOfEach[i], out.rows = rows, append(out.rows, rows...)
	}
	slices.Sort(out.rows)
	for i, rows := range rowsOfEach {
		at := 0
		for j, row := range rows {
			for out.rows[at] != row {
				at++
			}
			streams[i].number[j] = uint32(at)
		}
		if err := streams[i].advance(); err != nil {
			return nil, err
		}
	}
	return &out, out.merge(streams)
}

// merge adds the postings of all streams in the order of their terms.
func (s *segment) merge(streams []*stream) error {
	var term []byte
	var numbers []uint32
	for {
		var least *stream
		for _, st := range streams {
			if !st.done && (least == nil || string(st.term) < string(least.term)) {
				least = st
			}
		}
		if least == nil {
			s.flush()
			return nil
		}
		term, numbers = append(term[:0], least.term...), numbers[:0]
		for _, st := range streams {
			if st.done || string(st.term) != string(term) {
				continue
			}
			if err := eachOf(st.list, uint32(len(st.number)), func(n uint32) { numbers = append(numbers, st.number[n]) }); err != nil {
				return err
			}
			if err := st.advance(); err != nil {
				return err
			}
		}
		if !slices.IsSorted(numbers) {
			slices.Sort(numbers)
		}
		s.add(posting{term, appendList(nil, numbers)})
	}
}

// readSegment reads the rows of a segment's documents and its directory.
func readSegment(ctx context.Context, q queryer, s segmentRow) (rows []int64, d directory, err error) {
	var nos, dir []byte
	if err = one(ctx, q, readSegmentDir, []any{s.no}, &dir); err == nil {
		err = one(ctx, q, readSegmentRows, []any{s.no}, &nos)
	}
	if err == nil {
		rows, err = rowsOf(nos)
	}
	if err == nil && uint32(len(rows)) != s.docs {
		err = errSpoilt
	}
	if err == nil {
		d, err = readDirectory(dir)
	}
	return rows, d, err
}

// one reads the first row of a query; ErrNotFound: there is none.
func one(ctx context.Context, q queryer, query string, args []any, dest ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return errors.Join(rows.Err(), ErrNotFound)
	}
	return rows.Scan(dest...)
}

func readBlocks(ctx context.Context, q queryer, from, to int64) (out [][]byte, err error) {
	err = eachBlock(ctx, q, from, to, func(b []byte) error {
		out = append(out, slices.Clone(b))
		return nil
	})
	return out, err
}

// eachBlock calls do for the blocks with numbers from to to; the bytes are do's for the time of the call.
func eachBlock(ctx context.Context, q queryer, from, to int64, do func([]byte) error) error {
	rows, err := q.QueryContext(ctx, readBlock, from, to)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return err
		}
		if err := do(b); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eraseText takes a document out, that was written with these terms.
func eraseText(ctx context.Context, t *tx, row int64, words map[string]bool) error {
	all, err := segmentRows(ctx, t)
	if err != nil {
		return err
	}
	for _, s := range all {
		if row < s.low || row > s.high {
			continue
		}
		rows, d, err := readSegment(ctx, t, s)
		if err != nil {
			return err
		}
		doc, found := slices.BinarySearch(rows, row)
		if !found {
			continue
		}
		if err := eraseFrom(ctx, t, s, d, uint32(doc), words); err != nil {
			return err
		}
		if len(words) > 0 {
			return fmt.Errorf("%d terms of document %d are not there: %w", len(words), row, errSpoilt)
		}
		return nil
	}
	return fmt.Errorf("document %d is in no segment: %w", row, errSpoilt)
}

// eraseFrom takes a document of a segment out from under the terms, and the terms that it takes out away.
func eraseFrom(ctx context.Context, t *tx, s segmentRow, d directory, doc uint32, words map[string]bool) error {
	byBlock := map[int]map[string]bool{}
	for term := range words {
		_, at := d.span([]byte(term), false)
		if byBlock[at] == nil {
			byBlock[at] = map[string]bool{}
		}
		byBlock[at][term] = true
	}
	for at, terms := range byBlock {
		if at < 0 {
			continue
		}
		blocks, err := readBlocks(ctx, t, s.no*blockNos+int64(at), s.no*blockNos+int64(at))
		if err != nil || len(blocks) != 1 {
			return errors.Join(err, errSpoilt)
		}
		for term := range terms {
			delete(words, term)
		}
		block, err := without(blocks[0], s.docs, doc, terms)
		if err != nil {
			return err
		}
		for term := range terms {
			words[term] = true // not there
		}
		r := blockReader{rest: block}
		more, err := r.next()
		if err != nil {
			return err
		}
		if more {
			d.begin(at, slices.Clone(r.term))
		} else {
			d.begin(at, nil)
		}
		if _, err := t.exec(ctx, `UPDATE ix_block SET data = $1 WHERE no = $2`, orEmpty(block), s.no*blockNos+int64(at)); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, `UPDATE ix_segment SET directory = $1 WHERE no = $2`, orEmpty(d.encode()), s.no)
	return err
}
