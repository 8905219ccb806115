package node

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/arabic"
)

// entryMaker is one for the log with this number, for single records.
func (n *Node) entryMaker(ctx context.Context, logNo int64) (*entryMaker, error) {
	n.mu.RLock()
	var b *book
	for _, one := range n.books {
		if one.no == logNo {
			b = one
		}
	}
	n.mu.RUnlock()
	if b == nil {
		return nil, fmt.Errorf("log number %d has no keyring here", logNo)
	}
	ids, err := n.identities(ctx, logNo)
	if err != nil {
		return nil, err
	}
	return &entryMaker{words: arabic.NewIndexer(), logNo: logNo, history: b.history, ids: ids, foreign: b.log.Followed()}, nil
}
