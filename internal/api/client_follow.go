package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/node"
)

// Follows lists the logs of others that the node follows.
func (c *Client) Follows(ctx context.Context) ([]node.FollowView, error) {
	return call[[]node.FollowView](ctx, c, http.MethodGet, "/follows", nil)
}

// Follow makes the node follow another party's log.
func (c *Client) Follow(ctx context.Context, q node.FollowRequest) (node.FollowView, error) {
	return call[node.FollowView](ctx, c, http.MethodPost, "/follows", q)
}

// Sync makes the node take what the host of a followed log shows.
func (c *Client) Sync(ctx context.Context, log string) (node.SyncView, error) {
	return call[node.SyncView](ctx, c, http.MethodPost, "/follows/"+url.PathEscape(log)+"/sync", nil)
}

// Evidences lists the proofs of two histories that the node keeps.
func (c *Client) Evidences(ctx context.Context) ([]node.MismatchView, error) {
	return call[[]node.MismatchView](ctx, c, http.MethodGet, "/evidence", nil)
}

// EvidenceFile is a proof as a file.
func (c *Client) EvidenceFile(ctx context.Context, id string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/evidence/"+url.PathEscape(id), nil)
}

// PublishEvidence lets the members who may follow the log see a proof.
func (c *Client) PublishEvidence(ctx context.Context, id string) (node.MismatchView, error) {
	return call[node.MismatchView](ctx, c, http.MethodPost, "/evidence/"+url.PathEscape(id)+"/publish", nil)
}
