package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/node"
)

// Peers lists the nodes that the node knows.
func (c *Client) Peers(ctx context.Context) ([]node.PeerView, error) {
	return call[[]node.PeerView](ctx, c, http.MethodGet, "/peers", nil)
}

// Card is how the node introduces itself.
func (c *Client) Card(ctx context.Context) (node.Card, error) {
	return call[node.Card](ctx, c, http.MethodGet, "/peers/card", nil)
}

// LookAtPeer asks another node who it is; nothing is kept.
func (c *Client) LookAtPeer(ctx context.Context, q node.PeerRequest) (node.PeerView, error) {
	return call[node.PeerView](ctx, c, http.MethodPost, "/peers/look", q)
}

// AddPeer keeps a node whose fingerprint was compared.
func (c *Client) AddPeer(ctx context.Context, q node.PeerRequest) (node.PeerView, error) {
	return call[node.PeerView](ctx, c, http.MethodPost, "/peers", q)
}

// RemovePeer forgets a node.
func (c *Client) RemovePeer(ctx context.Context, ref string) (node.PeerView, error) {
	return call[node.PeerView](ctx, c, http.MethodDelete, "/peers/"+url.PathEscape(ref), nil)
}

// OfferedRolls lists the agreements that peers show to the node's party.
func (c *Client) OfferedRolls(ctx context.Context) ([]node.OfferedRoll, error) {
	return call[[]node.OfferedRoll](ctx, c, http.MethodGet, "/rolls", nil)
}

// FetchRoll takes over an agreement's roll from a peer.
func (c *Client) FetchRoll(ctx context.Context, ref string) (node.Imported, error) {
	return call[node.Imported](ctx, c, http.MethodPost, "/rolls/"+url.PathEscape(ref), nil)
}
