package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
)

// RunFeeds reads the feeds of the configuration on their schedules until ctx is done. Each has its own turn, so that one
// that does not answer holds up no other.
func (n *Node) RunFeeds(ctx context.Context) {
	if n.ledger == nil {
		return
	}
	done := make(chan struct{})
	for _, f := range n.cfg.Feeds {
		go func() {
			n.runFeed(ctx, f)
			done <- struct{}{}
		}()
	}
	for range n.cfg.Feeds {
		<-done
	}
}

func (n *Node) runFeed(ctx context.Context, f Feed) {
	state, err := n.feedState(ctx, f.Name)
	if err != nil {
		n.logger.Warn("a feed's last run is not known", "feed", f.Name, "error", err)
	}
	due := time.NewTimer(max(0, f.every()-n.now().Sub(state.At)))
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
		}
		n.turn(ctx, f)
		due.Reset(f.every())
	}
}

// feedNow bounds how long a feed is read for somebody who waits.
const feedNow = 45 * time.Second

// RunFeedNow reads a feed of the configuration without waiting for its turn, as far as it gets while somebody waits.
func (n *Node) RunFeedNow(ctx context.Context, name string) (PullReport, error) {
	if n.ledger == nil {
		return PullReport{}, errReadOnly()
	}
	i := slices.IndexFunc(n.cfg.Feeds, func(f Feed) bool { return f.Name == name })
	if i < 0 {
		return PullReport{}, fault.New(fault.NotFound, "see feeds in "+ConfigName, "reading a feed: there is none called %s", fault.Clip(name))
	}
	f := n.cfg.Feeds[i]
	ctx, stop := context.WithTimeout(ctx, feedNow)
	defer stop()
	secret, err := n.feedSecret(f)
	var report PullReport
	if err == nil {
		report, err = n.read(ctx, f, secret)
	}
	if fault.CodeOf(err) == fault.Conflict {
		return report, err // its own turn reads it, and notes what becomes of it
	}
	return report, errors.Join(err, n.noteFeed(context.WithoutCancel(ctx), f, report, err))
}

// turn reads a feed to its present end.
func (n *Node) turn(ctx context.Context, f Feed) {
	for done := false; !done && ctx.Err() == nil; {
		secret, err := n.feedSecret(f)
		var report PullReport
		if err == nil {
			report, err = n.read(ctx, f, secret)
		}
		done = report.Done || err != nil
		if ctx.Err() != nil {
			return
		}
		if err := n.noteFeed(ctx, f, report, err); err != nil {
			n.logger.Warn("what a feed brought could not be noted", "feed", f.Name, "error", err)
		}
	}
}

// read reads a feed, or the next stretch of one that says that there is more.
func (n *Node) read(ctx context.Context, f Feed, secret string) (PullReport, error) {
	if !n.feeds.take(f.Name) {
		return PullReport{}, fault.New(fault.Conflict, "wait until it is done", "pulling: %s is being read", f.Name)
	}
	defer n.feeds.give(f.Name)
	switch f.kind() {
	case feedMISP:
		return n.readMISPFeed(ctx, f, secret)
	case feedFile:
		return n.readFileFeed(ctx, f, secret)
	}
	return n.pull(ctx, f, secret)
}

func (n *Node) noteFeed(ctx context.Context, f Feed, report PullReport, failed error) error {
	level, text := n.logger.Info, ""
	if failed != nil {
		level, text = n.logger.Warn, failed.Error()
	}
	level("a feed was read", "feed", f.Name, "taken", report.Taken, "refused", report.Refused, "error", text)
	state, err := n.feedState(ctx, f.Name)
	if err != nil {
		return err
	}
	state = FeedState{At: n.now().UTC(), Error: text, Taken: state.Taken + report.Taken, Refused: state.Refused + report.Refused, Gaps: state.Gaps + len(report.Gaps), Lost: state.Lost + report.Lost}
	encoded, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("noting what a feed brought: %w", err)
	}
	cursor, _, err := n.store.Feed(ctx, f.Name)
	if err != nil {
		return err
	}
	return n.store.PutFeed(ctx, f.Name, cursor, encoded)
}

// feedSecret reads a feed's password or token.
func (n *Node) feedSecret(f Feed) (string, error) {
	if f.SecretFile == "" {
		return "", nil
	}
	data, err := os.ReadFile(Within(n.dir, f.SecretFile)) // #nosec G304 -- the operator names the file
	if errors.Is(err, os.ErrNotExist) {
		return "", fault.New(fault.Invalid, "write the password or token into it", "reading feed %s: its secret_file %s does not exist", f.Name, f.SecretFile)
	}
	if err != nil {
		return "", &fault.Fault{Code: fault.Invalid, What: "reading feed " + f.Name, Err: err}
	}
	return strings.TrimSpace(string(data)), nil
}
