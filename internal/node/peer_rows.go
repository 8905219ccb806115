package node

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/mithaq/mithaq/internal/store"
)

// peerRows remembers what the store holds of peers: whom a log is followed from and who witnesses it is asked at every head that
// anybody tells of. Only the node's writer remembers, since nobody else knows when it changes. The zero value is empty.
type peerRows struct {
	mu      sync.Mutex // guards all below
	changes uint64     // how often something was written
	all     []store.Peer
	by      map[string]store.Peer // by party; nil: not read
}

// rows returns what is remembered, and as of which change.
func (p *peerRows) rows() (all []store.Peer, by map[string]store.Peer, changes uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all, p.by, p.changes
}

// note remembers what was read, if nothing was written since.
func (p *peerRows) note(all []store.Peer, changes uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if changes != p.changes {
		return
	}
	p.all, p.by = all, make(map[string]store.Peer, len(all))
	for _, row := range all {
		p.by[row.Party] = row
	}
}

func (p *peerRows) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	p.all, p.by = nil, nil
}

// peers lists what is known of other parties' nodes, by party. Nobody changes what it returns but the list itself.
func (n *Node) peers(ctx context.Context) ([]store.Peer, error) {
	all, by, changes := n.peerRows.rows()
	if by != nil {
		return slices.Clone(all), nil
	}
	all, err := n.store.Peers(ctx)
	if err != nil {
		return nil, storeFault(err)
	}
	if n.ledger != nil {
		n.peerRows.note(all, changes)
	}
	return slices.Clone(all), nil
}

// peerOf is what is known of a party's node.
func (n *Node) peerOf(ctx context.Context, party string) (p store.Peer, ok bool, err error) {
	if _, by, _ := n.peerRows.rows(); by != nil {
		p, ok = by[party]
		return p, ok, nil
	}
	if n.ledger != nil {
		if _, err := n.peers(ctx); err != nil {
			return p, false, err
		}
	}
	p, err = n.store.Peer(ctx, party)
	if errors.Is(err, store.ErrNotFound) {
		return p, false, nil
	}
	return p, err == nil, storeFault(err)
}

// putPeer keeps what is known of a peer. Whose keys are known has then changed: see [Node.metPeers].
func (n *Node) putPeer(ctx context.Context, p store.Peer) error {
	err := n.store.PutPeer(ctx, p)
	n.peerRows.forget()
	n.known.Add(1)
	return storeFault(err)
}

// removePeer forgets a peer and its pin, if there is one.
func (n *Node) removePeer(ctx context.Context, party string) error {
	err := n.store.RemovePeer(ctx, party)
	n.peerRows.forget()
	n.known.Add(1)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return storeFault(err)
}
