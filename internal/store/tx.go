package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// tx is one writing transaction that uses statements prepared once.
type tx struct {
	*sql.Tx
	c       *conns
	lastRow int64 // number of the row that insert wrote last; SQLite only
}

// inTx runs f in a writing transaction and commits it. When it returns an error the transaction usually did not
// happen, but a failing commit may still have persisted: the caller must read back before it writes again.
func (c *conns) inTx(ctx context.Context, f func(*tx) error) error {
	// A commit that is cut short by a caller's deadline would leave the outcome unknown for nothing.
	ctx = context.WithoutCancel(ctx)
	t, err := c.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := f(&tx{Tx: t, c: c}); err != nil {
		_ = t.Rollback()
		return err
	}
	if err := t.Commit(); err != nil {
		_ = t.Rollback()
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

func (t *tx) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	t.c.mu.Lock()
	st := t.c.wstmt[query]
	t.c.mu.Unlock()
	if st == nil {
		// Preparing on the pool would wait for the one connection that this transaction holds, so the
		// statement is made for this transaction; warm prepares the frequent ones beforehand.
		return t.PrepareContext(ctx, query)
	}
	return t.StmtContext(ctx, st), nil
}

// exec runs query and returns how many rows it touched.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.run(ctx, query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *tx) run(ctx context.Context, query string, args []any) (sql.Result, error) {
	st, err := t.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.Close() }()
	return st.ExecContext(ctx, args...)
}

// warm prepares query for writing, so that later transactions find it.
func (c *conns) warm(ctx context.Context, queries ...string) error {
	for _, q := range queries {
		if _, err := c.writer(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// batchSizes are the numbers of rows for which multi-row statements are prepared: any count is a sum of few of them.
var batchSizes = [...]int{128, 32, 8, 1}

// multi writes "head ($1,$2),($3,$4)…" for rows rows of cols columns. SQLite gets "?", because its driver asks for the
// name of each parameter, and SQLite finds a name by walking through all that come before.
func multi(k kind, head string, cols, rows int) string {
	var b strings.Builder
	b.WriteString(head)
	n := 1
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range cols {
			if c > 0 {
				b.WriteByte(',')
			}
			if k == sqlite {
				b.WriteByte('?')
			} else {
				fmt.Fprintf(&b, "$%d", n)
			}
			n++
		}
		b.WriteByte(')')
	}
	return b.String()
}

// inserter holds the texts of one multi-row insert, by kind of database and by index in batchSizes. They are written when they are
// first asked for: most commands ask for none.
type inserter struct {
	head, tail string
	cols       int
	texts      [2]struct {
		once sync.Once
		all  [len(batchSizes)]string
	}
}

func newInserter(head string, cols int) *inserter { return newInserterWith(head, cols, "") }

// newInserterWith is newInserter with something after the rows.
func newInserterWith(head string, cols int, tail string) *inserter {
	return &inserter{head: head, tail: tail, cols: cols}
}

// of gives the texts for a kind of database.
func (in *inserter) of(k kind) *[len(batchSizes)]string {
	t := &in.texts[k]
	t.once.Do(func() {
		for i, n := range batchSizes {
			t.all[i] = multi(k, in.head, in.cols, n) + in.tail
		}
	})
	return &t.all
}

// insert writes all rows, flattened in args.
func (t *tx) insert(ctx context.Context, in *inserter, args []any) error {
	for i, n := range batchSizes {
		for len(args) >= n*in.cols {
			res, err := t.run(ctx, in.of(t.c.kind)[i], args[:n*in.cols])
			if err != nil {
				return err
			}
			if t.c.kind == sqlite {
				if t.lastRow, err = res.LastInsertId(); err != nil {
					return err
				}
			}
			args = args[n*in.cols:]
		}
	}
	return nil
}

func queryRow(ctx context.Context, c *conns, query string, args []any, dest ...any) error {
	st, err := c.reader(ctx, query)
	if err != nil {
		return err
	}
	return st.QueryRowContext(ctx, args...).Scan(dest...)
}

// queryRows calls scan for each row.
func queryRows(ctx context.Context, c *conns, query string, args []any, scan func(*sql.Rows) error) error {
	st, err := c.reader(ctx, query)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}

// scanAll calls scan for each row and closes them.
func scanAll(rows *sql.Rows, scan func(*sql.Rows) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// snapshot is a transaction that reads one state of the database, whatever is written meanwhile, with statements prepared
// once.
type snapshot struct {
	*sql.Tx
	c *conns
}

// inSnapshot runs f in a snapshot. The queries that f asks are prepared before: the pool may have no other connection.
func (c *conns) inSnapshot(ctx context.Context, queries []string, f func(snapshot) error) error {
	for _, q := range queries {
		if _, err := c.reader(ctx, q); err != nil {
			return err
		}
	}
	o := &sql.TxOptions{}
	if c.kind == postgres {
		o.ReadOnly, o.Isolation = true, sql.LevelRepeatableRead
	}
	t, err := c.read.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer func() { _ = t.Rollback() }()
	return f(snapshot{t, c})
}

// QueryContext is the transaction's, with the statement that was prepared.
func (s snapshot) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s.c.mu.Lock()
	st := s.c.rstmt[query]
	s.c.mu.Unlock()
	if st == nil {
		return s.Tx.QueryContext(ctx, query, args...)
	}
	return s.StmtContext(ctx, st).QueryContext(ctx, args...)
}

// asking calls scan for each row of a query.
func (s snapshot) asking(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := s.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}
