package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token; its secret is printed this once."`
	List   tokenListCmd   `cmd:"" help:"List tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token."`
}

type tokenCreateCmd struct {
	dirFlag
	Name  string   `help:"What the token is for." required:"" placeholder:"NAME"`
	Scope []string `help:"read, publish, metrics or admin." default:"read" placeholder:"SCOPE"`
}

func (tokenCreateCmd) Help() string {
	return "Example: mithaq token create --name auditor --scope read"
}

func (c *tokenCreateCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		t, err := client.CreateToken(ctx, node.TokenRequest{Name: c.Name, Scopes: c.Scope})
		if err != nil {
			return err
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
			fmt.Fprintf(a.stdout, "%s  %s  %s  %s\n", t.ID, t.Created.UTC().Format("2006-01-02"), strings.Join(t.Scopes, ","), t.Name)
		}
		return nil
	})
}

type tokenRevokeCmd struct {
	dirFlag
	ID string `arg:"" help:"The token's id."`
}

func (c *tokenRevokeCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error { return client.RevokeToken(ctx, c.ID) })
}
