package node

import (
	"context"
	"errors"
	"sync"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// maxPeerRows bounds how many peers are remembered, some 8 KB each: more than witness and publish at the same time.
const maxPeerRows = 256

// peerRows remembers what the store holds of peers: whom a log is followed from and who witnesses it is asked at every head that
// anybody tells of. Only the node's writer remembers, since nobody else knows when it changes. The zero value is empty.
type peerRows struct {
	mu      sync.Mutex // guards all below
	changes uint64     // how often something was written
	by      map[string]peerRow
}

// peerRow is what the store holds of one party.
type peerRow struct {
	store.Peer
	known bool
}

// of returns what is remembered of a party, and as of which change.
func (p *peerRows) of(party string) (row peerRow, remembered bool, changes uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	row, remembered = p.by[party]
	return row, remembered, p.changes
}

// note remembers what was read, if nothing was written since.
func (p *peerRows) note(party string, row peerRow, changes uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if changes != p.changes {
		return
	}
	if p.by == nil || len(p.by) >= maxPeerRows {
		p.by = map[string]peerRow{}
	}
	p.by[party] = row
}

func (p *peerRows) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	p.by = nil
}

// peers lists what is known of other parties' nodes, by party.
func (n *Node) peers(ctx context.Context) ([]store.Peer, error) {
	all, err := n.store.Peers(ctx)
	return all, fault.OfStore(err)
}

// peerOf is what is known of a party's node. Nobody changes what it returns.
func (n *Node) peerOf(ctx context.Context, party string) (p store.Peer, ok bool, err error) {
	row, remembered, changes := n.peerRows.of(party)
	if remembered {
		return row.Peer, row.known, nil
	}
	row.Peer, err = n.store.Peer(ctx, party)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Peer{}, false, fault.OfStore(err)
	}
	row.known = err == nil
	if n.ledger != nil {
		n.peerRows.note(party, row, changes)
	}
	return row.Peer, row.known, nil
}

// putPeer keeps what is known of a peer. Whose keys are known has then changed: see [Node.metPeers].
func (n *Node) putPeer(ctx context.Context, p store.Peer) error {
	err := n.store.PutPeer(ctx, p)
	n.peerRows.forget()
	n.known.Add(1)
	return fault.OfStore(err)
}

// removePeer forgets a peer and its pin, if there is one.
func (n *Node) removePeer(ctx context.Context, party string) error {
	err := n.store.RemovePeer(ctx, party)
	n.peerRows.forget()
	n.known.Add(1)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return fault.OfStore(err)
}
