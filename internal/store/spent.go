package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Spent is what was taken of one author under one agreement: in the window of its quota, and altogether.
type Spent struct {
	Since                  time.Time // when the window began; zero: none has
	Leaves, Bytes, Garbage int64     // in the window
	AllLeaves, AllBytes    int64
}

// Spent returns what was taken of an author under an agreement; nothing where nothing was.
func (d *DB) Spent(ctx context.Context, agreement, author string) (Spent, error) {
	var s Spent
	st, err := d.truth.reader(ctx, `SELECT since_us, leaves, bytes, garbage, all_leaves, all_bytes FROM spent WHERE agreement = $1 AND author = $2`)
	if err != nil {
		return s, fmt.Errorf("reading what was taken of %s: %w", author, err)
	}
	var since int64
	err = st.QueryRowContext(ctx, agreement, author).Scan(&since, &s.Leaves, &s.Bytes, &s.Garbage, &s.AllLeaves, &s.AllBytes)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading what was taken of %s: %w", author, err)
	}
	s.Since = fromMicros(since)
	return s, nil
}

const upsertSpent = `INSERT INTO spent (agreement, author, since_us, leaves, bytes, garbage, all_leaves, all_bytes)
	SELECT agreement, author, $1, $2, $3, $4, $5, $6 FROM log WHERE no = $7
	ON CONFLICT (agreement, author) DO UPDATE SET since_us = excluded.since_us, leaves = excluded.leaves, bytes = excluded.bytes,
	garbage = excluded.garbage, all_leaves = excluded.all_leaves, all_bytes = excluded.all_bytes`

// noteSpent keeps what was spent with what it was spent on.
func (t *tx) noteSpent(ctx context.Context, logNo int64, s Spent) error {
	_, err := t.exec(ctx, upsertSpent, micros(s.Since), s.Leaves, s.Bytes, s.Garbage, s.AllLeaves, s.AllBytes, logNo)
	return err
}
