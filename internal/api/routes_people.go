package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/node"
)

func registerPeople(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/people", "list-people", ScopeAdmin, "People who sign in to the screens, with their roles"),
		func(ctx context.Context, _ *struct{}) (*output[[]account.PersonView], error) {
			return reply(n.People(ctx))
		})
	put := op(http.MethodPost, "/people", "put-person", ScopeAdmin, "Add a person, or give one new roles and a new password, which ends the sessions there are")
	put.DefaultStatus = http.StatusCreated
	huma.Register(api, put, func(ctx context.Context, in *struct{ Body account.PersonRequest }) (*output[account.NewPerson], error) {
		return reply(n.PutPerson(ctx, in.Body))
	})
	huma.Register(api, op(http.MethodDelete, "/people/{name}", "end-person", ScopeAdmin, "Keep a person from signing in and end the sessions there are"),
		func(ctx context.Context, in *struct {
			Name string `path:"name"`
		}) (*struct{}, error) {
			return nil, problem(n.EndPerson(ctx, in.Name))
		})
	huma.Register(api, op(http.MethodPost, "/people/{name}/subject", "bind-person", ScopeAdmin, "Let a person sign in as somebody whom the OpenID provider names"),
		func(ctx context.Context, in *struct {
			Name string `path:"name"`
			Body account.SubjectRequest
		}) (*output[account.PersonView], error) {
			return reply(n.BindSubject(ctx, in.Name, in.Body.Subject))
		})
	huma.Register(api, op(http.MethodDelete, "/people/{name}/factors", "reset-person", ScopeAdmin, "Take a person's passkeys, codes and OpenID subjects away, so that the password alone signs in"),
		func(ctx context.Context, in *struct {
			Name string `path:"name"`
		}) (*output[account.FactorsGone], error) {
			return reply(n.ResetFactors(ctx, in.Name))
		})
}
