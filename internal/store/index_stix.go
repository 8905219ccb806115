package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
)

// splitSTIX parts type--UUID into the type and what is kept of the UUID: its 16 bytes, or the text where it is not written
// in lower case, so that the id can be given back as it was.
func splitSTIX(id string) (typ string, uuid []byte) {
	typ, text, _ := strings.Cut(id, "--")
	if raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", "")); err == nil && len(raw) == 16 && joinUUID(raw) == text {
		return typ, raw
	}
	return typ, []byte(text)
}

func joinUUID(b []byte) string {
	if len(b) != 16 {
		return string(b)
	}
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// specCurrent is kept as an empty text: nearly every object has it.
const specCurrent = "2.1"

func shortSpec(version string) string {
	if version == specCurrent {
		return ""
	}
	return version
}

func longSpec(version string) string {
	if version == "" {
		return specCurrent
	}
	return version
}

const selectSTIX = `SELECT s.no, s.ord, s.type, s.uuid, s.spec, s.version, s.off, s.len, s.marking, s.many FROM ix_stix s`

func scanSTIX(r *sql.Rows, more ...any) (no int64, ord int, o IndexSTIX, err error) {
	var uuid []byte
	var many int64
	err = r.Scan(append([]any{&no, &ord, &o.Type, &uuid, &o.SpecVersion, &o.Version, &o.Offset, &o.Length, &o.Marking, &many}, more...)...)
	o.ID, o.SpecVersion, o.Many = o.Type+"--"+joinUUID(uuid), longSpec(o.SpecVersion), many != 0
	return no, ord, o, err
}

// WithSTIX returns the records that carry a STIX object, newest first.
func (x *Index) WithSTIX(ctx context.Context, id string, limit int) ([]Indexed, error) {
	typ, uuid := splitSTIX(id)
	return x.list(ctx, "looking a STIX object up", ` WHERE no IN (SELECT no FROM ix_stix WHERE uuid = $1 AND `+ofType+` = $2) ORDER BY no DESC LIMIT $3`, uuid, typ, limit)
}

// STIXOf returns the STIX objects [from, to) of a record, in the bundle's order.
func (x *Index) STIXOf(ctx context.Context, no int64, from, to int) (out []IndexSTIX, err error) {
	err = x.reading("listing STIX objects", func(c *conns) error {
		return queryRows(ctx, c, selectSTIX+` WHERE no = $1 AND ord >= $2 AND ord < $3 ORDER BY ord`, []any{no, from, to}, func(r *sql.Rows) error {
			_, _, o, err := scanSTIX(r)
			out = append(out, o)
			return err
		})
	})
	return out, err
}

// Placed is one STIX object where it stands in a collection.
type Placed struct {
	IndexSTIX
	Run // of this object alone
}

// ofType is a type beside an id. SQLite takes the index on types for it where it can, which holds a million rows of one type; of one
// id there are few.
const ofType = `type || ''`

const selectPlaced = `SELECT s.no, s.ord, s.type, s.uuid, s.spec, s.version, s.off, s.len, s.marking, s.many, p.class, p.date_us, p.ord, p.expires_us
	FROM ix_stix s JOIN ix_place p ON p.no = s.no AND s.ord >= p.ord AND s.ord < p.ord + p.count `

// PlacedSTIX returns all that stands in collections under a STIX id, in the order of arrival.
func (x *Index) PlacedSTIX(ctx context.Context, id string) ([]Placed, error) {
	typ, uuid := splitSTIX(id)
	return x.placed(ctx, `WHERE s.uuid = $1 AND `+ofType+` = $2 ORDER BY s.no, s.ord`, uuid, typ)
}

// PlacedOfTypes returns all that stands in collections of some types, in the order of arrival; ok is false when there may be more
// than most, and then nothing is returned.
func (x *Index) PlacedOfTypes(ctx context.Context, types []string, most int) (out []Placed, ok bool, err error) {
	for _, typ := range types {
		n := 0
		err := x.reading("counting STIX objects", func(c *conns) error {
			return queryRow(ctx, c, `SELECT count(*) FROM (SELECT 1 FROM ix_stix WHERE type = $1 LIMIT $2) AS few`, []any{typ, most + 1}, &n)
		})
		if most -= n; err != nil || most < 0 {
			return nil, false, err
		}
	}
	for _, typ := range types {
		some, err := x.placed(ctx, `WHERE s.type = $1 ORDER BY s.no, s.ord`, typ)
		if err != nil {
			return nil, false, err
		}
		out = append(out, some...)
	}
	return out, true, nil
}

// PlacedOf returns the STIX objects of a record that stand in a collection, in the bundle's order.
func (x *Index) PlacedOf(ctx context.Context, no int64) ([]Placed, error) {
	return x.placed(ctx, `WHERE s.no = $1 ORDER BY s.ord`, no)
}

func (x *Index) placed(ctx context.Context, where string, args ...any) (out []Placed, err error) {
	err = x.reading("looking STIX objects up", func(c *conns) error {
		return queryRows(ctx, c, selectPlaced+where, args, func(r *sql.Rows) error {
			var one Placed
			var first int
			var err error
			one.No, one.Ord, one.IndexSTIX, err = scanSTIX(r, &one.Class, &one.Date, &first, &one.Expires)
			one.Date += int64(one.Ord - first)
			one.Count = 1
			out = append(out, one)
			return err
		})
	})
	return out, err
}

// HasSTIX returns which of the ids are the ids of objects in the index.
func (x *Index) HasSTIX(ctx context.Context, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	err := x.reading("looking STIX objects up", func(c *conns) error {
		for at := 0; at < len(ids); at += idsAtOnce {
			uuids := make([]any, 0, idsAtOnce)
			for _, id := range ids[at:min(at+idsAtOnce, len(ids))] {
				_, uuid := splitSTIX(id)
				uuids = append(uuids, uuid)
			}
			for len(uuids) < idsAtOnce {
				uuids = append(uuids, uuids[0]) // one statement for every number of them
			}
			err := queryRows(ctx, c, `SELECT DISTINCT type, uuid FROM ix_stix WHERE uuid IN `+multi(x.db.kind, "", idsAtOnce, 1), uuids, func(r *sql.Rows) error {
				var typ string
				var uuid []byte
				err := r.Scan(&typ, &uuid)
				out[typ+"--"+joinUUID(uuid)] = true
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

const idsAtOnce = 128

// markMany notes which of the entries' STIX objects share an id with another, and notes it of the other. While the index
// is being built there is nothing to look ids up in: Finish does it for all.
func markMany(ctx context.Context, t *tx, entries []IndexEntry) error {
	if complete, err := stixComplete(ctx, t.QueryRowContext); err != nil || !complete {
		return err
	}
	mine := map[string]int{}
	var uuids []any
	for i := range entries {
		for _, o := range entries[i].STIX {
			_, uuid := splitSTIX(o.ID)
			if mine[string(uuid)]++; mine[string(uuid)] == 1 {
				uuids = append(uuids, uuid)
			}
		}
	}
	if len(uuids) == 0 {
		return nil
	}
	shared := map[string]int{}
	for len(uuids) > 0 {
		n := min(idsAtOnce, len(uuids))
		part := uuids[:n:n]
		uuids = uuids[n:]
		for len(part) < idsAtOnce {
			part = append(part, part[0])
		}
		if err := countUUIDs(ctx, t, part, shared); err != nil {
			return err
		}
	}
	if len(shared) == 0 {
		return nil
	}
	for uuid, n := range shared {
		if n <= mine[uuid]+1 { // the one that was alone before did not know
			if _, err := t.exec(ctx, `UPDATE ix_stix SET many = 1 WHERE uuid = $1`, []byte(uuid)); err != nil {
				return err
			}
		}
	}
	for i := range entries {
		for ord, o := range entries[i].STIX {
			_, uuid := splitSTIX(o.ID)
			if n := shared[string(uuid)]; n > mine[string(uuid)]+1 {
				if _, err := t.exec(ctx, `UPDATE ix_stix SET many = 1 WHERE no = $1 AND ord = $2`, entries[i].No, int64(ord)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func countUUIDs(ctx context.Context, t *tx, uuids []any, shared map[string]int) error {
	st, err := t.stmt(ctx, `SELECT uuid, count(*) FROM ix_stix WHERE uuid IN `+multi(t.c.kind, "", len(uuids), 1)+` GROUP BY uuid HAVING count(*) > 1`)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	rows, err := st.QueryContext(ctx, uuids...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var uuid []byte
		var n int
		if err := rows.Scan(&uuid, &n); err != nil {
			return err
		}
		shared[string(uuid)] = n
	}
	return rows.Err()
}

// completeSTIX notes, after the index was built, which STIX objects share an id.
func completeSTIX(ctx context.Context, t *tx) error {
	if complete, err := stixComplete(ctx, t.QueryRowContext); err != nil || complete {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE ix_stix SET many = 1 WHERE uuid IN (SELECT uuid FROM ix_stix GROUP BY uuid HAVING count(*) > 1)`); err != nil {
		return fmt.Errorf("STIX objects with one id: %w", err)
	}
	return nil
}

// SetComplete notes that collections can be read.
func (x *Index) SetComplete(ctx context.Context) error {
	return x.writing(ctx, "completing the index", func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO ix_meta (name, value) VALUES ('complete', 1) ON CONFLICT (name) DO NOTHING`)
		return err
	})
}

func stixComplete(ctx context.Context, row func(context.Context, string, ...any) *sql.Row) (bool, error) {
	var n int
	err := row(ctx, `SELECT count(*) FROM ix_meta WHERE name = 'complete'`).Scan(&n)
	return n > 0, err
}

// Complete says whether everything there was has been indexed since the index was made: before that, objects stand in
// collections that others will come before.
func (x *Index) Complete(ctx context.Context) (complete bool, err error) {
	err = x.reading("reading whether the index is complete", func(c *conns) error {
		var n int
		err := queryRow(ctx, c, `SELECT count(*) FROM ix_meta WHERE name = $1`, []any{"complete"}, &n)
		complete = n > 0
		return err
	})
	return complete, err
}
