package store

import (
	"context"
	"slices"
)

// relAnswers is how a record says which other it answers.
const relAnswers = "answers"

func (e *IndexEntry) answers() bool {
	return slices.ContainsFunc(e.Refs, func(r IndexRef) bool { return r.Rel == relAnswers })
}

// A deadline asks how soon a record was answered with one of a kind. The answer may come into the index before what it
// answers, from another log, and of several the earliest counts. So whenever a record that answers, or one that was
// answered, comes or goes, all that is known of the answered one is settled again.

// settleEntries settles what the entries of a batch answer, and those of them that were answered before they came. Until
// the index is finished there is nothing to look leaves up in; then all are settled at once.
func settleEntries(ctx context.Context, t *tx, entries []IndexEntry) error {
	finished, err := isFinished(ctx, t)
	if err != nil || !finished {
		return err
	}
	leaves := map[[32]byte]bool{}
	for i := range entries {
		for _, r := range entries[i].Refs {
			if r.Rel == relAnswers && entries[i].Standing == StandingValid {
				leaves[r.Leaf] = true
			}
		}
	}
	expected, err := expectedOf(ctx, t, entries)
	if err != nil {
		return err
	}
	for _, leaf := range expected {
		leaves[leaf] = true
	}
	for leaf := range leaves {
		if err := settle(ctx, t, leaf); err != nil {
			return err
		}
	}
	return nil
}

func isFinished(ctx context.Context, q queryer) (bool, error) {
	var n int64
	err := one(ctx, q, `SELECT count(*) FROM ix_meta WHERE name = 'finished'`, nil, &n)
	return n > 0, err
}

// expect notes that a leaf was answered that is not here yet.
func expect(ctx context.Context, t *tx, leaf [32]byte) error {
	_, err := t.exec(ctx, `INSERT INTO ix_expected (leaf) VALUES ($1) ON CONFLICT (leaf) DO NOTHING`, leaf[:])
	return err
}

// expectedOf returns the leaves of entries that were answered before they came.
func expectedOf(ctx context.Context, t *tx, entries []IndexEntry) (out [][32]byte, err error) {
	var n int64
	if err := one(ctx, t, `SELECT count(*) FROM (SELECT leaf FROM ix_expected LIMIT 1) AS any_leaf`, nil, &n); err != nil || n == 0 {
		return nil, err
	}
	for i := range entries {
		leaf := entries[i].Leaf
		here, err := hashes(ctx, t, `SELECT leaf FROM ix_expected WHERE leaf = $1`, leaf[:])
		if err != nil {
			return nil, err
		}
		out = append(out, here...)
	}
	return out, nil
}

func hashes(ctx context.Context, q queryer, query string, args ...any) (out [][32]byte, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		h, err := toHash(b)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// counted is what settling needs of a record.
type counted struct {
	no, at                         int64
	agreement, author, kind, stage string
	fresh                          bool // answers nothing
}

func countedRows(ctx context.Context, t *tx, where string, args ...any) (out []counted, err error) {
	rows, err := t.QueryContext(ctx, `SELECT r.no, r.time_us, r.agreement, r.author, r.kind, r.stage,
		(SELECT count(*) FROM ix_answers a WHERE a.no = r.no) FROM ix_entry r `+where+` AND r.standing = 'valid' ORDER BY r.no`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c counted
		var answers int64
		if err := rows.Scan(&c.no, &c.at, &c.agreement, &c.author, &c.kind, &c.stage, &answers); err != nil {
			return nil, err
		}
		c.fresh = answers == 0
		out = append(out, c)
	}
	return out, rows.Err()
}

// settle writes how soon the records with a leaf were answered, by each kind.
func settle(ctx context.Context, t *tx, leaf [32]byte) error {
	nos, err := numbersUnder(ctx, t.c, t.asking, leafKey(leaf))
	if err != nil {
		return err
	}
	var starts []counted
	for _, no := range nos {
		s, err := countedRows(ctx, t, `WHERE r.no = $1 AND r.leaf = $2`, no, leaf[:])
		if err != nil {
			return err
		}
		starts = append(starts, s...)
	}
	if len(starts) == 0 {
		return expect(ctx, t, leaf)
	}
	if _, err := t.exec(ctx, `DELETE FROM ix_expected WHERE leaf = $1`, leaf[:]); err != nil {
		return err
	}
	answers, err := countedRows(ctx, t, `JOIN ix_answers f ON f.no = r.no WHERE f.leaf = $1`, leaf[:])
	if err != nil {
		return err
	}
	for _, s := range starts {
		if err := unsettle(ctx, t, s.no); err != nil {
			return err
		}
		if err := writeAnswered(ctx, t, s.answeredBy(nil, answers)); err != nil {
			return err
		}
	}
	return nil
}

// answered is a record that was answered with one of a kind.
type answered struct {
	tally         tallyKey
	start, at, by int64 // its number, its time, the time of the first answer
}

// answeredBy appends how soon a record was answered by each kind.
func (s counted) answeredBy(out []answered, answers []counted) []answered {
	first := map[tallyKey]int64{}
	for _, a := range answers {
		if a.agreement != s.agreement {
			continue // whoever of its parties answers
		}
		for _, kind := range namesOfKind(s.kind, s.stage) {
			for _, label := range namesOfKind(a.kind, a.stage) {
				if kind == label && !s.fresh {
					continue // where one kind both starts and meets, only one that answers nothing starts
				}
				k := tallyKey{s.agreement, s.author, tallyAnswered, label, kind}
				if at, ok := first[k]; !ok || a.at < at {
					first[k] = a.at
				}
			}
		}
	}
	for k, by := range first {
		out = append(out, answered{k, s.no, s.at, by})
	}
	return out
}

var ixAnsweredInsert = newInserter(`INSERT INTO ix_answered (tally, delay_us, start_no, start_us) VALUES `, 4)

func writeAnswered(ctx context.Context, t *tx, list []answered) error {
	sums := tallies{}
	for _, a := range list {
		sums.count(a.tally, fromMicros(a.at), 1)
	}
	numbers, err := sums.write(ctx, t)
	if err != nil {
		return err
	}
	rows := make([]any, 0, 4*len(list))
	for _, a := range list {
		rows = append(rows, numbers[a.tally], a.by-a.at, a.start, a.at)
	}
	return t.insert(ctx, ixAnsweredInsert, rows)
}

// unsettle takes away how soon a record was answered.
func unsettle(ctx context.Context, t *tx, start int64) error {
	rows, err := t.QueryContext(ctx, `SELECT a.tally, a.start_us, y.agreement, y.author, y.label, y.kind FROM ix_answered a JOIN ix_tally y ON y.no = a.tally WHERE a.start_no = $1`, start)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	sums := tallies{}
	for rows.Next() {
		k := tallyKey{what: tallyAnswered}
		var tally, at int64
		if err := rows.Scan(&tally, &at, &k.agreement, &k.author, &k.label, &k.kind); err != nil {
			return err
		}
		sums.count(k, fromMicros(at), -1)
	}
	if err := rows.Err(); err != nil || len(sums) == 0 {
		return err
	}
	if err := rows.Close(); err != nil {
		return err
	}
	numbers, err := sums.write(ctx, t)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM ix_answered WHERE start_no = $1`, start); err != nil {
		return err
	}
	for _, number := range numbers {
		if _, err := t.exec(ctx, `DELETE FROM ix_tally WHERE no = $1 AND count <= 0`, number); err != nil {
			return err
		}
	}
	return nil
}

// unanswer takes a record, which no longer counts, out of what was answered, and out of what answers.
func unanswer(ctx context.Context, t *tx, no int64) error {
	if err := unsettle(ctx, t, no); err != nil {
		return err
	}
	answered, err := hashes(ctx, t, `SELECT leaf FROM ix_answers WHERE no = $1`, no)
	if err != nil || len(answered) == 0 {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM ix_answers WHERE no = $1`, no); err != nil {
		return err
	}
	if finished, err := isFinished(ctx, t); err != nil || !finished {
		return err
	}
	for _, leaf := range answered {
		if err := settle(ctx, t, leaf); err != nil {
			return err
		}
	}
	return nil
}
