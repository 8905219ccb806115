package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Arrival is the object of a leaf with its place in the order of arrival.
type Arrival struct {
	Seq    int64 // 0: no object of this leaf is here
	Hash   [32]byte
	Erased bool
	Bytes  []byte // nil when erased, not here, or in a file
	File   bool   // Load reads it
	size   int64
}

// Load reads the object of an arrival that is in a file. Whoever goes through many does it for one after the other.
func (d *DB) Load(a *Arrival) error {
	if !a.File || a.Bytes != nil {
		return nil
	}
	var err error
	a.Bytes, err = d.readObjectFile(a.Hash, a.size)
	if err != nil && d.erasedMeanwhile(a.Hash) {
		a.Erased, a.File, a.Bytes, err = true, false, nil, nil
	}
	if err != nil {
		return fmt.Errorf("reading object %x: %w", a.Hash[:8], err)
	}
	return nil
}

// Arrivals returns the objects of the leaves [from, to) of a log, in order. The range must not cross a multiple of 256
// and must lie below the committed size. The caller checks the hashes.
func (d *DB) Arrivals(ctx context.Context, logNo, from, to int64) ([]Arrival, error) {
	hashes, err := d.Leaves(ctx, logNo, from, to)
	if err != nil {
		return nil, err
	}
	out := make([]Arrival, to-from)
	for i := range out {
		out[i].Hash = [32]byte(hashes[i*32:])
	}
	if err := d.arrivals(ctx, logNo, from, out); err != nil {
		return nil, fmt.Errorf("reading the objects of leaves %d to %d of log number %d: %w", from, to, logNo, err)
	}
	return out, nil
}

func (d *DB) arrivals(ctx context.Context, logNo, from int64, out []Arrival) error {
	if len(out) == 0 {
		return nil
	}
	// A log's objects mostly arrived one after the other, so one walk from the first of them finds nearly all; the others are
	// looked up one by one.
	if err := d.arrival(ctx, logNo, from, &out[0]); err != nil {
		return err
	}
	if out[0].Seq > 0 && len(out) > 1 {
		if err := d.arrivalsAfter(ctx, logNo, from, out); err != nil {
			return err
		}
	}
	for i := range out {
		if out[i].Seq == 0 {
			if err := d.arrival(ctx, logNo, from+int64(i), &out[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// arenaBytes is how much memory for objects is taken at once.
const arenaBytes = 64 << 10

// arrivalsAfter fills in the objects that arrived not long after the first. A row between the database and here costs by its
// columns, so these are few; that the bytes have the hash is for the caller to check.
func (d *DB) arrivalsAfter(ctx context.Context, logNo, from int64, out []Arrival) error {
	first := out[0].Seq
	var arena []byte
	return queryRows(ctx, d.truth, `SELECT seq, idx, prefix, state, bytes FROM object WHERE seq > $1 AND seq <= $2 AND log_no = $3 AND idx >= $4 AND idx < $5 ORDER BY seq`,
		[]any{first, first + int64(2*len(out)), logNo, from, from + int64(len(out))}, func(r *sql.Rows) error {
			var seq, idx, start, state int64
			var data sql.RawBytes
			if err := r.Scan(&seq, &idx, &start, &state, &data); err != nil {
				return err
			}
			a := &out[idx-from]
			if a.Seq != 0 || start != prefix(a.Hash) {
				return nil
			}
			switch state {
			case stateRow:
				if cap(arena)-len(arena) < len(data) {
					arena = make([]byte, 0, max(len(data), arenaBytes))
				}
				from := len(arena)
				arena = append(arena, data...)
				a.Bytes = arena[from:len(arena):len(arena)]
			case stateFile:
				return nil // looked up by itself
			case stateErased:
				a.Erased = true
			}
			a.Seq = seq
			return nil
		})
}

// arrival fills in one leaf's object, when it is here.
func (d *DB) arrival(ctx context.Context, logNo, index int64, out *Arrival) error {
	hash := out.Hash
	return d.queryObject(ctx, `SELECT seq, log_no, idx, state, size, hash, bytes FROM object WHERE seq IN `, hash, func(r *sql.Rows) error {
		a, _, _, err := d.scanArrival(r, func(no, idx int64, h []byte) bool {
			return out.Seq == 0 && no == logNo && idx == index && bytes.Equal(h, hash[:])
		})
		if err == nil && a.Seq > 0 {
			*out = a
		}
		return err
	})
}

// scanArrival reads a row whose place and hash the caller wants; of another row Seq is 0.
func (d *DB) scanArrival(r *sql.Rows, wanted func(no, idx int64, hash []byte) bool) (a Arrival, no, index int64, err error) {
	var seq, state, size int64
	var idx sql.NullInt64
	var hash, data sql.RawBytes
	if err := r.Scan(&seq, &no, &idx, &state, &size, &hash, &data); err != nil {
		return a, 0, 0, err
	}
	if !idx.Valid || !wanted(no, idx.Int64, hash) {
		return a, 0, 0, nil
	}
	a = Arrival{Seq: seq, Hash: [32]byte(hash), Erased: state == stateErased}
	switch state {
	case stateRow:
		a.Bytes = bytes.Clone(data)
	case stateFile:
		a.File, a.size = true, size
	}
	return a, no, idx.Int64, err
}

// erasedMeanwhile says whether an object's file is gone because it was erased after its row was read.
func (d *DB) erasedMeanwhile(hash [32]byte) bool {
	_, err := d.Tombstone(context.Background(), hash)
	return !errors.Is(err, ErrNotFound) && err == nil
}
