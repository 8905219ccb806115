package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Evidence is a portable proof that a party signed two histories of one log. Nothing is done with it until a person
// decides: a bad restore is no crime.
type Evidence struct {
	ID        string // of the file's bytes
	LogID     string
	Party     string
	Found     time.Time
	Published time.Time // zero: it stays here
	File      []byte
}

// PutEvidence keeps a proof; one that is here already is left as it is. It reports whether it is new.
func (d *DB) PutEvidence(ctx context.Context, e Evidence) (fresh bool, err error) {
	err = d.truth.inTx(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO evidence (id, log_id, party, found_us, file) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
			e.ID, e.LogID, e.Party, micros(e.Found), e.File)
		fresh = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keeping evidence against log %s: %w", e.LogID, d.explain(err))
	}
	return fresh, nil
}

// PublishEvidence notes that a person published a proof, or returns ErrNotFound.
func (d *DB) PublishEvidence(ctx context.Context, id string, at time.Time) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE evidence SET published_us = $1 WHERE id = $2`, micros(at), id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("noting that evidence %s is published: %w", id, d.explain(err))
	}
	return nil
}

// Evidence lists all proofs, oldest first.
func (d *DB) Evidence(ctx context.Context) ([]Evidence, error) {
	var out []Evidence
	err := queryRows(ctx, d.truth, selectEvidence+` ORDER BY found_us, id`, nil, func(r *sql.Rows) error {
		e, err := scanEvidence(r.Scan)
		out = append(out, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing evidence: %w", err)
	}
	return out, nil
}

const selectEvidence = `SELECT id, log_id, party, found_us, published_us, file FROM evidence`

// EvidenceByID returns one proof, or ErrNotFound.
func (d *DB) EvidenceByID(ctx context.Context, id string) (Evidence, error) {
	st, err := d.truth.reader(ctx, selectEvidence+` WHERE id = $1`)
	if err != nil {
		return Evidence{}, fmt.Errorf("reading evidence %s: %w", id, err)
	}
	e, err := scanEvidence(st.QueryRowContext(ctx, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Evidence{}, fmt.Errorf("reading evidence %s: %w", id, err)
	}
	return e, nil
}

func scanEvidence(scan func(...any) error) (Evidence, error) {
	var e Evidence
	var found, published int64
	err := scan(&e.ID, &e.LogID, &e.Party, &found, &published, &e.File)
	e.Found, e.Published = fromMicros(found), fromMicros(published)
	return e, err
}
