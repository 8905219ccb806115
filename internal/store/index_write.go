package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	ixRecordInsert = newInserter(`INSERT INTO ix_record (no, idx, leaf, object, id, form, time_us, expires_us, parts) VALUES `, 9)
	ixRefInsert    = newInserter(`INSERT INTO ix_ref (leaf, no, rel) VALUES `, 3)
	ixAnswerInsert = newInserter(`INSERT INTO ix_answers (no, leaf) VALUES `, 2)
	ixChangeInsert = newInserter(`INSERT INTO ix_change (target, no, action, tlp, pap, audience, parties, persons, objects) VALUES `, 9)
	ixActInsert    = newInserter(`INSERT INTO ix_act (no, agreement, act, date, author, party, parent, proposal) VALUES `, 8)
	ixSTIXInsert   = newInserter(`INSERT INTO ix_stix (no, ord, type, uuid, spec, version, off, len, marking) VALUES `, 9)
	ixPlaceInsert  = newInserter(`INSERT INTO ix_place (class, date_us, no, ord, count, expires_us) VALUES `, 6)
)

const (
	moveIndexed = `UPDATE ix_log SET size = $1 WHERE no = $2 AND size = $3`
	putParty    = `INSERT INTO ix_party (id, no, names) VALUES ($1, $2, $3)
	ON CONFLICT (id) DO UPDATE SET no = excluded.no, names = excluded.names WHERE excluded.no >= ix_party.no`
	putKey = `INSERT INTO ix_key (log_no, id, party, role, names, no, revoked) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (log_no, id) DO UPDATE SET role = CASE WHEN excluded.role = '' THEN ix_key.role ELSE excluded.role END,
		names = CASE WHEN excluded.role = '' THEN ix_key.names ELSE excluded.names END, revoked = excluded.revoked`
)

// Write adds the leaves [from, to) of a log in one transaction; entries are those of them that can be said anything
// about, in order, and placings where STIX objects stand in collections from now on. It fails with ErrBehindIndex when
// the log is indexed to another place than from.
func (x *Index) Write(ctx context.Context, logNo, from, to int64, entries []IndexEntry, placings ...Placing) error {
	if err := x.warmWrite(ctx); err != nil {
		return err
	}
	return x.writing(ctx, "writing the index", func(t *tx) error {
		if err := moveWatermark(ctx, t, logNo, from, to); err != nil {
			return err
		}
		return addEntries(ctx, t, entries, placings)
	})
}

// Add writes entries of leaves that are indexed already but had no object then, or were sealed to others. One that is here
// otherwise is left as it is.
func (x *Index) Add(ctx context.Context, entries []IndexEntry, placings ...Placing) error {
	if err := x.warmWrite(ctx); err != nil {
		return err
	}
	return x.writing(ctx, "writing the index", func(t *tx) error {
		var fresh []IndexEntry
		for i := range entries {
			if entries[i].Standing != StandingSealed {
				if _, err := t.exec(ctx, `DELETE FROM ix_record WHERE no = $1 AND form IN (SELECT no FROM ix_form WHERE standing = $2)`, entries[i].No, StandingSealed); err != nil {
					return err
				}
			}
			var n int64
			if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM ix_record WHERE no = $1`, entries[i].No).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				fresh = append(fresh, entries[i])
			}
		}
		return addEntries(ctx, t, fresh, placings)
	})
}

func addEntries(ctx context.Context, t *tx, entries []IndexEntry, placings []Placing) error {
	objects, parts := 0, 0
	for i := range entries {
		objects, parts = objects+len(entries[i].STIX), parts+len(entries[i].Text.Parts)
	}
	rows := indexRows{records: make([]any, 0, len(entries)*ixRecordInsert.cols), text: make([]textRow, 0, parts), stix: make([]any, 0, objects*ixSTIXInsert.cols)}
	fresh := make([]int64, len(entries))
	forms := formNumbers{known: map[form]int64{}}
	for i := range entries {
		form, err := forms.of(ctx, t, formOf(&entries[i].Indexed))
		if err != nil {
			return fmt.Errorf("forms of records: %w", err)
		}
		rows.add(&entries[i], form)
		fresh[i] = entries[i].No
	}
	if err := rows.write(ctx, t); err != nil {
		return err
	}
	if err := settleEntries(ctx, t, entries); err != nil {
		return fmt.Errorf("what was answered: %w", err)
	}
	if err := markMany(ctx, t, entries); err != nil {
		return fmt.Errorf("STIX objects with one id: %w", err)
	}
	slices.Sort(fresh)
	if err := place(ctx, t, placings, fresh); err != nil {
		return fmt.Errorf("places in collections: %w", err)
	}
	for i := range entries {
		if err := learnKeyring(ctx, t, &entries[i]); err != nil {
			return err
		}
	}
	return nil
}

func moveWatermark(ctx context.Context, t *tx, logNo, from, to int64) error {
	if from == 0 {
		if _, err := t.exec(ctx, `INSERT INTO ix_log (no, size) VALUES ($1, 0) ON CONFLICT (no) DO NOTHING`, logNo); err != nil {
			return err
		}
	}
	n, err := t.exec(ctx, moveIndexed, to, logNo, from)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("log number %d at %d: %w", logNo, from, ErrBehindIndex)
	}
	return nil
}

// indexRows gathers the rows of a batch.
type indexRows struct {
	records, refs, answers, changes, receipts, acts, stix []any
	text                                                  []textRow
	tallies                                               tallies
}

func (r *indexRows) add(e *IndexEntry, form int64) {
	r.records = append(r.records, e.No, e.Index, e.Leaf[:], e.Object[:], e.ID, form, micros(e.Time), micros(e.Expires), int64(len(e.Text.Parts)))
	if e.Standing == StandingValid {
		if r.tallies == nil {
			r.tallies = tallies{}
		}
		r.tallies.add(e)
	}
	for i := range e.Refs {
		if ref := &e.Refs[i]; !slices.Contains(e.Refs[:i], *ref) {
			r.refs = append(r.refs, ref.Leaf[:], e.No, ref.Rel)
			if ref.Rel == relAnswers && e.Standing == StandingValid {
				r.answers = append(r.answers, e.No, ref.Leaf[:])
			}
		}
	}
	if c := e.Change; c != nil {
		r.changes = append(r.changes, c.Target[:], e.No, c.Action, c.TLP, c.PAP, flag(c.Audience), strings.Join(c.Parties, " "),
			strings.Join(c.Persons, " "), strings.Join(c.Objects, " "))
	}
	if c := e.Receipt; c != nil {
		r.receipts = c.rows(r.receipts, e.No)
	}
	if a := e.Act; a != nil {
		r.acts = append(r.acts, e.No, a.Agreement, a.Act, a.Date, a.Author, a.Party, a.Parent, a.Proposal)
	}
	for i := range e.STIX {
		o := &e.STIX[i]
		typ, uuid := splitSTIX(o.ID)
		r.stix = append(r.stix, e.No, int64(i), typ, uuid, shortSpec(o.SpecVersion), o.Version, int64(o.Offset), int64(o.Length), o.Marking)
	}
	for part, numbers := range e.Text.Parts[:min(len(e.Text.Parts), textParts)] {
		r.text = append(r.text, textRow{e.No*textParts + int64(part), numbers, e.Text.Vocabulary})
	}
}

func (r *indexRows) write(ctx context.Context, t *tx) error {
	for _, w := range []struct {
		what string
		in   *inserter
		rows []any
	}{
		{"records", ixRecordInsert, r.records}, {"references", ixRefInsert, r.refs}, {"answers", ixAnswerInsert, r.answers},
		{"recalls", ixChangeInsert, r.changes}, {"receipts", ixReceiptInsert, r.receipts}, {"acts", ixActInsert, r.acts}, {"STIX objects", ixSTIXInsert, r.stix},
	} {
		if err := t.insert(ctx, w.in, w.rows); err != nil {
			return fmt.Errorf("%s: %w", w.what, err)
		}
	}
	slices.SortFunc(r.text, func(a, b textRow) int { return cmp.Compare(a.row, b.row) })
	if err := addText(ctx, t, r.text); err != nil {
		return fmt.Errorf("full text: %w", err)
	}
	if _, err := r.tallies.write(ctx, t); err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	return nil
}

// learnKeyring keeps a keyring's names and keys, and takes back the standing of what a revoked key signed.
func learnKeyring(ctx context.Context, t *tx, e *IndexEntry) error {
	k := e.Keyring
	if k == nil {
		return nil
	}
	if _, err := t.exec(ctx, putParty, k.Party, e.No, k.Names); err != nil {
		return fmt.Errorf("a party: %w", err)
	}
	for _, key := range k.Keys {
		if _, err := t.exec(ctx, putKey, e.LogNo, key.ID, k.Party, key.Role, key.Names, e.No, key.Revoked); err != nil {
			return fmt.Errorf("a key: %w", err)
		}
		if !key.Distrusted {
			continue
		}
		if err := distrust(ctx, t, e.LogNo, key); err != nil {
			return fmt.Errorf("what a revoked key signed: %w", err)
		}
	}
	return nil
}

// distrust takes the standing of records that a revoked key signed. It is rare, and reads the whole log's rows.
func distrust(ctx context.Context, t *tx, logNo int64, key IndexKey) error {
	const those = ` log_no = $1 AND idx >= $2 AND kind <> 'keyring' AND standing = 'valid' AND (officer = $3 OR signers LIKE '%' || $4 || '%')`
	rows, err := t.QueryContext(ctx, `SELECT no FROM ix_entry WHERE`+those, logNo, key.Revoked, key.ID, key.ID)
	if err != nil {
		return err
	}
	var nos []int64
	for rows.Next() {
		var no int64
		if err := rows.Scan(&no); err != nil {
			_ = rows.Close()
			return err
		}
		nos = append(nos, no)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, no := range nos {
		if err := discount(ctx, t, no); err != nil {
			return err
		}
		if err := restand(ctx, t, no, StandingNotVouched); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM ix_place WHERE no = $1`, no); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) warmWrite(ctx context.Context) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.c == nil || x.readOnly {
		return nil // writing says so
	}
	if err := x.c.warm(ctx, moveIndexed, addTally, findTally, addBucket, putSegment, putBlock); err != nil {
		return err
	}
	for _, in := range []*inserter{ixRecordInsert, ixServesInsert, ixRefInsert, ixSTIXInsert, ixPlaceInsert, ixFormInsert} {
		if err := x.c.warm(ctx, in.texts[x.db.kind][:]...); err != nil {
			return err
		}
	}
	return nil
}
