package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/api"
)

// listeners are the live connections.
type listeners struct {
	open   atomic.Int64
	events atomic.Int64
	sent   atomic.Int64 // Unix nanoseconds of the last record

	mu    sync.Mutex
	after []time.Duration // from a record's receipt to each event that tells of it
}

// watch opens the connections and measures the node's process: quiet, then with a record each second.
func watch(ctx context.Context, s settings, pid int, dir, url, cookie string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: s.connections}}
	defer client.CloseIdleConnections()
	var l listeners
	var all sync.WaitGroup
	failed := make(chan error, s.connections)
	begin := time.Now()
	for range s.connections {
		all.Go(func() {
			if err := l.listen(ctx, client, url, cookie); err != nil && ctx.Err() == nil {
				failed <- err
			}
		})
	}
	for l.open.Load() < int64(s.connections) {
		select {
		case err := <-failed:
			return fmt.Errorf("opening live connections: %d are open: %w", l.open.Load(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	fmt.Printf("%d live connections open after %.1f s: %d MB resident\n", s.connections, time.Since(begin).Seconds(), measure.Resident(pid)>>20)
	if err := l.part(s, pid, "quiet", func() error { time.Sleep(time.Duration(s.seconds) * time.Second); return nil }); err != nil {
		return err
	}
	node, ok := api.OverSocket(ctx, dir)
	if !ok {
		return errors.New("the node does not answer on its socket")
	}
	defer node.Close()
	err := l.part(s, pid, "a record each second", func() error {
		for i := range s.seconds {
			l.sent.Store(time.Now().UnixNano())
			if _, err := node.Publish(ctx, "own", report(fmt.Sprintf("News number %d.", i))); err != nil {
				return err
			}
			time.Sleep(time.Second)
		}
		return nil
	})
	slices.Sort(l.after)
	if n := len(l.after); n > 0 {
		fmt.Printf("told %d times, median %d ms and 99th percentile %d ms after the record was sent\n", n, l.after[n/2].Milliseconds(), l.after[n*99/100].Milliseconds())
	}
	stop()
	all.Wait()
	return err
}

// part measures the node's processor time and memory while do runs.
func (l *listeners) part(s settings, pid int, name string, do func() error) error {
	before, begin := measure.ProcessorOf(pid), time.Now()
	err := do()
	took := time.Since(begin)
	fmt.Printf("%s: %.1f %% of a core, %d MB resident (peak %d MB), %d of %d connections open, %s\n", name, 100*(measure.ProcessorOf(pid)-before).Seconds()/took.Seconds(),
		measure.Resident(pid)>>20, measure.Peak(pid)>>20, l.open.Load(), s.connections, measure.Load())
	return err
}

// listen holds one connection open and counts what it is told.
func (l *listeners) listen(ctx context.Context, client *http.Client, url, cookie string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/live", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Cookie", cookie)
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	l.open.Add(1)
	defer l.open.Add(-1)
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "event: arrivals") {
			continue
		}
		l.events.Add(1)
		if sent := l.sent.Load(); sent != 0 {
			l.mu.Lock()
			l.after = append(l.after, time.Duration(time.Now().UnixNano()-sent))
			l.mu.Unlock()
		}
	}
	return lines.Err()
}
