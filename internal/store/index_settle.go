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
	answers, err := answersTo(ctx, t, after, to, forms)
	if err != nil {
		return nil, nil, err
	}
	records, leafOf, err := countedAt(ctx, t, nos, forms)
	if err != nil {
		return nil, nil, err
	}
	for i, leaf := range leaves {
		by, here := answers[leaf], false
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

// answersTo returns the valid records that answer the leaves after one, up to another.
func answersTo(ctx context.Context, t *tx, after, to []byte, forms map[int64]counted) (map[[32]byte][]counted, error) {
	type row struct {
		leaf         [32]byte
		no, at, form int64
	}
	var rows []row
	err := t.asking(ctx, `SELECT a.leaf, a.no, r.time_us, r.form FROM ix_answers a JOIN ix_record r ON r.no = a.no WHERE a.leaf > $1 AND a.leaf <= $2
		ORDER BY a.leaf, a.no`, []any{after, to}, func(r *sql.Rows) error {
		var one row
		var leaf sql.RawBytes
		err := r.Scan(&leaf, &one.no, &one.at, &one.form)
		if err == nil {
			one.leaf, err = toHash(leaf)
		}
		rows = append(rows, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make(map[[32]byte][]counted, len(rows))
	for _, r := range rows {
		f, err := formCounted(ctx, t, r.form, forms)
		if err != nil {
			return nil, err
		}
		if f.no > 0 {
			f.no, f.at = r.no, r.at
			out[r.leaf] = append(out[r.leaf], f)
		}
	}
	return out, nil
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
		f, err := formCounted(ctx, t, r.form, forms)
		if err != nil {
			return nil, nil, err
		}
		if f.no > 0 {
			f.no, f.at = r.no, r.at
			out[r.no] = f
		}
	}
	return out, leaves, nil
}

// formCounted is what settling needs of a form; no is 0 when its records are not valid.
func formCounted(ctx context.Context, t *tx, no int64, forms map[int64]counted) (counted, error) {
	f, known := forms[no]
	if known {
		return f, nil
	}
	var standing string
	if err := one(ctx, t, `SELECT no, standing, agreement, author, kind, stage FROM ix_form WHERE no = $1`, []any{no}, &f.no, &standing, &f.agreement, &f.author, &f.kind, &f.stage); err != nil {
		return f, err
	}
	if standing != StandingValid {
		f.no = 0
	}
	if len(forms) < formsKnown {
		forms[no] = f
	}
	return f, nil
}

// formsKnown bounds the forms that are remembered: a hostile author gives each record one of its own.
const formsKnown = 1 << 16
