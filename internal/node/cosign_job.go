package node

import (
	"context"
	"sync"
	"time"
)

// Witnesses that did not co-sign are asked once more: soon at first, then ever later.
const (
	cosignSoon  = time.Second
	cosignAgain = 30 * time.Second
	// cosignCalm is how long a head waits for its cosignatures that holds nothing but what the program wrote of its own accord.
	cosignCalm = 5 * time.Second
)

// cosigner asks the witnesses of own logs whose heads moved: one goroutine, which no append waits for.
type cosigner struct {
	node *Node
	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}

	mu  sync.Mutex // guards due
	due map[string]bool
}

// startCosigner begins to ask witnesses, on a node that serves.
func (n *Node) startCosigner(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &cosigner{node: n, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}), due: map[string]bool{}}
	own, err := n.ownLogs(ctx)
	if err != nil {
		stop()
		return err
	}
	for _, l := range own {
		c.due[l.ID] = l.Retired.IsZero()
	}
	n.mu.Lock()
	n.cosigner = c
	n.mu.Unlock()
	go c.run(run)
	return nil
}

// nudge says that a log has a new head. It never waits.
func (c *cosigner) nudge(logID string, urgent bool) {
	if !urgent {
		time.AfterFunc(cosignCalm, func() { c.nudge(logID, true) })
		return
	}
	c.mu.Lock()
	c.due[logID] = true
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *cosigner) run(ctx context.Context) {
	defer close(c.done)
	pause := cosignSoon
	for {
		c.round(ctx)
		again := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			again.Stop()
			return
		case <-c.wake:
			pause = cosignSoon
		case <-again.C:
			pause = min(2*pause, cosignAgain)
		}
		again.Stop()
	}
}

// round asks for every log that is due. One that not enough witnesses co-signed stays due.
func (c *cosigner) round(ctx context.Context) {
	c.mu.Lock()
	var logs []string
	for id, due := range c.due {
		if due {
			logs = append(logs, id)
			c.due[id] = false
		}
	}
	c.mu.Unlock()
	for _, id := range logs {
		if ctx.Err() != nil {
			return
		}
		_, err := c.node.GatherCosignatures(ctx, id)
		if err != nil && ctx.Err() == nil {
			c.node.logger.Warn("witnesses were not asked", "log", id, "error", err)
		}
		if err != nil || c.short(ctx, id) {
			c.mu.Lock()
			c.due[id] = true
			c.mu.Unlock()
		}
	}
}

// short says whether a log's newest tree lacks cosignatures.
func (c *cosigner) short(ctx context.Context, id string) bool {
	l, err := c.node.reader.Log(ctx, id)
	if err != nil {
		return false
	}
	size, asked, err := c.node.WitnessedSize(ctx, l)
	return err != nil || asked && size < l.Size
}

func (c *cosigner) close() {
	if c == nil {
		return
	}
	c.stop()
	<-c.done
}
