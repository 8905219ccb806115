package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Person is the row of somebody who signs in to the screens.
type Person struct {
	Name    string   // what the person types to sign in
	Shown   string   // what others see
	Secret  string   // hash of the password; empty: the person cannot sign in by one
	Roles   []string // no role contains a space
	Officer string   // key id under which the person signs; empty: none
	Created time.Time
	Ended   time.Time // zero: may sign in
}

const selectPeople = `SELECT name, shown, secret, roles, officer, created_us, ended_us FROM person`

// PutPerson adds a person, or replaces the one of that name.
func (d *DB) PutPerson(ctx context.Context, p Person) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		_, err := x.exec(ctx, `INSERT INTO person (name, shown, secret, roles, officer, created_us, ended_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (name) DO UPDATE SET shown = excluded.shown, secret = excluded.secret, roles = excluded.roles, officer = excluded.officer, ended_us = excluded.ended_us`,
			p.Name, p.Shown, p.Secret, strings.Join(p.Roles, " "), p.Officer, micros(p.Created), micros(p.Ended))
		return err
	})
	if err != nil {
		return fmt.Errorf("writing person %q: %w", p.Name, d.explain(err))
	}
	return nil
}

// Person returns the person of a name, or ErrNotFound.
func (d *DB) Person(ctx context.Context, name string) (Person, error) {
	st, err := d.local.reader(ctx, selectPeople+` WHERE name = $1`)
	if err != nil {
		return Person{}, fmt.Errorf("looking a person up: %w", err)
	}
	p, err := scanPerson(st.QueryRowContext(ctx, name).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Person{}, fmt.Errorf("looking a person up: %w", err)
	}
	return p, nil
}

// People lists everybody, also those who may no longer sign in, by name.
func (d *DB) People(ctx context.Context) ([]Person, error) {
	var out []Person
	err := queryRows(ctx, d.local, selectPeople+` ORDER BY name`, nil, func(r *sql.Rows) error {
		p, err := scanPerson(r.Scan)
		out = append(out, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing people: %w", err)
	}
	return out, nil
}

func scanPerson(scan func(...any) error) (Person, error) {
	var p Person
	var roles string
	var created, ended int64
	if err := scan(&p.Name, &p.Shown, &p.Secret, &roles, &p.Officer, &created, &ended); err != nil {
		return p, err
	}
	p.Roles, p.Created, p.Ended = strings.Fields(roles), fromMicros(created), fromMicros(ended)
	return p, nil
}

// Session returns the data of a session that has not expired by now, or ErrNotFound.
func (d *DB) Session(ctx context.Context, hash string, now time.Time) ([]byte, error) {
	var data []byte
	err := queryRow(ctx, d.local, `SELECT data FROM session WHERE hash = $1 AND expires_us > $2`, []any{hash, micros(now)}, &data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("looking a session up: %w", err)
	}
	return data, nil
}

// PutSession writes a session and takes those that have expired by now with it.
func (d *DB) PutSession(ctx context.Context, hash string, data []byte, expires, now time.Time) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		if _, err := x.exec(ctx, `DELETE FROM session WHERE expires_us <= $1`, micros(now)); err != nil {
			return err
		}
		_, err := x.exec(ctx, `INSERT INTO session (hash, data, expires_us) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_us = excluded.expires_us`,
			hash, orEmpty(data), micros(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("writing a session: %w", d.explain(err))
	}
	return nil
}

// EndSession removes a session; one that is not there is no error.
func (d *DB) EndSession(ctx context.Context, hash string) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		_, err := x.exec(ctx, `DELETE FROM session WHERE hash = $1`, hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("ending a session: %w", d.explain(err))
	}
	return nil
}
