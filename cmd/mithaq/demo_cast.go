package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// counterpart is another party of the story: a real node beside the first one, with keys, a directory and a port of its own.
// What it knows of the others it knows over the network; nothing it says is made up by the first node.
type counterpart struct {
	name   string
	dir    string
	node   *node.Node
	daemon *api.Daemon
}

// cast opens a counterpart's node, or makes it, and serves it.
func (d *demo) cast(ctx context.Context, name string, names map[string]string) (*counterpart, error) {
	c := &counterpart{name: names["en"], dir: filepath.Join(d.dir, name)}
	if _, err := os.Stat(filepath.Join(c.dir, node.ConfigName)); errors.Is(err, os.ErrNotExist) {
		n, err := node.Init(ctx, c.dir, node.InitOptions{Names: names, Fictional: true, Listen: "127.0.0.1:0", Logger: d.quiet()})
		if err != nil {
			return nil, fmt.Errorf("casting %s: %w", c.name, err)
		}
		if err := n.Close(ctx); err != nil {
			return nil, fmt.Errorf("casting %s: %w", c.name, err)
		}
	}
	return c, d.enter(ctx, c)
}

// quiet is what the counterparts' nodes log: what would stop the story, and not that somebody was caught in it.
func (d *demo) quiet() *slog.Logger { return d.app.logger(slog.LevelError, "text") }

// enter opens and serves a counterpart's node, at the address that it had before.
func (d *demo) enter(ctx context.Context, c *counterpart) (err error) {
	listen := "127.0.0.1:0"
	if c.daemon != nil {
		listen = c.daemon.URL[len("http://"):]
	}
	if c.node, err = node.Open(ctx, c.dir, node.OpenOptions{Logger: d.quiet(), Listen: listen}); err != nil {
		return fmt.Errorf("opening the node of %s: %w", c.name, err)
	}
	if c.daemon, err = d.doors.start(ctx, c.node, d.quiet()); err != nil {
		return errors.Join(err, c.node.Close(context.WithoutCancel(ctx)))
	}
	return nil
}

func (c *counterpart) leave(ctx context.Context) error {
	return errors.Join(c.daemon.Stop(), c.node.Close(context.WithoutCancel(ctx)))
}

// meet knows the first node, whose fingerprint is compared: in the story by telephone, here with the node itself.
func (c *counterpart) meet(ctx context.Context, d *demo) error {
	_, err := c.node.AddPeer(ctx, node.PeerRequest{URL: d.daemon.URL, Party: d.node.Party().ID})
	return err
}

// act acts over the network, with a log of its own under the agreement.
func (c *counterpart) act(ctx context.Context, ref string, q node.ActRequest) (node.ActOutcome, error) {
	out, err := c.node.Act(ctx, ref, q)
	if fault.CodeOf(err) == fault.NoLog {
		v, known := c.node.Agreement(ctx, ref)
		if known != nil {
			return out, known
		}
		if err = c.openLog(ctx, v.ID); err == nil {
			out, err = c.node.Act(ctx, ref, q)
		}
	}
	if err == nil && !out.Entered {
		err = fmt.Errorf("the depositary did not enter the act of %s: %s", c.name, out.Trouble)
	}
	return out, err
}

func (c *counterpart) openLog(ctx context.Context, id string) error {
	p, err := c.node.ProposeKeyrings(ctx, node.KeyChange{Action: "open", Agreement: id})
	if err != nil {
		return err
	}
	signed, err := node.SignKeyrings(ctx, p, node.RootPath(c.dir), node.SecretSource{})
	if err != nil {
		return err
	}
	_, err = c.node.ApplyKeyrings(ctx, signed)
	return err
}

// finds says whether a node's search shows a record, by its leaf.
func finds(ctx context.Context, n *node.Node, leaf string) (bool, error) {
	got, err := n.Search(ctx, node.SearchQuery{Text: leaf})
	return len(got.Results) > 0, err
}

// storyPatience bounds each wait of the story for what the nodes do by themselves.
const storyPatience = 2 * time.Minute

// waitUntil waits for what the nodes do by themselves, and says how long that took.
func waitUntil(ctx context.Context, what string, done func() (bool, error)) (time.Duration, error) {
	start := time.Now()
	for {
		ok, err := done()
		if err != nil {
			return 0, fmt.Errorf("waiting until %s: %w", what, err)
		}
		if ok {
			return time.Since(start), nil
		}
		if time.Since(start) > storyPatience {
			return 0, fmt.Errorf("waited %s in vain until %s", storyPatience, what)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
