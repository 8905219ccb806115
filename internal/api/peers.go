package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// registerPeers binds what a person does about other parties' nodes.
func registerPeers(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/peers", "list-peers", ScopeRead, "Other parties' nodes that this one knows"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.PeerView], error) { return reply(n.Peers(ctx)) })
	huma.Register(api, op(http.MethodGet, "/peers/card", "get-own-card", ScopeRead, "How this node introduces itself, for somebody to carry"),
		func(ctx context.Context, _ *struct{}) (*output[node.Card], error) { return reply(n.Card(ctx)) })
	look := op(http.MethodPost, "/peers/look", "look-at-peer", ScopeAdmin, "Ask the node at an address who it is; nothing is kept")
	look.MaxBodyBytes = maxUpload
	huma.Register(api, look, func(ctx context.Context, in *struct{ Body node.PeerRequest }) (*output[node.PeerView], error) {
		return reply(n.LookAtPeer(ctx, in.Body))
	})
	add := op(http.MethodPost, "/peers", "add-peer", ScopeAdmin, "Keep a node whose fingerprint was compared, and pin its keyring")
	add.MaxBodyBytes = maxUpload
	huma.Register(api, add, func(ctx context.Context, in *struct{ Body node.PeerRequest }) (*output[node.PeerView], error) {
		return reply(n.AddPeer(ctx, in.Body))
	})
	huma.Register(api, op(http.MethodDelete, "/peers/{peer}", "remove-peer", ScopeAdmin, "Forget a node and the keyring pinned with it"),
		func(ctx context.Context, in *struct {
			Peer string `path:"peer" doc:"Party id, the beginning of it, or a name"`
		}) (*output[node.PeerView], error) {
			return reply(n.RemovePeer(ctx, in.Peer))
		})
	huma.Register(api, op(http.MethodGet, "/rolls", "list-offered-rolls", ScopeAdmin, "Agreements that peers' nodes show to this party, asked now"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.OfferedRoll], error) {
			return reply(n.OfferedRolls(ctx))
		})
	huma.Register(api, op(http.MethodPost, "/rolls/{roll}", "fetch-roll", ScopeAdmin, "Take over an agreement's roll from a peer that shows it"),
		func(ctx context.Context, in *struct {
			Roll string `path:"roll" doc:"Agreement id, the beginning of it, or label"`
		}) (*output[node.Imported], error) {
			return reply(n.FetchRoll(ctx, in.Roll))
		})
}
