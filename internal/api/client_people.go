package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/account"
)

// PutPerson adds a person, or changes one.
func (c *Client) PutPerson(ctx context.Context, r account.PersonRequest) (account.NewPerson, error) {
	return call[account.NewPerson](ctx, c, http.MethodPost, "/people", r)
}

// People lists who can sign in, or could.
func (c *Client) People(ctx context.Context) ([]account.PersonView, error) {
	return call[[]account.PersonView](ctx, c, http.MethodGet, "/people", nil)
}

// EndPerson keeps a person from signing in.
func (c *Client) EndPerson(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/people/"+url.PathEscape(name), nil, nil, nil)
}

// BindSubject lets a person sign in as somebody whom the OpenID provider names.
func (c *Client) BindSubject(ctx context.Context, name, subject string) (account.PersonView, error) {
	return call[account.PersonView](ctx, c, http.MethodPost, "/people/"+url.PathEscape(name)+"/subject", account.SubjectRequest{Subject: subject})
}

// ResetFactors takes a person's passkeys, codes and OpenID subjects away.
func (c *Client) ResetFactors(ctx context.Context, name string) (account.FactorsGone, error) {
	return call[account.FactorsGone](ctx, c, http.MethodDelete, "/people/"+url.PathEscape(name)+"/factors", nil)
}
