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
	Recipients string // names the set of seal keys that have it
	Commitment string // hexadecimal, as in the epoch record
	Sealed     []byte
}

// PutEpochKey keeps a sealed epoch key; a step that is there already is left as it is.
func (d *DB) PutEpochKey(ctx context.Context, k EpochKey) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO epoch_key (log_no, epoch, step, created_us, recipients, commitment, sealed)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (log_no, epoch, step) DO NOTHING`,
			k.LogNo, k.Epoch, k.Step, micros(k.Created), k.Recipients, k.Commitment, k.Sealed)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the key of epoch %s: %w", k.Epoch, d.explain(err))
	}
	return nil
}

// EpochKey returns one step's key, or ErrNotFound.
func (d *DB) EpochKey(ctx context.Context, logNo int64, epoch string, step int64) (EpochKey, error) {
	k := EpochKey{LogNo: logNo, Epoch: epoch, Step: step}
	var created int64
	err := queryRow(ctx, d.truth, `SELECT created_us, recipients, commitment, sealed FROM epoch_key WHERE log_no = $1 AND epoch = $2 AND step = $3`,
		[]any{logNo, epoch, step}, &created, &k.Recipients, &k.Commitment, &k.Sealed)
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
	err := queryRows(ctx, d.truth, `SELECT epoch, step, created_us, recipients, commitment, sealed FROM epoch_key WHERE log_no = $1 ORDER BY created_us, epoch, step`,
		[]any{logNo}, func(r *sql.Rows) error {
			k := EpochKey{LogNo: logNo}
			var created int64
			if err := r.Scan(&k.Epoch, &k.Step, &created, &k.Recipients, &k.Commitment, &k.Sealed); err != nil {
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
