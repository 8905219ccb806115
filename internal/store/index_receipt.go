package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// IndexReceipt is what a receipt covers: ranges of leaves [from, to) of the log with an origin.
type IndexReceipt struct {
	Origin string
	At     time.Time
	Ranges [][2]int64
}

// ReceiptOf is a receipt for a leaf, and when what it says came to be. Its state is By.Stage.
type ReceiptOf struct {
	By Indexed
	At time.Time
}

// receiptBlock is how many leaves stand in one block.
const receiptBlock = 4096

// maxReceipts bounds how many receipts of one leaf are read.
const maxReceipts = 20_000

var ixReceiptInsert = newInserter(`INSERT INTO ix_receipt (origin, block, lo, hi, no, at_us) VALUES `, 6)

// rows appends the rows of a receipt, a range parted by blocks.
func (c *IndexReceipt) rows(out []any, no int64) []any {
	for _, r := range c.Ranges {
		for lo := r[0]; lo < r[1]; {
			block := lo / receiptBlock
			hi := min(r[1], (block+1)*receiptBlock)
			out = append(out, c.Origin, block, lo, hi, no, micros(c.At))
			lo = hi
		}
	}
	return out
}

// recordColumns are the columns of selectIndexed, those of the table that is called r.
var recordColumns = `r.` + strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(selectIndexed, `SELECT `), ` FROM ix_entry`), ", ", ", r.")

// ReceiptsOf returns the receipts for a leaf, by its place in the log with an origin or by its hash, in order of arrival.
func (x *Index) ReceiptsOf(ctx context.Context, origin string, index int64, leaf [32]byte) (out []ReceiptOf, err error) {
	take := func(r *sql.Rows) error {
		var at int64
		e, err := scanIndexedWith(r, &at)
		out = append(out, ReceiptOf{By: e, At: fromMicros(at)})
		return err
	}
	err = x.reading("looking receipts up", func(c *conns) error {
		err := queryRows(ctx, c, `SELECT `+recordColumns+`, i.at_us FROM ix_receipt i JOIN ix_entry r ON r.no = i.no
			WHERE i.origin = $1 AND i.block = $2 AND i.lo <= $3 AND i.hi > $4 ORDER BY i.no LIMIT $5`, []any{origin, index / receiptBlock, index, index, maxReceipts}, take)
		if err != nil {
			return err
		}
		return queryRows(ctx, c, `SELECT `+recordColumns+`, r.time_us FROM ix_ref f JOIN ix_entry r ON r.no = f.no
			WHERE f.leaf = $1 AND f.rel = 'target' AND r.kind = 'receipt' ORDER BY r.no LIMIT $2`, []any{leaf[:], maxReceipts}, take)
	})
	return out, err
}

// Receipted returns the ranges of leaves of the log with an origin that an author's valid receipts of a state cover, among the
// leaves [from, to).
func (x *Index) Receipted(ctx context.Context, origin, author, state string, from, to int64) (out [][2]int64, err error) {
	err = x.reading("looking receipts up", func(c *conns) error {
		return queryRows(ctx, c, `SELECT i.lo, i.hi FROM ix_receipt i JOIN ix_entry r ON r.no = i.no
			WHERE i.origin = $1 AND i.block >= $2 AND i.block <= $3 AND r.author = $4 AND r.stage = $5 AND r.standing = $6 ORDER BY i.lo`,
			[]any{origin, from / receiptBlock, to / receiptBlock, author, state, StandingValid}, func(r *sql.Rows) error {
				var lo, hi int64
				err := r.Scan(&lo, &hi)
				out = append(out, [2]int64{lo, hi})
				return err
			})
	})
	return out, err
}

// InLog returns what the index has of some leaves of a log, in no order; leaves are hashes.
func (x *Index) InLog(ctx context.Context, logNo int64, leaves [][32]byte) (out []Indexed, err error) {
	wanted := make(map[[32]byte]bool, len(leaves))
	keys := make([]int64, len(leaves))
	for i, leaf := range leaves {
		wanted[leaf], keys[i] = true, leafKey(leaf)
	}
	var nos []int64
	err = x.reading("looking leaves up", func(c *conns) error {
		list, err := findHandles(ctx, c, c.asking, keys...)
		for _, h := range list {
			nos = append(nos, h.no)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(nos)
	list, err := x.ByNos(ctx, slices.Compact(nos))
	return slices.DeleteFunc(list, func(e Indexed) bool { return e.LogNo != logNo || !wanted[e.Leaf] }), err
}

// LastOfKind returns the record of a kind that arrived last of an author, if there is one.
func (x *Index) LastOfKind(ctx context.Context, kind, author string) (e Indexed, found bool, err error) {
	list, err := x.list(ctx, "looking for the last record of a kind", ` WHERE kind = $1 AND author = $2 ORDER BY no DESC LIMIT 1`, kind, author)
	if err != nil || len(list) == 0 {
		return Indexed{}, false, err
	}
	return list[0], true, nil
}

// OfKind lists the records of a kind of an author, in order of arrival, after the no-th.
func (x *Index) OfKind(ctx context.Context, kind, author string, after int64, limit int) ([]Indexed, error) {
	return x.list(ctx, "listing the records of a kind", ` WHERE kind = $1 AND author = $2 AND no > $3 ORDER BY no LIMIT $4`, kind, author, after, limit)
}

// Receipted returns how far the leaves of a followed log were looked at for receipts.
func (d *DB) Receipted(ctx context.Context, logNo int64) (upto int64, err error) {
	err = queryRows(ctx, d.truth, `SELECT upto FROM receipted WHERE log_no = $1`, []any{logNo}, func(r *sql.Rows) error { return r.Scan(&upto) })
	return upto, d.explainedAs("reading how far receipts are", err)
}

// SetReceipted notes how far the leaves of a followed log were looked at for receipts.
func (d *DB) SetReceipted(ctx context.Context, logNo, upto int64) error {
	return d.explainedAs("noting how far receipts are", d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO receipted (log_no, upto) VALUES ($1, $2) ON CONFLICT (log_no) DO UPDATE SET upto = excluded.upto`, logNo, upto)
		return err
	}))
}
