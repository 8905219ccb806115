package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/taxii"
)

// Feeds lists the feeds of the configuration and their last runs.
func (c *Client) Feeds(ctx context.Context) ([]node.FeedView, error) {
	return call[[]node.FeedView](ctx, c, http.MethodGet, "/feeds", nil)
}

// Pull reads a foreign TAXII collection for a while; the report says whether it is done.
func (c *Client) Pull(ctx context.Context, r node.PullRequest) (node.PullReport, error) {
	return call[node.PullReport](ctx, c, http.MethodPost, "/feeds/pull", r)
}

// SearchSTIX finds STIX objects.
func (c *Client) SearchSTIX(ctx context.Context, s node.STIXQuery) (node.STIXResults, error) {
	var out node.STIXResults
	err := c.do(ctx, http.MethodGet, "/stix", searchQuery(s.Text, s.Limit, s.Before, "type", s.Type, "agreement", s.Agreement), nil, &out)
	return out, err
}

// TAXIICollections lists the node's own TAXII collections, as whoever this client is may know them.
func (c *Client) TAXIICollections(ctx context.Context) ([]taxii.Collection, error) {
	o := taxii.ClientOptions{HTTP: c.http}
	if c.token != "" {
		o.Authorize = taxii.BearerCredentials(c.token)
	}
	client, err := taxii.NewClient(c.base+taxiiPrefix, o)
	if err != nil {
		return nil, err
	}
	d, err := client.Discover(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the node: %w", err)
	}
	var out []taxii.Collection
	for _, root := range d.APIRoots {
		list, err := client.Collections(ctx, root)
		if err != nil {
			return nil, fmt.Errorf("asking the node: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}
