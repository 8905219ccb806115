package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What a tally counts. Only valid records count.
const (
	tallyAll      int64 = iota // records of a kind
	tallyFresh                 // records of a kind that answer no other
	tallyServing               // records that serve any commitment, each once
	tallyLabel                 // records of a kind that serve one commitment
	tallyAnswered              // records of a kind, those that were answered with one of the kind in label
)

// tallyKey names a tally. A kind is written with its stage too, "incident/final", except under tallyLabel.
type tallyKey struct {
	agreement, author string
	what              int64
	label, kind       string
}

// tallyRows is how much a tally gains, or loses, and when.
type tallyRows struct {
	count   int64
	buckets map[int64]int64
	serves  []serving
	packs   []pack // of servings that were many
}

// pack makes packs where there are many servings.
func (t tallies) pack() {
	for _, r := range t {
		r.packs, r.serves = packServings(r.serves)
	}
}

// tallies gathers what a batch counts.
type tallies map[tallyKey]*tallyRows

func (t tallies) at(k tallyKey) *tallyRows {
	r := t[k]
	if r == nil {
		r = &tallyRows{buckets: map[int64]int64{}}
		t[k] = r
	}
	return r
}

// count adds n records at a time to a tally: by months where commitments are counted, else by days.
func (t tallies) count(k tallyKey, at time.Time, n int64) *tallyRows {
	r := t.at(k)
	r.count += n
	switch k.what {
	case tallyServing:
	case tallyLabel:
		r.buckets[monthOf(at)] += n
	default:
		r.buckets[dayOf(micros(at))] += n
	}
	return r
}

// monthOf numbers months from the year 0 on.
func monthOf(at time.Time) int64 {
	at = at.UTC()
	return int64(at.Year())*12 + int64(at.Month()) - 1
}

const dayMicros = int64(24 * time.Hour / time.Microsecond)

// dayOf is the number of a day from 1970 on.
func dayOf(us int64) int64 {
	d := us / dayMicros
	if us%dayMicros < 0 {
		d--
	}
	return d
}

// namesOfKind are the names under which a deadline can ask for a record: its kind, and its kind with its stage.
func namesOfKind(kind, stage string) []string {
	if stage == "" {
		return []string{kind}
	}
	return []string{kind, kind + "/" + stage}
}

// add counts a valid record.
func (t tallies) add(e *IndexEntry) {
	at, answers := e.Time, int64(0)
	if e.answers() {
		answers = 1
	}
	key := tallyKey{agreement: e.Agreement, author: e.Author}
	for _, name := range namesOfKind(e.Kind, e.Stage) {
		key.what, key.kind = tallyAll, name
		r := t.count(key, at, 1)
		r.serves = append(r.serves, serving{micros(at), e.No, answers})
		if answers == 0 {
			key.what = tallyFresh
			t.count(key, at, 1)
		}
	}
	if len(e.Serves) > 0 {
		t.count(tallyKey{agreement: e.Agreement, author: e.Author, what: tallyServing}, at, 1)
	}
	key.what, key.kind = tallyLabel, e.Kind
	for i, label := range e.Serves {
		if slices.Contains(e.Serves[:i], label) {
			continue
		}
		key.label = label
		r := t.count(key, at, 1)
		r.serves = append(r.serves, serving{micros(at), e.No, answers})
	}
}

const (
	addTally = `INSERT INTO ix_tally (no, agreement, author, what, label, kind, count)
	SELECT COALESCE(max(no), 0) + 1, $1, $2, $3, $4, $5, $6 FROM ix_tally WHERE true
	ON CONFLICT (agreement, author, what, label, kind) DO UPDATE SET count = ix_tally.count + excluded.count`
	findTally = `SELECT no FROM ix_tally WHERE agreement = $1 AND author = $2 AND what = $3 AND label = $4 AND kind = $5`
	addBucket = `INSERT INTO ix_bucket (tally, bucket, count) VALUES ($1, $2, $3)
	ON CONFLICT (tally, bucket) DO UPDATE SET count = ix_bucket.count + excluded.count`
)

// write adds to the tables what was gathered, which may be negative, and returns the number of each tally.
func (t tallies) write(ctx context.Context, x *tx) (map[tallyKey]int64, error) {
	numbers := make(map[tallyKey]int64, len(t))
	total := 0
	for _, r := range t {
		total += len(r.serves)
	}
	rows := make([]any, 0, total*ixServesInsert.cols)
	var packs []any
	for k, r := range t {
		if _, err := x.exec(ctx, addTally, k.agreement, k.author, k.what, k.label, k.kind, r.count); err != nil {
			return nil, err
		}
		no, err := x.tally(ctx, k)
		if err != nil {
			return nil, err
		}
		numbers[k] = no
		for bucket, n := range r.buckets {
			if n == 0 {
				continue
			}
			if _, err := x.exec(ctx, addBucket, no, bucket, n); err != nil {
				return nil, err
			}
			if n > 0 {
				continue
			}
			if _, err := x.exec(ctx, `DELETE FROM ix_bucket WHERE tally = $1 AND bucket = $2 AND count <= 0`, no, bucket); err != nil {
				return nil, err
			}
		}
		for _, s := range r.serves {
			rows = append(rows, no, s.at, s.no, s.answers)
		}
		for _, p := range r.packs {
			packs = append(packs, no, p.lastAt, p.lastNo, p.firstAt, p.data)
		}
	}
	if err := x.insert(ctx, ixServesInsert, rows); err != nil {
		return nil, err
	}
	return numbers, x.insert(ctx, ixPackInsert, packs)
}

func (t *tx) tally(ctx context.Context, k tallyKey) (no int64, err error) {
	st, err := t.stmt(ctx, findTally)
	if err != nil {
		return 0, err
	}
	defer func() { _ = st.Close() }()
	err = st.QueryRowContext(ctx, k.agreement, k.author, k.what, k.label, k.kind).Scan(&no)
	return no, err
}

// discount takes a record out of what is counted. Its row still says what it was, but for its standing.
func discount(ctx context.Context, t *tx, no int64) error {
	var e IndexEntry
	var at int64
	if err := t.QueryRowContext(ctx, `SELECT agreement, author, kind, stage, time_us FROM ix_entry WHERE no = $1`, no).Scan(&e.Agreement, &e.Author, &e.Kind, &e.Stage, &at); err != nil {
		return err
	}
	// From here on it is no answer and answered by nobody; the caller says what it is instead.
	if err := restand(ctx, t, no, ""); err != nil {
		return err
	}
	if err := unanswer(ctx, t, no); err != nil {
		return err
	}
	e.Time = fromMicros(at)
	all, err := t.tally(ctx, tallyKey{agreement: e.Agreement, author: e.Author, what: tallyAll, kind: e.Kind})
	if errors.Is(err, sql.ErrNoRows) {
		return nil // nothing of the kind was counted
	}
	if err != nil {
		return err
	}
	counting, found, err := servingAt(ctx, t.asking, all, at, no)
	if err != nil || !found {
		return err // not found: it was not counted
	}
	if e.Serves, err = labelsOf(ctx, t, &e, at, no); err != nil {
		return err
	}
	if counting.answers == 1 {
		e.Refs = []IndexRef{{Rel: relAnswers}}
	}
	counted := tallies{}
	counted.add(&e)
	for _, r := range counted {
		r.count = -r.count
		for b := range r.buckets {
			r.buckets[b] = -r.buckets[b]
		}
		r.serves = nil
	}
	numbers, err := counted.write(ctx, t)
	if err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	for _, number := range numbers {
		if err := takeServing(ctx, t, number, at, no); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM ix_tally WHERE no = $1 AND count <= 0`, number); err != nil {
			return err
		}
	}
	return nil
}

// labelsOf lists the commitments that a record serves.
func labelsOf(ctx context.Context, t *tx, e *IndexEntry, at, no int64) (labels []string, err error) {
	type labelled struct {
		tally int64
		label string
	}
	var all []labelled
	err = t.asking(ctx, `SELECT no, label FROM ix_tally WHERE agreement = $1 AND author = $2 AND what = $3 AND kind = $4`,
		[]any{e.Agreement, e.Author, tallyLabel, e.Kind}, func(r *sql.Rows) error {
			var one labelled
			err := r.Scan(&one.tally, &one.label)
			all = append(all, one)
			return err
		})
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		_, found, err := servingAt(ctx, t.asking, one.tally, at, no)
		if err != nil {
			return nil, err
		}
		if found {
			labels = append(labels, one.label)
		}
	}
	return labels, nil
}
