package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// Tombstone says that an object was destroyed.
type Tombstone struct {
	Hash   [32]byte
	At     time.Time
	Issuer string // who ordered it: an officer's key id, or a name
	Reason string
}

// Tombstone returns an object's tombstone, or ErrNotFound.
func (d *DB) Tombstone(ctx context.Context, hash [32]byte) (Tombstone, error) {
	t := Tombstone{Hash: hash}
	var at int64
	err := queryRow(ctx, d.truth, `SELECT at_us, issuer, reason FROM tombstone WHERE hash = $1`, []any{hash[:]}, &at, &t.Issuer, &t.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Tombstone{}, fmt.Errorf("reading the tombstone of object %x: %w", hash[:8], err)
	}
	t.At = fromMicros(at)
	return t, nil
}

// Tombstones lists every tombstone.
func (d *DB) Tombstones(ctx context.Context) ([]Tombstone, error) {
	var out []Tombstone
	err := queryRows(ctx, d.truth, `SELECT hash, at_us, issuer, reason FROM tombstone ORDER BY hash`, nil, func(r *sql.Rows) error {
		var t Tombstone
		var h []byte
		var at int64
		if err := r.Scan(&h, &at, &t.Issuer, &t.Reason); err != nil {
			return err
		}
		t.At = fromMicros(at)
		var err error
		t.Hash, err = toHash(h)
		out = append(out, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing tombstones: %w", err)
	}
	return out, nil
}

// EraseObject destroys the bytes of an object wherever they are and keeps a tombstone. It may be repeated.
//
// On SQLite the freed space is overwritten (secure_delete) and the write-ahead log is emptied afterwards, because it
// still held the old pages. What a file system or a disk copied elsewhere, and earlier backups, are beyond its reach;
// on PostgreSQL the old row version stays until VACUUM and the server's own log is recycled.
func (d *DB) EraseObject(ctx context.Context, lease Lease, ts Tombstone) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		// The lease is held until the end of the transaction, so no row can come after this look.
		seqs, err := d.find(ctx, prefix(ts.Hash))
		if err != nil {
			return err
		}
		for _, seq := range seqs {
			if _, err := t.exec(ctx, `UPDATE object SET bytes = NULL, state = 2 WHERE seq = $1 AND hash = $2`, seq, ts.Hash[:]); err != nil {
				return err
			}
		}
		_, err = t.exec(ctx, `INSERT INTO tombstone (hash, at_us, issuer, reason) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING`,
			ts.Hash[:], micros(ts.At), ts.Issuer, ts.Reason)
		return err
	})
	if err == nil {
		err = d.destroyObjectFile(ts.Hash)
	}
	if err == nil {
		err = d.emptyWAL(ctx)
	}
	if err != nil {
		return fmt.Errorf("erasing object %x: %w", ts.Hash[:8], d.explain(err))
	}
	return nil
}

// destroyObjectFile destroys an object's file, and what is arriving of it.
func (d *DB) destroyObjectFile(hash [32]byte) error {
	return errors.Join(d.destroyFile(d.objectFile(hash)), d.destroyFile(d.arrivingFile(hash)))
}

func (d *DB) destroyFile(name string) error {
	f, err := d.fs.Open(name, true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = overwrite(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := d.fs.Remove(name); err != nil {
		return err
	}
	return d.fs.SyncDir(filepath.Dir(name))
}

func overwrite(f File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := bytes.Repeat([]byte{0}, 1<<16)
	for left := info.Size(); left > 0; left -= int64(len(zeros)) {
		if _, err := f.Write(zeros[:min(left, int64(len(zeros)))]); err != nil {
			return err
		}
	}
	return f.Sync()
}

// emptyWAL moves the write-ahead log into the database and truncates it. A reader in the middle of a query only
// delays the emptying: SQLite then reports busy, and the next erasure or restart finishes it.
func (d *DB) emptyWAL(ctx context.Context) error {
	if d.kind != sqlite {
		return nil
	}
	var busy, pages, moved int64
	return d.truth.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
}
