package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Draft is an act that the party's officers write, approve and sign on this node.
type Draft struct {
	ID        string
	Agreement string // id; empty for a founding proposal, whose id follows from its words
	Act       string
	State     string // one of the states below
	Revision  int64  // grows with every change: who changes it names the one that was read
	BegunBy   string
	Begun     time.Time
	ChangedBy string
	Changed   time.Time
	Request   []byte // what it says, as JSON
	File      []byte // the fixed words with approvals and signatures; empty while it is written
	Leaf      string // where it was published
}

// The states of a draft.
const (
	DraftWriting   = "writing"   // its words may change
	DraftSigning   = "signing"   // its words are fixed: officers approve and sign
	DraftSubmitted = "submitted" // it is an act in this party's log
)

// ErrMoved says that somebody else changed it since it was read.
var ErrMoved = errors.New("it was changed meanwhile")

const selectDrafts = `SELECT id, agreement, act, state, revision, begun_by, begun_us, changed_by, changed_us, request, file, leaf FROM draft`

// AddDraft keeps a new draft.
func (d *DB) AddDraft(ctx context.Context, f Draft) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		_, err := x.exec(ctx, `INSERT INTO draft (id, agreement, act, state, revision, begun_by, begun_us, changed_by, changed_us, request, file, leaf)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			f.ID, f.Agreement, f.Act, f.State, f.Revision, f.BegunBy, micros(f.Begun), f.ChangedBy, micros(f.Changed), orEmpty(f.Request), orEmpty(f.File), f.Leaf)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping a draft: %w", d.explain(err))
	}
	return nil
}

// ChangeDraft writes a draft that was read as f.Revision, and makes it the next one. It fails with ErrMoved when that is not
// what is kept any more.
func (d *DB) ChangeDraft(ctx context.Context, f Draft) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		n, err := x.exec(ctx, `UPDATE draft SET agreement = $1, state = $2, revision = revision + 1, changed_by = $3, changed_us = $4, request = $5, file = $6, leaf = $7
			WHERE id = $8 AND revision = $9`,
			f.Agreement, f.State, f.ChangedBy, micros(f.Changed), orEmpty(f.Request), orEmpty(f.File), f.Leaf, f.ID, f.Revision)
		if err == nil && n == 0 {
			err = ErrMoved
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("changing draft %s: %w", f.ID, d.explain(err))
	}
	return nil
}

// DropDraft forgets a draft that was read as revision, or fails with ErrMoved.
func (d *DB) DropDraft(ctx context.Context, id string, revision int64) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		n, err := x.exec(ctx, `DELETE FROM draft WHERE id = $1 AND revision = $2`, id, revision)
		if err == nil && n == 0 {
			err = ErrMoved
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("dropping draft %s: %w", id, d.explain(err))
	}
	return nil
}

// Draft returns one, or ErrNotFound.
func (d *DB) Draft(ctx context.Context, id string) (Draft, error) {
	list, err := d.drafts(ctx, selectDrafts+` WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("looking a draft up: %w", ErrNotFound)
	}
	if err != nil {
		return Draft{}, err
	}
	return list[0], nil
}

// Drafts lists drafts, the last changed first, up to limit.
func (d *DB) Drafts(ctx context.Context, limit int) ([]Draft, error) {
	return d.drafts(ctx, selectDrafts+` ORDER BY changed_us DESC, id LIMIT $1`, limit)
}

func (d *DB) drafts(ctx context.Context, query string, args ...any) ([]Draft, error) {
	var out []Draft
	err := queryRows(ctx, d.local, query, args, func(r *sql.Rows) error {
		var f Draft
		var begun, changed int64
		err := r.Scan(&f.ID, &f.Agreement, &f.Act, &f.State, &f.Revision, &f.BegunBy, &begun, &f.ChangedBy, &changed, &f.Request, &f.File, &f.Leaf)
		f.Begun, f.Changed = fromMicros(begun), fromMicros(changed)
		out = append(out, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading drafts: %w", err)
	}
	return out, nil
}

// LocalNews is a number that differs whenever drafts, sightings or sensors have changed since it was last asked for.
func (d *DB) LocalNews(ctx context.Context) (int64, error) {
	var drafts, kept, created, decided int64
	err := queryRow(ctx, d.local, `SELECT COALESCE(max(changed_us), 0), count(*) FROM draft`, nil, &drafts, &kept)
	if err == nil {
		err = queryRow(ctx, d.local, `SELECT COALESCE(max(created_us), 0), COALESCE(max(decided_us), 0) FROM sighting`, nil, &created, &decided)
	}
	if err != nil {
		return 0, fmt.Errorf("looking for what changed here: %w", err)
	}
	var told int64
	if err := queryRow(ctx, d.local, `SELECT COALESCE(max(told_us), 0) FROM sensor`, nil, &told); err != nil {
		return 0, fmt.Errorf("looking for what changed here: %w", err)
	}
	return (drafts + created + decided + told + kept) & (1<<53 - 1), nil // screens read it as a number of JSON
}
