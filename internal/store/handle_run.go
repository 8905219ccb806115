package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
)

const (
	// handleFan is how many runs of about one size become one.
	handleFan = 8
	// handleRun is from how many handles on they become a run; fewer wait in a table until there are as many.
	handleRun = 4096
	// handlesMost is up to how many handles runs are put together, but for when a rebuild is finished: a transaction is not to
	// be much larger than others.
	handlesMost = 1 << 22
)

var (
	freshInsert  = newInserterWith(`INSERT INTO ix_fresh (key, no, ord) VALUES `, 3, ` ON CONFLICT DO NOTHING`)
	handleInsert = newInserter(`INSERT INTO ix_handle (run, first, part, data) VALUES `, 4)

	findFresh  = newInserterWith(`SELECT key, no, ord FROM ix_fresh WHERE key IN (VALUES (CAST(-1 AS BIGINT)),`, 1, `)`)
	findHandle = newInserterWith(`WITH k(key) AS (VALUES (CAST(-1 AS BIGINT)),`, 1, `) SELECT k.key, h.first, h.data FROM k CROSS JOIN ix_run r CROSS JOIN ix_handle h
	WHERE h.run = r.no AND h.first <= k.key AND h.first >= (SELECT COALESCE(max(l.first), 0) FROM ix_handle l WHERE l.run = r.no AND l.first < k.key)`)
	findInRun = newInserterWith(`WITH k(run, key) AS (VALUES (CAST(-1 AS BIGINT), CAST(-1 AS BIGINT)),`, 2, `) SELECT k.key, h.first, h.data FROM k CROSS JOIN ix_handle h
	WHERE h.run = k.run AND h.first <= k.key AND h.first >= (SELECT COALESCE(max(l.first), 0) FROM ix_handle l WHERE l.run = k.run AND l.first < k.key)`)
)

const (
	countFresh = `SELECT count(*) FROM (SELECT 1 FROM ix_fresh LIMIT $1) AS few`
	nextFresh  = `SELECT key, no, ord FROM ix_fresh ORDER BY key, no, ord`
	listRuns   = `SELECT no, handles FROM ix_run ORDER BY no`
	putRun     = `INSERT INTO ix_run (no, handles) VALUES ($1, $2)`
	nextBlocks = `SELECT first, part, data FROM ix_handle WHERE run = $1 AND (first, part) > ($2, $3) ORDER BY first, part LIMIT $4`
)

// asking is how a query is asked: on the reading connections, or in a transaction.
type asking func(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error

func (c *conns) asking(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	return queryRows(ctx, c, query, args, scan)
}

func (t *tx) asking(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) (err error) {
	st, err := t.stmt(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}

// askOf asks a query that has a list of rows in it, flattened in args, for pieces of few sizes.
func askOf(ctx context.Context, k kind, ask asking, query *inserter, args []any, scan func(*sql.Rows) error) error {
	for i, n := range batchSizes {
		for n *= query.cols; len(args) >= n; args = args[n:] {
			if err := ask(ctx, query.of(k)[i], args[:n:n], scan); err != nil {
				return err
			}
		}
	}
	return nil
}

// findHandles returns what has one of the keys, in order. Those that wait are asked for first: meanwhile they may become a run.
func findHandles(ctx context.Context, c *conns, ask asking, keys ...int64) (out []handle, err error) {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) >= filterKeys { // many are looked for where much comes in, and goes into runs at once
		waits := false
		if err := ask(ctx, countFresh, []any{1}, func(r *sql.Rows) error { return r.Scan(&waits) }); err != nil {
			return nil, err
		}
		if !waits {
			return findFiled(ctx, c, ask, keys)
		}
	}
	err = askOf(ctx, c.kind, ask, findFresh, numbers(keys), func(r *sql.Rows) error {
		var h handle
		err := r.Scan(&h.key, &h.no, &h.ord)
		out = append(out, h)
		return err
	})
	if err != nil {
		return nil, err
	}
	filed, err := findFiled(ctx, c, ask, keys)
	return sortHandles(append(out, filed...)), err
}

func numbers(keys []int64) []any {
	args := make([]any, len(keys))
	for i, key := range keys {
		args[i] = key
	}
	return args
}

// findIn asks for blocks that may have a key, and returns what is in them under it.
func findIn(ctx context.Context, c *conns, ask asking, query *inserter, args []any) (out []handle, err error) {
	err = askOf(ctx, c.kind, ask, query, args, func(r *sql.Rows) error {
		var b handleBlock
		var key int64
		var data sql.RawBytes
		if err := r.Scan(&key, &b.first, &data); err != nil {
			return err
		}
		b.data = data
		return b.each(func(h handle) bool {
			if h.key == key {
				out = append(out, h)
			}
			return h.key <= key
		})
	})
	return out, err
}

// numbersUnder returns the numbers of the records with a handle, ascending.
func numbersUnder(ctx context.Context, c *conns, ask asking, key int64) (nos []int64, err error) {
	list, err := findHandles(ctx, c, ask, key)
	for _, h := range list {
		nos = append(nos, h.no)
	}
	return slices.Compact(nos), err
}

// packHandles packs handles, in order and each once, into blocks.
func packHandles(list []handle) (out []handleBlock) {
	p := handlePacker{give: func(b handleBlock) error { out = append(out, b); return nil }}
	for _, h := range list {
		_ = p.add(h) // give never fails
	}
	_ = p.flush()
	return out
}

// addHandles writes handles: as a run when they are many.
func addHandles(ctx context.Context, t *tx, list []handle, blocks []handleBlock) error {
	if len(list) >= handleRun {
		return addRun(ctx, t, blocks, int64(len(list)))
	}
	rows := make([]any, 0, len(list)*freshInsert.cols)
	for _, h := range list {
		rows = append(rows, h.key, h.no, h.ord)
	}
	if err := t.insert(ctx, freshInsert, rows); err != nil {
		return err
	}
	return fileFresh(ctx, t, handleRun)
}

// fileFresh makes a run of the handles that wait, if they are at least so many.
func fileFresh(ctx context.Context, t *tx, least int64) error {
	var n int64
	if err := one(ctx, t, countFresh, []any{least}, &n); err != nil || n < least || n == 0 {
		return err
	}
	var list []handle
	err := t.asking(ctx, nextFresh, nil, func(r *sql.Rows) error {
		var h handle
		err := r.Scan(&h.key, &h.no, &h.ord)
		list = append(list, h)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM ix_fresh`); err != nil {
		return err
	}
	return addRun(ctx, t, packHandles(list), int64(len(list)))
}

// handleRunRow is what the table says of a run.
type handleRunRow struct{ no, handles int64 }

func handleRuns(ctx context.Context, ask asking) (out []handleRunRow, err error) {
	err = ask(ctx, listRuns, nil, func(r *sql.Rows) error {
		var one handleRunRow
		err := r.Scan(&one.no, &one.handles)
		out = append(out, one)
		return err
	})
	return out, err
}

// addRun writes a run and puts runs together that have become many.
func addRun(ctx context.Context, t *tx, blocks []handleBlock, count int64) error {
	all, err := handleRuns(ctx, t.asking)
	if err != nil {
		return err
	}
	w := newRunWriter(t)
	for _, b := range blocks {
		if err := w.write(ctx, b); err != nil {
			return err
		}
	}
	added, err := w.close(ctx, count)
	if err != nil {
		return err
	}
	for all = append(all, added); ; all = append(all, added) {
		class := func(r handleRunRow) int { return bits.Len64(uint64(r.handles)) / bits.TrailingZeros(handleFan) }
		var like []handleRunRow
		total := int64(0)
		for _, r := range all {
			if class(r) == class(added) && total+r.handles <= handlesMost {
				like, total = append(like, r), total+r.handles
			}
		}
		if len(like) < handleFan {
			return nil
		}
		if added, err = mergeRuns(ctx, t, like, func(handle) {}); err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(r handleRunRow) bool { return slices.Contains(like, r) })
	}
}

// runWriter writes the blocks of a new run.
type runWriter struct {
	t    *tx
	no   int64
	rows []any
}

// newRunWriter begins a run. Its number was never used before, not even by what was undone or built anew: filters stay true.
func newRunWriter(t *tx) *runWriter { return &runWriter{t: t, no: rand.Int64()} }

func (w *runWriter) write(ctx context.Context, b handleBlock) error {
	w.rows = append(w.rows, w.no, b.first, b.part, b.data)
	if len(w.rows) < batchSizes[0]*handleInsert.cols {
		return nil
	}
	err := w.t.insert(ctx, handleInsert, w.rows)
	w.rows = w.rows[:0]
	return err
}

func (w *runWriter) close(ctx context.Context, count int64) (handleRunRow, error) {
	err := w.t.insert(ctx, handleInsert, w.rows)
	if err == nil {
		_, err = w.t.exec(ctx, putRun, w.no, count)
	}
	return handleRunRow{w.no, count}, err
}

// blocksAtOnce is how many blocks of a run are read at a time.
const blocksAtOnce = 128

// streamOf reads a run as a transaction sees it.
func streamOf(ctx context.Context, t *tx, run int64) *handleStream {
	at := handleBlock{first: -1}
	return &handleStream{more: func() (out []handleBlock, err error) {
		err = t.asking(ctx, nextBlocks, []any{run, at.first, at.part, blocksAtOnce}, func(r *sql.Rows) error {
			var b handleBlock
			err := r.Scan(&b.first, &b.part, &b.data)
			out = append(out, b)
			return err
		})
		if len(out) > 0 {
			at = out[len(out)-1]
		}
		return out, err
	}}
}

// mergeRuns makes one run of some, and shows what is in it.
func mergeRuns(ctx context.Context, t *tx, like []handleRunRow, see func(handle)) (handleRunRow, error) {
	streams := make([]*handleStream, len(like))
	for i, r := range like {
		streams[i] = streamOf(ctx, t, r.no)
	}
	w := newRunWriter(t)
	p := handlePacker{give: func(b handleBlock) error { return w.write(ctx, b) }}
	err := mergeHandles(streams, func(h handle) error {
		see(h)
		return p.add(h)
	})
	if err == nil {
		err = p.flush()
	}
	if err != nil {
		return handleRunRow{}, err
	}
	for _, r := range like {
		if err := dropRun(ctx, t, r.no); err != nil {
			return handleRunRow{}, err
		}
	}
	return w.close(ctx, p.count)
}

func dropRun(ctx context.Context, t *tx, no int64) error {
	_, err := t.exec(ctx, `DELETE FROM ix_handle WHERE run = $1`, no)
	if err == nil {
		_, err = t.exec(ctx, `DELETE FROM ix_run WHERE no = $1`, no)
	}
	return err
}

// finishHandles makes one run of all and shows what is in it. It returns the run's number, 0: there are no handles.
func finishHandles(ctx context.Context, t *tx, see func(handle)) (int64, error) {
	if err := fileFresh(ctx, t, 1); err != nil {
		return 0, err
	}
	all, err := handleRuns(ctx, t.asking)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	whole, err := mergeRuns(ctx, t, all, see)
	return whole.no, err
}

// leafWalk goes through the leaves of a run in the order of their hashes.
type leafWalk struct {
	of   *handleStream // nil: there are none
	held bool          // its handle was not given yet
	last int64         // the key that was asked for last, and what has it
	nos  []int64
}

func walkLeaves(ctx context.Context, t *tx, run int64) *leafWalk {
	if run == 0 {
		return &leafWalk{last: -1}
	}
	s := streamOf(ctx, t, run)
	s.at = -1
	return &leafWalk{of: s, last: -1}
}

// to returns the numbers of the records that may have a leaf, which is not before those that were asked for.
func (w *leafWalk) to(leaf [32]byte) ([]int64, error) {
	key := leafKey(leaf)
	if key == w.last {
		return w.nos, nil
	}
	w.last, w.nos = key, nil
	for w.of != nil {
		if !w.held {
			more, err := w.of.next()
			if err != nil {
				return nil, err
			}
			if !more {
				w.of = nil
				break
			}
			w.held = true
		}
		h := w.of.handle()
		if h.key > key {
			break
		}
		if w.held = false; h.key == key {
			w.nos = append(w.nos, h.no)
		}
	}
	return w.nos, nil
}

// eraseHandles takes the handles of a record out.
func eraseHandles(ctx context.Context, t *tx, no int64, keys []int64) error {
	for _, key := range keys {
		if _, err := t.exec(ctx, `DELETE FROM ix_fresh WHERE key = $1 AND no = $2`, key, no); err != nil {
			return err
		}
		if err := eraseFiled(ctx, t, no, key); err != nil {
			return fmt.Errorf("handles: %w", err)
		}
	}
	return nil
}

// eraseFiled takes what has a key and is of a record out of runs. A block keeps the place that it had, even when nothing is left.
func eraseFiled(ctx context.Context, t *tx, no, key int64) error {
	type place struct {
		run int64
		handleBlock
	}
	var places []place
	err := t.asking(ctx, `SELECT r.no, h.first, h.part, h.data FROM ix_run r CROSS JOIN ix_handle h WHERE h.run = r.no AND h.first <= $1
		AND h.first >= (SELECT COALESCE(max(l.first), 0) FROM ix_handle l WHERE l.run = r.no AND l.first < $2)`, []any{key, key}, func(r *sql.Rows) error {
		var p place
		err := r.Scan(&p.run, &p.first, &p.part, &p.data)
		places = append(places, p)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range places {
		left := handlePacker{last: p.first}
		left.block.first = p.first
		taken := false
		if err := p.each(func(h handle) bool {
			if h.key == key && h.no == no {
				taken = true
			} else {
				left.append(h)
			}
			return true
		}); err != nil {
			return err
		}
		if !taken {
			continue
		}
		if _, err := t.exec(ctx, `UPDATE ix_handle SET data = $1 WHERE run = $2 AND first = $3 AND part = $4`, orEmpty(left.block.data), p.run, p.first, p.part); err != nil {
			return err
		}
	}
	return nil
}
