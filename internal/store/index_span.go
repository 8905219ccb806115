package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// STIXSpan is where the bytes of one STIX object stand in its record's payload.
type STIXSpan struct{ Ord, Offset, Length int }

// STIXSpans is STIXOf for who needs the bytes alone. It takes one row for all of them, because what a row costs between the
// database and here is many times what it costs inside. What it returns of a record stays as it is.
func (x *Index) STIXSpans(ctx context.Context, no int64, from, to int) (out []STIXSpan, err error) {
	var packed sql.NullString
	err = x.reading("listing STIX objects", func(c *conns) error {
		return queryRow(ctx, c, `SELECT string_agg(ord || ' ' || off || ' ' || len, ' ')
			FROM (SELECT ord, off, len FROM ix_stix WHERE no = $1 AND ord >= $2 AND ord < $3 ORDER BY ord) AS run`, []any{no, from, to}, &packed)
	})
	if err != nil || packed.String == "" {
		return nil, err
	}
	var numbers [3]int
	at := 0
	for word := range strings.SplitSeq(packed.String, " ") {
		if numbers[at], err = strconv.Atoi(word); err != nil {
			return nil, fmt.Errorf("listing STIX objects: %w", err)
		}
		if at++; at == len(numbers) {
			out = append(out, STIXSpan{numbers[0], numbers[1], numbers[2]})
			at = 0
		}
	}
	slices.SortStableFunc(out, func(a, b STIXSpan) int { return a.Ord - b.Ord })
	return out, nil
}

// STIXExtent tells enough of where a record's STIX objects stand to check spans that were found otherwise.
type STIXExtent struct {
	Count, First     int // objects, and where the first begins
	Offsets, Lengths int // sums
}

// STIXExtent is what STIXSpans would give of a whole record, in numbers: a tenth of the time.
func (x *Index) STIXExtent(ctx context.Context, no int64) (e STIXExtent, err error) {
	err = x.reading("listing STIX objects", func(c *conns) error {
		return queryRow(ctx, c, `SELECT count(*), COALESCE(min(off), 0), CAST(COALESCE(sum(off), 0) AS BIGINT), CAST(COALESCE(sum(len), 0) AS BIGINT) FROM ix_stix WHERE no = $1`,
			[]any{no}, &e.Count, &e.First, &e.Offsets, &e.Lengths)
	})
	return e, err
}

// ManySTIX returns which of the STIX objects [from, to) of a record may share their id with others here, ascending.
func (x *Index) ManySTIX(ctx context.Context, no int64, from, to int) (ords []int, err error) {
	err = x.reading("listing STIX objects", func(c *conns) error {
		return queryRows(ctx, c, `SELECT ord FROM ix_stix WHERE many = 1 AND no = $1 AND ord >= $2 AND ord < $3 ORDER BY ord`, []any{no, from, to}, func(r *sql.Rows) error {
			var ord int
			err := r.Scan(&ord)
			ords = append(ords, ord)
			return err
		})
	})
	return ords, err
}
