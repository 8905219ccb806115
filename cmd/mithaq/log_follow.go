package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type logFollowCmd struct {
	dirFlag
	URL   string `arg:"" optional:"" help:"URL of the log, at its author's host or a mirror. Without it the followed logs are listed."`
	Party string `help:"Party id of its author, when nobody has introduced it: compare the eight words by telephone first." placeholder:"ID"`
	JSON  bool   `help:"Print as JSON."`
}

func (logFollowCmd) Help() string {
	return "Examples:\n  mithaq log follow https://node.example/log/l-…\n  mithaq log follow"
}

func (c *logFollowCmd) Run(ctx context.Context, a *app) error {
	if c.URL == "" {
		return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
			list, err := client.Follows(ctx)
			if err != nil {
				return err
			}
			if c.JSON {
				return json.NewEncoder(a.stdout).Encode(list)
			}
			for _, v := range list {
				printFollow(a.stdout, v)
			}
			return nil
		})
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		v, err := client.Follow(ctx, node.FollowRequest{URL: c.URL, Party: c.Party})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(v)
		}
		printFollow(a.stdout, v)
		return nil
	})
}

func printFollow(w io.Writer, v node.FollowView) {
	fmt.Fprintf(w, "%s  %d leaves of %s, from %s\n", v.ID, v.Size, v.Party, v.Source)
	if v.Absent > 0 {
		fmt.Fprintf(w, "  %d leaves wait for their object\n", v.Absent)
	}
	for _, kind := range slices.Sorted(maps.Keys(v.Notices)) {
		fmt.Fprintf(w, "  %s: %s\n", kind, v.Notices[kind])
	}
	if r := v.Refused; r != nil {
		fmt.Fprintf(w, "  refused: %s; last: %s\n", kindCounts(r.Kinds), r.Last)
	}
	for _, id := range v.Evidence {
		fmt.Fprintf(w, "  evidence %s\n", id)
	}
}

type logSyncCmd struct {
	dirFlag
	Log  string `arg:"" optional:"" help:"Id of a followed log (default: all of them)."`
	JSON bool   `help:"Print as JSON, a line for each log."`
}

func (logSyncCmd) Help() string { return "Example: mithaq log sync" }

func (c *logSyncCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		ids := []string{c.Log}
		if c.Log == "" {
			list, err := client.Follows(ctx)
			if err != nil {
				return err
			}
			ids = nil
			for _, v := range list {
				ids = append(ids, v.ID)
			}
		}
		troubled := false
		for _, id := range ids {
			v, err := client.Sync(ctx, id)
			if err != nil {
				return err
			}
			troubled = troubled || v.Trouble != ""
			if c.JSON {
				if err := json.NewEncoder(a.stdout).Encode(v); err != nil {
					return err
				}
				continue
			}
			printFollow(a.stdout, v.FollowView)
			if v.Trouble != "" {
				fmt.Fprintf(a.stdout, "  not followed to the end: %s\n", v.Trouble)
			}
		}
		if troubled {
			return exitCode(exitNo)
		}
		return nil
	})
}
