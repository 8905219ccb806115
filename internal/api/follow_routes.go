package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

type evidencePath struct {
	ID string `path:"id" doc:"Id of the proof" example:"0123456789abcdef0123456789abcdef"`
}

// registerFollows binds what is about other parties' logs.
func registerFollows(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/follows", "list-follows", ScopeRead, "Other parties' logs that are followed here"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.FollowView], error) {
			return reply(n.Follows(ctx))
		})
	huma.Register(api, op(http.MethodPost, "/follows", "follow-log", ScopeAdmin, "Follow another party's log, from its author's host or a mirror"),
		func(ctx context.Context, in *struct{ Body node.FollowRequest }) (*output[node.FollowView], error) {
			return reply(n.FollowLog(ctx, in.Body))
		})
	huma.Register(api, op(http.MethodPost, "/follows/{log}/sync", "sync-log", ScopeAdmin, "Take what the host of a followed log shows, now"),
		func(ctx context.Context, in *LogPath) (*output[node.SyncView], error) {
			return reply(n.SyncNow(ctx, in.Log))
		})
	huma.Register(api, op(http.MethodGet, "/evidence", "list-evidence", ScopeRead, "Proofs that a party signed two histories"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.MismatchView], error) {
			return reply(n.Evidences(ctx))
		})
	huma.Register(api, op(http.MethodGet, "/evidence/{id}", "get-evidence", ScopeRead, "A proof as a file that anybody can verify offline"),
		func(ctx context.Context, in *evidencePath) (*rawOutput, error) {
			file, err := n.EvidenceFile(ctx, in.ID)
			return raw("application/json", file, err)
		})
	huma.Register(api, op(http.MethodPost, "/evidence/{id}/publish", "publish-evidence", ScopeAdmin, "Let the members who may follow the log see a proof"),
		func(ctx context.Context, in *evidencePath) (*output[node.MismatchView], error) {
			return reply(n.PublishEvidence(ctx, in.ID))
		})
}
