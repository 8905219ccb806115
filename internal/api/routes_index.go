package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

func registerIndex(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/search", "search", ScopeRead, "Records by their words, an indicator's value, a record id, a leaf hash or a STIX id; newest first"),
		func(ctx context.Context, in *struct {
			Text      string `query:"q" required:"true" minLength:"1" maxLength:"4096" doc:"What to look for; the last word may be a beginning" example:"ransomware energ"`
			Kind      string `query:"kind" doc:"Records of this kind only" example:"intel"`
			Agreement string `query:"agreement" doc:"Records under this agreement only: its id, or own"`
			Limit     int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many"`
			Before    int64  `query:"before" minimum:"0" doc:"next of the page before"`
		}) (*output[node.SearchResults], error) {
			return reply(n.Search(ctx, node.SearchQuery{Text: in.Text, Kind: in.Kind, Agreement: in.Agreement, Limit: in.Limit, Before: in.Before}))
		})
	huma.Register(api, op(http.MethodGet, "/logs/{log}/records/{index}/correlations", "correlate", ScopeRead, "Other records in which values of a record stand"),
		func(ctx context.Context, in *RecordPath) (*output[node.Correlations], error) {
			return reply(n.Correlate(ctx, viewer(ctx, n), in.Log, in.Index))
		})
	huma.Register(api, op(http.MethodGet, "/objects/{id}", "get-carriers", ScopeRead, "Records that carry a STIX object, the newest first"),
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"288" doc:"STIX id"`
		}) (*output[[]node.Carrier], error) {
			return reply(n.Carriers(ctx, in.ID))
		})
	huma.Register(api, op(http.MethodGet, "/arrivals", "list-arrivals", ScopeRead, "What has arrived here, whoever published it; newest first"),
		func(ctx context.Context, in *struct {
			After     int64  `query:"after" minimum:"0" doc:"Only what arrived after this number"`
			Before    int64  `query:"before" minimum:"0" doc:"next of the page before"`
			Kind      string `query:"kind" doc:"Records of this kind only" example:"intel"`
			Agreement string `query:"agreement" doc:"Records under this agreement only: its id, or own"`
			Author    string `query:"author" doc:"Records of this party only: its id"`
			Limit     int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many"`
		}) (*output[node.Arrivals], error) {
			return reply(n.Arrivals(ctx, viewer(ctx, n), node.ArrivalQuery{After: in.After, Before: in.Before, Kind: in.Kind, Agreement: in.Agreement, Author: in.Author, Limit: in.Limit}))
		})
	huma.Register(api, op(http.MethodGet, "/index", "get-index", ScopeRead, "How far the index is"),
		func(ctx context.Context, _ *struct{}) (*output[node.IndexView], error) {
			return reply(n.IndexState(ctx))
		})
	reindex := op(http.MethodPost, "/reindex", "reindex", ScopeAdmin, "Throw the index away and begin to build it again; get-index tells how far it is")
	reindex.DefaultStatus = http.StatusAccepted
	huma.Register(api, reindex, func(ctx context.Context, _ *struct{}) (*output[node.IndexView], error) { return reply(n.Reindex(ctx)) })
}
