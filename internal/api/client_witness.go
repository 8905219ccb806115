package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/node"
)

// Witness asks what the node is as a witness.
func (c *Client) Witness(ctx context.Context) (node.WitnessView, error) {
	return call[node.WitnessView](ctx, c, http.MethodGet, "/witness", nil)
}

// WitnessLog makes the node co-sign a log that it does not follow.
func (c *Client) WitnessLog(ctx context.Context, vkey string) (node.CosignedView, error) {
	return call[node.CosignedView](ctx, c, http.MethodPost, "/witness/logs", map[string]string{"vkey": vkey})
}

// WitnessPolicy is who must co-sign under an agreement, in the form of C2SP tlog-policy.
func (c *Client) WitnessPolicy(ctx context.Context, agreement string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/agreements/"+url.PathEscape(agreement)+"/witnesses", nil)
}
