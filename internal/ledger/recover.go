package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/mithaq/mithaq/internal/store"
)

// recover makes database, guard and files agree after whatever happened before, and publishes every log's head.
func (l *Ledger) recover(ctx context.Context) error {
	if err := l.replayErasures(ctx); err != nil {
		return err
	}
	if n, err := l.store.SweepOrphans(ctx); err != nil {
		return err
	} else if n > 0 {
		l.cfg.Logger.Info("removed object files that belong to no entry", "files", n)
	}
	logs, err := l.store.Logs(ctx)
	if err != nil {
		return err
	}
	heads, err := l.store.Heads(ctx)
	if err != nil {
		return err
	}
	guard := l.cfg.Guard.Heads()
	var catchUp []Head
	var publish []store.Log
	for _, row := range logs {
		h, ok := heads[row.No]
		if !ok {
			return fmt.Errorf("log %s has no head: the database is damaged", row.ID)
		}
		l.bySeries[row.No] = row.ID
		if row.Author != "" {
			// The author's signature guards a followed log: this party signs nothing in it.
			l.heads.add(row, Head{})
			publish = append(publish, row)
			continue
		}
		l.heads.add(row, guard[row.Origin])
		if err := l.compare(ctx, row, h, guard[row.Origin]); err != nil {
			var behind *ErrBehind
			if !errors.As(err, &behind) {
				return err
			}
			l.cfg.Logger.Error("a log does not sign", "log", row.ID, "error", err)
			l.heads.fail(row.ID, behind)
			continue
		}
		if head := (Head{Origin: row.Origin, Size: h.Size, Root: h.Root}); guard[row.Origin] != head {
			catchUp = append(catchUp, head)
		}
		publish = append(publish, row)
	}
	if len(catchUp) > 0 {
		if err := l.cfg.Guard.Record(ctx, catchUp); err != nil {
			return err
		}
	}
	for _, row := range publish {
		h := heads[row.No]
		l.heads.publish(row.ID, SignedHead{Head{row.Origin, h.Size, h.Root}, h.Checkpoint})
	}
	return nil
}
