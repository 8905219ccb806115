package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// AuditClass is what the decisions of one row have in common.
type AuditClass struct {
	Hour                         time.Time // when it began
	Exit                         string
	Party, Person                string // who asked; both empty: a stranger
	Agreement, Author, Kind, TLP string // about what
	Allowed                      bool
	Reason                       string
}

// AuditRow counts decisions.
type AuditRow struct {
	AuditClass
	Count       int64
	First, Last time.Time
}

// AuditHour sums an hour's rows.
type AuditHour struct {
	Hour            time.Time
	Rows, Decisions int64
}

const (
	addAudit = `INSERT INTO audit (hour_us, way, party, person, agreement, author, kind, tlp, allowed, reason, count, first_us, last_us)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
	ON CONFLICT (hour_us, way, party, person, agreement, author, kind, tlp, allowed, reason) DO UPDATE SET count = audit.count + excluded.count,
		first_us = CASE WHEN excluded.first_us < audit.first_us THEN excluded.first_us ELSE audit.first_us END,
		last_us = CASE WHEN excluded.last_us > audit.last_us THEN excluded.last_us ELSE audit.last_us END`
	selectAudit = `SELECT hour_us, way, party, person, agreement, author, kind, tlp, allowed, reason, count, first_us, last_us FROM audit`
)

// AddAudit adds counts to the audit table, all of them or none.
func (d *DB) AddAudit(ctx context.Context, rows []AuditRow) error {
	if len(rows) == 0 {
		return nil
	}
	return d.explainedAs("writing the audit table", d.truth.inTx(ctx, func(t *tx) error {
		for _, r := range rows {
			if _, err := t.exec(ctx, addAudit, micros(r.Hour), r.Exit, r.Party, r.Person, r.Agreement, r.Author, r.Kind, r.TLP, flag(r.Allowed), r.Reason,
				r.Count, micros(r.First), micros(r.Last)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// AuditOf returns the rows of one hour, in no order.
func (d *DB) AuditOf(ctx context.Context, hour time.Time) ([]AuditRow, error) {
	return d.auditRows(ctx, ` WHERE hour_us = $1`, micros(hour))
}

// AuditSince returns rows of hours from one on, the newest first, up to limit.
func (d *DB) AuditSince(ctx context.Context, from time.Time, limit int) ([]AuditRow, error) {
	return d.auditRows(ctx, ` WHERE hour_us >= $1 ORDER BY last_us DESC, way, party, person, agreement, author, kind, tlp, allowed, reason LIMIT $2`, micros(from), limit)
}

func (d *DB) auditRows(ctx context.Context, where string, args ...any) (out []AuditRow, err error) {
	err = queryRows(ctx, d.truth, selectAudit+where, args, func(r *sql.Rows) error {
		var a AuditRow
		var hour, allowed, first, last int64
		err := r.Scan(&hour, &a.Exit, &a.Party, &a.Person, &a.Agreement, &a.Author, &a.Kind, &a.TLP, &allowed, &a.Reason, &a.Count, &first, &last)
		a.Hour, a.Allowed, a.First, a.Last = fromMicros(hour), allowed != 0, fromMicros(first), fromMicros(last)
		out = append(out, a)
		return err
	})
	return out, d.explainedAs("reading the audit table", err)
}

// AuditHours lists the hours after one of which the table has rows, the oldest first.
func (d *DB) AuditHours(ctx context.Context, after time.Time) (out []AuditHour, err error) {
	err = queryRows(ctx, d.truth, `SELECT hour_us, count(*), CAST(sum(count) AS BIGINT) FROM audit WHERE hour_us > $1 GROUP BY hour_us ORDER BY hour_us`, []any{micros(after)}, func(r *sql.Rows) error {
		var h AuditHour
		var hour int64
		err := r.Scan(&hour, &h.Rows, &h.Decisions)
		h.Hour = fromMicros(hour)
		out = append(out, h)
		return err
	})
	return out, d.explainedAs("reading the audit table", err)
}

// DropAudit forgets the rows of hours before one.
func (d *DB) DropAudit(ctx context.Context, before time.Time) error {
	return d.explainedAs("forgetting old rows of the audit table", d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM audit WHERE hour_us < $1`, micros(before))
		return err
	}))
}

// explainedAs says what was being done when err came about, or nil.
func (d *DB) explainedAs(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, d.explain(err))
}
