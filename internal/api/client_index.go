package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mithaq/mithaq/internal/node"
)

// Search finds records.
func (c *Client) Search(ctx context.Context, s node.SearchQuery) (node.SearchResults, error) {
	var out node.SearchResults
	err := c.do(ctx, http.MethodGet, "/search", searchQuery(s.Text, s.Limit, s.Before, "kind", s.Kind, "agreement", s.Agreement), nil, &out)
	return out, err
}

// searchQuery writes a search for a page of results; filters are pairs of name and value. What is empty or 0 is left out.
func searchQuery(text string, limit int, before int64, filters ...string) url.Values {
	q := url.Values{"q": {text}}
	for i := 0; i+1 < len(filters); i += 2 {
		if filters[i+1] != "" {
			q.Set(filters[i], filters[i+1])
		}
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	return q
}

// Correlate finds other records in which values of a record stand.
func (c *Client) Correlate(ctx context.Context, log string, index int64) (node.Correlations, error) {
	return call[node.Correlations](ctx, c, http.MethodGet, recordURL(log, index)+"/correlations", nil)
}

// Carriers lists the records that carry a STIX object, the newest first.
func (c *Client) Carriers(ctx context.Context, id string) ([]node.Carrier, error) {
	return call[[]node.Carrier](ctx, c, http.MethodGet, "/objects/"+url.PathEscape(id), nil)
}

// Index tells how far the index is.
func (c *Client) Index(ctx context.Context) (node.IndexView, error) {
	return call[node.IndexView](ctx, c, http.MethodGet, "/index", nil)
}

// Reindex throws the index away and begins to build it again.
func (c *Client) Reindex(ctx context.Context) (node.IndexView, error) {
	return call[node.IndexView](ctx, c, http.MethodPost, "/reindex", nil)
}
