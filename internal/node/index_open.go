package node

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/entry"
)

// logNumbered is the id of the log that the store has under a number, or "".
func (n *Node) logNumbered(no int64) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for id, b := range n.books {
		if b.no == no {
			return id
		}
	}
	return ""
}

// entryMaker is one for the log with this number, for single records.
func (n *Node) entryMaker(ctx context.Context, logNo int64) (*entry.Maker, error) {
	b := n.book(n.logNumbered(logNo))
	if b == nil {
		return nil, fmt.Errorf("log number %d has no keyring here", logNo)
	}
	ids, err := n.identities(ctx, logNo)
	if err != nil {
		return nil, err
	}
	return &entry.Maker{Words: arabic.NewIndexer(), LogNo: logNo, History: b.history, IDs: ids, Foreign: b.log.Followed()}, nil
}
