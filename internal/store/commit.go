package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrConflict is returned for a log whose head is not where the writer thought it was.
var ErrConflict = errors.New("the log's head moved")

// BundleWidth is how many leaves make a complete entry bundle, and how many hashes a complete tile (C2SP tlog-tiles).
const BundleWidth = 256

// Advance is what one log gains in one commit.
type Advance struct {
	LogNo    int64
	From     int64 // the size that the head must have
	Head     Head  // the new head; its Fence is set from the lease
	Leaves   [][32]byte
	Tiles    []Tile
	Objects  []Object
	Keyrings []Keyring
}

// Keyring is the place of a keyring in a log.
type Keyring struct {
	Serial int64
	Index  int64
}

// Tile is a complete tile: 256 hashes and the root of the subtree they make.
type Tile struct {
	Level  int
	N      int64
	Root   [32]byte
	Hashes []byte
}

// Object is one object's place in a log.
type Object struct {
	Hash  [32]byte
	Index int64 // of its leaf; -1 for an attachment
	Size  int64
	Bytes []byte // nil when the bytes are in a file
}

const updateHead = `UPDATE head SET size = $1, serial = $2, fence = $3, root = $4, frontier = $5, checkpoint = $6
	WHERE log_no = $7 AND size = $8 AND fence <= $9`

var (
	leafInsert    = newInserter(`INSERT INTO leaf (log_no, idx, hashes) VALUES `, 3)
	tileInsert    = newInserter(`INSERT INTO tile (log_no, level, n, root, hashes) VALUES `, 5)
	keyringInsert = newInserter(`INSERT INTO keyring (log_no, serial, idx) VALUES `, 3)
	objectInsert  = newInserter(`INSERT INTO object (prefix, log_no, idx, state, size, hash, bytes) VALUES `, 7)
)

// Commit writes all advances in one transaction that also checks the lease. The first result holds, by position, nil
// or ErrConflict for each advance; a conflict in one log leaves the others to be committed. After the second result
// is not nil, nothing should be assumed: the commit usually did not happen but may have.
func (d *DB) Commit(ctx context.Context, lease Lease, advances []Advance) ([]error, error) {
	if err := d.warmCommit(ctx); err != nil {
		return nil, d.explain(err)
	}
	results := make([]error, len(advances))
	err := d.addRows(ctx, lease, func(t *tx, rows *commitRows) error {
		for i, a := range advances {
			h := a.Head
			n, err := t.exec(ctx, updateHead, h.Size, h.Serial, lease.Fence, h.Root[:], orEmpty(h.Frontier), h.Checkpoint,
				a.LogNo, a.From, lease.Fence)
			if err != nil {
				return fmt.Errorf("moving the head of log number %d: %w", a.LogNo, err)
			}
			if n == 0 {
				results[i] = ErrConflict
				continue
			}
			rows.add(a)
		}
		return nil
	})
	if err != nil {
		return nil, d.explain(err)
	}
	return results, nil
}

// AddObjects stores objects of leaves that a later Commit will add, so that a long tail can be fetched in pieces.
// An object is not published before its leaf is.
func (d *DB) AddObjects(ctx context.Context, lease Lease, logNo int64, objects []Object) error {
	if len(objects) == 0 {
		return nil
	}
	err := d.addRows(ctx, lease, func(_ *tx, rows *commitRows) error {
		rows.add(Advance{LogNo: logNo, Objects: objects})
		return nil
	})
	if err != nil {
		return fmt.Errorf("storing objects: %w", d.explain(err))
	}
	return nil
}

// addRows writes what gather finds under the lease, in one transaction.
func (d *DB) addRows(ctx context.Context, lease Lease, gather func(*tx, *commitRows) error) error {
	var rows commitRows
	var last, filed int64
	d.names.doubt()
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		if err := gather(t, &rows); err != nil {
			return err
		}
		if err := rows.write(ctx, t); err != nil {
			return err
		}
		last = t.lastRow
		if d.kind == sqlite {
			var err error
			filed, err = d.names.file(ctx, t)
			return err
		}
		return nil
	})
	if err == nil && d.kind == sqlite {
		d.names.settle(filed)
		d.names.added(rows.prefixes, last)
	}
	return err
}

// commitRows gathers the rows of several logs, so that they share multi-row inserts.
type commitRows struct {
	leaves, tiles, objects, keyrings []any
	prefixes                         []int64 // of objects
}

func (r *commitRows) add(a Advance) {
	for i := 0; i < len(a.Leaves); {
		first := a.From + int64(i)
		n := min(len(a.Leaves)-i, int(BundleWidth-first%BundleWidth))
		chunk := make([]byte, 0, n*32)
		for _, h := range a.Leaves[i : i+n] {
			chunk = append(chunk, h[:]...)
		}
		r.leaves = append(r.leaves, a.LogNo, first, chunk)
		i += n
	}
	for _, t := range a.Tiles {
		r.tiles = append(r.tiles, a.LogNo, int64(t.Level), t.N, t.Root[:], t.Hashes)
	}
	for _, k := range a.Keyrings {
		r.keyrings = append(r.keyrings, a.LogNo, k.Serial, k.Index)
	}
	for i := range a.Objects {
		o := &a.Objects[i]
		var idx any
		if o.Index >= 0 {
			idx = o.Index
		}
		state, bytes := stateRow, any(o.Bytes)
		if o.Bytes == nil {
			state, bytes = stateFile, nil
		}
		r.prefixes = append(r.prefixes, prefix(o.Hash))
		r.objects = append(r.objects, prefix(o.Hash), a.LogNo, idx, state, o.Size, o.Hash[:], bytes)
	}
}

// write leaves the objects to the end, so that the transaction's last row is the last object's.
func (r *commitRows) write(ctx context.Context, t *tx) error {
	if err := t.insert(ctx, leafInsert, r.leaves); err != nil {
		return fmt.Errorf("writing leaves: %w", err)
	}
	if err := t.insert(ctx, tileInsert, r.tiles); err != nil {
		return fmt.Errorf("writing tiles: %w", err)
	}
	if err := t.insert(ctx, keyringInsert, r.keyrings); err != nil {
		return fmt.Errorf("writing keyrings: %w", err)
	}
	if err := t.insert(ctx, objectInsert, r.objects); err != nil {
		return fmt.Errorf("writing objects: %w", err)
	}
	return nil
}

func (d *DB) warmCommit(ctx context.Context) error {
	if err := d.truth.warm(ctx, holdLease[d.kind], updateHead); err != nil {
		return err
	}
	for _, in := range []*inserter{leafInsert, tileInsert, objectInsert} {
		if err := d.truth.warm(ctx, in.of(d.kind)[:]...); err != nil {
			return err
		}
	}
	return nil
}

// prefix is the indexed part of an object's name.
func prefix(h [32]byte) int64 { return int64(binary.BigEndian.Uint64(h[:8])) }
