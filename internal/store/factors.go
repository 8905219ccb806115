package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Factor is what a person signs in with besides a password.
type Factor struct {
	Person  string
	Kind    string // what it is: it says what ID and Data mean
	ID      string // unique with person and kind
	Label   string // what the person calls it
	Data    []byte
	Created time.Time
	Used    time.Time // zero: never
}

const selectFactors = `SELECT person, kind, id, label, data, created_us, used_us FROM factor`

// AddFactor adds a factor; one of the same person, kind and id is replaced.
func (d *DB) AddFactor(ctx context.Context, f Factor) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		_, err := x.exec(ctx, `INSERT INTO factor (person, kind, id, label, data, created_us, used_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (kind, id, person) DO UPDATE SET label = excluded.label, data = excluded.data, created_us = excluded.created_us, used_us = excluded.used_us`,
			f.Person, f.Kind, f.ID, f.Label, f.Data, micros(f.Created), micros(f.Used))
		return err
	})
	if err != nil {
		return fmt.Errorf("writing a factor of %q: %w", f.Person, d.explain(err))
	}
	return nil
}

// UseFactor replaces a factor's data and the time of its use if the data are still those of before, and reports whether
// they were: of two uses at once one does not find them.
func (d *DB) UseFactor(ctx context.Context, f Factor, before []byte) (bool, error) {
	var changed int64
	err := d.local.inTx(ctx, func(x *tx) error {
		var err error
		changed, err = x.exec(ctx, `UPDATE factor SET data = $1, used_us = $2 WHERE kind = $3 AND id = $4 AND person = $5 AND data = $6`,
			f.Data, micros(f.Used), f.Kind, f.ID, f.Person, before)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("noting the use of a factor of %q: %w", f.Person, d.explain(err))
	}
	return changed == 1, nil
}

// Factors lists a person's factors, oldest first.
func (d *DB) Factors(ctx context.Context, person string) ([]Factor, error) {
	return d.factors(ctx, selectFactors+` WHERE person = $1 ORDER BY created_us, kind, id`, person)
}

// FactorsByID lists the factors of a kind and id, whoever's they are.
func (d *DB) FactorsByID(ctx context.Context, kind, id string) ([]Factor, error) {
	return d.factors(ctx, selectFactors+` WHERE kind = $1 AND id = $2 ORDER BY person`, kind, id)
}

func (d *DB) factors(ctx context.Context, query string, args ...any) ([]Factor, error) {
	var out []Factor
	err := queryRows(ctx, d.local, query, args, func(r *sql.Rows) error {
		var f Factor
		var created, used int64
		err := r.Scan(&f.Person, &f.Kind, &f.ID, &f.Label, &f.Data, &created, &used)
		f.Created, f.Used = fromMicros(created), fromMicros(used)
		out = append(out, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing factors: %w", err)
	}
	return out, nil
}

// RemoveFactor removes a person's factor; ErrNotFound when there is none.
func (d *DB) RemoveFactor(ctx context.Context, person, kind, id string) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		gone, err := x.exec(ctx, `DELETE FROM factor WHERE kind = $1 AND id = $2 AND person = $3`, kind, id, person)
		if err == nil && gone == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("removing a factor of %q: %w", person, d.explain(err))
	}
	return nil
}

// RemoveFactors removes all factors of a person and returns how many there were.
func (d *DB) RemoveFactors(ctx context.Context, person string) (int64, error) {
	var gone int64
	err := d.local.inTx(ctx, func(x *tx) error {
		var err error
		gone, err = x.exec(ctx, `DELETE FROM factor WHERE person = $1`, person)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("removing the factors of %q: %w", person, d.explain(err))
	}
	return gone, nil
}
