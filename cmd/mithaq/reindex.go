package main

import (
	"context"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/api"
)

type reindexCmd struct {
	dirFlag
}

func (reindexCmd) Help() string {
	return `Example: mithaq reindex --dir /var/lib/mithaq

The index makes search and lists quick and holds nothing that is not in the logs. This throws it away and builds it again,
while the node runs or not; answers are the same afterwards.`
}

// reindexPoll is how often the command looks how far the index is.
const reindexPoll = 100 * time.Millisecond

func (c *reindexCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		start := time.Now()
		state, err := client.Reindex(ctx)
		if err != nil {
			return err
		}
		show := a.progress("indexing")
		tick := time.NewTicker(reindexPoll)
		defer tick.Stop()
		for !state.Ready {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
			if state, err = client.Index(ctx); err != nil {
				return err
			}
			if show != nil {
				show(state.Indexed, state.Size)
			}
		}
		took := time.Since(start).Seconds()
		fmt.Fprintf(a.stdout, "indexed %d leaves of %d logs in %.1f s\n", state.Indexed, len(state.Logs), took)
		return nil
	})
}
