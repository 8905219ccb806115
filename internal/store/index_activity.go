package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// Activity is what an author did under an agreement, counted from its valid records.
type Activity struct {
	Records   int64 // that serve any commitment
	Served    []Served
	Deadlines []DeadlineActivity // one for each that was asked for
}

// Served says what serves one commitment: records of one kind.
type Served struct {
	Label  string // of the commitment
	Kind   string
	Count  int64
	Last   time.Time
	Months []MonthCount // oldest first
	Newest []Indexed    // newest first, up to as many as were asked for
}

// MonthCount counts the records of one month, written YYYY-MM.
type MonthCount struct {
	Month string
	Count int64
}

// DeadlineQuery asks what became of records of one kind that are to be answered with one of another within a time.
type DeadlineQuery struct {
	Starts, Due string                    // kinds, "incident/final" where they have stages; the same: an answer starts nothing
	After       func(time.Time) time.Time // when what started then has to be answered; a later start, no earlier
}

// DeadlineActivity is what became of them.
type DeadlineActivity struct {
	Met, Late    int64     // answered in time, and after it
	Open, Passed int64     // not answered, and there is time, or it has passed
	Oldest       []Indexed // passed, oldest first, up to as many as were asked for
	Next         *Indexed  // the first for which there is still time
}

// AuthorActivity is what one party did.
type AuthorActivity struct {
	Author string
	Activity
}

// Activities counts what each party did under an agreement, by party, as far as this node holds it: of deadlines, what became of
// what it started, whoever answered. samples is how many records each count shows as evidence. What it costs depends on how many
// parties, days and kinds there are, and on how many records stand at the edge of a deadline, not on how many there are.
func (x *Index) Activities(ctx context.Context, agreement string, deadlines []DeadlineQuery, now time.Time, samples int) (out []AuthorActivity, err error) {
	err = x.reading("counting what was done", func(c *conns) error {
		return c.inSnapshot(ctx, activityQueries(c.kind), func(s snapshot) error {
			r := activityReader{snapshot: s, ctx: ctx, now: now, samples: samples}
			authors, err := r.authors(agreement)
			if err != nil {
				return err
			}
			for _, author := range authors {
				a, err := r.author(agreement, author, deadlines)
				if err != nil {
					return err
				}
				out = append(out, AuthorActivity{author, a})
			}
			return nil
		})
	})
	return out, err
}

// Activity is what Activities says of one author.
func (x *Index) Activity(ctx context.Context, agreement, author string, deadlines []DeadlineQuery, now time.Time, samples int) (a Activity, err error) {
	err = x.reading("counting what was done", func(c *conns) error {
		return c.inSnapshot(ctx, activityQueries(c.kind), func(s snapshot) error {
			r := activityReader{snapshot: s, ctx: ctx, now: now, samples: samples}
			a, err = r.author(agreement, author, deadlines)
			return err
		})
	})
	return a, err
}

const (
	listAuthors = `SELECT DISTINCT author FROM ix_tally WHERE agreement = $1 ORDER BY author`
	listTallies = `SELECT no, what, label, kind, count FROM ix_tally WHERE agreement = $1 AND author = $2 ORDER BY what, label, kind`
	listBuckets = `SELECT bucket, count FROM ix_bucket WHERE tally = $1 ORDER BY bucket`
	countLate   = `SELECT count(*) FROM ix_answered WHERE tally = $1 AND delay_us > $2`
	listLate    = `SELECT start_us, delay_us FROM ix_answered WHERE tally = $1 AND delay_us > $2 AND delay_us <= $3`
	// The days on which more was started than was answered since.
	listOpenDays = `SELECT s.bucket, s.count - COALESCE(a.count, 0) FROM ix_bucket s LEFT JOIN ix_bucket a ON a.tally = $1 AND a.bucket = s.bucket
		WHERE s.tally = $2 AND s.count > COALESCE(a.count, 0) ORDER BY s.bucket`
	recordByNo = selectIndexed + ` WHERE no = $1`
)

// findAnswered says which of some records were answered.
var findAnswered = newInserterWith(`SELECT start_no, tally FROM ix_answered WHERE start_no IN (VALUES (CAST(-1 AS BIGINT)),`, 1, `)`)

func activityQueries(k kind) []string {
	return append(findAnswered.of(k)[:], listAuthors, listTallies, listBuckets, newestServings, newestPacks, countLate, listLate, listOpenDays, servingsIn, packsIn, recordByNo)
}

// talliedCount is a tally's number and count.
type talliedCount struct{ no, count int64 }

type activityReader struct {
	snapshot
	ctx     context.Context //nolint:containedctx // of one call
	now     time.Time
	samples int
	order   []tallyKey
	numbers map[tallyKey]talliedCount
}

// each calls scan for each row of a query.
func (r *activityReader) each(query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := r.QueryContext(r.ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *activityReader) records(query string, args ...any) (out []Indexed, err error) {
	err = r.each(query, args, func(rows *sql.Rows) error {
		e, err := scanIndexed(rows)
		out = append(out, e)
		return err
	})
	return out, err
}

func (r *activityReader) authors(agreement string) (out []string, err error) {
	err = r.each(listAuthors, []any{agreement}, func(rows *sql.Rows) error {
		var author string
		err := rows.Scan(&author)
		out = append(out, author)
		return err
	})
	return out, err
}

func (r *activityReader) author(agreement, author string, deadlines []DeadlineQuery) (a Activity, err error) {
	r.order, r.numbers = nil, map[tallyKey]talliedCount{}
	if err := r.tallies(agreement, author); err != nil {
		return a, err
	}
	a.Records = r.numbers[tallyKey{agreement: agreement, author: author, what: tallyServing}].count
	if a.Served, err = r.served(); err != nil {
		return a, err
	}
	for _, q := range deadlines {
		var d DeadlineActivity
		if starts := (tallyKey{agreement: agreement, author: author, what: tallyAll, kind: q.Starts}); r.numbers[starts].count > 0 {
			if d, err = r.deadline(agreement, author, q); err != nil {
				return a, fmt.Errorf("a deadline from %s to %s: %w", q.Starts, q.Due, err)
			}
		}
		a.Deadlines = append(a.Deadlines, d)
	}
	return a, nil
}

func (r *activityReader) tallies(agreement, author string) error {
	return r.each(listTallies, []any{agreement, author}, func(rows *sql.Rows) error {
		k := tallyKey{agreement: agreement, author: author}
		var t talliedCount
		err := rows.Scan(&t.no, &k.what, &k.label, &k.kind, &t.count)
		r.order, r.numbers[k] = append(r.order, k), t
		return err
	})
}

func (r *activityReader) served() (out []Served, err error) {
	for _, k := range r.order {
		if k.what != tallyLabel {
			continue
		}
		t := r.numbers[k]
		s := Served{Label: k.label, Kind: k.kind, Count: t.count}
		newest, err := newestOf(r.ctx, r.asking, t.no, max(r.samples, 1))
		if err != nil {
			return nil, err
		}
		if len(newest) > 0 {
			s.Last = fromMicros(newest[0].at)
		}
		for _, one := range newest[:min(r.samples, len(newest))] {
			records, err := r.records(recordByNo, one.no)
			if err != nil {
				return nil, err
			}
			s.Newest = append(s.Newest, records...)
		}
		if err := r.each(listBuckets, []any{t.no}, func(rows *sql.Rows) error {
			var month, n int64
			err := rows.Scan(&month, &n)
			s.Months = append(s.Months, MonthCount{fmt.Sprintf("%04d-%02d", month/12, month%12+1), n})
			return err
		}); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (r *activityReader) deadline(agreement, author string, q DeadlineQuery) (d DeadlineActivity, err error) {
	key := tallyKey{agreement: agreement, author: author, what: tallyAll, kind: q.Starts}
	starts := r.numbers[key]
	days, fresh := starts, int64(1)
	if q.Starts == q.Due {
		key.what = tallyFresh
		days, fresh = r.numbers[key], 0
	}
	key.what, key.label = tallyAnswered, q.Due
	answered := r.numbers[key]
	if d.Late, err = r.late(answered.no, q); err != nil {
		return d, err
	}
	d.Met = answered.count - d.Late
	edge := lastPassed(q, r.now)
	type openDay struct{ from, count int64 }
	var open []openDay
	if err := r.each(listOpenDays, []any{answered.no, days.no}, func(rows *sql.Rows) error {
		var one openDay
		err := rows.Scan(&one.from, &one.count)
		one.from *= dayMicros
		open = append(open, one)
		return err
	}); err != nil {
		return d, err
	}
	scan := openScan{starts: starts.no, answered: answered.no, fresh: fresh}
	for _, day := range open {
		passed, some := day.from+dayMicros-1 <= edge, day.from <= edge
		scan.from = day.from
		switch {
		case passed: // the whole day
			d.Passed += day.count
			scan.limit = int64(r.samples - len(d.Oldest))
		case some:
			scan.limit = day.count
		default:
			d.Open += day.count
			scan.limit = 1
			if d.Next != nil {
				scan.limit = 0
			}
		}
		if scan.limit <= 0 {
			continue
		}
		list, err := r.open(scan)
		if err != nil {
			return d, err
		}
		for _, one := range list {
			if some && !passed {
				if one.at <= edge {
					d.Passed++
				} else {
					d.Open++
				}
			}
			if err := r.show(&d, one, edge); err != nil {
				return d, err
			}
		}
	}
	return d, nil
}

// openScan asks for what was started on a day and not answered.
type openScan struct{ starts, answered, from, fresh, limit int64 }

func (r *activityReader) open(q openScan) (out []serving, err error) {
	list, err := servingsBetween(r.ctx, r.asking, q.starts, q.from, q.from+dayMicros)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(s serving) bool { return s.answers > q.fresh })
	for some := range slices.Chunk(list, batchSizes[0]) {
		nos := make([]any, len(some))
		for i, s := range some {
			nos[i] = s.no
		}
		answered := map[int64]bool{}
		if err := askOf(r.ctx, r.c.kind, r.asking, findAnswered, nos, func(rows *sql.Rows) error {
			var no, tally int64
			err := rows.Scan(&no, &tally)
			answered[no] = answered[no] || tally == q.answered
			return err
		}); err != nil {
			return nil, err
		}
		for _, s := range some {
			if !answered[s.no] {
				out = append(out, s)
			}
			if int64(len(out)) == q.limit {
				return out, nil
			}
		}
	}
	return out, nil
}

// show keeps a record that is among the oldest for which the time has passed, or the first for which there is some.
func (r *activityReader) show(d *DeadlineActivity, s serving, edge int64) error {
	passed := s.at <= edge
	if passed && len(d.Oldest) >= r.samples || !passed && d.Next != nil {
		return nil
	}
	list, err := r.records(recordByNo, s.no)
	if err == nil && len(list) == 0 {
		err = errors.New("a record that started a deadline is not in the index")
	}
	if err != nil {
		return err
	}
	if passed {
		d.Oldest = append(d.Oldest, list[0])
	} else {
		d.Next = &list[0]
	}
	return nil
}

// late counts the answers that came too late. How long a period is can depend on when it began, as a month does: what
// waited longer than any is counted, what waited longer than the shortest is looked at.
func (r *activityReader) late(tally int64, q DeadlineQuery) (n int64, err error) {
	shortest, longest := lengths(q)
	if err := r.each(countLate, []any{tally, longest}, func(rows *sql.Rows) error { return rows.Scan(&n) }); err != nil {
		return 0, err
	}
	err = r.each(listLate, []any{tally, shortest, longest}, func(rows *sql.Rows) error {
		var start, delay int64
		if err := rows.Scan(&start, &delay); err != nil {
			return err
		}
		if fromMicros(start + delay).After(q.After(fromMicros(start))) {
			n++
		}
		return nil
	})
	return n, err
}

// lengths are bounds of how long a period lasts, in microseconds, from what it lasts from each day of four years on: only
// the lengths of months and years differ.
func lengths(q DeadlineQuery) (shortest, longest int64) {
	shortest = math.MaxInt64
	for day := range 4*365 + 1 {
		at := time.Date(2024, 1, 1+day, 12, 0, 0, 0, time.UTC)
		d := int64(q.After(at).Sub(at) / time.Microsecond)
		shortest, longest = min(shortest, d), max(longest, d)
	}
	if shortest == longest {
		return shortest, longest
	}
	return shortest - dayMicros, longest + dayMicros
}

// lastPassed is the latest start, in microseconds, for which the time had passed.
func lastPassed(q DeadlineQuery, now time.Time) int64 {
	shortest, longest := lengths(q)
	from := micros(now) - longest - dayMicros
	n := sort.Search(int(longest-shortest+2*dayMicros), func(i int) bool {
		return !now.After(q.After(fromMicros(from + int64(i))))
	})
	return from + int64(n) - 1
}
