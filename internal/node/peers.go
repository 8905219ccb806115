package node

import (
	"context"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// PeerView is another party's node as this one knows it.
type PeerView struct {
	PartyView
	URL        string `json:"url,omitempty" doc:"Where it is reached; absent: it accepts no connection"`
	Mirror     string `json:"mirror,omitempty" doc:"Host that its logs are fetched from instead"`
	Introduced string `json:"introduced,omitempty" doc:"Party that named it to us; absent: a person compared its fingerprint"`
	Pinned     bool   `json:"pinned" doc:"Whether a person accepted its keyring"`
	Cosigns    bool   `json:"cosigns,omitempty" doc:"An outsider that only co-signs: it is not followed, and not told who asks"`
	Changed    bool   `json:"changed,omitempty" doc:"Whether it is known here already, with other keys or another address"`

	Reached  *time.Time `json:"reached,omitempty" doc:"When its host last answered as it should; absent: not since this process began"`
	Failures int        `json:"failures,omitempty" doc:"How often in a row its host did not"`
	Again    *time.Time `json:"again,omitempty" doc:"When it is asked again"`
	Trouble  string     `json:"trouble,omitempty" doc:"Why the last try failed"`
	Refused  *Refusals  `json:"refused,omitempty" doc:"What its host sent that was refused, since this process began"`

	Held   []HeldView `json:"held,omitempty" doc:"What of its records waits here because its quota is used up"`
	HeldAt []HeldView `json:"heldAt,omitempty" doc:"Logs of ours that it takes no more of for a while, as it says"`
}

// PeerRequest names a node to know: by its address, or by the card that somebody carried.
type PeerRequest struct {
	URL    string `json:"url,omitempty" doc:"Address of the node"`
	Card   *Card  `json:"card,omitempty" doc:"Instead of an address: the node's card"`
	Party  string `json:"party,omitempty" doc:"The party whose fingerprint was compared; adding another one is refused"`
	Mirror string `json:"mirror,omitempty" doc:"Host to fetch its logs from instead of itself"`
	// Cosigns: see PeerView.
	Cosigns bool `json:"cosigns,omitempty" doc:"It is an outsider that only co-signs: it is not followed, and not told who asks"`
}

// LookAtPeer asks a node who it is, or reads its card, and keeps nothing.
func (n *Node) LookAtPeer(ctx context.Context, q PeerRequest) (PeerView, error) {
	v, _, err := n.lookAt(ctx, q)
	return v, err
}

func (n *Node) lookAt(ctx context.Context, q PeerRequest) (PeerView, record.Keyring, error) {
	var c Card
	var err error
	switch {
	case q.Card != nil:
		c = *q.Card
	case q.URL != "":
		c, err = n.fetchCard(ctx, q.URL)
	default:
		err = fault.New(fault.Invalid, "give the node's address or its card", "looking at a peer: nothing is named")
	}
	if err != nil {
		return PeerView{}, record.Keyring{}, err
	}
	k, err := c.read()
	if err != nil {
		return PeerView{}, k, err
	}
	if q.Mirror != "" {
		if err := checkURL("mirror", q.Mirror); err != nil {
			return PeerView{}, k, &fault.Fault{Code: fault.Invalid, What: "looking at a peer", Err: err}
		}
	}
	if k.Party == n.party.ID {
		return PeerView{}, k, fault.New(fault.Invalid, "give another party's address", "looking at a peer: it is this node's own party")
	}
	v := PeerView{PartyView: viewParty(k), URL: c.URL, Cosigns: q.Cosigns, Mirror: strings.TrimRight(q.Mirror, "/")}
	known, ok, err := n.peerOf(ctx, k.Party)
	v.Changed = ok && (known.URL != v.URL || string(known.Keyring) != string(k.Envelope()))
	return v, k, err
}

// AddPeer keeps a node whose fingerprint a person compared, and pins its keyring.
func (n *Node) AddPeer(ctx context.Context, q PeerRequest) (PeerView, error) {
	if n.ledger == nil {
		return PeerView{}, errReadOnly()
	}
	v, k, err := n.lookAt(ctx, q)
	if err != nil {
		return v, err
	}
	if q.Party != k.Party {
		return v, fault.New(fault.Forbidden, "compare the fingerprint again", "adding a peer: the node is party %s, the fingerprint that was compared is of %s", k.Party, fault.Clip(q.Party))
	}
	if _, err := n.Pin(ctx, k.Envelope()); err != nil {
		return v, err
	}
	v.Pinned = true
	err = n.putPeer(ctx, store.Peer{Party: k.Party, URL: v.URL, Mirror: v.Mirror, Keyring: k.Envelope(), Cosigns: q.Cosigns, Updated: n.now()})
	if err != nil {
		return v, err
	}
	n.metPeers()
	return v, nil
}

// metPeers makes use of what was kept of peers, once for however many.
func (n *Node) metPeers() {
	n.callers.forget()
	n.grown.Add(1) // a witness whose key is known now may have co-signed before
	n.peersChanged()
}

// Peers lists the nodes that this one knows.
func (n *Node) Peers(ctx context.Context) ([]PeerView, error) {
	rows, err := n.peers(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]PeerView, 0, len(rows))
	for _, p := range rows {
		k, err := n.keyrings.parse(p.Keyring)
		if err != nil {
			return nil, recordFault("reading the keyring of peer "+p.Party, err)
		}
		v := PeerView{PartyView: viewParty(k), URL: p.URL, Mirror: p.Mirror, Introduced: p.Introduced, Cosigns: n.onlyCosigns(ctx, p), Pinned: p.Introduced == ""}
		n.withContact(&v)
		v.Held, v.HeldAt = n.heldOf(v.ID), n.heldAt(v.ID)
		out = append(out, v)
	}
	return out, nil
}

// withContact says how a peer's host is reached, and what was refused of it.
func (n *Node) withContact(v *PeerView) {
	if v.URL == "" {
		return
	}
	v.Refused = n.refusals.of(v.URL)
	n.mu.RLock()
	defer n.mu.RUnlock()
	c := n.contacts[v.URL]
	if !c.at.IsZero() {
		v.Reached = &c.at
	}
	v.Failures, v.Trouble = c.failures, c.trouble
	if c.failures > 0 {
		v.Again = &c.again
	}
}

// RemovePeer forgets a node and the keyring that was pinned with it. What was fetched from it stays.
func (n *Node) RemovePeer(ctx context.Context, ref string) (PeerView, error) {
	if n.ledger == nil {
		return PeerView{}, errReadOnly()
	}
	all, err := n.Peers(ctx)
	if err != nil {
		return PeerView{}, err
	}
	p, err := PickPeer(all, ref)
	if err != nil {
		return PeerView{}, err
	}
	if err := n.removePeer(ctx, p.ID); err != nil {
		return PeerView{}, err
	}
	n.callers.forget()
	n.peersChanged()
	return p, nil
}

// peersChanged tells the jobs that follow other nodes. It never waits.
func (n *Node) peersChanged() {
	select {
	case n.peerNews <- struct{}{}:
	default:
	}
}

// PickPeer finds the peer that a person means: by its party id, the beginning of it, a name, or its address.
func PickPeer(all []PeerView, ref string) (PeerView, error) {
	var found []PeerView
	for _, p := range all {
		named := false
		for _, name := range p.Names {
			named = named || strings.EqualFold(name, ref)
		}
		if p.ID == ref || named || p.URL != "" && p.URL == strings.TrimRight(ref, "/") || len(ref) > len(record.PrefixParty) && strings.HasPrefix(p.ID, ref) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return PeerView{}, fault.New(fault.NotFound, "see 'mithaq peer list'", "no peer is called %s", fault.Clip(ref))
	}
	return PeerView{}, fault.New(fault.Invalid, "give its party id", "%d peers are called %s", len(found), fault.Clip(ref))
}
