package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// A large object that is fetched stands in arriving/HASH until it is whole: a line that breaks, and a kill of this process, cost
// what was under way and not what had come. What stands there is not trusted; it is hashed from its first byte on before it
// becomes an object.

const (
	// Of what waits in arriving the oldest goes when there are more files or bytes than these, and what nobody went on with for
	// arrivingFor.
	maxArriving      = 256
	maxArrivingBytes = 1 << 30
	arrivingFor      = 7 * 24 * time.Hour
)

// ErrOtherBytes is returned for bytes that do not hash to the name under which they were to be kept.
var ErrOtherBytes = errors.New("these are other bytes than the object's")

// From opens the bytes of an object from a place on. Where they really begin is from: have, or 0 when the host gives it only
// whole.
type From func(have int64) (r io.ReadCloser, from int64, err error)

// arrivals says which objects are being written just now.
type arrivals struct {
	mu     sync.Mutex // guards hashes
	hashes map[[32]byte]bool
}

// begin says whether nobody else writes the object; then end must be called.
func (a *arrivals) begin(hash [32]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hashes[hash] {
		return false
	}
	if a.hashes == nil {
		a.hashes = map[[32]byte]bool{}
	}
	a.hashes[hash] = true
	return true
}

func (a *arrivals) end(hash [32]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.hashes, hash)
}

func (a *arrivals) writing(name string) bool {
	b, err := hex.DecodeString(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	return err == nil && len(b) == 32 && a.hashes[[32]byte(b)]
}

func (d *DB) arrivingDir() string { return filepath.Join(d.dir, "arriving") }

func (d *DB) arrivingFile(hash [32]byte) string {
	return filepath.Join(d.arrivingDir(), hex.EncodeToString(hash[:]))
}

// Arrived is how many bytes of a large object are on the disk, of which no row may speak yet.
func (d *DB) Arrived(hash [32]byte) int64 {
	for _, name := range []string{d.objectFile(hash), d.arrivingFile(hash)} {
		if f, err := d.fs.Open(name, false); err == nil {
			info, err := f.Stat()
			_ = f.Close()
			if err == nil && info.Size() > 0 {
				return info.Size()
			}
		}
	}
	return 0
}

// TakeObjectFile makes a large object of at most limit bytes durable as a file, like PutObjectFile, from bytes that come from
// elsewhere and are not trusted: they are written as they come, after those that came before, and become an object when all of
// them hash to its name. It returns how many there are then, and ErrOtherBytes when they are others; after another error what
// came is kept to go on from.
func (d *DB) TakeObjectFile(hash [32]byte, limit int64, unique string, open From) (size int64, err error) {
	if d.arriving.begin(hash) {
		defer d.arriving.end(hash)
		size, err = d.arrive(hash, limit, open)
	} else { // somebody else fetches it just now, perhaps of a host that is slow
		size, err = d.takeWhole(hash, limit, unique, open)
	}
	if err != nil {
		return size, fmt.Errorf("storing object %x: %w", hash[:8], d.explain(err))
	}
	return size, nil
}

func (d *DB) arrive(hash [32]byte, limit int64, open From) (int64, error) {
	if size, err := d.hashFile(d.objectFile(hash), hash); err == nil {
		return size, nil // it came before, and was not told of
	}
	f, err := d.openArriving(hash)
	if err != nil {
		return 0, err
	}
	size, err := fill(f, hash, limit, open)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		if errors.Is(err, ErrOtherBytes) || size == 0 {
			_ = d.fs.Remove(d.arrivingFile(hash))
		}
		return size, err
	}
	return size, d.settle(hash)
}

// fill appends what is missing to f, which may hold the beginning of the object, or what somebody took for it.
func fill(f File, hash [32]byte, limit int64, open From) (size int64, err error) {
	for {
		sum := sha256.New()
		have, err := io.Copy(sum, f)
		if err != nil {
			return have, err
		}
		if have > limit {
			have = 0
			if sum, err = sha256.New(), rewind(f); err != nil {
				return 0, err
			}
		}
		if have > 0 && [32]byte(sum.Sum(nil)) == hash {
			return have, nil
		}
		r, from, err := open(have)
		if err != nil {
			return have, err
		}
		if from != have {
			have = 0
			sum.Reset()
			if err := rewind(f); err != nil {
				return 0, errors.Join(err, r.Close())
			}
		}
		n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, limit-have+1))
		if closed := r.Close(); err == nil {
			err = closed
		}
		switch {
		case err != nil:
			return have + n, err
		case [32]byte(sum.Sum(nil)) == hash && have+n <= limit:
			return have + n, nil
		case have == 0:
			return n, ErrOtherBytes
		}
		// Whoever gave the beginning may be another one than who gave the rest: the rest's host is asked for all of it.
		if err := rewind(f); err != nil {
			return 0, err
		}
	}
}

// rewind empties a file.
func rewind(f File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// settle gives an object that has come, and is on the disk, its place.
func (d *DB) settle(hash [32]byte) error {
	name := d.objectFile(hash)
	if err := d.makeObjectDir(filepath.Dir(name)); err != nil {
		return err
	}
	if err := d.fs.Rename(d.arrivingFile(hash), name); err != nil {
		return err
	}
	return d.fs.SyncDir(filepath.Dir(name))
}

// takeWhole writes an object beside the one who goes on with its beginning.
func (d *DB) takeWhole(hash [32]byte, limit int64, unique string, open From) (size int64, err error) {
	name := d.objectFile(hash)
	if err := d.makeObjectDir(filepath.Dir(name)); err != nil {
		return 0, err
	}
	r, from, err := open(0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close() }()
	if from != 0 {
		return 0, ErrOtherBytes
	}
	err = writeFile(d.fs, name, unique, func(w io.Writer) error {
		sum := sha256.New()
		if size, err = io.Copy(io.MultiWriter(w, sum), io.LimitReader(r, limit+1)); err == nil && ([32]byte(sum.Sum(nil)) != hash || size > limit) {
			err = ErrOtherBytes
		}
		return err
	})
	return size, err
}

func (d *DB) hashFile(name string, hash [32]byte) (int64, error) {
	f, err := d.fs.Open(name, false)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err == nil && [32]byte(sum.Sum(nil)) != hash {
		err = ErrOtherBytes
	}
	return size, err
}

// openArriving opens what came of an object, or makes room for what comes.
func (d *DB) openArriving(hash [32]byte) (File, error) {
	name := d.arrivingFile(hash)
	f, err := d.fs.Open(name, true)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := d.fs.MkdirAll(d.arrivingDir()); err != nil {
		return nil, err
	}
	if f, err = d.fs.Create(name); err != nil {
		return nil, err
	}
	if err := d.sweepArriving(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweepArriving removes what waits too long or is too much. The newest file is one that was made just now.
func (d *DB) sweepArriving() error {
	entries, err := d.fs.ReadDir(d.arrivingDir())
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !d.arriving.writing(e.Name()) {
			files = append(files, info)
		}
	}
	slices.SortStableFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	var size int64
	for i, info := range files {
		size += info.Size()
		if i < maxArriving && size <= maxArrivingBytes && files[0].ModTime().Sub(info.ModTime()) < arrivingFor {
			continue
		}
		if err := d.fs.Remove(filepath.Join(d.arrivingDir(), info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// putBack makes an object file that no row names one that is arriving: it was fetched, and this process was killed before it
// could tell. It says no when the object was destroyed, or is none that is fetched.
func (d *DB) putBack(ctx context.Context, name string) (bool, error) {
	b, err := hex.DecodeString(filepath.Base(name))
	if err != nil || len(b) != 32 {
		return false, nil //nolint:nilerr // what is no object's is not fetched
	}
	hash := [32]byte(b)
	if _, err := d.Tombstone(ctx, hash); !errors.Is(err, ErrNotFound) {
		return false, err
	}
	known := false
	err = d.queryObject(ctx, `SELECT hash FROM object WHERE seq IN `, hash, func(r *sql.Rows) error {
		var h sql.RawBytes
		err := r.Scan(&h)
		known = known || bytes.Equal(h, b)
		return err
	})
	if err != nil || known {
		return false, err
	}
	if err := d.fs.MkdirAll(d.arrivingDir()); err != nil {
		return false, err
	}
	if err := d.fs.Rename(name, d.arrivingFile(hash)); err != nil {
		return false, err
	}
	return true, d.sweepArriving()
}
