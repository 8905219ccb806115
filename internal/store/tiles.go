package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Leaves returns the object hashes of the leaves [from, to), 32 bytes each. The range must not cross a multiple of
// 256 and must lie below the committed size.
func (d *DB) Leaves(ctx context.Context, logNo, from, to int64) ([]byte, error) {
	out := make([]byte, 0, (to-from)*32)
	if from >= to {
		return out, nil
	}
	// A row starts at or before from only within the same bundle.
	start := from - from%BundleWidth
	next := start
	err := queryRows(ctx, d.truth, `SELECT idx, hashes FROM leaf WHERE log_no = $1 AND idx >= $2 AND idx < $3 ORDER BY idx`,
		[]any{logNo, start, to}, func(r *sql.Rows) error {
			var idx int64
			var hashes sql.RawBytes
			if err := r.Scan(&idx, &hashes); err != nil {
				return err
			}
			if idx != next || len(hashes)%32 != 0 || len(hashes) == 0 {
				return fmt.Errorf("the row of leaf %d is out of place or damaged", idx)
			}
			next = idx + int64(len(hashes))/32
			lo, hi := max(from, idx), min(to, next)
			if lo < hi {
				out = append(out, hashes[(lo-idx)*32:(hi-idx)*32]...)
			}
			return nil
		})
	if err == nil && int64(len(out)) != (to-from)*32 {
		err = errors.New("rows are missing")
	}
	if err != nil {
		return nil, fmt.Errorf("reading leaves %d to %d of log number %d: %w", from, to, logNo, err)
	}
	return out, nil
}

// Tile returns the 256 hashes of a complete tile, or ErrNotFound.
func (d *DB) Tile(ctx context.Context, logNo int64, level int, n int64) ([]byte, error) {
	var b []byte
	err := queryRow(ctx, d.truth, `SELECT hashes FROM tile WHERE log_no = $1 AND level = $2 AND n = $3`, []any{logNo, level, n}, &b)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err == nil && len(b) != BundleWidth*32 {
		err = fmt.Errorf("stored tile has %d bytes", len(b))
	}
	if err != nil {
		return nil, fmt.Errorf("reading tile %d/%d of log number %d: %w", level, n, logNo, err)
	}
	return b, nil
}

// TileRoots returns the roots of the complete tiles [from, to) of a level, 32 bytes each: a piece of a tile one level up.
func (d *DB) TileRoots(ctx context.Context, logNo int64, level int, from, to int64) ([]byte, error) {
	out := make([]byte, 0, (to-from)*32)
	next := from
	err := queryRows(ctx, d.truth, `SELECT n, root FROM tile WHERE log_no = $1 AND level = $2 AND n >= $3 AND n < $4 ORDER BY n`,
		[]any{logNo, level, from, to}, func(r *sql.Rows) error {
			var n int64
			var root sql.RawBytes
			if err := r.Scan(&n, &root); err != nil {
				return err
			}
			if n != next || len(root) != 32 {
				return fmt.Errorf("tile %d/%d is out of place or damaged", level, n)
			}
			next++
			out = append(out, root...)
			return nil
		})
	if err == nil && next != to {
		err = fmt.Errorf("tile %d/%d is missing", level, next)
	}
	if err != nil {
		return nil, fmt.Errorf("reading tile roots of log number %d: %w", logNo, err)
	}
	return out, nil
}
