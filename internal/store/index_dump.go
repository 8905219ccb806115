package store

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// dumps say how each table is written by Dump: every column, in the order of the key.
var dumps = []struct{ table, order string }{
	{"ix_log", "no"}, {"ix_entry", "no"}, {"ix_answers", "no, leaf"},
	{"ix_ref", "leaf, no, rel"}, {"ix_change", "target, no"}, {"ix_receipt", "origin, block, lo, no"}, {"ix_act", "no"}, {"ix_party", "id"}, {"ix_key", "log_no, id"},
}

// Dump writes everything that the index says, a line for each row and for each term of the full text, in a fixed order:
// two indexes that answer alike have the same dump. It is for comparing them, and reads all of it.
func (x *Index) Dump(ctx context.Context, w io.Writer) error {
	return x.reading("dumping the index", func(c *conns) error {
		for _, d := range dumps {
			if err := dumpRows(ctx, c.read, w, d.table, `SELECT * FROM `+d.table+` ORDER BY `+d.order); err != nil {
				return err
			}
		}
		if err := dumpTallies(ctx, c, w); err != nil {
			return err
		}
		if err := dumpObjects(ctx, c, w); err != nil {
			return err
		}
		return c.inSnapshot(ctx, nil, func(t snapshot) error { return dumpText(ctx, t, w) })
	})
}

// dumpText writes the terms of every document, from whichever segment. The segments themselves depend on how much was
// written at a time, and say nothing.
func dumpText(ctx context.Context, t snapshot, w io.Writer) error {
	all, err := segmentRows(ctx, t)
	if err != nil {
		return err
	}
	terms := map[int64][]string{}
	for _, s := range all {
		rows, _, err := readSegment(ctx, t, s)
		if err != nil {
			return err
		}
		if err := eachBlock(ctx, t, s.no*blockNos, (s.no+1)*blockNos-1, func(b []byte) error {
			for r := (blockReader{rest: b}); ; {
				more, err := r.next()
				if err != nil || !more {
					return err
				}
				if err := eachOf(r.list, s.docs, func(n uint32) { terms[rows[n]] = append(terms[rows[n]], string(r.term)) }); err != nil {
					return err
				}
			}
		}); err != nil {
			return err
		}
	}
	for _, row := range slices.Sorted(maps.Keys(terms)) {
		if _, err := fmt.Fprintf(w, "ix_text %d %q\n", row, terms[row]); err != nil {
			return err
		}
	}
	return nil
}

// dumpTallies writes what is counted without the numbers of the tallies.
func dumpTallies(ctx context.Context, c *conns, w io.Writer) error {
	const name = `SELECT y.agreement, y.author, y.what, y.label, y.kind, `
	const order = ` ORDER BY y.agreement, y.author, y.what, y.label, y.kind`
	for _, d := range []struct{ table, query string }{
		{"ix_tally", name + `y.count FROM ix_tally y` + order},
		{"ix_bucket", name + `b.bucket, b.count FROM ix_bucket b JOIN ix_tally y ON y.no = b.tally` + order + `, b.bucket`},
		{"ix_answered", name + `a.delay_us, a.start_no, a.start_us FROM ix_answered a JOIN ix_tally y ON y.no = a.tally` + order + `, a.delay_us, a.start_no`},
	} {
		if err := dumpRows(ctx, c.read, w, d.table, d.query); err != nil {
			return err
		}
	}
	return dumpServings(ctx, c, w)
}

// dumpServings writes the records of tallies, as rows or packed.
func dumpServings(ctx context.Context, c *conns, w io.Writer) error {
	const tallies = `SELECT no, agreement, author, what, label, kind FROM ix_tally ORDER BY agreement, author, what, label, kind`
	numbers, names := []int64{}, []tallyKey{}
	err := queryRows(ctx, c, tallies, nil, func(r *sql.Rows) error {
		var no int64
		var k tallyKey
		err := r.Scan(&no, &k.agreement, &k.author, &k.what, &k.label, &k.kind)
		numbers, names = append(numbers, no), append(names, k)
		return err
	})
	for i := 0; i < len(numbers) && err == nil; i++ {
		var list []serving
		if list, err = servingsBetween(ctx, c.asking, numbers[i], math.MinInt64, math.MaxInt64); err != nil {
			return err
		}
		for _, s := range list {
			if _, err = fmt.Fprintf(w, "ix_serves %q %d %d %d\n", names[i].texts(), s.at, s.no, s.answers); err != nil {
				return err
			}
		}
	}
	return err
}

func (k tallyKey) texts() []string {
	return []string{k.agreement, k.author, fmt.Sprint(k.what), k.label, k.kind}
}

// dumpObjects writes the tables of STIX objects without what depends on the order in which they were written.
func dumpObjects(ctx context.Context, c *conns, w io.Writer) error {
	err := dumpRows(ctx, c.read, w, "ix_stix", `SELECT no, ord, type, uuid, spec, version, off, len, marking FROM ix_stix ORDER BY no, ord`)
	if err != nil {
		return err
	}
	return dumpRows(ctx, c.read, w, "ix_place", `SELECT p.date_us, p.no, p.ord, p.count, p.expires_us, c.agreement, c.item
		FROM ix_place p JOIN ix_class c ON c.no = p.class ORDER BY p.date_us`)
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func dumpRows(ctx context.Context, q queryer, w io.Writer, table, query string) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = fmt.Sprintf("%x", b)
			}
		}
		if _, err := fmt.Fprintf(w, "%s %q\n", table, values); err != nil {
			return err
		}
	}
	return rows.Err()
}
