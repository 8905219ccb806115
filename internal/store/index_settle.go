package store

import (
	"context"
	"database/sql"
	"slices"
)

// settleAll settles, when the index was built, all that came meanwhile, some thousands of records at a time. run has all handles.
func settleAll(ctx context.Context, t *tx, run int64) error {
	const atOnce = 1 << 14
	walk := walkLeaves(ctx, t, run)
	forms := map[int64]counted{}
	for last := []byte{}; ; {
		// All answers to one record share its leaf, so that a run of leaves has them all.
		leaves, err := hashes(ctx, t, `SELECT DISTINCT leaf FROM ix_answers WHERE leaf > $1 ORDER BY leaf LIMIT $2`, last, atOnce)
		if err != nil {
			return err
		}
		if len(leaves) == 0 {
			break
		}
		to := leaves[len(leaves)-1][:]
		rows, expected, err := answeredIn(ctx, t, last, to, leaves, walk, forms)
		if err != nil {
			return err
		}
		if err := writeAnswered(ctx, t, rows); err != nil {
			return err
		}
		for _, leaf := range expected {
			if err := expect(ctx, t, leaf); err != nil {
				return err
			}
		}
		last = to
	}
	_, err := t.exec(ctx, `INSERT INTO ix_meta (name, value) VALUES ('finished', 1) ON CONFLICT (name) DO NOTHING`)
	return err
}

var (
	findCounted = newInserterWith(`SELECT no, leaf, time_us, form FROM ix_record WHERE no IN (VALUES (CAST(-1 AS BIGINT)),`, 1, `)`)
	findAnswers = newInserterWith(`SELECT DISTINCT no FROM ix_answers WHERE no IN (VALUES (CAST(-1 AS BIGINT)),`, 1, `)`)
)

// answeredIn says how soon the records with the leaves after one, up to another, were answered, and which leaves are not here.
// forms are what is known of forms by their number.
func answeredIn(ctx context.Context, t *tx, after, to []byte, leaves [][32]byte, walk *leafWalk, forms map[int64]counted) (out []answered, expected [][32]byte, err error) {
	starts := make([][]int64, len(leaves))
	var nos []int64
	for i, leaf := range leaves {
		if starts[i], err = walk.to(leaf); err != nil {
			return nil, nil, err
		}
		nos = append(nos, starts[i]...)
	}
	notFresh, err := whichAnswer(ctx, t, nos)
	if err != nil {
		return nil, nil, err
	}
	answers := map[[32]byte][]int64{}
	err = t.asking(ctx, `SELECT leaf, no FROM ix_answers WHERE leaf > $1 AND leaf <= $2 ORDER BY leaf, no`, []any{after, to}, func(r *sql.Rows) error {
		var leaf []byte
		var no int64
		if err := r.Scan(&leaf, &no); err != nil {
			return err
		}
		h, err := toHash(leaf)
		answers[h] = append(answers[h], no)
		nos = append(nos, no)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	records, leafOf, err := countedAt(ctx, t, nos, forms)
	if err != nil {
		return nil, nil, err
	}
	for i, leaf := range leaves {
		var by []counted
		for _, no := range answers[leaf] {
			if a, ok := records[no]; ok {
				by = append(by, a)
			}
		}
		here := false
		for _, no := range starts[i] {
			if s, ok := records[no]; ok && leafOf[no] == leaf {
				here, s.fresh = true, !notFresh[no]
				out = s.answeredBy(out, by)
			}
		}
		if !here {
			expected = append(expected, leaf)
		}
	}
	return out, expected, nil
}

// whichAnswer says which of some records answer any.
func whichAnswer(ctx context.Context, t *tx, nos []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := askOf(ctx, t.c.kind, t.asking, findAnswers, anyOf(nos), func(r *sql.Rows) error {
		var no int64
		err := r.Scan(&no)
		out[no] = true
		return err
	})
	return out, err
}

func anyOf(nos []int64) []any {
	out := make([]any, len(nos))
	for i, no := range nos {
		out[i] = no
	}
	return out
}

// countedAt reads what settling needs of the valid ones of some records, and their leaves.
func countedAt(ctx context.Context, t *tx, nos []int64, forms map[int64]counted) (map[int64]counted, map[int64][32]byte, error) {
	slices.Sort(nos)
	nos = slices.Compact(nos)
	type row struct{ no, at, form int64 }
	rows := make([]row, 0, len(nos))
	leaves := make(map[int64][32]byte, len(nos))
	err := askOf(ctx, t.c.kind, t.asking, findCounted, anyOf(nos), func(r *sql.Rows) error {
		var one row
		var leaf sql.RawBytes
		if err := r.Scan(&one.no, &leaf, &one.at, &one.form); err != nil {
			return err
		}
		h, err := toHash(leaf)
		rows, leaves[one.no] = append(rows, one), h
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	out := make(map[int64]counted, len(rows))
	for _, r := range rows {
		f, known := forms[r.form]
		if !known {
			var standing string
			if err := one(ctx, t, `SELECT no, standing, agreement, author, kind, stage FROM ix_form WHERE no = $1`, []any{r.form}, &f.no, &standing, &f.agreement, &f.author, &f.kind, &f.stage); err != nil {
				return nil, nil, err
			}
			if standing != StandingValid {
				f.no = 0
			}
			if len(forms) < formsKnown {
				forms[r.form] = f
			}
		}
		if f.no > 0 {
			f.no, f.at = r.no, r.at
			out[r.no] = f
		}
	}
	return out, leaves, nil
}

// formsKnown bounds the forms that are remembered: a hostile author gives each record one of its own.
const formsKnown = 1 << 16
