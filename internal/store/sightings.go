package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Sighting is what detection found of one indicator of one record: it waits, or a person has decided on it.
type Sighting struct {
	ID          string
	Indicator   string // STIX id
	Target      [32]byte
	Agreement   string
	State       string // one of the states below
	Count       int64
	First, Last time.Time // zero: not known
	Created     time.Time
	Decided     time.Time // zero: not yet
	Leaf        string    // of the record that was sent
	Reason      string    // of a refusal
	Sure        int64     // of the surest match, in thousandths
	Evidence    []byte    // that match with its evidence, as JSON; empty: none was given
}

// The states of a sighting.
const (
	SightingWaiting  = "waiting"
	SightingApproved = "approved"
	SightingRefused  = "refused"        // nothing goes out, and nothing is said of the indicator
	SightingFalse    = "false-positive" // what matched is harmless
)

const selectSightings = `SELECT id, indicator, target, agreement, state, count, first_us, last_us, created_us, decided_us, leaf, reason, sure, evidence FROM sighting`

// AddSighting adds what was found. What waits already about the same indicator of the same record takes it in.
func (d *DB) AddSighting(ctx context.Context, s Sighting) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		n, err := x.exec(ctx, `UPDATE sighting SET count = count + $1,
			first_us = CASE WHEN first_us = 0 OR (CAST($2 AS BIGINT) > 0 AND $3 < first_us) THEN $4 ELSE first_us END, last_us = CASE WHEN $5 > last_us THEN $6 ELSE last_us END,
			evidence = CASE WHEN $7 >= sure THEN $8 ELSE evidence END, sure = CASE WHEN $9 > sure THEN $10 ELSE sure END
			WHERE indicator = $11 AND target = $12 AND state = $13`,
			s.Count, micros(s.First), micros(s.First), micros(s.First), micros(s.Last), micros(s.Last), s.Sure, orEmpty(s.Evidence), s.Sure, s.Sure, s.Indicator, s.Target[:], SightingWaiting)
		if err != nil || n > 0 {
			return err
		}
		_, err = x.exec(ctx, `INSERT INTO sighting (id, indicator, target, agreement, state, count, first_us, last_us, created_us, sure, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			s.ID, s.Indicator, s.Target[:], s.Agreement, SightingWaiting, s.Count, micros(s.First), micros(s.Last), micros(s.Created), s.Sure, orEmpty(s.Evidence))
		return err
	})
	if err != nil {
		return fmt.Errorf("adding a sighting: %w", d.explain(err))
	}
	return nil
}

// Sightings lists those in a state, or all where it is empty, the newest first, up to limit.
func (d *DB) Sightings(ctx context.Context, state string, limit int) ([]Sighting, error) {
	return d.sightings(ctx, "listing sightings", ` WHERE state = $1 OR $2 = '' ORDER BY created_us DESC, id LIMIT $3`, state, state, limit)
}

// Sighting returns one, or ErrNotFound.
func (d *DB) Sighting(ctx context.Context, id string) (Sighting, error) {
	list, err := d.sightings(ctx, "looking a sighting up", ` WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("looking a sighting up: %w", ErrNotFound)
	}
	if err != nil {
		return Sighting{}, err
	}
	return list[0], nil
}

func (d *DB) sightings(ctx context.Context, what, where string, args ...any) ([]Sighting, error) {
	var out []Sighting
	err := queryRows(ctx, d.local, selectSightings+where, args, func(r *sql.Rows) error {
		var s Sighting
		var target []byte
		var first, last, created, decided int64
		if err := r.Scan(&s.ID, &s.Indicator, &target, &s.Agreement, &s.State, &s.Count, &first, &last, &created, &decided, &s.Leaf, &s.Reason, &s.Sure, &s.Evidence); err != nil {
			return err
		}
		var err error
		s.Target, err = toHash(target)
		s.First, s.Last, s.Created, s.Decided = fromMicros(first), fromMicros(last), fromMicros(created), fromMicros(decided)
		out = append(out, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}

// SightingsSince lists the sightings that were added after a time, oldest first, up to limit, without their evidence.
func (d *DB) SightingsSince(ctx context.Context, after time.Time, limit int) ([]Sighting, error) {
	var out []Sighting
	err := queryRows(ctx, d.local, `SELECT id, target, agreement, state, created_us FROM sighting WHERE created_us > $1 ORDER BY created_us, id LIMIT $2`, []any{micros(after), limit}, func(r *sql.Rows) error {
		var s Sighting
		var target []byte
		var created int64
		if err := r.Scan(&s.ID, &target, &s.Agreement, &s.State, &created); err != nil {
			return err
		}
		var err error
		s.Target, err = toHash(target)
		s.Created = fromMicros(created)
		out = append(out, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing sightings: %w", err)
	}
	return out, nil
}

// DecideSighting notes what a person decided on one that waits, or fails with ErrNotFound when it waits no more.
func (d *DB) DecideSighting(ctx context.Context, s Sighting) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		n, err := x.exec(ctx, `UPDATE sighting SET state = $1, decided_us = $2, leaf = $3, reason = $4 WHERE id = $5 AND state = $6`,
			s.State, micros(s.Decided), s.Leaf, s.Reason, s.ID, SightingWaiting)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("deciding on sighting %s: %w", s.ID, d.explain(err))
	}
	return nil
}

// Verdicts counts how many sightings of an indicator were approved, and how many a person called a false positive.
func (d *DB) Verdicts(ctx context.Context, indicator string) (confirmed, refused int, err error) {
	err = queryRows(ctx, d.local, `SELECT state, count(*) FROM sighting WHERE indicator = $1 GROUP BY state`, []any{indicator}, func(r *sql.Rows) error {
		var state string
		var n int
		err := r.Scan(&state, &n)
		switch state {
		case SightingApproved:
			confirmed = n
		case SightingFalse:
			refused = n
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("counting verdicts: %w", err)
	}
	return confirmed, refused, err
}

// DecidedSince lists the indicators that a person has decided on after a time.
func (d *DB) DecidedSince(ctx context.Context, after time.Time) (indicators []string, last time.Time, err error) {
	last = after
	err = queryRows(ctx, d.local, `SELECT indicator, decided_us FROM sighting WHERE decided_us > $1 ORDER BY decided_us LIMIT 10000`, []any{micros(after)}, func(r *sql.Rows) error {
		var id string
		var at int64
		err := r.Scan(&id, &at)
		indicators, last = append(indicators, id), fromMicros(at)
		return err
	})
	if err != nil {
		err = fmt.Errorf("listing decided sightings: %w", err)
	}
	return indicators, last, err
}
