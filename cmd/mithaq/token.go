package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token; its secret is printed this once."`
	List   tokenListCmd   `cmd:"" help:"List tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token."`
}

type tokenCreateCmd struct {
	dirFlag
	Name    string   `help:"What the token is for." required:"" placeholder:"NAME"`
	Scope   []string `help:"audit: restricted logs as they are served, sealed records sealed; read: opened records too; publish; metrics; sense: what a sensor needs; admin. Over TAXII also read:AGREEMENT and publish:AGREEMENT." default:"audit" placeholder:"SCOPE"`
	Party   string   `help:"Another party: the token reads over TAXII what that party may have." placeholder:"ID"`
	Expires string   `help:"From when it is no longer valid (RFC 3339)." placeholder:"TIME"`
	JSON    bool     `help:"Print the token with its secret as JSON."`
}

func (tokenCreateCmd) Help() string {
	return "Example: mithaq token create --name auditor --scope audit --expires 2027-01-31T00:00:00Z"
}

func (c *tokenCreateCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		request := account.TokenRequest{Name: c.Name, Scopes: c.Scope, Party: c.Party}
		if c.Expires != "" {
			expires, err := time.Parse(time.RFC3339, c.Expires)
			if err != nil {
				return &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("creating a token: --expires %q is not a time", c.Expires), Remedy: "write it as 2027-01-31T00:00:00Z"}
			}
			request.Expires = &expires
		}
		t, err := client.CreateToken(ctx, request)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(t) //nolint:gosec // the secret is what the command is called for
		}
		fmt.Fprintln(a.stdout, t.Secret)
		fmt.Fprintf(a.stderr, "token %s made: the line above is its secret and is not shown again\n", t.ID)
		return nil
	})
}

type tokenListCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (c *tokenListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		tokens, err := client.Tokens(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(tokens)
		}
		for _, t := range tokens {
			fmt.Fprintf(a.stdout, "%s  %s  %s  %s  %s\n", t.ID, t.Created.UTC().Format("2006-01-02"), strings.Join(t.Scopes, ","), t.Name, tokenState(t))
		}
		return nil
	})
}

func tokenState(t account.TokenView) string {
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02") }
	switch {
	case t.Revoked != nil:
		return "revoked on " + day(*t.Revoked)
	case t.Expires != nil && !time.Now().Before(*t.Expires):
		return "expired on " + day(*t.Expires)
	case t.Expires != nil:
		return "valid until " + day(*t.Expires)
	}
	return "valid"
}

type tokenRevokeCmd struct {
	dirFlag
	ID string `arg:"" help:"The token's id."`
}

func (c *tokenRevokeCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error { return client.RevokeToken(ctx, c.ID) })
}
