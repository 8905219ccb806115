package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrLeaseHeld is returned when another writer's lease has not expired.
var ErrLeaseHeld = errors.New("another process is the writer")

// ErrLeaseLost is returned when a write finds that its lease was taken over or has expired.
var ErrLeaseLost = errors.New("the writer's lease is lost: another process may be writing")

// Lease is the right to write, as its holder knows it. Fence grows by one each time the lease changes hands.
type Lease struct {
	Holder string
	Fence  int64
}

// TakeLease takes the writer's lease for ttl by the database's clock. It fails with ErrLeaseHeld while another
// holder's lease runs, unless force says that the holder is known to be dead.
func (d *DB) TakeLease(ctx context.Context, holder string, ttl time.Duration, force bool) (Lease, error) {
	l := Lease{Holder: holder}
	err := d.truth.inTx(ctx, func(t *tx) error {
		row := t.QueryRowContext(ctx, `UPDATE lease SET holder = $1, fence = fence + 1,
			expires_us = (SELECT now_us FROM clock) + $2
			WHERE name = 'writer' AND ($3 = 1 OR expires_us <= (SELECT now_us FROM clock)) RETURNING fence`,
			holder, ttl.Microseconds(), flag(force))
		err := row.Scan(&l.Fence)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrLeaseHeld
		}
		return err
	})
	if err != nil {
		return Lease{}, fmt.Errorf("taking the writer's lease: %w", d.explain(err))
	}
	return l, nil
}

// RenewLease extends a lease that is still ours, or fails with ErrLeaseLost. A lease that has run out but was taken
// by nobody is still ours: the fence number tells.
func (d *DB) RenewLease(ctx context.Context, l Lease, ttl time.Duration) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE lease SET expires_us = (SELECT now_us FROM clock) + $1
			WHERE name = 'writer' AND holder = $2 AND fence = $3`, ttl.Microseconds(), l.Holder, l.Fence)
		if err == nil && n == 0 {
			err = ErrLeaseLost
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("renewing the writer's lease: %w", d.explain(err))
	}
	return nil
}

// DropLease ends a lease at once, so that the next writer need not wait. Dropping one that is lost does nothing.
func (d *DB) DropLease(ctx context.Context, l Lease) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `UPDATE lease SET expires_us = 0 WHERE name = 'writer' AND holder = $1 AND fence = $2`, l.Holder, l.Fence)
		return err
	})
	if err != nil {
		return fmt.Errorf("giving the writer's lease back: %w", d.explain(err))
	}
	return nil
}

// holdLease locks the lease's row for the rest of the transaction, so that nobody can take it over in between. On
// SQLite reading it is enough, because a writing transaction locks the whole database when it begins.
var holdLease = [2]string{
	sqlite:   selectLease,
	postgres: selectLease + ` FOR UPDATE OF lease`,
}

const selectLease = `SELECT lease.fence FROM lease WHERE name = 'writer' AND holder = $1 AND fence = $2
	AND expires_us > (SELECT now_us FROM clock)`

// holds fails with ErrLeaseLost unless the lease is still ours, inside this transaction.
func (t *tx) holds(ctx context.Context, l Lease) error {
	st, err := t.stmt(ctx, holdLease[t.c.kind])
	if err != nil {
		return fmt.Errorf("checking the writer's lease: %w", err)
	}
	defer func() { _ = st.Close() }()
	var fence int64
	err = st.QueryRowContext(ctx, l.Holder, l.Fence).Scan(&fence)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("checking the writer's lease: %w", err)
	}
	return nil
}
