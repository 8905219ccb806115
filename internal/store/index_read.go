package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

const selectIndexed = `SELECT no, log_no, idx, leaf, object, standing, sealed, id, kind, stage, agreement, author, officer, signers, time_us, expires_us, tlp, pap, parties, persons, parts FROM ix_entry`

func scanIndexed(r *sql.Rows) (Indexed, error) { return scanIndexedWith(r) }

// scanIndexedWith reads columns that follow the record's own into more.
func scanIndexedWith(r *sql.Rows, more ...any) (Indexed, error) {
	var e Indexed
	var leaf, object []byte
	var sealed, at, expires, parts int64
	var signers, parties, persons string
	err := r.Scan(append([]any{&e.No, &e.LogNo, &e.Index, &leaf, &object, &e.Standing, &sealed, &e.ID, &e.Kind, &e.Stage, &e.Agreement, &e.Author, &e.Officer,
		&signers, &at, &expires, &e.TLP, &e.PAP, &parties, &persons, &parts}, more...)...)
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

// SealedPlaces lists the places of a log's records, from one on, that are sealed to others.
func (x *Index) SealedPlaces(ctx context.Context, logNo, from int64) (out []int64, err error) {
	err = x.reading("listing what is sealed to others", func(c *conns) error {
		return queryRows(ctx, c, `SELECT idx FROM ix_entry WHERE log_no = $1 AND idx >= $2 AND standing = $3 ORDER BY idx`, []any{logNo, from, StandingSealed}, func(r *sql.Rows) error {
			var index int64
			err := r.Scan(&index)
			out = append(out, index)
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

// Arrived returns the records that arrived after one and before another, newest first; before 0: up to the newest.
func (x *Index) Arrived(ctx context.Context, after, before int64, limit int) ([]Indexed, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return x.list(ctx, "listing arrivals", ` WHERE no > $1 AND no < $2 ORDER BY no DESC LIMIT $3`, after, before, limit)
}

// ArrivedKind returns the records of a kind that arrived after one, oldest first.
func (x *Index) ArrivedKind(ctx context.Context, kind string, after int64, limit int) ([]Indexed, error) {
	return x.list(ctx, "listing arrivals", ` WHERE no > $1 AND kind = $2 ORDER BY no LIMIT $3`, after, kind, limit)
}

// Newest returns the number of the record that arrived last, or 0.
func (x *Index) Newest(ctx context.Context) (no int64, err error) {
	err = x.reading("asking for the newest arrival", func(c *conns) error {
		return queryRow(ctx, c, `SELECT COALESCE(MAX(no), 0) FROM ix_record`, nil, &no)
	})
	return no, err
}

// ByNos returns the records that arrived as these, in their order; those that are not there are left out.
func (x *Index) ByNos(ctx context.Context, nos []int64) ([]Indexed, error) {
	found := make(map[int64]Indexed, len(nos))
	for at := 0; at < len(nos); {
		n := 1
		for _, size := range batchSizes {
			if size <= len(nos)-at {
				n = size
				break
			}
		}
		args := make([]any, n)
		for i := range args {
			args[i] = nos[at+i]
		}
		list, err := x.list(ctx, "reading indexed records", multi(x.db.kind, ` WHERE no IN `, n, 1), args...)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			found[e.No] = e
		}
		at += n
	}
	out := make([]Indexed, 0, len(found))
	for _, no := range nos {
		if e, ok := found[no]; ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// ByLeaf returns the records with this leaf hash: one, unless the same object stands in several logs.
func (x *Index) ByLeaf(ctx context.Context, leaf [32]byte) ([]Indexed, error) {
	list, err := x.under(ctx, "looking a leaf up", leafKey(leaf))
	return slices.DeleteFunc(list, func(e Indexed) bool { return e.Leaf != leaf }), err
}

// ByID returns the records with this record id.
func (x *Index) ByID(ctx context.Context, id string) ([]Indexed, error) {
	list, err := x.under(ctx, "looking a record up", idKey(id))
	return slices.DeleteFunc(list, func(e Indexed) bool { return e.ID != id }), err
}

// under returns the records that may have what has a handle.
func (x *Index) under(ctx context.Context, what string, key int64) ([]Indexed, error) {
	var nos []int64
	err := x.reading(what, func(c *conns) (err error) {
		nos, err = numbersUnder(ctx, c, c.asking, key)
		return err
	})
	if err != nil || len(nos) == 0 {
		return nil, err
	}
	return x.ByNos(ctx, nos)
}

// Since returns up to limit records that arrived after the no-th, in order of arrival.
func (x *Index) Since(ctx context.Context, no int64, limit int) ([]Indexed, error) {
	return x.list(ctx, "listing arrivals", ` WHERE no > $1 ORDER BY no LIMIT $2`, no, limit)
}

// CountTo returns how many records are indexed up to the no-th.
func (x *Index) CountTo(ctx context.Context, no int64) (n int64, err error) {
	err = x.reading("counting arrivals", func(c *conns) error {
		return queryRows(ctx, c, `SELECT count(*) FROM ix_record WHERE no <= $1`, []any{no}, func(r *sql.Rows) error { return r.Scan(&n) })
	})
	return n, err
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

// Releases lists the releases that are valid, in order of arrival.
func (x *Index) Releases(ctx context.Context) ([]Indexed, error) {
	return x.list(ctx, "listing releases", ` WHERE no IN (SELECT no FROM ix_change WHERE action = 'release') AND standing = $1 ORDER BY no`, StandingValid)
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

// Wanted is what the index knows of one log: how many of its leaves are indexed, and the places that were asked for, ascending.
// Places from Size on are not known yet.
type Wanted struct {
	Size   int64
	Places []int64
}

// OfKinds returns the places of an author's valid records of some kinds under an agreement, from a place of a log on.
func (x *Index) OfKinds(ctx context.Context, logNo int64, agreement, author string, kinds []string, from int64) (w Wanted, err error) {
	const (
		size    = `SELECT size FROM ix_log WHERE no = $1`
		tallies = `SELECT no, kind FROM ix_tally WHERE agreement = $1 AND author = $2 AND what = $3 AND label = ''`
	)
	err = x.reading("looking places up", func(c *conns) error {
		return c.inSnapshot(ctx, append(findPlaces.of(c.kind)[:], size, tallies, servingsIn, packsIn), func(s snapshot) error {
			if err := one(ctx, s, size, []any{logNo}, &w.Size); err != nil {
				if errors.Is(err, ErrNotFound) {
					return nil // nothing of the log is indexed
				}
				return err
			}
			var of []int64
			err := s.asking(ctx, tallies, []any{agreement, author, tallyAll}, func(r *sql.Rows) error {
				var no int64
				var kind string
				err := r.Scan(&no, &kind)
				if slices.Contains(kinds, kind) {
					of = append(of, no)
				}
				return err
			})
			var nos []int64
			for i := 0; i < len(of) && err == nil; i++ {
				var list []serving
				list, err = servingsBetween(ctx, s.asking, of[i], math.MinInt64, math.MaxInt64)
				for _, one := range list {
					nos = append(nos, one.no)
				}
			}
			if err != nil {
				return err
			}
			err = askOf(ctx, c.kind, s.asking, findPlaces, anyOf(nos), func(r *sql.Rows) error {
				var no, place int64
				err := r.Scan(&no, &place)
				if no == logNo && place >= from {
					w.Places = append(w.Places, place)
				}
				return err
			})
			slices.Sort(w.Places)
			return err
		})
	})
	if errors.Is(err, ErrNoIndex) {
		return Wanted{}, nil
	}
	return w, err
}

// findPlaces says where records stand.
var findPlaces = newInserterWith(`SELECT log_no, idx FROM ix_entry WHERE no IN (VALUES (CAST(-1 AS BIGINT)),`, 1, `)`)
