package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrUsePgDump is returned by Backup on PostgreSQL.
var ErrUsePgDump = errors.New("this store is a PostgreSQL database: back it up with pg_dump (or your cluster's own backup) and copy the folder of objects")

// Backup writes a consistent copy of the store into the empty or new folder dir while the store is in use:
// truth.db, local.db, and objects/. Object files never change once named, so those copied after the database hold at
// least what its rows name; the few extra ones are swept when the copy is opened.
func Backup(ctx context.Context, d *DB, dir string) error {
	if d.kind == postgres {
		return ErrUsePgDump
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	for _, name := range []string{filepath.Base(d.path), "local.db"} {
		to := filepath.Join(dir, name)
		if _, err := os.Stat(to); err == nil {
			return fmt.Errorf("backing up: %s exists already: choose another folder", to)
		}
		if err := vacuumInto(ctx, filepath.Join(filepath.Dir(d.path), name), to); err != nil {
			return fmt.Errorf("backing up %s: %w", name, d.explain(err))
		}
		if err := syncPath(to); err != nil {
			return fmt.Errorf("backing up %s: %w", name, err)
		}
	}
	if err := copyObjects(ctx, filepath.Join(d.dir, "objects"), filepath.Join(dir, "objects")); err != nil {
		return fmt.Errorf("backing up objects: %w", err)
	}
	return syncPath(dir)
}

// vacuumInto copies a database as of one moment. It has a connection of its own: the writer's would hold up commits,
// and the readers' refuse the statement.
func vacuumInto(ctx context.Context, from, to string) error {
	abs, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteURI(abs, "deferred", false, "cache_size(-4000)"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, to)
	return errors.Join(err, db.Close())
}

func copyObjects(ctx context.Context, from, to string) error {
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(dst, 0o700)
		}
		if filepath.Ext(path) == ".tmp" {
			return nil
		}
		err = copyFile(path, dst)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // erased meanwhile
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
