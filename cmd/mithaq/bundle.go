package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type bundleCmd struct {
	Out bundleOutCmd `cmd:"" help:"Write what a party may follow here into one file, to be carried."`
	In  bundleInCmd  `cmd:"" help:"Take what a carried file has of the logs that are followed here."`
}

type bundleOutCmd struct {
	dirFlag
	File string `arg:"" help:"File to write."`
	To   string `help:"Party that gets it: its id, or what a peer is called." required:"" placeholder:"PARTY"`
	JSON bool   `help:"Print as JSON."`
}

func (bundleOutCmd) Help() string {
	return `Example: mithaq bundle out --to p-zl3b… /media/stick/for-darb.zip

This party's logs and those it follows, as far as the party may have them: checkpoints, keyrings, trees and objects. What is sealed stays
sealed. The party's node verifies all of it as if it had fetched it.`
}

func (c *bundleOutCmd) Run(ctx context.Context, a *app) error {
	return c.carry(ctx, a, func(client *api.Client, path string) (string, node.BundleReport, error) {
		to := c.To
		if peers, err := client.Peers(ctx); err == nil {
			if p, err := node.PickPeer(peers, c.To); err == nil {
				to = p.ID
			}
		}
		r, err := client.WriteBundle(ctx, node.BundleRequest{Path: path, To: to})
		return fmt.Sprintf("wrote %s: %d logs, %d leaves, %d bytes", c.File, r.Logs, r.Leaves, r.Bytes), r, err
	}, c.dirFlag, c.File, c.JSON)
}

type bundleInCmd struct {
	dirFlag
	File string `arg:"" help:"File that 'mithaq bundle out' wrote."`
	JSON bool   `help:"Print as JSON."`
}

func (bundleInCmd) Help() string { return "Example: mithaq bundle in /media/stick/for-darb.zip" }

func (c *bundleInCmd) Run(ctx context.Context, a *app) error {
	return (&bundleOutCmd{}).carry(ctx, a, func(client *api.Client, path string) (string, node.BundleReport, error) {
		r, err := client.ReadBundle(ctx, node.BundleRequest{Path: path})
		said := fmt.Sprintf("took %d new leaves of %d logs", r.Leaves, r.Logs)
		if r.Refused > 0 {
			said += fmt.Sprintf("; %d logs are not followed here or do not verify", r.Refused)
		}
		if r.Cut > 0 {
			said += fmt.Sprintf("\nthe file is cut short at byte %d: what is before it was taken, and %d more leaves are kept until the rest comes; run this again with the whole file", r.Cut, r.Kept)
		}
		return said, r, err
	}, c.dirFlag, c.File, c.JSON)
}

// carry hands the node the file's whole path: the node may run in another directory.
func (*bundleOutCmd) carry(ctx context.Context, a *app, do func(*api.Client, string) (string, node.BundleReport, error), d dirFlag, file string, asJSON bool) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	return a.withNode(ctx, d, accessWrite, func(client *api.Client) error {
		said, r, err := do(client, path)
		if err != nil {
			return err
		}
		return a.print(asJSON, r, "%s\n", said)
	})
}
