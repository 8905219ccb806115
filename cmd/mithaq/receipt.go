package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type receiptCmd struct {
	List receiptListCmd `cmd:"" help:"Say who has a record, who opened it and who read it, and who obeys its recalls."`
	Read receiptReadCmd `cmd:"" help:"Tell the author of another party's record that a person has read it."`
}

type receiptListCmd struct {
	dirFlag
	JSON bool   `help:"Print as JSON."`
	Ref  string `arg:"" help:"Place (12, or LOG/12), record id, leaf hash or object hash."`
}

func (receiptListCmd) Help() string {
	return `Example: mithaq receipt list r-mhk3a2qe…

That a node has a record and opened it, the node signs by itself; that a person read it, a person says.`
}

func (c *receiptListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		place, err := resolve(ctx, client, c.Ref)
		if err != nil {
			return err
		}
		return a.printReceipts(ctx, client, place, c.JSON)
	})
}

type receiptReadCmd struct {
	dirFlag
	JSON bool   `help:"Print the receipt as JSON."`
	Ref  string `arg:"" help:"Place (LOG/12), record id, leaf hash or object hash."`
}

func (receiptReadCmd) Help() string { return "Example: mithaq receipt read r-mhk3a2qe…" }

func (c *receiptReadCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		place, err := resolve(ctx, client, c.Ref)
		if err != nil {
			return err
		}
		return a.confirmRead(ctx, client, place, c.JSON)
	})
}

// confirmRead signs that a person has read a record, and says so.
func (a *app) confirmRead(ctx context.Context, client *api.Client, place node.Place, asJSON bool) error {
	receipt, err := client.ConfirmRead(ctx, place.Log, place.Index)
	if err != nil {
		return err
	}
	if receipt.Duplicate {
		return a.print(asJSON, receipt, "you have told the author before: place %d of %s\n", receipt.Index, receipt.Log)
	}
	return a.print(asJSON, receipt, "told the author that you have read it: place %d of %s\n", receipt.Index, receipt.Log)
}

func (a *app) printReceipts(ctx context.Context, client *api.Client, place node.Place, asJSON bool) error {
	v, err := client.Receipts(ctx, place.Log, place.Index)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(a, v)
	}
	fmt.Fprintf(a.stdout, "place %d of %s, %s\n", v.Index, v.Log, dash(v.Kind))
	if len(v.Holders) == 0 {
		fmt.Fprintln(a.stdout, "nobody else is to have it, and nobody has said so")
	}
	for _, h := range v.Holders {
		fmt.Fprintf(a.stdout, "  %-24s %s\n", holderName(h), holderWords(h))
	}
	for _, c := range v.Changes {
		word := "recall (" + c.Action + ")"
		if c.Action == "release" {
			word = c.Action
		}
		fmt.Fprintf(a.stdout, "%s at place %d: acknowledged by %d of %d\n", word, c.Index, c.Obeyed, len(c.Holders))
		for _, h := range c.Holders {
			said := "not yet"
			if h.Obeyed != nil {
				said = "obeys it since " + minute(*h.Obeyed)
			}
			fmt.Fprintf(a.stdout, "  %-24s %s\n", holderName(h), said)
		}
	}
	return nil
}

func holderName(h node.HolderView) string {
	for _, language := range []string{"en", "fr", "ar"} {
		if name := h.Names[language]; name != "" {
			return oneLine(name)
		}
	}
	return h.Party
}

// holderWords says how far a record came at a party.
func holderWords(h node.HolderView) string {
	var said []string
	add := func(word string, at *time.Time) {
		if at != nil {
			said = append(said, word+" "+minute(*at))
		}
	}
	add("fetched", h.Fetched)
	add("opened", h.Opened)
	add("obeys it since", h.Obeyed)
	add("read by a person", h.Read)
	if len(said) == 0 {
		return "no receipt yet"
	}
	return strings.Join(said, ", ")
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
