package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// SmallObject is the largest object, in bytes, that is kept as a row; larger ones are files.
const SmallObject = 64 << 10

const (
	stateRow    int64 = 0
	stateFile   int64 = 1
	stateErased int64 = 2
)

// ErrErased is returned for an object that was destroyed; Tombstone says when and why.
var ErrErased = errors.New("the object was erased")

// Place is where an object belongs.
type Place struct {
	LogNo int64
	Index int64 // -1: an attachment
	Seq   int64 // its place in the order of arrival
}

// queryObject runs "query (…)" with the numbers of the rows that may be the object's; scan compares the whole hash.
func (d *DB) queryObject(ctx context.Context, query string, hash [32]byte, scan func(*sql.Rows) error) error {
	seqs, err := d.find(ctx, prefix(hash))
	if err != nil {
		return err
	}
	return d.queryIn(ctx, query, seqs, scan)
}

// Places returns every log that holds the object, or ErrNotFound.
func (d *DB) Places(ctx context.Context, hash [32]byte) ([]Place, error) {
	var out []Place
	err := d.queryObject(ctx, `SELECT seq, log_no, idx, hash FROM object WHERE seq IN `, hash, func(r *sql.Rows) error {
		var p Place
		var idx sql.NullInt64
		var h sql.RawBytes
		if err := r.Scan(&p.Seq, &p.LogNo, &idx, &h); err != nil {
			return err
		}
		if !bytes.Equal(h, hash[:]) {
			return nil
		}
		p.Index = -1
		if idx.Valid {
			p.Index = idx.Int64
		}
		out = append(out, p)
		return nil
	})
	if err == nil && len(out) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("finding object %x: %w", hash[:8], err)
	}
	return out, nil
}

// Object returns the bytes of an object, ErrErased, or ErrNotFound. The caller checks the hash.
func (d *DB) Object(ctx context.Context, hash [32]byte) ([]byte, error) {
	seqs, err := d.find(ctx, prefix(hash))
	if err != nil {
		return nil, fmt.Errorf("reading object %x: %w", hash[:8], err)
	}
	return d.objectAmong(ctx, hash, seqs)
}

// ObjectAt is Object for one that arrived as the seq-th, which is quicker than finding it by its name.
func (d *DB) ObjectAt(ctx context.Context, seq int64, hash [32]byte) ([]byte, error) {
	return d.objectAmong(ctx, hash, []int64{seq})
}

func (d *DB) objectAmong(ctx context.Context, hash [32]byte, seqs []int64) ([]byte, error) {
	found, state, size := false, int64(0), int64(0)
	var out []byte
	err := d.queryIn(ctx, `SELECT hash, state, size, bytes FROM object WHERE seq IN `, seqs, func(r *sql.Rows) error {
		var h, b sql.RawBytes
		var s, n int64
		if err := r.Scan(&h, &s, &n, &b); err != nil {
			return err
		}
		if found || !bytes.Equal(h, hash[:]) {
			return nil
		}
		found, state, size = true, s, n
		out = bytes.Clone(b)
		return nil
	})
	switch {
	case err != nil:
	case !found:
		err = ErrNotFound
	case state == stateErased:
		err = ErrErased
	case state == stateFile:
		out, err = d.readObjectFile(hash, size)
	}
	if err != nil {
		return nil, fmt.Errorf("reading object %x: %w", hash[:8], err)
	}
	return out, nil
}

func (d *DB) objectFile(hash [32]byte) string {
	name := hex.EncodeToString(hash[:])
	return filepath.Join(d.dir, "objects", name[:2], name)
}

func (d *DB) readObjectFile(hash [32]byte, size int64) ([]byte, error) {
	f, err := d.fs.Open(d.objectFile(hash), false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, err
	}
	return b, nil
}

// PutObjectFile makes a large object durable as a file. It belongs to nothing until a Commit names it; SweepOrphans
// removes it if none ever does.
func (d *DB) PutObjectFile(hash [32]byte, data []byte, unique string) error {
	name := d.objectFile(hash)
	if err := d.makeObjectDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("storing object %x: %w", hash[:8], d.explain(err))
	}
	if err := WriteFile(d.fs, name, data, unique); err != nil {
		return fmt.Errorf("storing object %x: %w", hash[:8], d.explain(err))
	}
	return nil
}

// ErrOtherBytes is returned for bytes that do not hash to the name under which they were to be kept.
var ErrOtherBytes = errors.New("these are other bytes than the object's")

// TakeObjectFile is PutObjectFile for bytes that come from elsewhere and are not trusted: they are written as they come, and kept
// only when they hash to the name. It returns how many they are; ErrOtherBytes when they are others.
func (d *DB) TakeObjectFile(hash [32]byte, r io.Reader, unique string) (size int64, err error) {
	name := d.objectFile(hash)
	err = d.makeObjectDir(filepath.Dir(name))
	if err == nil {
		err = writeFile(d.fs, name, unique, func(w io.Writer) error {
			h := sha256.New()
			if size, err = io.Copy(io.MultiWriter(w, h), r); err == nil && [32]byte(h.Sum(nil)) != hash {
				err = ErrOtherBytes
			}
			return err
		})
	}
	if err != nil {
		return size, fmt.Errorf("storing object %x: %w", hash[:8], d.explain(err))
	}
	return size, nil
}

// makeObjectDir makes the folder and makes its name, and its parent's, durable.
func (d *DB) makeObjectDir(dir string) error {
	if _, err := d.fs.ReadDir(dir); err == nil {
		return nil
	}
	if err := d.fs.MkdirAll(dir); err != nil {
		return err
	}
	if err := d.fs.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return d.fs.SyncDir(d.dir)
}

// SweepOrphans removes object files that no row names: what a crash left between writing a file and committing its
// row. Only the writer calls it, before it accepts entries. It returns how many files went.
func (d *DB) SweepOrphans(ctx context.Context) (int, error) {
	root := filepath.Join(d.dir, "objects")
	dirs, err := d.fs.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking for orphaned objects: %w", err)
	}
	removed := 0
	for _, dir := range dirs {
		files, err := d.fs.ReadDir(filepath.Join(root, dir.Name()))
		if err != nil {
			return removed, fmt.Errorf("looking for orphaned objects: %w", err)
		}
		for _, f := range files {
			keep, err := d.ownsFile(ctx, f.Name())
			if err != nil {
				return removed, err
			}
			if keep {
				continue
			}
			if err := d.fs.Remove(filepath.Join(root, dir.Name(), f.Name())); err != nil {
				return removed, fmt.Errorf("removing an orphaned object: %w", d.explain(err))
			}
			removed++
		}
	}
	return removed, nil
}

func (d *DB) ownsFile(ctx context.Context, name string) (bool, error) {
	if strings.HasSuffix(name, ".tmp") {
		return false, nil
	}
	b, err := hex.DecodeString(name)
	if err != nil || len(b) != 32 {
		return true, nil //nolint:nilerr // a name that is no hash is not ours to judge
	}
	owned := false
	err = d.queryObject(ctx, `SELECT hash, state FROM object WHERE seq IN `, [32]byte(b), func(r *sql.Rows) error {
		var h sql.RawBytes
		var state int64
		if err := r.Scan(&h, &state); err != nil {
			return err
		}
		owned = owned || state == stateFile && bytes.Equal(h, b)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("looking for orphaned objects: %w", err)
	}
	return owned, nil
}
