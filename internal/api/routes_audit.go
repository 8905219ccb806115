package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// registerAudit binds what was decided at the node's exits.
func registerAudit(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/audit", "list-decisions", ScopeAdmin, "What was given or refused at this node's exits, counted by the hour, the newest first"),
		func(ctx context.Context, in *struct {
			Since time.Time `query:"since" doc:"From the hour of this time on; absent: all that is kept"`
			Limit int       `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many rows"`
		}) (*output[[]node.AuditRowView], error) {
			return reply(n.Decisions(ctx, in.Since, in.Limit))
		})
	huma.Register(api, op(http.MethodGet, "/audit/check", "check-decisions", ScopeAdmin, "Whether the audit table is what the hourly leaves of the own log commit to"),
		func(ctx context.Context, _ *struct{}) (*output[node.AuditCheck], error) {
			return reply(n.CheckDecisions(ctx))
		})
}
