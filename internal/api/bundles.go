package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// registerBundles binds writing and reading bundles. They are files of the node's own machine, so only its owner names them.
func registerBundles(api huma.API, n *node.Node) {
	for _, b := range []struct {
		path, id, summary string
		do                func(context.Context, node.BundleRequest) (node.BundleReport, error)
	}{
		{"/bundles/out", "write-bundle", "Write what a party may follow here to a file of the node's machine", n.WriteBundle},
		{"/bundles/in", "read-bundle", "Take what a bundle on the node's machine has of the logs that are followed here", n.ReadBundle},
	} {
		huma.Register(api, op(http.MethodPost, b.path, b.id, ScopeAdmin, b.summary), func(ctx context.Context, in *struct{ Body node.BundleRequest }) (*output[node.BundleReport], error) {
			if !callerOf(ctx).owner {
				return nil, huma.Error403Forbidden("a file of the node's machine can only be named there: run 'mithaq bundle' on it")
			}
			return reply(b.do(ctx, in.Body))
		})
	}
}

// WriteBundle has the node write a bundle for a party to a file on its machine.
func (c *Client) WriteBundle(ctx context.Context, q node.BundleRequest) (node.BundleReport, error) {
	return call[node.BundleReport](ctx, c, http.MethodPost, "/bundles/out", q)
}

// ReadBundle has the node take a bundle from a file on its machine.
func (c *Client) ReadBundle(ctx context.Context, q node.BundleRequest) (node.BundleReport, error) {
	return call[node.BundleReport](ctx, c, http.MethodPost, "/bundles/in", q)
}
