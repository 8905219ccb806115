package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// registerReceipts binds what says who has a record.
func registerReceipts(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/logs/{log}/records/{index}/receipts", "list-receipts", ScopeRead, "Who has a record, who opened and who read it, and who obeys its recalls, by their signed receipts"),
		func(ctx context.Context, in *RecordPath) (*output[node.ReceiptsView], error) {
			return reply(n.Receipts(ctx, viewer(ctx, n), in.Log, in.Index))
		})
	huma.Register(api, op(http.MethodPost, "/logs/{log}/records/{index}/read", "confirm-read", ScopePublish, "Tell the author of another party's record that a person has read it"),
		func(ctx context.Context, in *RecordPath) (*output[node.Receipt], error) {
			return reply(n.ReadByPerson(ctx, viewer(ctx, n), in.Log, in.Index))
		})
}
