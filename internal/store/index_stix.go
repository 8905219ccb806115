package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"slices"
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

// stixAt is a query for STIX objects by where they stand.
func stixAt(columns, from string) *inserter {
	return newInserterWith(`WITH k(no, ord) AS (VALUES (CAST(-1 AS BIGINT), CAST(-1 AS BIGINT)),`, 2, `) SELECT `+columns+` FROM k CROSS JOIN ix_stix s `+from+` WHERE s.no = k.no AND s.ord = k.ord`)
}

var (
	findNames  = stixAt(`s.no, s.type, s.uuid`, ``)
	findPlaced = stixAt(placedColumns, placedJoin)
)

func placesOf(list []handle) []any {
	out := make([]any, 0, 2*len(list))
	for _, h := range list {
		out = append(out, h.no, h.ord)
	}
	return out
}

// WithSTIX returns the records that carry a STIX object, newest first.
func (x *Index) WithSTIX(ctx context.Context, id string, limit int) ([]Indexed, error) {
	typ, uuid := splitSTIX(id)
	var nos []int64
	err := x.reading("looking a STIX object up", func(c *conns) error {
		list, err := findHandles(ctx, c, c.asking, stixKey(uuid))
		for slices.Reverse(list); err == nil && len(list) > 0 && len(nos) < limit; {
			n := min(idsAtOnce, len(list))
			err = askOf(ctx, c.kind, c.asking, findNames, placesOf(list[:n]), func(r *sql.Rows) error {
				var no int64
				var t string
				var u []byte
				err := r.Scan(&no, &t, &u)
				if err == nil && t == typ && bytes.Equal(u, uuid) {
					nos = append(nos, no)
				}
				return err
			})
			list = list[n:]
			slices.Sort(nos)
			nos = slices.Compact(nos)
		}
		return err
	})
	if err != nil || len(nos) == 0 {
		return nil, err
	}
	slices.Reverse(nos)
	return x.ByNos(ctx, nos[:min(limit, len(nos))])
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

const (
	placedColumns = `s.no, s.ord, s.type, s.uuid, s.spec, s.version, s.off, s.len, s.marking, s.many, p.class, p.date_us, p.ord, p.expires_us`
	placedJoin    = `JOIN ix_place p ON p.no = s.no AND s.ord >= p.ord AND s.ord < p.ord + p.count`
)

// PlacedSTIX returns all that stands in collections under a STIX id, in the order of arrival.
func (x *Index) PlacedSTIX(ctx context.Context, id string) (out []Placed, err error) {
	_, uuid := splitSTIX(id)
	err = x.reading("looking STIX objects up", func(c *conns) error {
		list, err := findHandles(ctx, c, c.asking, stixKey(uuid))
		if err != nil {
			return err
		}
		return askOf(ctx, c.kind, c.asking, findPlaced, placesOf(list), func(r *sql.Rows) error {
			one, err := scanPlaced(r)
			if one.ID == id {
				out = append(out, one)
			}
			return err
		})
	})
	slices.SortFunc(out, func(a, b Placed) int { return cmp.Or(cmp.Compare(a.No, b.No), a.Ord-b.Ord) })
	return out, err
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
		return queryRows(ctx, c, `SELECT `+placedColumns+` FROM ix_stix s `+placedJoin+` `+where, args, func(r *sql.Rows) error {
			one, err := scanPlaced(r)
			out = append(out, one)
			return err
		})
	})
	return out, err
}

func scanPlaced(r *sql.Rows) (one Placed, err error) {
	var first int
	one.No, one.Ord, one.IndexSTIX, err = scanSTIX(r, &one.Class, &one.Date, &first, &one.Expires)
	one.Date += int64(one.Ord - first)
	one.Count = 1
	return one, err
}

// HasSTIX returns which of the ids are the ids of objects in the index.
func (x *Index) HasSTIX(ctx context.Context, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	err := x.reading("looking STIX objects up", func(c *conns) error {
		for at := 0; at < len(ids); at += idsAtOnce {
			var keys []int64
			for _, id := range ids[at:min(at+idsAtOnce, len(ids))] {
				_, uuid := splitSTIX(id)
				keys = append(keys, stixKey(uuid))
			}
			list, err := findHandles(ctx, c, c.asking, keys...)
			if err != nil {
				return err
			}
			err = askOf(ctx, c.kind, c.asking, findNames, placesOf(list), func(r *sql.Rows) error {
				var no int64
				var typ string
				var uuid []byte
				err := r.Scan(&no, &typ, &uuid)
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

const idsAtOnce = 1024

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
