package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// ErrNotFound is returned when a row that was asked for by name does not exist.
var ErrNotFound = errors.New("not found")

// kind is the family of database behind a DB.
type kind int

const (
	sqlite kind = iota
	postgres
)

func (k kind) String() string {
	if k == postgres {
		return "postgres"
	}
	return "sqlite"
}

// Options change how Open behaves. The zero value is what a node uses.
type Options struct {
	// Dir holds what is kept beside the database: object files, lock files, the journal of erasures.
	// Empty: the folder of the SQLite file. Required for PostgreSQL.
	Dir string
	// FS is the file system of Dir; nil is the operating system's. Tests inject faults here.
	FS FS
	// ReadOnly opens without migrating and refuses every write: for a second process that only serves.
	ReadOnly bool
}

// DB is an open store. Its methods are safe for concurrent use.
type DB struct {
	kind  kind
	dir   string
	fs    FS
	path  string // SQLite file of the truth scope
	truth *conns
	local *conns
	names names
	index *Index

	arriving arrivals
}

// conns is one scope's pair of pools with their prepared statements.
type conns struct {
	kind        kind
	write, read *sql.DB

	mu    sync.Mutex // guards the two maps
	wstmt map[string]*sql.Stmt
	rstmt map[string]*sql.Stmt

	filters handleFilters // of the index
}

// Open opens the store named by dsn, "sqlite:PATH" or "postgres://…", and brings its tables up to date.
func Open(ctx context.Context, dsn string) (*DB, error) { return OpenWith(ctx, dsn, Options{}) }

// OpenWith is Open with options.
func OpenWith(ctx context.Context, dsn string, o Options) (*DB, error) {
	d := &DB{dir: o.Dir, fs: o.FS, names: names{every: fileAfter}}
	if d.fs == nil {
		d.fs = OS()
	}
	path, isSQLite := strings.CutPrefix(dsn, "sqlite:")
	switch {
	case isSQLite && path != "":
		d.path = path
		if d.dir == "" {
			d.dir = filepath.Dir(path)
		}
	case strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://"):
		d.kind = postgres
		if d.dir == "" {
			return nil, errors.New("opening the store: PostgreSQL needs a folder for object files (Options.Dir)")
		}
	default:
		return nil, errors.New("opening the store: the name must start with sqlite:PATH or postgres://")
	}
	if !o.ReadOnly {
		if err := os.MkdirAll(d.dir, 0o700); err != nil {
			return nil, fmt.Errorf("opening the store: %w", err)
		}
	}
	if err := d.connect(ctx, dsn, o.ReadOnly); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return d, nil
}

func (d *DB) connect(ctx context.Context, dsn string, readOnly bool) (err error) {
	if d.kind == postgres {
		w, r, err := openPostgres(dsn)
		if err != nil {
			return err
		}
		d.truth = newConns(d.kind, w, r)
		d.local = d.truth
		d.index = &Index{db: d, c: d.truth, readOnly: readOnly}
	} else {
		if readOnly {
			if _, err := os.Stat(d.path); err != nil {
				return err
			}
		}
		w, r, err := openSQLite(d.path, readOnly)
		if err != nil {
			return err
		}
		d.truth = newConns(d.kind, w, r)
		w, r, err = openSQLite(filepath.Join(filepath.Dir(d.path), "local.db"), readOnly)
		if err != nil {
			return err
		}
		d.local = newConns(d.kind, w, r)
		d.index = &Index{db: d, path: filepath.Join(filepath.Dir(d.path), indexFile), readOnly: readOnly}
	}
	if readOnly {
		if err := d.truth.read.PingContext(ctx); err != nil {
			return err
		}
		return d.index.open(ctx)
	}
	if err := migrate(ctx, d.truth.write, d.kind, "truth", d.dir); err != nil {
		return d.explain(err)
	}
	if err := migrate(ctx, d.local.write, d.kind, "local", d.dir); err != nil {
		return d.explain(err)
	}
	return d.explain(d.index.open(ctx))
}

// Index is the droppable scope: what makes reading quick.
func (d *DB) Index() *Index { return d.index }

// Dir is the folder that holds what is kept beside the database.
func (d *DB) Dir() string { return d.dir }

// Files is the file system of Dir.
func (d *DB) Files() FS { return d.fs }

// OneMachine says whether every process that uses this store runs on this machine, so that a file lock can stand in
// for waiting until a dead writer's lease expires.
func (d *DB) OneMachine() bool { return d.kind == sqlite }

// Close releases every connection.
func (d *DB) Close() error {
	var errs []error
	if d.index != nil {
		errs = append(errs, d.index.close())
	}
	if d.truth != nil {
		errs = append(errs, d.truth.close())
	}
	if d.local != nil && d.local != d.truth {
		errs = append(errs, d.local.close())
	}
	return errors.Join(errs...)
}

func newConns(k kind, w, r *sql.DB) *conns {
	return &conns{kind: k, write: w, read: r, wstmt: map[string]*sql.Stmt{}, rstmt: map[string]*sql.Stmt{}}
}

func (c *conns) close() error {
	return errors.Join(c.read.Close(), c.write.Close())
}

// reader returns the statement prepared once for the reading pool. Query texts are constants or come from the few
// sizes of multi, so the map stays small.
func (c *conns) reader(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.prepared(ctx, c.read, c.rstmt, query)
}

// writer is reader for the writing pool.
func (c *conns) writer(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.prepared(ctx, c.write, c.wstmt, query)
}

// boundLimit is a limit that is a parameter.
var boundLimit = regexp.MustCompile(`\bLIMIT \$[0-9]+`)

// lasting writes limits so that a statement stays prepared. SQLite (since 3.50) looks at the value of a parameter that is a limit
// by itself when it plans, and plans again, from the text on, whenever the parameter is bound; not when it stands in a sum.
func lasting(query string) string { return boundLimit.ReplaceAllString(query, "$0 + 0") }

func (c *conns) prepared(ctx context.Context, db *sql.DB, m map[string]*sql.Stmt, query string) (*sql.Stmt, error) {
	c.mu.Lock()
	st := m[query]
	c.mu.Unlock()
	if st != nil {
		return st, nil
	}
	st, err := db.PrepareContext(ctx, lasting(query))
	if err != nil {
		return nil, fmt.Errorf("preparing a statement: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := m[query]; have != nil {
		_ = st.Close()
		return have, nil
	}
	m[query] = st
	return st, nil
}
