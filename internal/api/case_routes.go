package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// CasePath names a proof of misconduct in a request.
type CasePath struct {
	AgreementPath
	Case string `path:"case" doc:"Case id, or the beginning of it"`
}

func registerCases(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}/cases", "list-cases", ScopeRead, "Proofs that a party approved two children of one parent, kept here for a person to decide on"),
		func(ctx context.Context, in *AgreementPath) (*output[[]node.CaseView], error) {
			return reply(n.Cases(ctx, in.Agreement))
		})
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}/cases/{case}", "get-case", ScopeRead, "One proof as a file that anybody can verify offline"),
		func(ctx context.Context, in *CasePath) (*output[node.Case], error) {
			return reply(n.CaseFile(ctx, in.Agreement, in.Case))
		})
	huma.Register(api, op(http.MethodPost, "/agreements/{agreement}/cases/{case}/decision", "decide-case", ScopeAdmin, "Publish a proof as an allegation under the agreement, or leave it be: a person's decision, with the reason, once"),
		func(ctx context.Context, in *struct {
			CasePath
			Body node.CaseDecision
		}) (*output[node.CaseView], error) {
			return reply(n.DecideCase(ctx, in.Agreement, in.Case, in.Body))
		})
}

func casesURL(agreement string) string {
	return "/agreements/" + url.PathEscape(agreement) + "/cases"
}

// Cases lists the proofs of misconduct under an agreement.
func (c *Client) Cases(ctx context.Context, agreement string) ([]node.CaseView, error) {
	return call[[]node.CaseView](ctx, c, http.MethodGet, casesURL(agreement), nil)
}

// CaseFile gives one proof.
func (c *Client) CaseFile(ctx context.Context, agreement, id string) (node.Case, error) {
	return call[node.Case](ctx, c, http.MethodGet, casesURL(agreement)+"/"+url.PathEscape(id), nil)
}

// DecideCase records a person's decision on a proof.
func (c *Client) DecideCase(ctx context.Context, agreement, id string, d node.CaseDecision) (node.CaseView, error) {
	return call[node.CaseView](ctx, c, http.MethodPost, casesURL(agreement)+"/"+url.PathEscape(id)+"/decision", d)
}
