package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/store"
)

// LogSpec describes a new log.
type LogSpec struct {
	ID         string // l-…; part of URLs
	Origin     string // the checkpoint's first line, e.g. mithaq/l-…
	Agreement  string
	Generation int64 // 0, or one more than the log's that it succeeds
	Public     bool  // anyone may fetch it
}

// Create opens a new, empty log and publishes its first checkpoint.
func (l *Ledger) Create(ctx context.Context, spec LogSpec) error {
	if !validLogID(spec.ID) {
		return fmt.Errorf("creating a log: %q is not a log id", spec.ID)
	}
	if spec.Origin == "" || strings.ContainsAny(spec.Origin, " +\n\t\r") {
		return fmt.Errorf("creating log %s: origin %q must not be empty nor hold spaces or a plus sign", spec.ID, spec.Origin)
	}
	return l.between(ctx, func() error {
		if _, err := l.heads.get(spec.ID); err == nil {
			return fmt.Errorf("creating log %s: it exists already", spec.ID)
		}
		if err := l.create(ctx, spec); err != nil {
			return fmt.Errorf("creating log %s: %w", spec.ID, err)
		}
		return nil
	})
}

// create stores the log unless an earlier attempt did and failed afterwards; then it finishes that one.
func (l *Ledger) create(ctx context.Context, spec LogSpec) error {
	head := Head{Origin: spec.Origin, Root: (&edge{}).root()}
	if g, ok := l.cfg.Guard.Heads()[spec.Origin]; ok && g != head {
		return fmt.Errorf("the guard knows its origin already: %w", &ErrBehind{LogID: spec.ID, Have: head, Guard: g})
	}
	row, err := l.store.Log(ctx, spec.ID)
	if errors.Is(err, store.ErrNotFound) {
		cp, e := l.checkpointFor(spec.ID, 0, head)
		if e != nil {
			return e
		}
		row, err = l.store.CreateLog(ctx, l.lease, store.Log{ID: spec.ID, Origin: spec.Origin, Agreement: spec.Agreement,
			Generation: spec.Generation, Public: spec.Public, Created: l.cfg.Clock()}, store.Head{Root: head.Root, Checkpoint: cp})
	}
	if err != nil {
		return err
	}
	h, err := l.store.Head(ctx, row.No)
	if err != nil {
		return err
	}
	if row.Origin != spec.Origin || h.Size != 0 {
		return errors.New("another log of this name is in the database: restart to load it")
	}
	if err := l.cfg.Guard.Record(ctx, []Head{head}); err != nil {
		return &notPublished{err}
	}
	l.bySeries[row.No] = row.ID
	l.heads.add(row, head)
	l.heads.publish(row.ID, SignedHead{head, h.Checkpoint})
	return nil
}

// Retire ends a log: its tree is served for ever, but Append refuses with ErrRetired. A log that is behind can be
// retired too, once its successor is open.
func (l *Ledger) Retire(ctx context.Context, id string) error {
	return l.between(ctx, func() error {
		if err := l.store.RetireLog(ctx, l.lease, id, l.cfg.Clock()); err != nil {
			return err
		}
		row, err := l.store.Log(ctx, id)
		if err != nil {
			return fmt.Errorf("retiring log %s: %w", id, err)
		}
		l.heads.retire(row)
		l.step(Forget{row.No})
		return nil
	})
}

// between runs f on the writing goroutine, between two batches. Once begun, f runs to its end whatever ctx does.
func (l *Ledger) between(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	task := func() {
		if err := l.LostErr(); err != nil {
			done <- err
			return
		}
		done <- f()
	}
	if err := l.enqueue(ctx, work{task: task}); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-l.done:
		select {
		case err := <-done:
			return err
		default:
			return ErrClosed
		}
	}
}

// validLogID says whether an id can be part of a URL's path as it is.
func validLogID(id string) bool {
	if len(id) < 3 || len(id) > 64 || !strings.HasPrefix(id, "l-") {
		return false
	}
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
