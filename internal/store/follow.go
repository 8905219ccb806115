package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Follow is what is kept of a followed log beside its rows.
type Follow struct {
	LogNo  int64
	Source string // URL of the host it is fetched from
	// Staged is how many leaves are here: the head's size, or more while a signed tree is being taken.
	Staged int64
	Serial int64     // of the last keyring among the staged leaves
	Target []byte    // the largest signed checkpoint that was seen; nil: none
	Seen   time.Time // when a checkpoint was last verified
}

// Taking is what a follower has verified of one log and stores in one transaction.
type Taking struct {
	LogNo    int64
	From     int64 // the staged size that there must be
	Leaves   [][32]byte
	Tiles    []Tile
	Objects  []Object // of these leaves, of earlier ones that were absent, and attachments
	Keyrings []Keyring
	Epochs   []int64      // leaves with an epoch record
	Serial   int64        // after these leaves
	Absent   []int64      // leaves among these whose object has not come
	Late     []int64      // earlier leaves whose object is among Objects
	Wanted   []WantedWrap // wraps that were named and have not come
	Unwanted [][32]byte   // wraps that are not waited for any more
	Target   []byte       // nil: as it is
	// Head, when not nil, is the new head: its size is at most From and these leaves together.
	Head *Head
	Seen time.Time // zero: as it was
	// Spent, when not nil, is what was taken of the author under the agreement, this included.
	Spent *Spent
}

const (
	selectFollow = `SELECT log_no, source, staged, serial, target, seen_us FROM follow`
	moveStaged   = `UPDATE follow SET staged = $1, serial = $2, target = CASE WHEN $3 = 1 THEN $4 ELSE target END,
	seen_us = CASE WHEN $5 > seen_us THEN $5 ELSE seen_us END WHERE log_no = $6 AND staged = $7`
	moveFollowed = `UPDATE head SET size = $1, serial = $2, fence = $3, root = $4, frontier = $5, checkpoint = $6
	WHERE log_no = $7 AND size <= $1 AND fence <= $3`
	insertAbsent = `INSERT INTO absent (log_no, idx, hash) VALUES ($1, $2, $3)`
	insertLate   = `INSERT INTO late (log_no, idx) VALUES ($1, $2) ON CONFLICT (log_no, idx) DO NOTHING`
	deleteAbsent = `DELETE FROM absent WHERE log_no = $1 AND idx = $2`
)

// CreateFollowed stores another party's log, of which nothing has been fetched yet.
func (d *DB) CreateFollowed(ctx context.Context, lease Lease, l Log, source string, empty Head) (Log, error) {
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		if err := t.createLog(ctx, lease, &l, empty); err != nil {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO follow (log_no, source, staged, serial, target, seen_us) VALUES ($1, $2, 0, 0, $3, 0)`, l.No, source, []byte{})
		return err
	})
	if err != nil {
		return Log{}, fmt.Errorf("beginning to follow log %s: %w", l.ID, d.explain(err))
	}
	return l, nil
}

// SetSource changes where a followed log is fetched from.
func (d *DB) SetSource(ctx context.Context, lease Lease, logNo int64, source string) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		if err := t.holds(ctx, lease); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE follow SET source = $1 WHERE log_no = $2`, source, logNo)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("changing the source of log number %d: %w", logNo, d.explain(err))
	}
	return nil
}

// Follows lists what is kept of all followed logs.
func (d *DB) Follows(ctx context.Context) ([]Follow, error) {
	var out []Follow
	err := queryRows(ctx, d.truth, selectFollow+` ORDER BY log_no`, nil, func(r *sql.Rows) error {
		f, err := scanFollow(r.Scan)
		out = append(out, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing followed logs: %w", err)
	}
	return out, nil
}

// Follow returns what is kept of a followed log, or ErrNotFound.
func (d *DB) Follow(ctx context.Context, logNo int64) (Follow, error) {
	st, err := d.truth.reader(ctx, selectFollow+` WHERE log_no = $1`)
	if err != nil {
		return Follow{}, fmt.Errorf("reading followed log number %d: %w", logNo, err)
	}
	f, err := scanFollow(st.QueryRowContext(ctx, logNo).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Follow{}, fmt.Errorf("reading followed log number %d: %w", logNo, err)
	}
	return f, nil
}

func scanFollow(scan func(...any) error) (Follow, error) {
	var f Follow
	var seen int64
	err := scan(&f.LogNo, &f.Source, &f.Staged, &f.Serial, &f.Target, &seen)
	f.Seen = fromMicros(seen)
	if len(f.Target) == 0 {
		f.Target = nil
	}
	return f, err
}

// Take stores what was verified of a followed log: all of it or nothing. It fails with ErrConflict when the log is staged
// to another size than t.From.
func (d *DB) Take(ctx context.Context, lease Lease, t Taking) error {
	staged := t.From + int64(len(t.Leaves))
	if t.Head != nil && t.Head.Size > staged {
		return fmt.Errorf("taking leaves of log number %d: a head of %d leaves over %d staged ones", t.LogNo, t.Head.Size, staged)
	}
	if err := d.warmTake(ctx); err != nil {
		return d.explain(err)
	}
	err := d.addRows(ctx, lease, func(x *tx, rows *commitRows) error {
		n, err := x.exec(ctx, moveStaged, staged, t.Serial, flag(t.Target != nil), orEmpty(t.Target), micros(t.Seen), t.LogNo, t.From)
		if err == nil && n == 0 {
			err = ErrConflict
		}
		if err != nil {
			return err
		}
		if h := t.Head; h != nil {
			n, err := x.exec(ctx, moveFollowed, h.Size, h.Serial, lease.Fence, h.Root[:], orEmpty(h.Frontier), h.Checkpoint, t.LogNo)
			if err == nil && n == 0 {
				err = ErrConflict
			}
			if err != nil {
				return err
			}
		}
		rows.add(Advance{LogNo: t.LogNo, From: t.From, Leaves: t.Leaves, Tiles: t.Tiles, Objects: t.Objects, Keyrings: t.Keyrings})
		if t.Spent != nil {
			if err := x.noteSpent(ctx, t.LogNo, *t.Spent); err != nil {
				return err
			}
		}
		return x.noteAbsence(ctx, t)
	})
	if err != nil {
		return fmt.Errorf("taking leaves of log number %d: %w", t.LogNo, d.explain(err))
	}
	return nil
}

// noteAbsence keeps which leaves wait for their object, and which of them wait no longer.
func (t *tx) noteAbsence(ctx context.Context, k Taking) error {
	for _, idx := range k.Absent {
		if _, err := t.exec(ctx, insertAbsent, k.LogNo, idx, k.Leaves[idx-k.From][:]); err != nil {
			return err
		}
	}
	for _, idx := range k.Epochs {
		if _, err := t.exec(ctx, `INSERT INTO epoch_at (log_no, idx) VALUES ($1, $2) ON CONFLICT (log_no, idx) DO NOTHING`, k.LogNo, idx); err != nil {
			return err
		}
	}
	for _, idx := range k.Late {
		if _, err := t.exec(ctx, deleteAbsent, k.LogNo, idx); err != nil {
			return err
		}
		if _, err := t.exec(ctx, insertLate, k.LogNo, idx); err != nil {
			return err
		}
	}
	return t.noteWraps(ctx, k)
}

// AddLate has leaves of a log indexed once more: what they hold can be opened now.
func (d *DB) AddLate(ctx context.Context, logNo int64, indexes []int64) error {
	if len(indexes) == 0 {
		return nil
	}
	err := d.truth.inTx(ctx, func(t *tx) error {
		for _, idx := range indexes {
			if _, err := t.exec(ctx, insertLate, logNo, idx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting what can be opened now: %w", d.explain(err))
	}
	return nil
}

func (d *DB) warmTake(ctx context.Context) error {
	if err := d.truth.warm(ctx, moveStaged, moveFollowed, insertAbsent, insertLate, deleteAbsent, upsertSpent); err != nil {
		return err
	}
	return d.warmCommit(ctx)
}

// AbsentObject is a leaf whose object has not come.
type AbsentObject struct {
	Index int64
	Hash  [32]byte
}

// Lacking returns the numbers of the logs that have leaves whose object has not come.
func (d *DB) Lacking(ctx context.Context) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := queryRows(ctx, d.truth, `SELECT DISTINCT log_no FROM absent`, nil, func(r *sql.Rows) error {
		var no int64
		err := r.Scan(&no)
		out[no] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing logs that lack objects: %w", err)
	}
	return out, nil
}

// Absent lists leaves of a log whose object has not come, from a place on.
func (d *DB) Absent(ctx context.Context, logNo, from int64, limit int) ([]AbsentObject, error) {
	var out []AbsentObject
	err := queryRows(ctx, d.truth, `SELECT idx, hash FROM absent WHERE log_no = $1 AND idx >= $2 ORDER BY idx LIMIT $3`,
		[]any{logNo, from, limit}, func(r *sql.Rows) error {
			var a AbsentObject
			var h []byte
			err := r.Scan(&a.Index, &h)
			if err == nil {
				a.Hash, err = toHash(h)
			}
			out = append(out, a)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("listing absent objects of log number %d: %w", logNo, err)
	}
	return out, nil
}

// EpochPlaces lists the leaves [from, to) of a followed log that hold an epoch record.
func (d *DB) EpochPlaces(ctx context.Context, logNo, from, to int64) ([]int64, error) {
	var out []int64
	err := queryRows(ctx, d.truth, `SELECT idx FROM epoch_at WHERE log_no = $1 AND idx >= $2 AND idx < $3 ORDER BY idx`, []any{logNo, from, to}, func(r *sql.Rows) error {
		var idx int64
		err := r.Scan(&idx)
		out = append(out, idx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing epochs of log number %d: %w", logNo, err)
	}
	return out, nil
}

// LateObject is a leaf whose object came after the head had passed it.
type LateObject struct{ LogNo, Index int64 }

// Late lists leaves whose object came late and was not indexed yet.
func (d *DB) Late(ctx context.Context, limit int) ([]LateObject, error) {
	var out []LateObject
	err := queryRows(ctx, d.truth, `SELECT log_no, idx FROM late ORDER BY log_no, idx LIMIT $1`, []any{limit}, func(r *sql.Rows) error {
		var l LateObject
		err := r.Scan(&l.LogNo, &l.Index)
		out = append(out, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing objects that came late: %w", err)
	}
	return out, nil
}

// LateIn says whether Late would list leaves of a log.
func (d *DB) LateIn(ctx context.Context, log string) (late bool, err error) {
	err = queryRow(ctx, d.truth, `SELECT EXISTS (SELECT 1 FROM late t JOIN log l ON l.no = t.log_no WHERE l.id = $1)`, []any{log}, &late)
	if err != nil {
		return false, fmt.Errorf("asking for objects that came late: %w", err)
	}
	return late, nil
}

// ForgetLate drops what was listed by Late: it is indexed now.
func (d *DB) ForgetLate(ctx context.Context, done []LateObject) error {
	if len(done) == 0 {
		return nil
	}
	err := d.truth.inTx(ctx, func(t *tx) error {
		for _, l := range done {
			if _, err := t.exec(ctx, `DELETE FROM late WHERE log_no = $1 AND idx = $2`, l.LogNo, l.Index); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting what came late: %w", d.explain(err))
	}
	return nil
}
