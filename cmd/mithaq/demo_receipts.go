package main

import (
	"context"
	"time"

	"github.com/mithaq/mithaq/internal/node"
)

// acknowledged waits until the author sees, by Norvia's signed receipts, that a recalled record had been opened there and
// that its recall is obeyed.
func (d *demo) acknowledged(ctx context.Context, wrong node.Receipt) error {
	var v node.ReceiptsView
	took, err := waitUntil(ctx, "Norvia acknowledges the recall", func() (done bool, err error) {
		v, err = d.client.Receipts(ctx, wrong.Log, wrong.Index)
		return err == nil && len(v.Holders) > 0 && v.Holders[0].Opened != nil && len(v.Changes) > 0 && v.Changes[0].Obeyed > 0, err
	})
	if err != nil {
		return err
	}
	d.say("receipt", "Norvia's node signed that it opened place %d, at %s; whether a person read it, only a person says", wrong.Index, v.Holders[0].Opened.Format(time.TimeOnly))
	d.say("obeyed", "acknowledged by %d of %d holders, seen at CERT-Sahlan after %d ms", v.Changes[0].Obeyed, len(v.Changes[0].Holders), took.Milliseconds())
	return nil
}

// readAt has a person at a counterpart confirm that a record was read, and waits until its author sees it.
func (d *demo) readAt(ctx context.Context, c *counterpart, r node.Receipt) error {
	if _, err := waitUntil(ctx, "the indicators reach "+c.name, func() (bool, error) { return finds(ctx, c.node, r.Leaf) }); err != nil {
		return err
	}
	if _, err := c.node.ReadByPerson(ctx, c.node.Owner(), r.Log, r.Index); err != nil {
		return err
	}
	took, err := waitUntil(ctx, "the author sees who read it", func() (bool, error) {
		v, err := d.client.Receipts(ctx, r.Log, r.Index)
		return err == nil && len(v.Holders) > 0 && v.Holders[0].Read != nil, err
	})
	if err == nil {
		d.say("read", "a person at Norvia confirmed place %d with an officer's key; seen at CERT-Sahlan after %d ms", r.Index, took.Milliseconds())
	}
	return err
}
