package store

import (
	"bytes"
	"context"
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
	o, err := d.storedAmong(ctx, hash, seqs)
	if err == nil && o.File {
		o.Bytes, err = d.readObjectFile(hash, o.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("reading object %x: %w", hash[:8], err)
	}
	return o.Bytes, nil
}

// StoredObject is an object as it is stored.
type StoredObject struct {
	Bytes []byte // nil of one in a file
	Size  int64
	File  bool // ObjectFile opens it
}

// StoredObject is Object without reading one that is in a file.
func (d *DB) StoredObject(ctx context.Context, hash [32]byte) (StoredObject, error) {
	seqs, err := d.find(ctx, prefix(hash))
	var o StoredObject
	if err == nil {
		o, err = d.storedAmong(ctx, hash, seqs)
	}
	if err != nil {
		return o, fmt.Errorf("reading object %x: %w", hash[:8], err)
	}
	return o, nil
}

func (d *DB) storedAmong(ctx context.Context, hash [32]byte, seqs []int64) (out StoredObject, err error) {
	found, state := false, int64(0)
	err = d.queryIn(ctx, `SELECT hash, state, size, bytes FROM object WHERE seq IN `, seqs, func(r *sql.Rows) error {
		var h, b sql.RawBytes
		var s, n int64
		if err := r.Scan(&h, &s, &n, &b); err != nil {
			return err
		}
		if found || !bytes.Equal(h, hash[:]) {
			return nil
		}
		found, state = true, s
		out = StoredObject{Bytes: bytes.Clone(b), Size: n, File: s == stateFile}
		return nil
	})
	switch {
	case err != nil:
	case !found:
		err = ErrNotFound
	case state == stateErased:
		err = ErrErased
	}
	return out, err
}

func (d *DB) objectFile(hash [32]byte) string {
	name := hex.EncodeToString(hash[:])
	return filepath.Join(d.dir, "objects", name[:2], name)
}

// ObjectFile opens an object that is in a file, whether a row speaks of it or not. The caller checks the hash.
func (d *DB) ObjectFile(hash [32]byte) (File, error) {
	f, err := d.fs.Open(d.objectFile(hash), false)
	if err != nil {
		return nil, fmt.Errorf("opening object %x: %w", hash[:8], d.explain(err))
	}
	return f, nil
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

// SweepOrphans takes object files away that no row names: what a crash left between writing a file and committing its
// row. What may be fetched once more is kept for a while (TakeObjectFile). Only the writer calls it, before it accepts
// entries. It returns how many files went.
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
			name := filepath.Join(root, dir.Name(), f.Name())
			kept, err := d.putBack(ctx, name)
			if err == nil && !kept {
				err = d.fs.Remove(name)
			}
			if err != nil {
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
