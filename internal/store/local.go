package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Token is an API token's row. The token itself is known only to its holder; here is its SHA-256.
type Token struct {
	ID      string
	Hash    [32]byte
	Name    string
	Scopes  []string // no scope contains a space
	Party   string   // on whose behalf it reads, when it is not this node's own
	Created time.Time
	Expires time.Time // zero: never
	Revoked time.Time // zero: valid
}

const selectTokens = `SELECT id, hash, name, scopes, party, created_us, expires_us, revoked_us FROM token`

// PutToken adds a token.
func (d *DB) PutToken(ctx context.Context, t Token) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		_, err := x.exec(ctx, `INSERT INTO token (id, hash, name, scopes, party, created_us, expires_us, revoked_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			t.ID, t.Hash[:], t.Name, strings.Join(t.Scopes, " "), t.Party, micros(t.Created), micros(t.Expires), micros(t.Revoked))
		return err
	})
	if err != nil {
		return fmt.Errorf("adding token %s: %w", t.ID, d.explain(err))
	}
	return nil
}

// TokenByHash returns the token whose SHA-256 is hash, or ErrNotFound. Expired and revoked ones are returned too.
func (d *DB) TokenByHash(ctx context.Context, hash [32]byte) (Token, error) {
	st, err := d.local.reader(ctx, selectTokens+` WHERE hash = $1`)
	if err != nil {
		return Token{}, fmt.Errorf("looking a token up: %w", err)
	}
	t, err := scanToken(st.QueryRowContext(ctx, hash[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Token{}, fmt.Errorf("looking a token up: %w", err)
	}
	return t, nil
}

// TokenByID returns a token by its id, or ErrNotFound.
func (d *DB) TokenByID(ctx context.Context, id string) (Token, error) {
	st, err := d.local.reader(ctx, selectTokens+` WHERE id = $1`)
	if err != nil {
		return Token{}, fmt.Errorf("looking a token up: %w", err)
	}
	t, err := scanToken(st.QueryRowContext(ctx, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Token{}, fmt.Errorf("looking a token up: %w", err)
	}
	return t, nil
}

// Tokens lists every token, oldest first.
func (d *DB) Tokens(ctx context.Context) ([]Token, error) {
	var out []Token
	err := queryRows(ctx, d.local, selectTokens+` ORDER BY created_us, id`, nil, func(r *sql.Rows) error {
		t, err := scanToken(r.Scan)
		out = append(out, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	return out, nil
}

// RevokeToken ends a token, or fails with ErrNotFound when it is not there or ended already.
func (d *DB) RevokeToken(ctx context.Context, id string, at time.Time) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		n, err := x.exec(ctx, `UPDATE token SET revoked_us = $1 WHERE id = $2 AND revoked_us = 0`, micros(at), id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("revoking token %s: %w", id, d.explain(err))
	}
	return nil
}

func scanToken(scan func(...any) error) (Token, error) {
	var t Token
	var hash []byte
	var scopes string
	var created, expires, revoked int64
	if err := scan(&t.ID, &hash, &t.Name, &scopes, &t.Party, &created, &expires, &revoked); err != nil {
		return t, err
	}
	t.Scopes = strings.Fields(scopes)
	t.Created, t.Expires, t.Revoked = fromMicros(created), fromMicros(expires), fromMicros(revoked)
	var err error
	t.Hash, err = toHash(hash)
	return t, err
}

// Setting returns a setting's value, or ErrNotFound.
func (d *DB) Setting(ctx context.Context, name string) ([]byte, error) {
	var v []byte
	err := queryRow(ctx, d.local, `SELECT value FROM setting WHERE name = $1`, []any{name}, &v)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading setting %q: %w", name, err)
	}
	return v, nil
}

// SetSetting writes a setting.
func (d *DB) SetSetting(ctx context.Context, name string, value []byte) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		_, err := x.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, orEmpty(value))
		return err
	})
	if err != nil {
		return fmt.Errorf("writing setting %q: %w", name, d.explain(err))
	}
	return nil
}
