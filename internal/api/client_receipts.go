package api

import (
	"context"
	"net/http"

	"github.com/mithaq/mithaq/internal/node"
)

// Receipts says who has a record.
func (c *Client) Receipts(ctx context.Context, log string, index int64) (node.ReceiptsView, error) {
	return call[node.ReceiptsView](ctx, c, http.MethodGet, recordURL(log, index)+"/receipts", nil)
}

// ConfirmRead tells a record's author that a person has read it.
func (c *Client) ConfirmRead(ctx context.Context, log string, index int64) (node.Receipt, error) {
	return call[node.Receipt](ctx, c, http.MethodPost, recordURL(log, index)+"/read", nil)
}
