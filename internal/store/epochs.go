package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// EpochKey is one step of an epoch's key, sealed by its owner before it comes here.
type EpochKey struct {
	LogNo      int64
	Epoch      string
	Step       int64
	Created    time.Time
	Chain      string // of an own log: which audience's epochs it belongs to; empty in a followed one
	Audience   []byte // JSON of the audience; empty: all members, or it stands with the epoch's first step
	Commitment string // hexadecimal, as in the epoch record
	Sealed     []byte
}

// EpochGift says that a seal key was given an epoch of an own log, from a step on.
type EpochGift struct {
	Epoch string
	Key   string
	Step  int64
	Wrap  [32]byte // the object that the key came in
	Lost  bool     // that object is not here any more
}

// PutEpochKey keeps a sealed epoch key, and to whom it was given. A step that is there already gets the new seal when it is
// the same key; a gift replaces a later or a lost one.
func (d *DB) PutEpochKey(ctx context.Context, k EpochKey, gifts ...EpochGift) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO epoch_key (log_no, epoch, step, created_us, chain, audience, commitment, sealed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (log_no, epoch, step) DO UPDATE SET sealed = excluded.sealed,
			chain = CASE WHEN epoch_key.chain = '' THEN excluded.chain ELSE epoch_key.chain END
			WHERE epoch_key.commitment = excluded.commitment`,
			k.LogNo, k.Epoch, k.Step, micros(k.Created), k.Chain, orEmpty(k.Audience), k.Commitment, k.Sealed)
		for i := 0; i < len(gifts) && err == nil; i++ {
			g := gifts[i]
			_, err = t.exec(ctx, `INSERT INTO epoch_given (log_no, epoch, key_id, step, wrap, lost) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (log_no, epoch, key_id) DO UPDATE SET step = excluded.step, wrap = excluded.wrap, lost = excluded.lost
				WHERE excluded.step < epoch_given.step OR epoch_given.lost = 1 AND excluded.step <= epoch_given.step`,
				k.LogNo, g.Epoch, g.Key, g.Step, g.Wrap[:], flag(g.Lost))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the key of epoch %s: %w", k.Epoch, d.explain(err))
	}
	return nil
}

// SetEpochChain notes which audience's epochs an epoch of an own log belongs to.
func (d *DB) SetEpochChain(ctx context.Context, logNo int64, epoch, chain string) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `UPDATE epoch_key SET chain = $1 WHERE log_no = $2 AND epoch = $3`, chain, logNo, epoch)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the audience of epoch %s: %w", epoch, d.explain(err))
	}
	return nil
}

// EpochKey returns one step's key, or ErrNotFound.
func (d *DB) EpochKey(ctx context.Context, logNo int64, epoch string, step int64) (EpochKey, error) {
	k := EpochKey{LogNo: logNo, Epoch: epoch, Step: step}
	var created int64
	err := queryRow(ctx, d.truth, `SELECT created_us, chain, audience, commitment, sealed FROM epoch_key WHERE log_no = $1 AND epoch = $2 AND step = $3`,
		[]any{logNo, epoch, step}, &created, &k.Chain, &k.Audience, &k.Commitment, &k.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return EpochKey{}, fmt.Errorf("reading the key of epoch %s: %w", epoch, err)
	}
	k.Created = fromMicros(created)
	return k, nil
}

// EpochKeys lists the keys of one log, oldest first.
func (d *DB) EpochKeys(ctx context.Context, logNo int64) ([]EpochKey, error) {
	var out []EpochKey
	err := queryRows(ctx, d.truth, `SELECT epoch, step, created_us, chain, audience, commitment, sealed FROM epoch_key WHERE log_no = $1 ORDER BY created_us, epoch, step`,
		[]any{logNo}, func(r *sql.Rows) error {
			k := EpochKey{LogNo: logNo}
			var created int64
			if err := r.Scan(&k.Epoch, &k.Step, &created, &k.Chain, &k.Audience, &k.Commitment, &k.Sealed); err != nil {
				return err
			}
			k.Created = fromMicros(created)
			out = append(out, k)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("listing epoch keys: %w", err)
	}
	return out, nil
}

// EpochGifts lists who was given the epochs of an own log.
func (d *DB) EpochGifts(ctx context.Context, logNo int64) ([]EpochGift, error) {
	var out []EpochGift
	err := queryRows(ctx, d.truth, `SELECT epoch, key_id, step, wrap, lost FROM epoch_given WHERE log_no = $1 ORDER BY epoch, key_id`,
		[]any{logNo}, func(r *sql.Rows) error {
			var g EpochGift
			var wrap []byte
			var lost int64
			err := r.Scan(&g.Epoch, &g.Key, &g.Step, &wrap, &lost)
			if err == nil {
				g.Lost = lost == 1
				g.Wrap, err = toHash(wrap)
			}
			out = append(out, g)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("listing who was given epochs: %w", err)
	}
	return out, nil
}

// WantedWrap is a wrap that an epoch record of a followed log names and that has not come.
type WantedWrap struct {
	Hash  [32]byte
	Index int64 // leaf of the epoch record
	Tries int64
	Due   time.Time // when to ask again
}

// WantedWraps lists the wraps of a followed log that have not come, those that are due first.
func (d *DB) WantedWraps(ctx context.Context, logNo int64, limit int) ([]WantedWrap, error) {
	var out []WantedWrap
	err := queryRows(ctx, d.truth, `SELECT hash, idx, tries, due_us FROM wrap_wanted WHERE log_no = $1 ORDER BY due_us, idx, hash LIMIT $2`,
		[]any{logNo, limit}, func(r *sql.Rows) error {
			var w WantedWrap
			var hash []byte
			var due int64
			err := r.Scan(&hash, &w.Index, &w.Tries, &due)
			if err == nil {
				w.Due = fromMicros(due)
				w.Hash, err = toHash(hash)
			}
			out = append(out, w)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("listing the wraps of log number %d that have not come: %w", logNo, err)
	}
	return out, nil
}

const putWanted = `INSERT INTO wrap_wanted (log_no, hash, idx, tries, due_us) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (log_no, hash) DO UPDATE SET tries = excluded.tries, due_us = excluded.due_us`

// noteWraps keeps which wraps are wanted and forgets those that are not any more.
func (t *tx) noteWraps(ctx context.Context, k Taking) error {
	for _, w := range k.Wanted {
		if _, err := t.exec(ctx, putWanted, k.LogNo, w.Hash[:], w.Index, w.Tries, micros(w.Due)); err != nil {
			return err
		}
	}
	for _, h := range k.Unwanted {
		if _, err := t.exec(ctx, `DELETE FROM wrap_wanted WHERE log_no = $1 AND hash = $2`, k.LogNo, h[:]); err != nil {
			return err
		}
	}
	return nil
}

// WantWraps asks for wraps of a followed log anew, with their next round.
func (d *DB) WantWraps(ctx context.Context, logNo int64, wraps []WantedWrap) error {
	err := d.truth.inTx(ctx, func(t *tx) error { return t.noteWraps(ctx, Taking{LogNo: logNo, Wanted: wraps}) })
	if err != nil {
		return fmt.Errorf("asking for wraps again: %w", d.explain(err))
	}
	return nil
}
