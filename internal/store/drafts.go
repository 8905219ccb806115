package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Draft is the row of something that is being written. Its body is the caller's.
type Draft struct {
	ID      string
	Owner   string
	Body    []byte
	Version int64 // from 1, one more at each change
	Updated time.Time
}

const selectDrafts = `SELECT id, owner, body, version, updated_us FROM draft`

// PutDraft adds a draft at version 1, or replaces the version before d.Version. When another version is there it fails with
// ErrConflict: somebody else wrote meanwhile.
func (d *DB) PutDraft(ctx context.Context, draft Draft) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		query := `UPDATE draft SET owner = $2, body = $3, version = $4, updated_us = $5 WHERE id = $1 AND version = $4 - 1`
		if draft.Version == 1 {
			query = `INSERT INTO draft (id, owner, body, version, updated_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`
		}
		n, err := x.exec(ctx, query, draft.ID, draft.Owner, orEmpty(draft.Body), draft.Version, micros(draft.Updated))
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("writing draft %s: %w", draft.ID, d.explain(err))
	}
	return nil
}

// Draft returns a draft, or ErrNotFound.
func (d *DB) Draft(ctx context.Context, id string) (Draft, error) {
	st, err := d.local.reader(ctx, selectDrafts+` WHERE id = $1`)
	if err != nil {
		return Draft{}, fmt.Errorf("reading a draft: %w", err)
	}
	draft, err := scanDraft(st.QueryRowContext(ctx, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Draft{}, fmt.Errorf("reading a draft: %w", err)
	}
	return draft, nil
}

// Drafts lists every draft, newest first.
func (d *DB) Drafts(ctx context.Context) ([]Draft, error) {
	var out []Draft
	err := queryRows(ctx, d.local, selectDrafts+` ORDER BY updated_us DESC, id`, nil, func(r *sql.Rows) error {
		draft, err := scanDraft(r.Scan)
		out = append(out, draft)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing drafts: %w", err)
	}
	return out, nil
}

func scanDraft(scan func(...any) error) (Draft, error) {
	var draft Draft
	var updated int64
	if err := scan(&draft.ID, &draft.Owner, &draft.Body, &draft.Version, &updated); err != nil {
		return draft, err
	}
	draft.Updated = fromMicros(updated)
	return draft, nil
}

// DropDraft removes a draft, or fails with ErrNotFound.
func (d *DB) DropDraft(ctx context.Context, id string) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		n, err := x.exec(ctx, `DELETE FROM draft WHERE id = $1`, id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("removing draft %s: %w", id, d.explain(err))
	}
	return nil
}
