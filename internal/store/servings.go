package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The records of a tally are its servings. Those that come a few at a time are rows of ix_serves; of a batch that brings many, a
// row of ix_pack has up to packMost, in order, as differences: written as rows they would cost as much as all else that is
// said of their records. Packs of one tally may overlap in time, and nothing puts them together: there are few.
const (
	packLeast = 32
	packMost  = 1024
)

var (
	ixServesInsert = newInserter(`INSERT INTO ix_serves (tally, time_us, no, answers) VALUES `, 4)
	ixPackInsert   = newInserter(`INSERT INTO ix_pack (tally, last_us, last_no, first_us, data) VALUES `, 5)
)

const (
	newestServings = `SELECT time_us, no, answers FROM ix_serves WHERE tally = $1 ORDER BY time_us DESC, no DESC LIMIT $2`
	newestPacks    = `SELECT last_us, last_no, first_us, data FROM ix_pack WHERE tally = $1 ORDER BY last_us DESC, last_no DESC`
	servingsIn     = `SELECT time_us, no, answers FROM ix_serves WHERE tally = $1 AND time_us >= $2 AND time_us < $3`
	packsIn        = `SELECT last_us, last_no, first_us, data FROM ix_pack WHERE tally = $1 AND last_us >= $2 AND first_us < $3`
)

// serving is one record of a tally.
type serving struct{ at, no, answers int64 }

func compareServings(a, b serving) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.no, b.no))
}

// pack is servings in the order of their times.
type pack struct {
	lastAt, lastNo, firstAt int64
	data                    []byte
}

// packServings makes packs of servings, which it sorts, and returns those that are too few for one.
func packServings(list []serving) (packs []pack, few []serving) {
	if len(list) < packLeast {
		return nil, list
	}
	slices.SortFunc(list, compareServings)
	for len(list) >= packLeast {
		n := min(len(list), packMost)
		packs = append(packs, packOf(list[:n]))
		list = list[n:]
	}
	return packs, list
}

// packOf packs servings that are in order, at least one.
func packOf(list []serving) pack {
	last := list[len(list)-1]
	p := pack{lastAt: last.at, lastNo: last.no, firstAt: list[0].at, data: make([]byte, 0, 6*len(list))}
	before := serving{at: p.firstAt}
	for _, s := range list {
		p.data = binary.AppendUvarint(p.data, uint64(s.at)-uint64(before.at))
		p.data = binary.AppendVarint(p.data, (s.no-before.no)<<1|s.answers)
		before = s
	}
	return p
}

// each calls do for the servings of a pack, in order, until it returns false.
func (p pack) each(do func(serving) bool) error {
	s := serving{at: p.firstAt}
	for rest := p.data; len(rest) > 0; {
		later, n := binary.Uvarint(rest)
		if n <= 0 {
			return errSpoilt
		}
		v, m := binary.Varint(rest[n:])
		if m <= 0 {
			return errSpoilt
		}
		rest = rest[n+m:]
		s.at, s.no, s.answers = int64(uint64(s.at)+later), s.no+v>>1, v&1
		if !do(s) {
			return nil
		}
	}
	return nil
}

func scanPack(r *sql.Rows) (p pack, err error) {
	var data sql.RawBytes
	err = r.Scan(&p.lastAt, &p.lastNo, &p.firstAt, &data)
	p.data = data
	return p, err
}

// newestOf returns the last servings of a tally, newest first.
func newestOf(ctx context.Context, ask asking, tally int64, limit int) (out []serving, err error) {
	newest := func(a, b serving) int { return compareServings(b, a) }
	err = ask(ctx, newestServings, []any{tally, limit}, func(r *sql.Rows) error {
		var s serving
		err := r.Scan(&s.at, &s.no, &s.answers)
		out = append(out, s)
		return err
	})
	if err != nil || limit <= 0 {
		return nil, err
	}
	err = ask(ctx, newestPacks, []any{tally}, func(r *sql.Rows) error {
		p, err := scanPack(r)
		if err != nil {
			return err
		}
		if len(out) == limit && p.lastAt < out[limit-1].at {
			return errEnough
		}
		if err := p.each(func(s serving) bool { out = append(out, s); return true }); err != nil {
			return err
		}
		slices.SortStableFunc(out, newest)
		out = out[:min(limit, len(out))]
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// errEnough ends a query of which enough was read.
var errEnough = errors.New("enough")

// servingsBetween returns the servings of a tally with times in [from, to), in order.
func servingsBetween(ctx context.Context, ask asking, tally, from, to int64) (out []serving, err error) {
	err = ask(ctx, servingsIn, []any{tally, from, to}, func(r *sql.Rows) error {
		var s serving
		err := r.Scan(&s.at, &s.no, &s.answers)
		out = append(out, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = ask(ctx, packsIn, []any{tally, from, to}, func(r *sql.Rows) error {
		p, err := scanPack(r)
		if err != nil {
			return err
		}
		return p.each(func(s serving) bool {
			if s.at >= from && s.at < to {
				out = append(out, s)
			}
			return s.at < to
		})
	})
	slices.SortFunc(out, compareServings)
	return out, err
}

// servingAt finds a record among the servings of a tally.
func servingAt(ctx context.Context, ask asking, tally, at, no int64) (s serving, found bool, err error) {
	list, err := servingsBetween(ctx, ask, tally, at, at+1)
	for _, one := range list {
		if one.no == no {
			return one, true, err
		}
	}
	return s, false, err
}

// takeServing takes a record out of the servings of a tally.
func takeServing(ctx context.Context, t *tx, tally, at, no int64) error {
	if _, err := t.exec(ctx, `DELETE FROM ix_serves WHERE tally = $1 AND time_us = $2 AND no = $3`, tally, at, no); err != nil {
		return err
	}
	var packs []pack
	err := t.asking(ctx, packsIn, []any{tally, at, at + 1}, func(r *sql.Rows) error {
		p, err := scanPack(r)
		p.data = slices.Clone(p.data)
		packs = append(packs, p)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range packs {
		var left []serving
		count := 0
		if err := p.each(func(s serving) bool {
			count++
			if s.at != at || s.no != no {
				left = append(left, s)
			}
			return true
		}); err != nil {
			return fmt.Errorf("records of a count: %w", err)
		}
		if len(left) == count {
			continue
		}
		if _, err := t.exec(ctx, `DELETE FROM ix_pack WHERE tally = $1 AND last_us = $2 AND last_no = $3`, tally, p.lastAt, p.lastNo); err != nil {
			return err
		}
		if len(left) == 0 {
			continue
		}
		p = packOf(left)
		if err := t.insert(ctx, ixPackInsert, []any{tally, p.lastAt, p.lastNo, p.firstAt, p.data}); err != nil {
			return err
		}
	}
	return nil
}
