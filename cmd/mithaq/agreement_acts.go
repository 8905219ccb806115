package main

import (
	"context"

	"github.com/mithaq/mithaq/internal/node"
)

// The acts that need no more than the agreement's name, and those upon another party or its act.

// agreementArg names the agreement of an act.
type agreementArg struct {
	ID string `arg:"" help:"Agreement id, the beginning of it, or label."`
}

type declineCmd struct {
	actFlags
	agreementArg
}

func (declineCmd) Help() string { return "Example: mithaq agreement decline sahlan-norvia" }

func (c *declineCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "decline"})
}

type withdrawCmd struct {
	actFlags
	agreementArg
}

func (withdrawCmd) Help() string {
	return "Example: mithaq agreement withdraw sahlan-norvia --note 'en=A new government, a new policy.'"
}

func (c *withdrawCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "withdraw"})
}

type reviewCmd struct {
	actFlags
	agreementArg
}

func (reviewCmd) Help() string { return "Example: mithaq agreement review sahlan-norvia" }

func (c *reviewCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "review"})
}

type declareCmd struct {
	actFlags
	agreementArg
	Text []string `help:"The declaration, by language." placeholder:"LANG=TEXT" required:"" sep:"none"`
}

func (declareCmd) Help() string {
	return "Example: mithaq agreement declare sahlan-norvia --text 'en=Article 2 includes ports.'"
}

func (c *declareCmd) Run(ctx context.Context, a *app) error {
	texts, err := textsOf("--text", c.Text)
	if err != nil {
		return err
	}
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "declare", Declarations: texts})
}

type objectCmd struct {
	actFlags
	agreementArg
	Act  string   `arg:"" help:"Leaf of the act objected to, or the beginning of it."`
	Text []string `help:"Why, by language." placeholder:"LANG=TEXT" sep:"none"`
}

func (objectCmd) Help() string {
	return "Example: mithaq agreement object sahlan-norvia 5b2c --text 'en=The reservation defeats article 2.'"
}

func (c *objectCmd) Run(ctx context.Context, a *app) error {
	texts, err := textsOf("--text", c.Text)
	if err != nil {
		return err
	}
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "object", ObjectsTo: c.Act, Declarations: texts})
}

// partyArg names the party that an act is upon.
type partyArg struct {
	Party string `arg:"" help:"Party id (p-…)."`
}

type inviteCmd struct {
	actFlags
	agreementArg
	partyArg
}

func (inviteCmd) Help() string { return "Example: mithaq agreement invite sahlan-norvia p-…" }

func (c *inviteCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "invite", Party: c.Party})
}

type admitCmd struct {
	actFlags
	agreementArg
	partyArg
}

func (admitCmd) Help() string { return "Example: mithaq agreement admit sahlan-norvia p-…" }

func (c *admitCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "admit", Party: c.Party})
}

type removeCmd struct {
	actFlags
	agreementArg
	partyArg
}

func (removeCmd) Help() string { return "Example: mithaq agreement remove sahlan-norvia p-…" }

func (c *removeCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "remove", Party: c.Party})
}

type succeedCmd struct {
	actFlags
	agreementArg
	partyArg
}

func (succeedCmd) Help() string { return "Example: mithaq agreement succeed sahlan-norvia p-…" }

func (c *succeedCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "succeed", Party: c.Party})
}
