package store

import (
	"context"
	"errors"
	"fmt"
)

const (
	moveIndexed = `UPDATE ix_log SET size = $1 WHERE no = $2 AND size = $3`
	putParty    = `INSERT INTO ix_party (id, no, names) VALUES ($1, $2, $3)
	ON CONFLICT (id) DO UPDATE SET no = excluded.no, names = excluded.names WHERE excluded.no >= ix_party.no`
	putKey = `INSERT INTO ix_key (log_no, id, party, role, names, no, revoked) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (log_no, id) DO UPDATE SET role = CASE WHEN excluded.role = '' THEN ix_key.role ELSE excluded.role END,
		names = CASE WHEN excluded.role = '' THEN ix_key.names ELSE excluded.names END, revoked = excluded.revoked`
)

// Write adds the leaves [from, to) of a log in one transaction; the batch is those of them that can be said anything
// about, and placings where STIX objects stand in collections from now on. It fails with ErrBehindIndex when the log is
// indexed to another place than from.
func (x *Index) Write(ctx context.Context, logNo, from, to int64, b *Batch, placings ...Placing) error {
	if err := x.warmWrite(ctx); err != nil {
		return err
	}
	return x.writing(ctx, "writing the index", func(t *tx) error {
		if err := moveWatermark(ctx, t, logNo, from, to); err != nil {
			return err
		}
		return b.write(ctx, t, placings)
	})
}

// Add writes entries of leaves that are indexed already but had no object then, or were sealed to others. One that is here
// otherwise is left as it is.
func (x *Index) Add(ctx context.Context, entries []IndexEntry, placings ...Placing) error {
	if err := x.warmWrite(ctx); err != nil {
		return err
	}
	return x.writing(ctx, "writing the index", func(t *tx) error {
		var fresh []IndexEntry
		for i := range entries {
			if entries[i].Standing != StandingSealed {
				if _, err := t.exec(ctx, `DELETE FROM ix_record WHERE no = $1 AND form IN (SELECT no FROM ix_form WHERE standing = $2)`, entries[i].No, StandingSealed); err != nil {
					return err
				}
			}
			var n int64
			if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM ix_record WHERE no = $1`, entries[i].No).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				fresh = append(fresh, entries[i])
			}
		}
		return Prepare(fresh).write(ctx, t, placings)
	})
}

func moveWatermark(ctx context.Context, t *tx, logNo, from, to int64) error {
	if from == 0 {
		if _, err := t.exec(ctx, `INSERT INTO ix_log (no, size) VALUES ($1, 0) ON CONFLICT (no) DO NOTHING`, logNo); err != nil {
			return err
		}
	}
	n, err := t.exec(ctx, moveIndexed, to, logNo, from)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("log number %d at %d: %w", logNo, from, ErrBehindIndex)
	}
	return nil
}

// learnKeyring keeps a keyring's names and keys, and takes back the standing of what a revoked key signed.
func learnKeyring(ctx context.Context, t *tx, e *IndexEntry) error {
	k := e.Keyring
	if k == nil {
		return nil
	}
	if _, err := t.exec(ctx, putParty, k.Party, e.No, k.Names); err != nil {
		return fmt.Errorf("a party: %w", err)
	}
	for _, key := range k.Keys {
		if _, err := t.exec(ctx, putKey, e.LogNo, key.ID, k.Party, key.Role, key.Names, e.No, key.Revoked); err != nil {
			return fmt.Errorf("a key: %w", err)
		}
		if !key.Distrusted {
			continue
		}
		if err := distrust(ctx, t, e.LogNo, key); err != nil {
			return fmt.Errorf("what a revoked key signed: %w", err)
		}
	}
	return nil
}

// distrust takes the standing of records that a revoked key signed. It is rare, and reads the whole log's rows.
func distrust(ctx context.Context, t *tx, logNo int64, key IndexKey) error {
	const those = ` log_no = $1 AND idx >= $2 AND kind <> 'keyring' AND standing = 'valid' AND (officer = $3 OR signers LIKE '%' || $4 || '%')`
	rows, err := t.QueryContext(ctx, `SELECT no FROM ix_entry WHERE`+those, logNo, key.Revoked, key.ID, key.ID)
	if err != nil {
		return err
	}
	var nos []int64
	for rows.Next() {
		var no int64
		if err := rows.Scan(&no); err != nil {
			_ = rows.Close()
			return err
		}
		nos = append(nos, no)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, no := range nos {
		if err := discount(ctx, t, no); err != nil {
			return err
		}
		if err := restand(ctx, t, no, StandingNotVouched); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM ix_place WHERE no = $1`, no); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) warmWrite(ctx context.Context) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.c == nil || x.readOnly {
		return nil // writing says so
	}
	if err := x.c.warm(ctx, moveIndexed, addTally, findTally, addBucket, putSegment, putBlock, countFresh, nextBlocks); err != nil {
		return err
	}
	for _, in := range []*inserter{ixRecordInsert, ixServesInsert, ixPackInsert, ixRefInsert, ixAnswerInsert, ixSTIXInsert, ixPlaceInsert, ixFormInsert, freshInsert, handleInsert, findFresh, findHandle, findCounted, findAnswers} {
		if err := x.c.warm(ctx, in.of(x.db.kind)[:]...); err != nil {
			return err
		}
	}
	return nil
}
