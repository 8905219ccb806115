package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Erase takes out of the index everything that came from a record's contents, at once, and leaves that its place was
// erased. words are the terms with which it was written, part by part. It may be repeated. A record that is not
// indexed is no error.
//
// On SQLite deleted rows are overwritten and the write-ahead log is emptied; on PostgreSQL old
// row versions stay until VACUUM, as in the truth scope.
func (x *Index) Erase(ctx context.Context, no int64, words []string) error {
	err := x.writing(ctx, "erasing from the index", func(t *tx) error {
		var parts int64
		err := t.QueryRowContext(ctx, `SELECT parts FROM ix_record WHERE no = $1`, no).Scan(&parts)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if parts > 0 && parts != int64(len(words)) {
			return fmt.Errorf("the record has %d parts of text, %d were given", parts, len(words))
		}
		for part, terms := range words[:parts] {
			if err := eraseText(ctx, t, no*textParts+int64(part), termSet(terms)); err != nil {
				return fmt.Errorf("full text: %w", err)
			}
		}
		if err := discount(ctx, t, no); err != nil {
			return err
		}
		for _, table := range []string{"ix_ref", "ix_change", "ix_act", "ix_place", "ix_stix"} {
			if _, err := t.ExecContext(ctx, "DELETE FROM "+table+" WHERE no = $1", no); err != nil {
				return err
			}
		}
		_, err = t.exec(ctx, `UPDATE ix_record SET standing = $1, sealed = 0, id = '', kind = '', agreement = '', author = '', officer = '', signers = '',
			time_us = 0, expires_us = 0, tlp = '', pap = '', parties = '', persons = '', parts = 0 WHERE no = $2`, StandingErased, no)
		return err
	})
	if err != nil {
		return err
	}
	return x.emptyWAL(ctx)
}

func termSet(words string) map[string]bool {
	set := map[string]bool{}
	for term := range strings.FieldsSeq(words) {
		set[term] = true
	}
	return set
}

// discount takes a record out of what commitments are served by.
func discount(ctx context.Context, t *tx, no int64) error {
	// The primary key begins with these two columns of the record's row, which keeps the search to its agreement.
	rows, err := t.QueryContext(ctx, `SELECT s.agreement, s.label, s.kind FROM ix_record r
		JOIN ix_tally y ON y.agreement = r.agreement AND y.kind = r.kind
		JOIN ix_serves s ON s.agreement = y.agreement AND s.label = y.label AND s.kind = y.kind AND s.time_us = r.time_us AND s.no = r.no
		WHERE r.no = $1`, no)
	if err != nil {
		return err
	}
	var served []tallyKey
	for rows.Next() {
		var k tallyKey
		if err := rows.Scan(&k.agreement, &k.label, &k.kind); err != nil {
			_ = rows.Close()
			return err
		}
		served = append(served, k)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, k := range served {
		if _, err := t.exec(ctx, `UPDATE ix_tally SET count = count - 1 WHERE agreement = $1 AND label = $2 AND kind = $3`, k.agreement, k.label, k.kind); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM ix_serves WHERE agreement = $1 AND label = $2 AND kind = $3 AND no = $4
			AND time_us = (SELECT time_us FROM ix_record WHERE no = $4)`, k.agreement, k.label, k.kind, no); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM ix_tally WHERE agreement = $1 AND label = $2 AND kind = $3 AND count <= 0`, k.agreement, k.label, k.kind); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) emptyWAL(ctx context.Context) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.path == "" || x.c == nil {
		return nil
	}
	var busy, pages, moved int64
	if err := x.c.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("erasing from the index: %w", err)
	}
	return nil
}
