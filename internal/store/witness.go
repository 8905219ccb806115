package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Cosigned is what this node co-signed last of a log, as a witness.
type Cosigned struct {
	Origin     string
	VKey       string // the log's key, for a log that is known here by nothing else; empty: its keyrings name it
	Size       int64
	Root       [32]byte
	Checkpoint []byte // nil: nothing yet
	At         time.Time
}

const selectCosigned = `SELECT origin, vkey, size, root, checkpoint, at_us FROM cosigned`

// Cosigned returns what was co-signed of a log, or ErrNotFound.
func (d *DB) Cosigned(ctx context.Context, origin string) (Cosigned, error) {
	st, err := d.truth.reader(ctx, selectCosigned+` WHERE origin = $1`)
	if err != nil {
		return Cosigned{}, fmt.Errorf("reading what was co-signed of %s: %w", origin, err)
	}
	c, err := scanCosigned(st.QueryRowContext(ctx, origin).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Cosigned{}, fmt.Errorf("reading what was co-signed of %s: %w", origin, err)
	}
	return c, nil
}

// AllCosigned lists the logs that this node witnesses.
func (d *DB) AllCosigned(ctx context.Context) ([]Cosigned, error) {
	var out []Cosigned
	err := queryRows(ctx, d.truth, selectCosigned+` ORDER BY origin`, nil, func(r *sql.Rows) error {
		c, err := scanCosigned(r.Scan)
		out = append(out, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing what was co-signed: %w", err)
	}
	return out, nil
}

func scanCosigned(scan func(...any) error) (Cosigned, error) {
	var c Cosigned
	var root []byte
	var at int64
	err := scan(&c.Origin, &c.VKey, &c.Size, &root, &c.Checkpoint, &at)
	if err != nil {
		return c, err
	}
	c.At = fromMicros(at)
	if len(c.Checkpoint) == 0 {
		c.Checkpoint = nil
	}
	c.Root, err = toHash(root)
	return c, err
}

// PutCosigned makes durable what is about to be co-signed. It fails with ErrConflict when the log was co-signed at another
// size than from meanwhile: two cosignatures must never contradict each other.
func (d *DB) PutCosigned(ctx context.Context, lease Lease, from int64, c Cosigned) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE cosigned SET vkey = $1, size = $2, root = $3, checkpoint = $4, at_us = $5 WHERE origin = $6 AND size = $7`,
			c.VKey, c.Size, c.Root[:], orEmpty(c.Checkpoint), micros(c.At), c.Origin, from)
		if err != nil || n > 0 {
			return err
		}
		n, err = t.exec(ctx, `INSERT INTO cosigned (origin, vkey, size, root, checkpoint, at_us) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (origin) DO NOTHING`,
			c.Origin, c.VKey, c.Size, c.Root[:], orEmpty(c.Checkpoint), micros(c.At))
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("noting what is co-signed of %s: %w", c.Origin, d.explain(err))
	}
	return nil
}

// SetCheckpoint puts a checkpoint with more signatures in place of the one over the same head.
func (d *DB) SetCheckpoint(ctx context.Context, lease Lease, logNo, size int64, checkpoint []byte) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE head SET checkpoint = $1 WHERE log_no = $2 AND size = $3`, checkpoint, logNo, size)
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping cosignatures of log number %d: %w", logNo, d.explain(err))
	}
	return nil
}

// PutEnough keeps the largest checkpoint of a log that enough witnesses co-signed.
func (d *DB) PutEnough(ctx context.Context, logNo, size int64, checkpoint []byte) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO enough (log_no, size, checkpoint) VALUES ($1, $2, $3)
			ON CONFLICT (log_no) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint WHERE excluded.size > enough.size`, logNo, size, checkpoint)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping a witnessed checkpoint: %w", d.explain(err))
	}
	return nil
}

// Enough returns the largest checkpoint of a log that enough witnesses co-signed; size 0: none.
func (d *DB) Enough(ctx context.Context, logNo int64) (size int64, checkpoint []byte, err error) {
	err = queryRow(ctx, d.truth, `SELECT size, checkpoint FROM enough WHERE log_no = $1`, []any{logNo}, &size, &checkpoint)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("reading a witnessed checkpoint: %w", err)
	}
	return size, checkpoint, nil
}
