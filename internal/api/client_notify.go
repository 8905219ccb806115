package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/node"
)

// Notifiers lists who is told that something waits.
func (c *Client) Notifiers(ctx context.Context) (node.NotifiersView, error) {
	return call[node.NotifiersView](ctx, c, http.MethodGet, "/notifiers", nil)
}

// AddNotifier keeps whom to tell.
func (c *Client) AddNotifier(ctx context.Context, q node.NotifierRequest) (node.NewNotifier, error) {
	return call[node.NewNotifier](ctx, c, http.MethodPost, "/notifiers", q)
}

// RemoveNotifier forgets whom to tell.
func (c *Client) RemoveNotifier(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/notifiers/"+url.PathEscape(name), nil, nil, nil)
}

// TestNotifier sends a test.
func (c *Client) TestNotifier(ctx context.Context, name string) (node.NoticeRun, error) {
	return call[node.NoticeRun](ctx, c, http.MethodPost, "/notifiers/"+url.PathEscape(name)+"/test", nil)
}
