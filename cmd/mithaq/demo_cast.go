package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/mithaq/mithaq/internal/node"
)

// counterpart is another party of the story: a real node beside the first one, whose acts are carried by hand because
// nodes do not follow each other yet. It signs with keys of its own; nothing it says is made up by the first node.
type counterpart struct {
	node *node.Node
	dir  string
}

// cast opens a counterpart's node, or makes it.
func (d *demo) cast(ctx context.Context, name string, names map[string]string) (*counterpart, error) {
	dir := filepath.Join(d.dir, name)
	logger := d.app.logger(slog.LevelWarn, "text")
	var n *node.Node
	_, err := os.Stat(filepath.Join(dir, node.ConfigName))
	if errors.Is(err, os.ErrNotExist) {
		n, err = node.Init(ctx, dir, node.InitOptions{Names: names, Logger: logger})
	} else if err == nil {
		n, err = node.Open(ctx, dir, node.OpenOptions{Logger: logger})
	}
	if err != nil {
		return nil, fmt.Errorf("casting %s: %w", names["en"], err)
	}
	return &counterpart{node: n, dir: dir}, nil
}

func (c *counterpart) leave(ctx context.Context) error {
	return c.node.Close(context.WithoutCancel(ctx))
}

// approve reads the roll that it was handed, approves the open proposal, and hands back its signed act.
func (c *counterpart) approve(ctx context.Context, roll node.RollFile) ([]byte, error) {
	data, err := json.Marshal(roll)
	if err != nil {
		return nil, err
	}
	if _, err := c.node.Import(ctx, "the roll", data); err != nil {
		return nil, err
	}
	q := node.ActRequest{Act: "approve"}
	out, err := c.node.Act(ctx, roll.Agreement, q)
	if node.CodeOf(err) == node.CodeNoLog {
		if err = c.openLog(ctx, roll.Agreement); err == nil {
			out, err = c.node.Act(ctx, roll.Agreement, q)
		}
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(out.File)
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
