package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Log is one log's row.
type Log struct {
	No         int64 // short name inside this store; 0 until stored
	ID         string
	Origin     string
	Author     string // party id of whose log it is when it is followed; empty: this party's own
	Agreement  string
	Generation int64
	Public     bool
	Created    time.Time
	Retired    time.Time // zero while the log accepts entries
}

// Head is the newest committed state of a log.
type Head struct {
	Size       int64
	Serial     int64 // of the keyring in force after the last leaf; 0 before the first
	Fence      int64 // of the lease under which it was committed
	Root       [32]byte
	Frontier   []byte // roots of the maximal complete subtrees, largest first, 32 bytes each
	Checkpoint []byte // signed note
}

const selectLogs = `SELECT no, id, origin, author, agreement, generation, public, created_us, retired_us FROM log`

// Logs lists every log in order of creation.
func (d *DB) Logs(ctx context.Context) ([]Log, error) {
	var out []Log
	err := queryRows(ctx, d.truth, selectLogs+` ORDER BY no`, nil, func(r *sql.Rows) error {
		l, err := scanLog(r.Scan)
		out = append(out, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing logs: %w", err)
	}
	return out, nil
}

// Log returns one log by its id, or ErrNotFound.
func (d *DB) Log(ctx context.Context, id string) (Log, error) {
	st, err := d.truth.reader(ctx, selectLogs+` WHERE id = $1`)
	if err != nil {
		return Log{}, fmt.Errorf("reading log %s: %w", id, err)
	}
	l, err := scanLog(st.QueryRowContext(ctx, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Log{}, fmt.Errorf("log %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return Log{}, fmt.Errorf("reading log %s: %w", id, err)
	}
	return l, nil
}

// LogsNumbered returns those of the numbered logs that there are, with their heads by position.
func (d *DB) LogsNumbered(ctx context.Context, nos []int64) ([]Log, []Head, error) {
	var logs []Log
	var heads []Head
	err := d.queryIn(ctx, `SELECT no, id, origin, author, agreement, generation, public, created_us, retired_us,
		size, serial, fence, root, frontier, checkpoint FROM log JOIN head ON log_no = no WHERE no IN `, nos, func(r *sql.Rows) error {
		var h Head
		var root []byte
		l, err := scanLog(func(dest ...any) error {
			return r.Scan(append(dest, &h.Size, &h.Serial, &h.Fence, &root, &h.Frontier, &h.Checkpoint)...)
		})
		if err != nil {
			return err
		}
		if h.Root, err = toHash(root); err != nil {
			return err
		}
		logs, heads = append(logs, l), append(heads, h)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading logs: %w", err)
	}
	return logs, heads, nil
}

func scanLog(scan func(...any) error) (Log, error) {
	var l Log
	var public, created, retired int64
	err := scan(&l.No, &l.ID, &l.Origin, &l.Author, &l.Agreement, &l.Generation, &public, &created, &retired)
	l.Public = public != 0
	l.Created = fromMicros(created)
	l.Retired = fromMicros(retired)
	return l, err
}

const insertLog = `INSERT INTO log (id, origin, author, agreement, generation, public, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING no`

const insertHead = `INSERT INTO head (log_no, size, serial, fence, root, frontier, checkpoint) VALUES ($1, $2, $3, $4, $5, $6, $7)`

// CreateLog stores a new log with its first head and returns it with its number.
func (d *DB) CreateLog(ctx context.Context, lease Lease, l Log, h Head) (Log, error) {
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		return t.createLog(ctx, lease, &l, h)
	})
	if err != nil {
		return Log{}, fmt.Errorf("creating log %s: %w", l.ID, d.explain(err))
	}
	return l, nil
}

func (t *tx) createLog(ctx context.Context, lease Lease, l *Log, h Head) error {
	row := t.QueryRowContext(ctx, insertLog, l.ID, l.Origin, l.Author, l.Agreement, l.Generation, flag(l.Public), micros(l.Created))
	if err := row.Scan(&l.No); err != nil {
		return err
	}
	_, err := t.exec(ctx, insertHead, l.No, h.Size, h.Serial, lease.Fence, h.Root[:], orEmpty(h.Frontier), orEmpty(h.Checkpoint))
	return err
}

// RetireLog marks a log as ended at the given time.
func (d *DB) RetireLog(ctx context.Context, lease Lease, id string, at time.Time) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE log SET retired_us = $1 WHERE id = $2 AND retired_us = 0`, micros(at), id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("retiring log %s: %w", id, d.explain(err))
	}
	return nil
}

// Head returns the newest committed head of a log.
func (d *DB) Head(ctx context.Context, logNo int64) (Head, error) {
	var h Head
	var root []byte
	err := queryRow(ctx, d.truth, `SELECT size, serial, fence, root, frontier, checkpoint FROM head WHERE log_no = $1`,
		[]any{logNo}, &h.Size, &h.Serial, &h.Fence, &root, &h.Frontier, &h.Checkpoint)
	if errors.Is(err, sql.ErrNoRows) {
		return Head{}, fmt.Errorf("head of log number %d: %w", logNo, ErrNotFound)
	}
	if err != nil {
		return Head{}, fmt.Errorf("reading the head of log number %d: %w", logNo, err)
	}
	if h.Root, err = toHash(root); err != nil {
		return Head{}, fmt.Errorf("reading the head of log number %d: %w", logNo, err)
	}
	return h, nil
}

// Heads returns the heads of all logs, by log number.
func (d *DB) Heads(ctx context.Context) (map[int64]Head, error) {
	out := map[int64]Head{}
	err := queryRows(ctx, d.truth, `SELECT log_no, size, serial, fence, root, frontier, checkpoint FROM head`, nil, func(r *sql.Rows) error {
		var h Head
		var no int64
		var root []byte
		if err := r.Scan(&no, &h.Size, &h.Serial, &h.Fence, &root, &h.Frontier, &h.Checkpoint); err != nil {
			return err
		}
		var err error
		h.Root, err = toHash(root)
		out[no] = h
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading heads: %w", err)
	}
	return out, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func toHash(b []byte) ([32]byte, error) {
	var h [32]byte
	if len(b) != len(h) {
		return h, fmt.Errorf("stored hash has %d bytes, not 32", len(b))
	}
	copy(h[:], b)
	return h, nil
}
