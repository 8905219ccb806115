package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
)

// form is what many records have alike: a log of a million has a few dozen.
type form struct {
	logNo                                             int64
	sealed                                            bool
	standing, kind, stage, agreement, author, officer string
	signers, tlp, pap, parties, persons               string
}

var ixFormInsert = newInserter(`INSERT INTO ix_form (no, key, log_no, standing, sealed, kind, stage, agreement, author, officer, signers, tlp, pap, parties, persons) VALUES `, 15)

const (
	findForm = `SELECT no FROM ix_form WHERE key = $1`
	lastForm = `SELECT COALESCE(max(no), 0) FROM ix_form`
	readForm = `SELECT f.no, f.log_no, f.standing, f.sealed, f.kind, f.stage, f.agreement, f.author, f.officer, f.signers, f.tlp, f.pap, f.parties, f.persons
		FROM ix_record r JOIN ix_form f ON f.no = r.form WHERE r.no = $1`
)

func formOf(e *Indexed) form {
	return form{logNo: e.LogNo, sealed: e.Sealed, standing: e.Standing, kind: e.Kind, stage: e.Stage, agreement: e.Agreement, author: e.Author,
		officer: e.Officer, signers: joined(e.Signers), tlp: e.TLP, pap: e.PAP, parties: joined(e.Parties), persons: joined(e.Persons)}
}

// joined is strings.Join without work for the usual lists.
func joined(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, " ")
}

func (f *form) texts() []string {
	return []string{f.standing, f.kind, f.stage, f.agreement, f.author, f.officer, f.signers, f.tlp, f.pap, f.parties, f.persons}
}

func (f *form) key() []byte {
	b := binary.AppendVarint(nil, f.logNo)
	b = binary.AppendVarint(b, flag(f.sealed))
	for _, s := range f.texts() {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// formNumbers are the forms that a transaction has looked up. Most records have the form of one of the last.
type formNumbers struct {
	known map[form]int64
	last  form
	no    int64 // of last; 0: none yet
}

// of returns the number of a form, and writes it when it is new.
func (n *formNumbers) of(ctx context.Context, t *tx, f form) (no int64, err error) {
	if n.no > 0 && n.last == f {
		return n.no, nil
	}
	no, ok := n.known[f]
	if !ok {
		if no, err = formNo(ctx, t, f); err != nil {
			return 0, err
		}
		n.known[f] = no
	}
	n.last, n.no = f, no
	return no, nil
}

func formNo(ctx context.Context, t *tx, f form) (no int64, err error) {
	key := f.key()
	err = one(ctx, t, findForm, []any{key}, &no)
	if errors.Is(err, ErrNotFound) {
		if err = one(ctx, t, lastForm, nil, &no); err == nil {
			no++
			err = t.insert(ctx, ixFormInsert, []any{no, key, f.logNo, f.standing, flag(f.sealed), f.kind, f.stage, f.agreement, f.author, f.officer,
				f.signers, f.tlp, f.pap, f.parties, f.persons})
		}
	}
	return no, err
}

// reform changes what a record has in common with others and returns the number of the form that it had.
func reform(ctx context.Context, t *tx, no int64, change func(*form)) (old int64, err error) {
	var f form
	var sealed int64
	if err := one(ctx, t, readForm, []any{no}, &old, &f.logNo, &f.standing, &sealed, &f.kind, &f.stage, &f.agreement, &f.author, &f.officer,
		&f.signers, &f.tlp, &f.pap, &f.parties, &f.persons); err != nil {
		return 0, err
	}
	f.sealed = sealed != 0
	change(&f)
	now, err := formNo(ctx, t, f)
	if err == nil && now != old {
		_, err = t.exec(ctx, `UPDATE ix_record SET form = $1 WHERE no = $2`, now, no)
	}
	return old, err
}

// restand changes a record's standing.
func restand(ctx context.Context, t *tx, no int64, standing string) error {
	_, err := reform(ctx, t, no, func(f *form) { f.standing = standing })
	return err
}

// blank leaves of a record that its place was erased. A form that no other record has goes with it.
func blank(ctx context.Context, t *tx, no int64) error {
	old, err := reform(ctx, t, no, func(f *form) { *f = form{logNo: f.logNo, standing: StandingErased} })
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE ix_record SET id = '', time_us = 0, expires_us = 0, parts = 0 WHERE no = $1`, no); err != nil {
		return err
	}
	_, err = t.exec(ctx, `DELETE FROM ix_form WHERE no = $1 AND NOT EXISTS (SELECT 1 FROM ix_record WHERE form = $2)`, old, old)
	return err
}
