package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

const selectIndexed = `SELECT no, log_no, idx, leaf, object, standing, sealed, id, kind, agreement, author, officer, signers, time_us, expires_us, tlp, pap, parties, persons, parts FROM ix_record`

func scanIndexed(r *sql.Rows) (Indexed, error) {
	var e Indexed
	var leaf, object []byte
	var sealed, at, expires, parts int64
	var signers, parties, persons string
	err := r.Scan(&e.No, &e.LogNo, &e.Index, &leaf, &object, &e.Standing, &sealed, &e.ID, &e.Kind, &e.Agreement, &e.Author, &e.Officer,
		&signers, &at, &expires, &e.TLP, &e.PAP, &parties, &persons, &parts)
	if err != nil {
		return e, err
	}
	if e.Leaf, err = toHash(leaf); err != nil {
		return e, err
	}
	e.Object, err = toHash(object)
	e.Sealed, e.Time, e.Expires, e.Parts = sealed != 0, fromMicros(at), fromMicros(expires), int(parts)
	e.Signers, e.Parties, e.Persons = strings.Fields(signers), strings.Fields(parties), strings.Fields(persons)
	return e, err
}

func (x *Index) list(ctx context.Context, what, where string, args ...any) (out []Indexed, err error) {
	err = x.reading(what, func(c *conns) error {
		return queryRows(ctx, c, selectIndexed+where, args, func(r *sql.Rows) error {
			e, err := scanIndexed(r)
			out = append(out, e)
			return err
		})
	})
	return out, err
}

// ByNo returns the record that arrived as the no-th.
func (x *Index) ByNo(ctx context.Context, no int64) (Indexed, error) {
	list, err := x.list(ctx, "reading an indexed record", ` WHERE no = $1`, no)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("reading an indexed record: %w", ErrNotFound)
	}
	if err != nil {
		return Indexed{}, err
	}
	return list[0], nil
}

// ByLeaf returns the records with this leaf hash: one, unless the same object stands in several logs.
func (x *Index) ByLeaf(ctx context.Context, leaf [32]byte) ([]Indexed, error) {
	return x.list(ctx, "looking a leaf up", ` WHERE leaf = $1 ORDER BY no`, leaf[:])
}

// ByID returns the records with this record id.
func (x *Index) ByID(ctx context.Context, id string) ([]Indexed, error) {
	return x.list(ctx, "looking a record up", ` WHERE id = $1 ORDER BY no`, id)
}

// ReferringTo returns the records with a reference to a leaf, in order of arrival, and how each refers.
func (x *Index) ReferringTo(ctx context.Context, leaf [32]byte, limit int) (nos []int64, rels []string, err error) {
	err = x.reading("looking references up", func(c *conns) error {
		return queryRows(ctx, c, `SELECT no, rel FROM ix_ref WHERE leaf = $1 ORDER BY no, rel LIMIT $2`, []any{leaf[:], limit}, func(r *sql.Rows) error {
			var no int64
			var rel string
			err := r.Scan(&no, &rel)
			nos, rels = append(nos, no), append(rels, rel)
			return err
		})
	})
	return nos, rels, err
}

// ChangeOf is a recall or a release, and the record that says so.
type ChangeOf struct {
	Change
	By Indexed
}

// ChangesOf returns the recalls and releases of a leaf in order of arrival.
func (x *Index) ChangesOf(ctx context.Context, leaf [32]byte) (out []ChangeOf, err error) {
	err = x.reading("looking recalls up", func(c *conns) error {
		return queryRows(ctx, c, `SELECT no, action, tlp, pap, audience, parties, persons, objects FROM ix_change WHERE target = $1 ORDER BY no`, []any{leaf[:]}, func(r *sql.Rows) error {
			h := ChangeOf{Change: Change{Target: leaf}}
			var audience int64
			var parties, persons, objects string
			err := r.Scan(&h.By.No, &h.Action, &h.TLP, &h.PAP, &audience, &parties, &persons, &objects)
			h.Audience = audience != 0
			h.Parties, h.Persons, h.Objects = strings.Fields(parties), strings.Fields(persons), strings.Fields(objects)
			out = append(out, h)
			return err
		})
	})
	for i := range out {
		if err == nil {
			out[i].By, err = x.ByNo(ctx, out[i].By.No)
		}
	}
	return out, err
}

// Acts returns the acts under an agreement in order of arrival, from the one after no on.
func (x *Index) Acts(ctx context.Context, agreement string, after int64, limit int) (nos []int64, acts []IndexAct, err error) {
	err = x.reading("listing acts", func(c *conns) error {
		return queryRows(ctx, c, `SELECT no, agreement, act, date, author, party, parent, proposal FROM ix_act WHERE agreement = $1 AND no > $2 ORDER BY no LIMIT $3`,
			[]any{agreement, after, limit}, func(r *sql.Rows) error {
				var no int64
				var a IndexAct
				err := r.Scan(&no, &a.Agreement, &a.Act, &a.Date, &a.Author, &a.Party, &a.Parent, &a.Proposal)
				nos, acts = append(nos, no), append(acts, a)
				return err
			})
	})
	return nos, acts, err
}

// Tally says what serves one commitment of an agreement: valid records of one kind.
type Tally struct {
	Label  string // of the commitment; empty: all records of the kind, whatever they serve
	Kind   string
	Count  int64
	Last   time.Time
	Newest []Indexed // up to as many as were asked for, newest first
}

// Tallies returns the tallies of an agreement, by label and kind, each with up to samples of its newest records. What it
// costs does not depend on how many records there are.
func (x *Index) Tallies(ctx context.Context, agreement string, samples int) (out []Tally, err error) {
	err = x.reading("counting what was done", func(c *conns) error {
		err := queryRows(ctx, c, `SELECT label, kind, count FROM ix_tally WHERE agreement = $1 ORDER BY label, kind`, []any{agreement}, func(r *sql.Rows) error {
			var t Tally
			err := r.Scan(&t.Label, &t.Kind, &t.Count)
			out = append(out, t)
			return err
		})
		for i := range out {
			if err == nil {
				err = newest(ctx, c, agreement, &out[i], max(samples, 1))
			}
			out[i].Newest = out[i].Newest[:min(samples, len(out[i].Newest))]
		}
		return err
	})
	return out, err
}

func newest(ctx context.Context, c *conns, agreement string, t *Tally, samples int) error {
	err := queryRows(ctx, c, selectIndexed+` WHERE no IN (SELECT no FROM ix_serves WHERE agreement = $1 AND label = $2 AND kind = $3 ORDER BY time_us DESC, no DESC LIMIT $4)
		ORDER BY time_us DESC, no DESC`, []any{agreement, t.Label, t.Kind, samples}, func(r *sql.Rows) error {
		e, err := scanIndexed(r)
		t.Newest = append(t.Newest, e)
		return err
	})
	if err == nil && len(t.Newest) > 0 {
		t.Last = t.Newest[0].Time
	}
	return err
}
