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
