package store

import (
	"context"
	"database/sql"
	"fmt"
)

// InLog names an object in one log.
type InLog struct {
	LogNo int64
	Hash  [32]byte
}

// Known is what the store has of an object: the index of its first leaf (-1 when it is only an attachment), and
// whether its bytes were erased.
type Known struct {
	Index  int64
	Erased bool
}

// Known looks many objects up at once, by the first eight bytes of their names, and returns those that are there.
// Only the holder of the lease may rely on what is not.
func (d *DB) Known(ctx context.Context, want []InLog) (map[InLog]Known, error) {
	out := map[InLog]Known{}
	prefixes := make([]int64, len(want))
	for i, w := range want {
		prefixes[i] = prefix(w.Hash)
	}
	seqs, err := d.findAsWriter(ctx, prefixes)
	if err != nil {
		return nil, fmt.Errorf("looking objects up: %w", err)
	}
	if len(seqs) == 0 {
		return out, nil
	}
	wanted := make(map[InLog]bool, len(want))
	for _, w := range want {
		wanted[w] = true
	}
	scan := func(r *sql.Rows) error {
		var k InLog
		var idx sql.NullInt64
		var state int64
		var h sql.RawBytes
		if err := r.Scan(&k.LogNo, &idx, &state, &h); err != nil {
			return err
		}
		if copy(k.Hash[:], h) != 32 || !wanted[k] {
			return nil
		}
		have, seen := out[k]
		if !seen {
			have.Index = -1
		}
		if idx.Valid && (have.Index < 0 || idx.Int64 < have.Index) {
			have.Index = idx.Int64
		}
		have.Erased = have.Erased || state == stateErased
		out[k] = have
		return nil
	}
	if err := d.queryIn(ctx, `SELECT log_no, idx, state, hash FROM object WHERE seq IN `, seqs, scan); err != nil {
		return nil, fmt.Errorf("looking objects up: %w", err)
	}
	return out, nil
}
