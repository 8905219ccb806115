package node

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/mithaq/mithaq/internal/federate/httpsig"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// callers tells which party signed a request. Its keys come from the rolls here and from the peers that a person accepted;
// they are gathered when first asked for, and again after either has changed.
type callers struct {
	guard *httpsig.Guard

	mu   sync.Mutex // guards keys
	keys map[string]httpKey
}

// httpKey is a key with which a party's node signs its requests.
type httpKey struct {
	party  string
	public ed25519.PublicKey
}

// forget makes the next request gather the keys anew.
func (c *callers) forget() {
	c.mu.Lock()
	c.keys = nil
	c.mu.Unlock()
}

// CallerOf returns the party that signed a request with this content, "" where it is not signed. A signature that is not
// believed is an error for this node's log; whoever sent it gets what an unsigned request gets.
func (n *Node) CallerOf(r *http.Request, content []byte) (string, error) {
	if r.Header.Get("Signature-Input") == "" {
		return "", nil
	}
	keys, err := n.httpKeys(r.Context())
	if err != nil {
		return "", err
	}
	id, err := n.callers.guard.Verify(n.question(r, content, func(id string) (ed25519.PublicKey, bool) {
		k, ok := keys[id]
		return k.public, ok
	}))
	if err != nil {
		n.distrusted(err)
		return "", err
	}
	return keys[id].party, nil
}

// CallerAhead returns the party that signed a request whose content has not been read: who that is decides how much of it is. ""
// where nobody signed it whose key is known here; why is then counted when the whole request is refused.
func (n *Node) CallerAhead(r *http.Request) (party string) {
	keys, err := n.httpKeys(r.Context())
	if err != nil {
		return ""
	}
	id, err := n.callers.guard.Foresee(n.question(r, nil, func(id string) (ed25519.PublicKey, bool) {
		k, ok := keys[id]
		return k.public, ok
	}))
	if err != nil {
		return ""
	}
	return keys[id].party
}

// IntroducedBy verifies a request that carries its party's keyring: how a party that is in no roll here yet is known. What
// it may do is another question.
func (n *Node) IntroducedBy(r *http.Request, content []byte, k record.Keyring) error {
	_, err := n.callers.guard.Verify(n.question(r, content, func(id string) (ed25519.PublicKey, bool) {
		key, ok := k.Find(id)
		return ed25519.PublicKey(key.Public), ok && key.Role == record.RoleHTTP && key.Alg == record.Ed25519
	}))
	n.distrusted(err)
	return err
}

func (n *Node) question(r *http.Request, content []byte, key func(string) (ed25519.PublicKey, bool)) httpsig.Question {
	return httpsig.Question{Request: r, Content: content, Key: key, Ours: func(authority string) bool { return n.isOurs(r, authority) }}
}

// isOurs says whether an authority is this node: its public address, or the one that the connection came in at.
func (n *Node) isOurs(r *http.Request, authority string) bool {
	n.mu.RLock()
	address := n.address
	n.mu.RUnlock()
	for _, base := range []string{n.cfg.PublicURL, address} {
		if u, err := url.Parse(base); err == nil && u.Host != "" && sameHost(u.Host, authority) {
			return true
		}
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && sameHost(local.String(), authority)
}

// sameHost compares two authorities, the scheme's own ports left away.
func sameHost(a, b string) bool {
	plain := func(s string) string {
		s = strings.ToLower(s)
		return strings.TrimSuffix(strings.TrimSuffix(s, ":443"), ":80")
	}
	return plain(a) == plain(b)
}

// httpKeys gathers the keys of everybody whose signature means something here: the members of the agreements that run here,
// and the peers.
func (n *Node) httpKeys(ctx context.Context) (map[string]httpKey, error) {
	n.callers.mu.Lock()
	keys := n.callers.keys
	n.callers.mu.Unlock()
	if keys != nil {
		return keys, nil
	}
	ids, err := n.rollIDs()
	if err != nil {
		return nil, err
	}
	var keyrings []record.Keyring
	for _, id := range ids {
		if err := n.loadMembers(ctx, id); err != nil {
			return nil, err
		}
		keyrings = append(keyrings, n.membersOf(id)...)
	}
	peers, err := n.peers(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range peers {
		if k, err := n.keyrings.parse(p.Keyring); err == nil && !n.onlyCosigns(ctx, p) {
			keyrings = append(keyrings, k)
		}
	}
	keys = map[string]httpKey{}
	for _, k := range keyrings {
		for _, key := range n.newest(k).WithRole(record.RoleHTTP) {
			if key.Alg == record.Ed25519 {
				keys[key.ID] = httpKey{k.Party, ed25519.PublicKey(key.Public)}
			}
		}
	}
	n.callers.mu.Lock()
	n.callers.keys = keys
	n.callers.mu.Unlock()
	return keys, nil
}

// newest is the keyring in force in the log that a keyring is for, where that log is followed here, else the keyring itself.
func (n *Node) newest(k record.Keyring) record.Keyring {
	if followed, err := n.keyring(k.Log.ID); err == nil && followed.Party == k.Party && followed.Serial > k.Serial {
		return followed
	}
	return k
}

// MayFollow asks whether a party may fetch the logs under an agreement that are not public. A party's own house is nobody
// else's.
func (n *Node) MayFollow(ctx context.Context, party, id string) bool {
	_, grant, err := n.mayFollow(ctx, Viewer{Party: party}, ledger.LogInfo{ID: id, Agreement: id})
	if err != nil {
		n.logger.Error("a caller was refused: the roll cannot be read", "agreement", id, "error", err)
		return false
	}
	return party != "" && grant.Exit() == policy.ToLog()
}
