package store

import (
	"cmp"
	"context"
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

// Batch is entries made ready to be written, so that the one who writes has little left to do but that.
type Batch struct {
	entries []IndexEntry
	forms   []form // of each entry
	nos     []int64
	text    *segment // nil: the entries have none
	tallies tallies
	handles []handle      // in order, each once
	blocks  []handleBlock // of them, when they are enough for a run

	records, refs, answers, changes, receipts, acts, stix []any // rows
}

// formColumn is which column of a record names its form: its number is known when it is written.
const formColumn = 5

// Prepare makes entries of one log, in their order, ready. It reads no store, and the entries must not change afterwards.
func Prepare(entries []IndexEntry) *Batch {
	objects, parts := 0, 0
	for i := range entries {
		objects, parts = objects+len(entries[i].STIX), parts+len(entries[i].Text.Parts)
	}
	b := &Batch{
		entries: entries, forms: make([]form, len(entries)), nos: make([]int64, len(entries)), tallies: tallies{},
		records: make([]any, 0, len(entries)*ixRecordInsert.cols), stix: make([]any, 0, objects*ixSTIXInsert.cols),
	}
	b.handles = make([]handle, 0, 2*len(entries)+objects)
	text := make([]textRow, 0, parts)
	for i := range entries {
		e := &entries[i]
		b.forms[i], b.nos[i] = formOf(&e.Indexed), e.No
		b.add(e)
		b.handles = handlesOf(b.handles, e)
		for part, numbers := range e.Text.Parts[:min(len(e.Text.Parts), textParts)] {
			text = append(text, textRow{e.No*textParts + int64(part), numbers, e.Text.Vocabulary})
		}
	}
	slices.Sort(b.nos)
	b.tallies.pack()
	if b.handles = sortHandles(b.handles); len(b.handles) >= handleRun {
		b.blocks = packHandles(b.handles)
	}
	if len(text) > 0 {
		slices.SortFunc(text, func(a, b textRow) int { return cmp.Compare(a.row, b.row) })
		b.text = newSegment(text)
	}
	return b
}

// Entries are what the batch was made of.
func (b *Batch) Entries() []IndexEntry { return b.entries }

func (b *Batch) add(e *IndexEntry) {
	b.records = append(b.records, e.No, e.Index, e.Leaf[:], e.Object[:], e.ID, nil, micros(e.Time), micros(e.Expires), int64(len(e.Text.Parts)))
	if e.Standing == StandingValid {
		b.tallies.add(e)
	}
	for i := range e.Refs {
		if ref := &e.Refs[i]; !slices.Contains(e.Refs[:i], *ref) {
			b.refs = append(b.refs, ref.Leaf[:], e.No, ref.Rel)
			if ref.Rel == relAnswers && e.Standing == StandingValid {
				b.answers = append(b.answers, e.No, ref.Leaf[:])
			}
		}
	}
	if c := e.Change; c != nil {
		b.changes = append(b.changes, c.Target[:], e.No, c.Action, c.TLP, c.PAP, flag(c.Audience), strings.Join(c.Parties, " "),
			strings.Join(c.Persons, " "), strings.Join(c.Objects, " "))
	}
	if c := e.Receipt; c != nil {
		b.receipts = c.rows(b.receipts, e.No)
	}
	if a := e.Act; a != nil {
		b.acts = append(b.acts, e.No, a.Agreement, a.Act, a.Date, a.Author, a.Party, a.Parent, a.Proposal)
	}
	for i := range e.STIX {
		o := &e.STIX[i]
		typ, uuid := splitSTIX(o.ID)
		b.stix = append(b.stix, e.No, int64(i), typ, uuid, shortSpec(o.SpecVersion), o.Version, int64(o.Offset), int64(o.Length), o.Marking)
	}
}

func (b *Batch) write(ctx context.Context, t *tx, placings []Placing) error {
	known := formNumbers{known: map[form]int64{}}
	for i := range b.forms {
		no, err := known.of(ctx, t, b.forms[i])
		if err != nil {
			return fmt.Errorf("forms of records: %w", err)
		}
		b.records[i*ixRecordInsert.cols+formColumn] = no
	}
	many, err := manyAmong(ctx, t, b.handles)
	if err != nil {
		return fmt.Errorf("STIX objects with one id: %w", err)
	}
	if err := b.writeRows(ctx, t); err != nil {
		return err
	}
	if err := settleEntries(ctx, t, b.entries); err != nil {
		return fmt.Errorf("what was answered: %w", err)
	}
	if err := writeMany(ctx, t, many); err != nil {
		return fmt.Errorf("STIX objects with one id: %w", err)
	}
	if err := place(ctx, t, placings, b.nos); err != nil {
		return fmt.Errorf("places in collections: %w", err)
	}
	for i := range b.entries {
		if err := learnKeyring(ctx, t, &b.entries[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) writeRows(ctx context.Context, t *tx) error {
	for _, w := range []struct {
		what string
		in   *inserter
		rows []any
	}{
		{"records", ixRecordInsert, b.records}, {"references", ixRefInsert, b.refs}, {"answers", ixAnswerInsert, b.answers},
		{"recalls", ixChangeInsert, b.changes}, {"receipts", ixReceiptInsert, b.receipts}, {"acts", ixActInsert, b.acts}, {"STIX objects", ixSTIXInsert, b.stix},
	} {
		if err := t.insert(ctx, w.in, w.rows); err != nil {
			return fmt.Errorf("%s: %w", w.what, err)
		}
	}
	if err := addHandles(ctx, t, b.handles, b.blocks); err != nil {
		return fmt.Errorf("handles: %w", err)
	}
	if b.text != nil {
		if err := addText(ctx, t, b.text); err != nil {
			return fmt.Errorf("full text: %w", err)
		}
	}
	if _, err := b.tallies.write(ctx, t); err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	return nil
}
