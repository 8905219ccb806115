package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

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

// Decisions lists what was decided at the node's exits.
func (c *Client) Decisions(ctx context.Context, since time.Time, limit int) ([]node.AuditRowView, error) {
	var out []node.AuditRowView
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339))
	}
	err := c.do(ctx, http.MethodGet, "/audit", q, nil, &out)
	return out, err
}

// CheckDecisions holds the audit table against the own log.
func (c *Client) CheckDecisions(ctx context.Context) (node.AuditCheck, error) {
	return call[node.AuditCheck](ctx, c, http.MethodGet, "/audit/check", nil)
}
