package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// PutTAXIIStatus keeps what became of a request until a time, instead of what was said before, and forgets what nobody is promised any more.
func (d *DB) PutTAXIIStatus(ctx context.Context, id, caller string, now, until time.Time, body []byte) error {
	err := d.local.inTx(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, `DELETE FROM taxii_status WHERE kept_us < $1`, micros(now)); err != nil {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO taxii_status (id, caller, kept_us, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET body = excluded.body`, id, caller, micros(until), body)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping a TAXII status: %w", d.explain(err))
	}
	return nil
}

// TAXIIStatus returns the status of a request that a caller made, or ErrNotFound.
func (d *DB) TAXIIStatus(ctx context.Context, id, caller string, now time.Time) (body []byte, err error) {
	err = queryRow(ctx, d.local, `SELECT body FROM taxii_status WHERE id = $1 AND caller = $2 AND kept_us >= $3`, []any{id, caller, micros(now)}, &body)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("looking a TAXII status up: %w", err)
	}
	return body, nil
}

// Feed returns how far a feed was read and what became of its last run; both empty for a new one.
func (d *DB) Feed(ctx context.Context, name string) (cursor, state []byte, err error) {
	err = queryRow(ctx, d.local, `SELECT cursor, state FROM feed WHERE name = $1`, []any{name}, &cursor, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading feed %s: %w", name, err)
	}
	return cursor, state, nil
}

// PutFeed keeps how far a feed was read and what became of its last run.
func (d *DB) PutFeed(ctx context.Context, name string, cursor, state []byte) error {
	err := d.local.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO feed (name, cursor, state) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor, state = excluded.state`, name, orEmpty(cursor), orEmpty(state))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping feed %s: %w", name, d.explain(err))
	}
	return nil
}
