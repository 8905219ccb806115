package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
)

// fileAfter is how many objects may lack an entry in the table of names before a commit files them together.
//
// Object hashes are random, so an index kept up row by row dirties a page for each row: with objects of 600 bytes that
// was four fifths of what a commit wrote. Filing many at once, in order, touches each page once. Until then the newest
// rows, which follow each other in the table, are known from memory.
const fileAfter = 16384

// names finds the rows of objects by the first eight bytes of their hash on SQLite. PostgreSQL has an index instead.
// It never rests on who filed what: every row is in recent, or was filed.
type names struct {
	every int64 // fileAfter; tests have less

	mu     sync.Mutex // guards what follows
	loaded bool
	filed  int64 // rows up to this number are in the table object_name
	seen   int64 // rows after filed, up to this number, are in recent
	recent map[int64]int64
	more   map[int64][]int64 // further rows of the same prefix: the object is in several logs
	// current says that only this process has added rows since seen, so that the writer need not look.
	current bool
	// absent knows every filed prefix. Nil until a writer asks, because making it reads the whole table.
	absent *filter
}

// find returns the numbers of all rows whose prefix is among the wanted ones, ascending.
func (d *DB) find(ctx context.Context, prefixes ...int64) ([]int64, error) {
	if d.kind != sqlite {
		return d.numbers(ctx, `SELECT seq FROM object WHERE prefix IN `, prefixes)
	}
	return d.findNames(ctx, prefixes, false)
}

// findAsWriter is find for the holder of the lease, beside whom nobody adds rows.
func (d *DB) findAsWriter(ctx context.Context, prefixes []int64) ([]int64, error) {
	if d.kind != sqlite {
		return d.find(ctx, prefixes...)
	}
	return d.findNames(ctx, prefixes, true)
}

func (d *DB) findNames(ctx context.Context, prefixes []int64, writer bool) ([]int64, error) {
	seqs, ask, err := d.names.lookup(ctx, d.truth, prefixes, writer)
	if err != nil {
		return nil, err
	}
	filed, err := d.numbers(ctx, `SELECT seq FROM object_name WHERE prefix IN `, ask)
	if err != nil {
		return nil, err
	}
	seqs = append(seqs, filed...)
	slices.Sort(seqs)
	return slices.Compact(seqs), nil
}

func (d *DB) numbers(ctx context.Context, query string, values []int64) ([]int64, error) {
	var out []int64
	err := d.queryIn(ctx, query, values, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		out = append(out, n)
		return err
	})
	slices.Sort(out)
	return out, err
}

// queryIn runs "query (…)" with as many values as it takes, in pieces of few sizes, and calls scan for each row.
func (d *DB) queryIn(ctx context.Context, query string, values []int64, scan func(*sql.Rows) error) error {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	for len(args) > 0 {
		n := 1
		for _, size := range batchSizes {
			if size <= len(args) {
				n = size
				break
			}
		}
		if err := queryRows(ctx, d.truth, multi(d.kind, query, n, 1), args[:n], scan); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// lookup returns the rows that memory knows, and the prefixes that the table of names must be asked about.
func (n *names) lookup(ctx context.Context, c *conns, prefixes []int64, writer bool) (seqs, ask []int64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.loaded || !writer || !n.current {
		if err := n.refresh(ctx, c); err != nil {
			return nil, nil, err
		}
		n.current = n.current || writer
	}
	if n.seen-n.filed >= n.every {
		if err := n.forget(ctx, c); err != nil {
			return nil, nil, err
		}
	}
	if writer && n.absent == nil {
		if err := n.learn(ctx, c); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range prefixes {
		if seq, ok := n.recent[p]; ok {
			seqs = append(append(seqs, seq), n.more[p]...)
		}
		if n.absent == nil || n.absent.mayHold(p) {
			ask = append(ask, p)
		}
	}
	return seqs, ask, nil
}

// refresh reads the rows that were added since, by whichever process.
func (n *names) refresh(ctx context.Context, c *conns) error {
	if !n.loaded {
		if err := queryRow(ctx, c, `SELECT upto FROM object_filed`, nil, &n.filed); err != nil {
			return fmt.Errorf("reading how far objects are filed: %w", err)
		}
		n.seen, n.loaded = n.filed, true
		n.recent, n.more = map[int64]int64{}, map[int64][]int64{}
	}
	return queryRows(ctx, c, `SELECT seq, prefix FROM object WHERE seq > $1 ORDER BY seq`, []any{n.seen}, func(r *sql.Rows) error {
		var seq, prefix int64
		if err := r.Scan(&seq, &prefix); err != nil {
			return err
		}
		n.add(seq, prefix)
		return nil
	})
}

func (n *names) add(seq, prefix int64) {
	if _, ok := n.recent[prefix]; ok {
		n.more[prefix] = append(n.more[prefix], seq)
	} else {
		n.recent[prefix] = seq
	}
	n.seen = seq
}

// forget drops from memory what has been filed meanwhile.
func (n *names) forget(ctx context.Context, c *conns) error {
	var upto int64
	if err := queryRow(ctx, c, `SELECT upto FROM object_filed`, nil, &upto); err != nil {
		return fmt.Errorf("reading how far objects are filed: %w", err)
	}
	n.drop(upto)
	return nil
}

// drop is forget for rows up to a number. The caller holds n.mu.
func (n *names) drop(upto int64) {
	upto = min(upto, n.seen) // what another process has filed since was not seen here
	if upto <= n.filed {
		return
	}
	recent, more := n.recent, n.more
	n.filed, n.recent, n.more = upto, map[int64]int64{}, map[int64][]int64{}
	keep := func(prefix, seq int64) {
		if seq > upto {
			n.add(seq, prefix)
		} else if n.absent != nil {
			n.absent.add(prefix)
		}
	}
	seen := n.seen
	for prefix, seq := range recent {
		keep(prefix, seq)
		for _, seq := range more[prefix] {
			keep(prefix, seq)
		}
	}
	n.seen = seen
}

// learn reads every filed prefix.
func (n *names) learn(ctx context.Context, c *conns) error {
	f := &filter{}
	err := queryRows(ctx, c, `SELECT prefix FROM object_name WHERE seq <= $1`, []any{n.filed}, func(r *sql.Rows) error {
		var prefix int64
		if err := r.Scan(&prefix); err != nil {
			return err
		}
		f.add(prefix)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the names of objects: %w", err)
	}
	n.absent = f
	return nil
}

// file puts the rows that were seen into the table of names, if they are many, as part of a transaction; settle is called when
// that was committed. It returns up to which row they were filed, 0: none were.
func (n *names) file(ctx context.Context, t *tx) (int64, error) {
	n.mu.Lock()
	from, to := n.filed, n.seen
	n.mu.Unlock()
	if to-from < n.every {
		return 0, nil
	}
	_, err := t.exec(ctx, `INSERT INTO object_name (prefix, seq) SELECT prefix, seq FROM object WHERE seq > $1 AND seq <= $2 ORDER BY prefix`, from, to)
	if err == nil {
		_, err = t.exec(ctx, `UPDATE object_filed SET upto = $1`, to)
	}
	if err != nil {
		return 0, fmt.Errorf("filing the names of objects: %w", err)
	}
	return to, nil
}

// settle notes that rows up to a number are filed: whoever takes a long log in looks nothing up, and the next filing must begin
// after this one.
func (n *names) settle(upto int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drop(upto)
}

// doubt makes the writer look again: a transaction that may add rows is under way.
func (n *names) doubt() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.current = false
}

// added notes the rows that a transaction has added, numbered one after the other up to last.
func (n *names) added(prefixes []int64, last int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := last - int64(len(prefixes)) + 1
	if !n.loaded || len(prefixes) > 0 && first != n.seen+1 {
		return // it will look
	}
	for i, p := range prefixes {
		n.add(first+int64(i), p)
	}
	n.current = true
}
