package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ToAdd asks when the objects of a record were added to the collection of their agreement.
type ToAdd struct {
	Seq   int64 // of the record's object
	Cause int64 // 0, or the seq of the record that made it visible to more
	Count int   // objects
}

// Added returns, for each record, when the first of its objects was added last; each of its objects has the microsecond after
// the one before. What the journal does not hold yet is added to it, with dates that are after all that were given out, not
// before now, and never given out again: so an index that is built anew finds the dates that clients saw.
func (d *DB) Added(ctx context.Context, now time.Time, list []ToAdd) ([]time.Time, error) {
	out := make([]time.Time, len(list))
	missing, err := d.addedBefore(ctx, list, out)
	if err == nil && missing {
		err = d.truth.warm(ctx, addedInsert.of(d.kind)[:]...)
	}
	if err == nil && missing {
		err = d.truth.inTx(ctx, func(t *tx) error { return addToJournal(ctx, t, micros(now), list, out) })
	}
	if err != nil {
		return nil, fmt.Errorf("noting when objects were added: %w", d.explain(err))
	}
	return out, nil
}

// addedBefore fills in what the journal knows.
func (d *DB) addedBefore(ctx context.Context, list []ToAdd, out []time.Time) (missing bool, err error) {
	if len(list) == 0 {
		return false, nil
	}
	type known struct {
		first  bool // cause 0
		causes []int64
		last   int64
	}
	journal := make(map[int64]known, len(list))
	note := func(seq, cause, date int64) {
		k := journal[seq]
		if cause == 0 {
			k.first = true
		} else {
			k.causes = append(k.causes, cause)
		}
		k.last = max(k.last, date)
		journal[seq] = k
	}
	bySeq := func(a, b ToAdd) int { return int(a.Seq - b.Seq) }
	first, last := slices.MinFunc(list, bySeq).Seq, slices.MaxFunc(list, bySeq).Seq
	if last-first < 2*int64(len(list))+64 {
		err = d.journalOf(ctx, first, last, note)
	} else {
		for i := 0; i < len(list) && err == nil; i++ {
			err = d.journalOf(ctx, list[i].Seq, list[i].Seq, note)
		}
	}
	for i, a := range list {
		if k := journal[a.Seq]; a.Cause == 0 && k.first || slices.Contains(k.causes, a.Cause) {
			out[i] = fromMicros(k.last)
		} else {
			missing = true
		}
	}
	return missing, err
}

// journalOf calls note for what the journal says of the records from one to another. It takes one row for all of it, because
// what a row costs between the database and here is many times what it costs inside.
func (d *DB) journalOf(ctx context.Context, first, last int64, note func(seq, cause, date int64)) error {
	var packed sql.NullString
	if err := queryRow(ctx, d.truth, `SELECT string_agg(seq || ' ' || cause || ' ' || date_us, ' ') FROM added WHERE seq >= $1 AND seq <= $2`, []any{first, last}, &packed); err != nil {
		return err
	}
	var numbers [3]int64
	at := 0
	for word := range strings.FieldsSeq(packed.String) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		numbers[at] = n
		if at++; at == len(numbers) {
			note(numbers[0], numbers[1], numbers[2])
			at = 0
		}
	}
	return nil
}

var addedInsert = newInserter(`INSERT INTO added (seq, cause, date_us, count) VALUES `, 4)

// addToJournal gives dates to what has none in out.
func addToJournal(ctx context.Context, t *tx, now int64, list []ToAdd, out []time.Time) error {
	var end int64
	if err := t.QueryRowContext(ctx, `SELECT end_us FROM added_last`).Scan(&end); err != nil {
		return err
	}
	end = max(end, now)
	var rows []any
	for i, a := range list {
		if !out[i].IsZero() {
			continue
		}
		out[i] = fromMicros(end)
		rows = append(rows, a.Seq, a.Cause, end, int64(a.Count))
		end += int64(max(a.Count, 1))
	}
	if err := t.insert(ctx, addedInsert, rows); err != nil {
		return err
	}
	_, err := t.exec(ctx, `UPDATE added_last SET end_us = $1`, end)
	return err
}
