package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/taxii"
)

func registerTAXII(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/collections", "list-collections", ScopeRead, "This node's TAXII collections: one for each agreement, and the views of the configuration"),
		func(ctx context.Context, _ *struct{}) (*output[[]taxii.Collection], error) {
			return reply(n.Collections(ctx))
		})
	huma.Register(api, op(http.MethodGet, "/feeds", "list-feeds", ScopeRead, "Foreign TAXII collections that are read on a schedule, and their last runs"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.FeedView], error) { return reply(n.Feeds(ctx)) })
	huma.Register(api, op(http.MethodPost, "/feeds/{feed}/run", "run-feed", ScopeAdmin, "Read a feed of the configuration now, for up to 45 s, without waiting for its turn; ask again until it is done"),
		func(ctx context.Context, in *struct {
			Feed string `path:"feed" maxLength:"100" doc:"The feed's name"`
		}) (*output[node.PullReport], error) {
			return reply(n.RunFeedNow(ctx, in.Feed))
		})
	huma.Register(api, op(http.MethodPost, "/feeds/pull", "pull", ScopeAdmin, "Read a foreign TAXII collection for up to 45 s and publish what is new; ask again until it is done"),
		func(ctx context.Context, in *struct{ Body node.PullRequest }) (*output[node.PullReport], error) {
			return reply(n.Pull(ctx, in.Body))
		})
	huma.Register(api, op(http.MethodGet, "/stix", "search-stix", ScopeRead, "STIX objects by their words, a value, or an id; newest record first"),
		func(ctx context.Context, in *struct {
			Text      string `query:"q" required:"true" minLength:"1" maxLength:"4096" doc:"What to look for; the last word may be a beginning" example:"emotet"`
			Type      string `query:"type" maxLength:"250" doc:"Objects of this STIX type only" example:"indicator"`
			Agreement string `query:"agreement" doc:"Under this agreement only: its id, or own"`
			Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"How many"`
			Before    int64  `query:"before" minimum:"0" doc:"next of the page before"`
		}) (*output[node.STIXResults], error) {
			return reply(n.SearchSTIX(ctx, viewer(ctx, n), node.STIXQuery{Text: in.Text, Type: in.Type, Agreement: in.Agreement, Limit: in.Limit, Before: in.Before}))
		})
}
