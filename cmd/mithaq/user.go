package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
)

type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Add a person, or give one new roles and a new password."`
	List   userListCmd   `cmd:"" help:"List people with their roles."`
	Bind   userBindCmd   `cmd:"" help:"Let a person sign in by the party's OpenID provider."`
	Reset  userResetCmd  `cmd:"" help:"Take a person's passkeys, codes and OpenID subjects away, when they are lost."`
	Remove userRemoveCmd `cmd:"" help:"Keep a person from signing in and end the sessions there are."`
}

type userAddCmd struct {
	dirFlag
	Name          string   `arg:"" help:"What the person types to sign in."`
	Role          []string `help:"duty-officer, analyst, publisher, diplomat, auditor or administrator; more than one may be given." required:"" placeholder:"ROLE"`
	Shown         string   `help:"The name that others see." placeholder:"NAME"`
	Officer       string   `help:"Key id under which the person signs (default: the first whose key is here)." placeholder:"KEY"`
	PasswordStdin bool     `help:"Read the password from standard input instead of making one."`
	NoPassword    bool     `help:"Give none: the person signs in by the OpenID provider (see 'mithaq user bind')."`
	JSON          bool     `help:"Print as JSON."`
}

func (userAddCmd) Help() string {
	return `Examples:
  mithaq user add amal --role analyst --role publisher --shown 'Amal Idris'
  mithaq user add basma --role diplomat --no-password && mithaq user bind basma basma@ministry.example`
}

func (c *userAddCmd) Run(ctx context.Context, a *app) error {
	request := account.PersonRequest{Name: c.Name, Shown: c.Shown, Roles: c.Role, Officer: c.Officer, NoPassword: c.NoPassword}
	if c.PasswordStdin {
		line, err := bufio.NewReader(io.LimitReader(a.stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return unreadable{fmt.Errorf("reading the password: %w", err)}
		}
		if request.Password = strings.TrimRight(line, "\r\n"); request.Password == "" {
			return &fault.Fault{Code: fault.Invalid, What: "reading the password: standard input is empty", Remedy: "leave --password-stdin out to have one made"}
		}
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		p, err := client.PutPerson(ctx, request)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(p) //nolint:gosec // the password is what the command is called for
		}
		fmt.Fprintf(a.stdout, "%s may sign in as %s\n", p.Name, strings.Join(p.Roles, ", "))
		if p.Password != "" {
			fmt.Fprintf(a.stdout, "password: %s (it is not shown again)\n", p.Password)
		}
		return nil
	})
}

type userListCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (c *userListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		people, err := client.People(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(people)
		}
		for _, p := range people {
			state := "may sign in"
			if p.Ended != nil {
				state = "ended on " + p.Ended.UTC().Format("2006-01-02")
			}
			fmt.Fprintf(a.stdout, "%s  %s  %q  %s\n", p.Name, strings.Join(p.Roles, ","), p.Shown, state)
		}
		return nil
	})
}

type userBindCmd struct {
	dirFlag
	Name    string `arg:"" help:"The person's name."`
	Subject string `arg:"" help:"What the provider calls the person: its sub, or the verified e-mail address where the configuration says so."`
}

func (userBindCmd) Help() string {
	return "Example: mithaq user bind amal amal@ministry.example"
}

func (c *userBindCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		p, err := client.BindSubject(ctx, c.Name, c.Subject)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s may sign in by the OpenID provider as %s\n", p.Name, oneLine(c.Subject))
		return nil
	})
}

type userResetCmd struct {
	dirFlag
	Name string `arg:"" help:"The person's name."`
}

func (userResetCmd) Help() string {
	return "Example: mithaq user reset amal"
}

func (c *userResetCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		gone, err := client.ResetFactors(ctx, c.Name)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%d taken away; %s signs in with the password alone now\n", gone.Gone, c.Name)
		return nil
	})
}

type userRemoveCmd struct {
	dirFlag
	Name string `arg:"" help:"The person's name."`
}

func (c *userRemoveCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error { return client.EndPerson(ctx, c.Name) })
}

type openapiCmd struct{}

func (openapiCmd) Run(a *app) error {
	description, err := api.Describe(version())
	if err != nil {
		return err
	}
	return a.print(true, description, "")
}
