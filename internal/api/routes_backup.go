package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// registerBackups binds the backups that are made on the node's own machine. Nothing of them is served.
func registerBackups(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/backups", "list-backups", ScopeAdmin, "Backups in the folder for them, and whether one is being made"),
		func(ctx context.Context, _ *struct{}) (*output[node.BackupsView], error) {
			return reply(n.Backups(ctx))
		})
	start := op(http.MethodPost, "/backups", "start-backup", ScopeAdmin, "Make a backup in the folder for backups; look at the list for what becomes of it")
	start.DefaultStatus = http.StatusAccepted
	huma.Register(api, start, func(context.Context, *struct{}) (*struct{}, error) {
		return nil, problem(n.StartBackup())
	})
}
