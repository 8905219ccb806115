package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// ErrNoIndex is returned while there is no index to read: nobody has built one yet.
var ErrNoIndex = errors.New("there is no index yet")

// ErrBehindIndex is returned when a batch does not begin where the index ends.
var ErrBehindIndex = errors.New("the index has moved")

// indexFile is the index on SQLite, beside the truth scope's file. It may be deleted while no process uses it.
const indexFile = "index.db"

// Index is the third scope: everything that makes reading quick and can be made again from the truth scope. On SQLite
// it is a file of its own, on PostgreSQL the tables whose names begin with ix_. A commit of it survives the process
// being killed; after a power cut it may be a few commits back, with its watermarks, and is filled up again.
//
// Its methods are safe for concurrent use; one process writes, the one that holds the writer's lease.
type Index struct {
	db       *DB
	path     string // the SQLite file; empty on PostgreSQL
	readOnly bool

	mu sync.RWMutex // guards c: Drop replaces it
	c  *conns       // nil while a read-only store has none
}

// indexTables are the index on PostgreSQL, and what Drop drops there.
var indexTables = []string{"ix_meta", "ix_log", "ix_record", "ix_form", "ix_serves", "ix_pack", "ix_tally", "ix_bucket", "ix_answers", "ix_answered", "ix_expected", "ix_ref", "ix_change", "ix_receipt", "ix_act", "ix_party", "ix_key", "ix_stix", "ix_class", "ix_place", "ix_fresh", "ix_run", "ix_handle", "ix_segment", "ix_block", "ix_text"}

// indexPragmas of the writing connection: an index that loses its last commits in a power cut fills up again by itself.
// What many batches change over and over is carried over from the write-ahead log once for several of them.
var indexPragmas = []string{"synchronous(NORMAL)", "cache_size(-48000)", "wal_autocheckpoint(16000)"}

// secondaryIndexes are made after a rebuild has filled the tables: sorting once is cheaper than a million insertions. What is
// looked up by a name of its own has a handle instead.
var secondaryIndexes = map[string]string{
	"ix_act_agreement": "ix_act (agreement, no)",
	"ix_answers_leaf":  "ix_answers (leaf)",
	"ix_stix_type":     "ix_stix (type, no, ord)",
	"ix_stix_many":     "ix_stix (many, no, ord) WHERE many = 1",
}

func (x *Index) open(ctx context.Context) error {
	if x.path != "" {
		if _, err := os.Stat(x.path); x.readOnly && errors.Is(err, fs.ErrNotExist) {
			return nil // the daemon has not built one: ErrNoIndex
		}
		w, r, err := openSQLite(x.path, x.readOnly, indexPragmas...)
		if err != nil {
			return err
		}
		x.c = newConns(x.db.kind, w, r)
	}
	if x.readOnly {
		return nil
	}
	return migrate(ctx, x.c.write, x.db.kind, "index", x.db.dir)
}

func (x *Index) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.path == "" || x.c == nil {
		return nil // on PostgreSQL the connections belong to the truth scope
	}
	err := x.c.close()
	x.c = nil
	return err
}

// Drop throws the index away and makes its empty tables.
func (x *Index) Drop(ctx context.Context) error {
	if x.readOnly {
		return fmt.Errorf("dropping the index: %w", ErrReadOnly)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.drop(ctx); err != nil {
		return fmt.Errorf("dropping the index: %w", x.db.explain(err))
	}
	return nil
}

func (x *Index) drop(ctx context.Context) error {
	if x.path == "" {
		err := x.c.inTx(ctx, func(t *tx) error {
			if _, err := t.ExecContext(ctx, "DROP VIEW IF EXISTS ix_entry"); err != nil {
				return err
			}
			for _, table := range append([]string{"goose_index"}, indexTables...) {
				if _, err := t.ExecContext(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		x.c.forget("ix_")
		return x.open(ctx)
	}
	if err := x.c.close(); err != nil {
		return err
	}
	x.c = nil
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(x.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return x.open(ctx)
}

// forget closes the prepared statements whose text contains part: tables that were dropped and made again have others.
func (c *conns) forget(part string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range []map[string]*sql.Stmt{c.wstmt, c.rstmt} {
		for text, st := range m {
			if strings.Contains(text, part) {
				_ = st.Close()
				delete(m, text)
			}
		}
	}
}

// Finish makes the secondary indexes that are missing: after a rebuild, and when the index is opened.
func (x *Index) Finish(ctx context.Context) error {
	if err := x.warmWrite(ctx); err != nil {
		return err
	}
	return x.writing(ctx, "finishing the index", func(t *tx) error {
		for name, on := range secondaryIndexes {
			if _, err := t.ExecContext(ctx, "CREATE INDEX IF NOT EXISTS "+name+" ON "+on); err != nil {
				return err
			}
		}
		if finished, err := isFinished(ctx, t); err != nil || finished {
			return err
		}
		var shared sharing
		run, err := finishHandles(ctx, t, shared.see)
		if err != nil {
			return fmt.Errorf("handles: %w", err)
		}
		if err := writeMany(ctx, t, shared.many); err != nil {
			return fmt.Errorf("STIX objects with one id: %w", err)
		}
		return settleAll(ctx, t, run)
	})
}

// writing runs f in a transaction of the index.
func (x *Index) writing(ctx context.Context, what string, f func(*tx) error) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.c == nil || x.readOnly {
		return fmt.Errorf("%s: %w", what, ErrReadOnly)
	}
	if err := x.c.inTx(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", what, x.db.explain(err))
	}
	return nil
}

// reading runs f on the index's connections.
func (x *Index) reading(what string, f func(*conns) error) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	err := ErrNoIndex
	if x.c != nil {
		err = f(x.c)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Version returns which rules made the index, 0 for a new one.
func (x *Index) Version(ctx context.Context) (v int64, err error) {
	err = x.reading("reading the index's version", func(c *conns) error {
		err := queryRow(ctx, c, `SELECT value FROM ix_meta WHERE name = $1`, []any{"version"}, &v)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return v, err
}

// SetVersion notes which rules make the index.
func (x *Index) SetVersion(ctx context.Context, v int64) error {
	return x.writing(ctx, "noting the index's version", func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO ix_meta (name, value) VALUES ('version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, v)
		return err
	})
}

// Sizes returns by log number how many leaves are indexed.
func (x *Index) Sizes(ctx context.Context) (map[int64]int64, error) {
	out := map[int64]int64{}
	err := x.reading("reading how far the index is", func(c *conns) error {
		return queryRows(ctx, c, `SELECT no, size FROM ix_log`, nil, func(r *sql.Rows) error {
			var no, size int64
			err := r.Scan(&no, &size)
			out[no] = size
			return err
		})
	})
	return out, err
}
