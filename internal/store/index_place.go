package store

import (
	"context"
	"database/sql"
	"slices"
)

// Class is what a decision sees of an object besides its time: one for all objects that it sees alike.
type Class struct {
	No        int64
	Agreement string
	Item      string // as the caller writes it
}

// Run is where objects of one record stand in the collection of their agreement: the one with the place Ord in the bundle at
// Date, the next a microsecond later, and so on.
type Run struct {
	Class   int64
	No      int64 // the record's
	Date    int64 // microseconds
	Ord     int
	Count   int
	Expires int64 // microseconds; 0: never
}

// Placing says where the objects of a record stand from now on, instead of where they stood.
type Placing struct {
	No        int64
	Agreement string
	Runs      []PlacedRun
}

// PlacedRun is a Run to be written, its class by what it is.
type PlacedRun struct {
	Run
	Item string
}

// place writes placings. The records that are new in the index, ascending, have no earlier place to be taken away.
func place(ctx context.Context, t *tx, placings []Placing, fresh []int64) error {
	numbers := map[Class]int64{}
	rows := make([]any, 0, len(placings)*ixPlaceInsert.cols)
	for _, p := range placings {
		if _, isNew := slices.BinarySearch(fresh, p.No); !isNew {
			if _, err := t.exec(ctx, `DELETE FROM ix_place WHERE no = $1`, p.No); err != nil {
				return err
			}
		}
		for _, r := range p.Runs {
			c := Class{Agreement: p.Agreement, Item: r.Item}
			no, ok := numbers[c]
			if !ok {
				var err error
				if no, err = classNo(ctx, t, c); err != nil {
					return err
				}
				numbers[c] = no
			}
			rows = append(rows, no, r.Date, p.No, int64(r.Ord), int64(r.Count), r.Expires)
		}
	}
	return t.insert(ctx, ixPlaceInsert, rows)
}

func classNo(ctx context.Context, t *tx, c Class) (no int64, err error) {
	if _, err := t.exec(ctx, `INSERT INTO ix_class (no, agreement, item) SELECT COALESCE(max(no), 0) + 1, $1, $2 FROM ix_class WHERE true ON CONFLICT DO NOTHING`, c.Agreement, c.Item); err != nil {
		return 0, err
	}
	err = t.QueryRowContext(ctx, `SELECT no FROM ix_class WHERE agreement = $1 AND item = $2`, c.Agreement, c.Item).Scan(&no)
	return no, err
}

// Classes lists the classes of an agreement's objects.
func (x *Index) Classes(ctx context.Context, agreement string) (out []Class, err error) {
	err = x.reading("listing classes of objects", func(c *conns) error {
		return queryRows(ctx, c, `SELECT no, agreement, item FROM ix_class WHERE agreement = $1 ORDER BY no`, []any{agreement}, func(r *sql.Rows) error {
			var one Class
			err := r.Scan(&one.No, &one.Agreement, &one.Item)
			out = append(out, one)
			return err
		})
	})
	return out, err
}

// Runs returns up to limit runs of a class with objects that were added after a date, in microseconds, in their order; of
// the first what comes after the date.
func (x *Index) Runs(ctx context.Context, class, after int64, limit int) (out []Run, err error) {
	err = x.reading("listing a collection", func(c *conns) error {
		return queryRows(ctx, c, `SELECT date_us, no, ord, count, expires_us FROM ix_place WHERE class = $1
			AND date_us >= COALESCE((SELECT max(date_us) FROM ix_place WHERE class = $2 AND date_us <= $3), $4) ORDER BY date_us LIMIT $5`,
			[]any{class, class, after, after, limit + 1}, func(r *sql.Rows) error {
				one := Run{Class: class}
				if err := r.Scan(&one.Date, &one.No, &one.Ord, &one.Count, &one.Expires); err != nil {
					return err
				}
				if skip := int(min(max(after-one.Date+1, 0), int64(one.Count))); skip > 0 {
					one.Date, one.Ord, one.Count = one.Date+int64(skip), one.Ord+skip, one.Count-skip
				}
				if one.Count > 0 && len(out) < limit {
					out = append(out, one)
				}
				return nil
			})
	})
	return out, err
}

// AnyChange says whether the index holds any recall or release at all.
func (x *Index) AnyChange(ctx context.Context) (any bool, err error) {
	err = x.reading("looking recalls up", func(c *conns) error {
		return queryRows(ctx, c, `SELECT no FROM ix_change LIMIT 1`, nil, func(*sql.Rows) error {
			any = true
			return nil
		})
	})
	return any, err
}

// Place says where objects stand from now on.
func (x *Index) Place(ctx context.Context, placings []Placing) error {
	return x.writing(ctx, "placing STIX objects", func(t *tx) error { return place(ctx, t, placings, nil) })
}

// Unsettled returns the targets of a log's recalls and releases that are not vouched for any more.
func (x *Index) Unsettled(ctx context.Context, logNo int64) ([][32]byte, error) {
	return x.targets(ctx, `SELECT DISTINCT c.target FROM ix_change c JOIN ix_entry r ON r.no = c.no WHERE r.log_no = $1 AND r.standing = $2`, logNo, StandingNotVouched)
}

// Changed returns the targets of all recalls and releases.
func (x *Index) Changed(ctx context.Context) ([][32]byte, error) {
	return x.targets(ctx, `SELECT DISTINCT target FROM ix_change`)
}

func (x *Index) targets(ctx context.Context, query string, args ...any) (out [][32]byte, err error) {
	err = x.reading("looking recalls up", func(c *conns) error {
		return queryRows(ctx, c, query, args, func(r *sql.Rows) error {
			var target []byte
			if err := r.Scan(&target); err != nil {
				return err
			}
			h, err := toHash(target)
			out = append(out, h)
			return err
		})
	})
	return out, err
}
