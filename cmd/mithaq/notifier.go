package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type notifierCmd struct {
	Add    notifierAddCmd    `cmd:"" help:"Tell somebody when something waits."`
	List   notifierListCmd   `cmd:"" help:"List who is told, and what became of the last message."`
	Test   notifierTestCmd   `cmd:"" help:"Send a test."`
	Remove notifierRemoveCmd `cmd:"" help:"Tell somebody no more."`
}

type notifierAddCmd struct {
	dirFlag
	Name     string   `arg:"" help:"What it is called here."`
	Mail     string   `help:"Mail address; the server is set by mail in mithaq.toml." placeholder:"ADDRESS" xor:"to" required:""`
	Webhook  string   `help:"Address that signed JSON is posted to." placeholder:"URL" xor:"to" required:""`
	On       []string `help:"approval, recall, alert (sightings to decide on), mismatch (contradicting histories), stale (nodes that do not answer), quota, sensor (silent ones), feed, backup; more than one may be given (default: all)." placeholder:"OCCASION"`
	Language string   `help:"Of the messages: ar, en or fr." default:"ar" placeholder:"LANGUAGE"`
	JSON     bool     `help:"Print as JSON."`
}

func (notifierAddCmd) Help() string {
	return `Messages say that something waits, and where; never what it is. A webhook's signature is that of Standard Webhooks.

Examples:
  mithaq notifier add duty --mail duty@cert.example --on approval --on recall --language fr
  mithaq notifier add chat --webhook https://chat.example/hooks/7 --on alert`
}

func (c *notifierAddCmd) Run(ctx context.Context, a *app) error {
	q := node.NotifierRequest{Name: c.Name, Kind: node.NotifierMail, To: c.Mail, Language: c.Language, Occasions: c.On}
	if c.Webhook != "" {
		q.Kind, q.To = node.NotifierWebhook, c.Webhook
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		v, err := client.AddNotifier(ctx, q)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(v) //nolint:gosec // the secret is told this once
		}
		fmt.Fprintf(a.stdout, "%s is told of %s\n", v.Name, strings.Join(v.Occasions, ", "))
		if v.Secret != "" {
			fmt.Fprintf(a.stdout, "secret: %s (for verifying signatures; it is not shown again)\n", v.Secret)
		}
		return nil
	})
}

type notifierListCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (c *notifierListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		v, err := client.Notifiers(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(v)
		}
		for _, n := range v.Notifiers {
			fmt.Fprintf(a.stdout, "%s  %s  %s  %s  %s  %s\n", n.Name, n.Kind, oneLine(n.To), n.Language, strings.Join(n.Occasions, ","), lastNotice(n))
		}
		return nil
	})
}

// lastNotice says how a notifier fares.
func lastNotice(n node.NotifierView) string {
	out := "nothing sent yet"
	if r := n.Last; r != nil {
		out = fmt.Sprintf("%s: %s sent", r.At.Format("2006-01-02 15:04"), r.Occasion)
		if r.Error != "" {
			out = fmt.Sprintf("%s: %s NOT sent: %s", r.At.Format("2006-01-02 15:04"), r.Occasion, r.Error)
		}
	}
	if n.Waiting > 0 && n.Next != nil {
		out += fmt.Sprintf("; %d to be told at %s", n.Waiting, n.Next.UTC().Format("15:04"))
	}
	return out
}

type notifierTestCmd struct {
	dirFlag
	Name string `arg:"" help:"The notifier's name."`
}

func (notifierTestCmd) Help() string { return "Example: mithaq notifier test duty" }

func (c *notifierTestCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		r, err := client.TestNotifier(ctx, c.Name)
		if err != nil {
			return err
		}
		if r.Error != "" {
			return fmt.Errorf("testing notifier %s: %s", oneLine(c.Name), r.Error)
		}
		fmt.Fprintf(a.stdout, "%s was sent a test\n", c.Name)
		return nil
	})
}

type notifierRemoveCmd struct {
	dirFlag
	Name string `arg:"" help:"The notifier's name."`
}

func (c *notifierRemoveCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error { return client.RemoveNotifier(ctx, c.Name) })
}
