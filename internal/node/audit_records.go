package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// recordAudit opens and verifies every record of a log. Records are judged by the keyrings before them, so the log is taken
// in pieces: the objects of a piece are fetched and opened side by side, its keyrings are folded in order, and then its
// records are verified side by side. Memory holds one piece's envelopes at most, bounded by pieceBytes.
type recordAudit struct {
	ctx     context.Context // of the one audit that this is part of
	audit   *audit
	history *record.History
	whole   bool // history holds every keyring of the log already
	again   bool // a keyring disowned records that were judged before it
	piece   []auditLeaf
}

type auditLeaf struct {
	index    int64
	object   [32]byte
	form     record.Form
	envelope []byte
	standing string
	why      string
}

// pieceLeaves is how many leaves are taken at once, and pieceBytes how many bytes of envelopes are kept of them; records that
// do not fit are fetched again when they are verified.
const (
	pieceLeaves = 256
	pieceBytes  = 64 << 20
)

func newRecordAudit(ctx context.Context, a *audit, history *record.History) *recordAudit {
	a.report.Records, a.report.Findings, a.report.More = map[string]int64{}, nil, 0
	if history != nil {
		return &recordAudit{ctx: ctx, audit: a, history: history, whole: true}
	}
	return &recordAudit{ctx: ctx, audit: a, history: new(record.History)}
}

func (r *recordAudit) leaf(index int64, leaf []byte) error {
	hash, err := record.ParseLeaf(leaf)
	if err != nil {
		return fmt.Errorf("%w: leaf %d: %w", errAudit, index, err)
	}
	r.piece = append(r.piece, auditLeaf{index: index, object: hash})
	if len(r.piece) < pieceLeaves {
		return nil
	}
	return r.take()
}

// take verifies the piece at hand.
func (r *recordAudit) take() error {
	var mu sync.Mutex
	kept := 0
	if err := r.each(func(l *auditLeaf) error {
		if err := r.fetch(l); err != nil || l.envelope == nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if kept += len(l.envelope); kept > pieceBytes {
			l.envelope = nil
		}
		return nil
	}); err != nil {
		return err
	}
	for i := range r.piece {
		if err := r.fold(&r.piece[i]); err != nil {
			return err
		}
	}
	if err := r.each(r.judge); err != nil {
		return err
	}
	for _, l := range r.piece {
		r.audit.report.Records[l.standing]++
		if l.why != "" && l.standing != StandingSealed && l.standing != StandingWithheld && l.standing != StandingErased {
			r.audit.report.find(l.index, l.why)
		}
	}
	r.piece = r.piece[:0]
	return nil
}

func (r *recordAudit) each(do func(*auditLeaf) error) error {
	var g errgroup.Group
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i := range r.piece {
		if l := &r.piece[i]; l.standing == "" {
			g.Go(func() error { return do(l) })
		}
	}
	return g.Wait()
}

// fetch gets a leaf's object, which the source checks against its name, and opens it as far as it can be opened.
func (r *recordAudit) fetch(l *auditLeaf) error {
	object, err := r.audit.src.Object(r.ctx, l.object)
	var erased *ledger.ErrErased
	switch {
	case errors.As(err, &erased):
		l.standing, l.why = StandingErased, err.Error()
		return nil
	case errors.Is(err, ledger.ErrWithheld):
		l.standing, l.why = StandingWithheld, err.Error()
		return nil
	case errors.Is(err, ledger.ErrNotFound):
		kept := false
		if r.audit.kept != nil {
			if kept, err = r.audit.kept(r.ctx, l.index); err != nil {
				return fmt.Errorf("leaf %d: %w", l.index, err)
			}
		}
		if kept {
			l.standing, l.why = StandingWithheld, ledger.ErrWithheld.Error()
		} else {
			l.standing, l.why = StandingInvalid, "its object "+hex.EncodeToString(l.object[:])+" is missing"
		}
		return nil
	case err != nil:
		return fmt.Errorf("leaf %d: %w", l.index, err)
	}
	if l.form, err = record.ObjectForm(object); err == nil {
		l.envelope, err = record.OpenObject(object, r.audit.ids...)
	}
	switch {
	case errors.Is(err, record.ErrNotForUs):
		l.standing, l.why = StandingSealed, "sealed to others"
	case err != nil:
		l.standing, l.why = StandingInvalid, err.Error()
	}
	return nil
}

// fold adds the keyring of a leaf to the history. Leaf 0 must be one.
func (r *recordAudit) fold(l *auditLeaf) error {
	if r.whole {
		return nil
	}
	if l.envelope == nil || l.form != record.FormClear {
		if l.index == 0 {
			return fmt.Errorf("%w: leaf 0 is not a keyring", errAudit)
		}
		return nil
	}
	_, k, err := record.OpenKeyringRecord(l.envelope)
	if err != nil {
		if l.index == 0 {
			return fmt.Errorf("%w: leaf 0 is not a keyring: %w", errAudit, err)
		}
		return nil // another kind of record, or a broken one: judge tells
	}
	if k.Log.Origin != r.audit.origin {
		return fmt.Errorf("%w: the keyring at leaf %d is of log %s", errAudit, l.index, k.Log.Origin)
	}
	if l.index == 0 {
		if r.audit.opts.Party != "" && k.Party != r.audit.opts.Party {
			return fmt.Errorf("%w: it belongs to party %s, not to %s", errAudit, k.Party, r.audit.opts.Party)
		}
		r.audit.report.Party, r.audit.report.Fingerprint = k.Party, record.FingerprintWords(k.Party)
	}
	if err := r.history.Add(l.index, k); err != nil {
		l.standing, l.why = StandingInvalid, err.Error()
	}
	for _, rev := range k.Revoked {
		r.again = r.again || rev.Size < l.index && rev.Reason != record.RevokedSuperseded
	}
	return nil
}

func (r *recordAudit) judge(l *auditLeaf) error {
	if l.envelope == nil {
		if err := r.fetch(l); err != nil || l.envelope == nil {
			return err
		}
	}
	rec, verdict, err := r.history.Judge(l.index, l.envelope)
	if err == nil {
		err = record.CheckForm(l.form, rec)
	}
	l.envelope = nil
	switch {
	case err != nil:
		l.standing, l.why = StandingInvalid, err.Error()
	case !verdict.Valid():
		l.standing, l.why = StandingNotVouched, verdict.String()
	default:
		l.standing = StandingValid
	}
	return nil
}

// run audits the tree and every record in it.
func (r *recordAudit) run(o ledger.AuditOptions) error {
	o.Leaf = r.leaf
	if err := r.audit.tree(r.ctx, o); err != nil || len(r.piece) == 0 {
		return err
	}
	return r.take()
}
