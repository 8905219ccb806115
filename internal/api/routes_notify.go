package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// NotifierPath names a notifier.
type NotifierPath struct {
	Name string `path:"name" maxLength:"64"`
}

// registerNotifiers binds what waits here, and who is told of it outside the screens.
func registerNotifiers(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/matters", "list-matters", ScopeRead, "What waits for somebody of this party, and what is wrong here"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.Matter], error) {
			return reply(n.Matters(ctx))
		})
	huma.Register(api, op(http.MethodGet, "/notifiers", "list-notifiers", ScopeAdmin, "Who is told by mail or webhook that something waits"),
		func(ctx context.Context, _ *struct{}) (*output[node.NotifiersView], error) {
			return reply(n.Notifiers(ctx))
		})
	add := op(http.MethodPost, "/notifiers", "add-notifier", ScopeAdmin, "Tell somebody when something waits, from now on; the secret of a webhook is in this answer alone")
	add.DefaultStatus = http.StatusCreated
	huma.Register(api, add, func(ctx context.Context, in *struct{ Body node.NotifierRequest }) (*output[node.NewNotifier], error) {
		return reply(n.AddNotifier(ctx, in.Body))
	})
	huma.Register(api, op(http.MethodDelete, "/notifiers/{name}", "remove-notifier", ScopeAdmin, "Tell somebody no more"),
		func(ctx context.Context, in *NotifierPath) (*struct{}, error) {
			return nil, problem(n.RemoveNotifier(ctx, in.Name))
		})
	huma.Register(api, op(http.MethodPost, "/notifiers/{name}/test", "test-notifier", ScopeAdmin, "Send a message that says that it is a test, and tell what became of it"),
		func(ctx context.Context, in *NotifierPath) (*output[node.NoticeRun], error) {
			return reply(n.TestNotifier(ctx, in.Name))
		})
}
