package store

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"

	"github.com/mithaq/mithaq/internal/arabic"
)

// Match is a part of a record that meets a query.
type Match struct {
	No   int64
	Part int
}

// Search returns up to limit parts of records that meet q and every one of the terms must, newest first, that arrived
// before the record with the number before; 0: from the newest on.
//
// It goes through the segments from the newest on and stops as soon as the others can have nothing newer, so that what is
// frequent is answered by the last tens of thousands of records, and what is rare by a block or two of each segment.
func (x *Index) Search(ctx context.Context, q arabic.Query, must []string, before int64, limit int) (out []Match, err error) {
	if len(q.Clauses) == 0 || limit <= 0 {
		return nil, nil
	}
	top := int64(math.MaxInt64)
	if before > 0 {
		top = before * textParts
	}
	clauses := clausesOf(q, must)
	err = x.reading("searching", func(c *conns) error {
		return c.inSnapshot(ctx, []string{listSegments, readSegmentDir, readSegmentRows, readBlock}, func(t snapshot) error {
			all, err := segmentRows(ctx, t)
			if err != nil {
				return err
			}
			var found []int64
			for _, s := range all {
				if len(found) >= limit && found[limit-1] > s.high {
					break // they come by their highest row
				}
				if s.low >= top {
					continue
				}
				here, err := searchSegment(ctx, t, s, clauses, top, limit)
				if err != nil {
					return err
				}
				found = append(found, here...)
				slices.SortFunc(found, func(a, b int64) int { return cmp.Compare(b, a) })
				found = found[:min(len(found), limit)]
			}
			for _, row := range found {
				out = append(out, Match{No: row / textParts, Part: int(row % textParts)})
			}
			return nil
		})
	})
	return out, err
}

// clausesOf is what is to be met, what is quickest to read first: whole words, then long beginnings, then short ones.
func clausesOf(q arabic.Query, must []string) []arabic.Clause {
	clauses := slices.Clone(q.Clauses)
	for _, term := range must {
		clauses = append(clauses, arabic.Clause{Any: []arabic.Alternative{{Term: term}}})
	}
	cost := func(c arabic.Clause) (n int) {
		for _, a := range c.Any {
			if a.Prefix {
				n += 1 << (16 / max(len(a.Term), 1))
			}
		}
		return n
	}
	slices.SortStableFunc(clauses, func(a, b arabic.Clause) int { return cmp.Compare(cost(a), cost(b)) })
	return clauses
}

// searchSegment returns up to limit rows below top that meet all clauses, in no order but the highest of them.
func searchSegment(ctx context.Context, q queryer, s segmentRow, clauses []arabic.Clause, top int64, limit int) ([]int64, error) {
	var dir, nos []byte
	if err := one(ctx, q, readSegmentDir, []any{s.no}, &dir); err != nil {
		return nil, err
	}
	d, err := readDirectory(dir)
	if err != nil {
		return nil, err
	}
	var met bitmap
	for _, c := range clauses {
		here := newBitmap(s.docs)
		for _, a := range c.Any {
			if err := here.add(ctx, q, s, d, a); err != nil {
				return nil, err
			}
		}
		if met == nil {
			met = here
		} else {
			met.and(here)
		}
		if met.empty() {
			return nil, nil
		}
	}
	if err := one(ctx, q, readSegmentRows, []any{s.no}, &nos); err != nil {
		return nil, err
	}
	rows, err := rowsOf(nos)
	if err != nil || uint32(len(rows)) != s.docs {
		return nil, errSpoilt
	}
	below, _ := slices.BinarySearch(rows, top)
	return met.highest(rows[:below], limit), nil
}

// bitmap is a set of a segment's documents.
type bitmap []uint64

func newBitmap(docs uint32) bitmap { return make(bitmap, (docs+63)/64) }

// add puts in the documents under a term, or under all terms with this beginning.
func (m bitmap) add(ctx context.Context, q queryer, s segmentRow, d directory, a arabic.Alternative) error {
	from, to := d.span([]byte(a.Term), a.Prefix)
	if to < from {
		return nil
	}
	return eachBlock(ctx, q, s.no*blockNos+int64(from), s.no*blockNos+int64(to), func(b []byte) error {
		for r := (blockReader{rest: b}); ; {
			more, err := r.next()
			if err != nil || !more {
				return err
			}
			term := string(r.term[:min(len(r.term), len(a.Term))])
			if term > a.Term {
				return nil
			}
			if term != a.Term || len(r.term) > len(a.Term) && !a.Prefix {
				continue
			}
			if err := eachOf(r.list, s.docs, func(n uint32) { m[n/64] |= 1 << (n % 64) }); err != nil {
				return err
			}
		}
	})
}

func (m bitmap) and(other bitmap) {
	for i := range m {
		m[i] &= other[i]
	}
}

func (m bitmap) empty() bool {
	for _, w := range m {
		if w != 0 {
			return false
		}
	}
	return true
}

// highest returns the rows of the last limit documents that are in the set and have a row here.
func (m bitmap) highest(rows []int64, limit int) (out []int64) {
	for i := (len(rows) + 63) / 64; i > 0 && len(out) < limit; i-- {
		for w := m[i-1]; w != 0 && len(out) < limit; {
			bit := 63 - bits.LeadingZeros64(w)
			w &^= 1 << bit
			if doc := (i-1)*64 + bit; doc < len(rows) {
				out = append(out, rows[doc])
			}
		}
	}
	return out
}
