package node

import (
	"context"
	"sync"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// latePlaces are places from which logs are to be looked at once more, because objects came late.
type latePlaces struct {
	mu   sync.Mutex
	from map[string]int64 // guarded by mu: by log id
}

func (l *latePlaces) put(log string, from int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from == nil {
		l.from = map[string]int64{}
	}
	if at, ok := l.from[log]; !ok || from < at {
		l.from[log] = from
	}
}

func (l *latePlaces) take(log string) (from int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from, ok = l.from[log]
	delete(l.from, log)
	return from, ok
}

// noteLate has objects that came late looked at once more: by the roll, and for their receipts. One that comes later than receiptLateness leaves after its
// place gets no receipt, so that an author who holds objects back does not make others read its log again and again.
func (n *Node) noteLate(ctx context.Context, late []store.LateObject) error {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return fault.OfStore(err)
	}
	for _, l := range infos {
		b := n.book(l.ID)
		if b == nil || !l.Followed() {
			continue
		}
		for _, o := range late {
			if o.LogNo != b.no {
				continue
			}
			n.lateActs.put(l.ID, o.Index)
			n.grown.Add(1)
			if l.Size-o.Index > receiptLateness {
				continue
			}
			upto, err := n.store.Receipted(ctx, b.no)
			if err != nil {
				return err
			}
			if o.Index < upto {
				if err := n.store.SetReceipted(ctx, b.no, o.Index); err != nil {
					return err
				}
			}
			n.lateReceipts.put(l.ID, o.Index)
		}
	}
	return nil
}
