package ledger

import (
	"bytes"
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/store"
)

// AddCosignatures replaces a log's newest checkpoint by what merge makes of it: the same text under more signatures. It
// reports the checkpoint that is served from now on. A head that has moved meanwhile has other text, and merge sees that one.
func (l *Ledger) AddCosignatures(ctx context.Context, logID string, merge func(checkpoint []byte) []byte) (out []byte, err error) {
	err = l.between(ctx, func() error {
		p, err := l.heads.get(logID)
		if err != nil {
			return err
		}
		out = merge(p.head.Checkpoint)
		if bytes.Equal(out, p.head.Checkpoint) || p.behind != nil {
			return nil //nolint:nilerr // a log that is behind takes no cosignatures, which is no fault
		}
		h, err := ParseCheckpoint(out)
		if err != nil || h != p.head.Head {
			return fmt.Errorf("log %s: the cosigned checkpoint is of another head", logID)
		}
		if err := l.store.SetCheckpoint(ctx, l.lease, p.row.No, h.Size, out); err != nil {
			return err
		}
		l.heads.publish(logID, SignedHead{h, out})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("adding cosignatures: %w", err)
	}
	return out, nil
}

// NoteCosigned makes durable what this node co-signs of another's log, before the cosignature leaves. from is the size that
// it co-signed before.
func (l *Ledger) NoteCosigned(ctx context.Context, from int64, c store.Cosigned) error {
	return l.between(ctx, func() error { return l.store.PutCosigned(ctx, l.lease, from, c) })
}
