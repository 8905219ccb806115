package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Keyrings returns the places of a log's keyrings, in order of their serials.
func (d *DB) Keyrings(ctx context.Context, logNo int64) ([]Keyring, error) {
	var out []Keyring
	err := queryRows(ctx, d.truth, `SELECT serial, idx FROM keyring WHERE log_no = $1 ORDER BY serial`, []any{logNo}, func(r *sql.Rows) error {
		var k Keyring
		err := r.Scan(&k.Serial, &k.Index)
		out = append(out, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing keyrings: %w", err)
	}
	return out, nil
}

// Pin is another party's keyring that a person accepted.
type Pin struct {
	Party   string
	Pinned  time.Time
	Keyring []byte // its envelope
}

// PutPin keeps a party's keyring in place of the one before.
func (d *DB) PutPin(ctx context.Context, p Pin) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO pin (party, pinned_us, keyring) VALUES ($1, $2, $3)
			ON CONFLICT (party) DO UPDATE SET pinned_us = excluded.pinned_us, keyring = excluded.keyring`, p.Party, micros(p.Pinned), p.Keyring)
		return err
	})
	if err != nil {
		return fmt.Errorf("pinning the keyring of %s: %w", p.Party, d.explain(err))
	}
	return nil
}

// Pins lists the pinned keyrings by party.
func (d *DB) Pins(ctx context.Context) ([]Pin, error) {
	out, err := d.pins(ctx, ` ORDER BY party`)
	if err != nil {
		return nil, fmt.Errorf("listing pinned keyrings: %w", err)
	}
	return out, nil
}

// Pin returns a party's pinned keyring, or ErrNotFound.
func (d *DB) Pin(ctx context.Context, party string) (Pin, error) {
	out, err := d.pins(ctx, ` WHERE party = $1`, party)
	if err == nil && len(out) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Pin{}, fmt.Errorf("reading the pinned keyring of %s: %w", party, err)
	}
	return out[0], nil
}

func (d *DB) pins(ctx context.Context, which string, args ...any) (out []Pin, err error) {
	err = queryRows(ctx, d.truth, `SELECT party, pinned_us, keyring FROM pin`+which, args, func(r *sql.Rows) error {
		var p Pin
		var pinned int64
		err := r.Scan(&p.Party, &pinned, &p.Keyring)
		p.Pinned = fromMicros(pinned)
		out = append(out, p)
		return err
	})
	return out, err
}
