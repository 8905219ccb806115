package node

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// The jobs that keep this node in step with the others: one for each host, each with one request that waits for news.

const (
	pollWait     = 50 * time.Second // how long a host is asked to wait for news
	firstBackoff = time.Second
	// strangersPause is how long after an empty answer a host is asked again that does not let us wait for news.
	strangersPause = 10 * time.Second
	longBackoff    = 5 * time.Minute
	// announceEvery renews what the host knows of us, and what we know of those whom it introduces.
	announceEvery = 10 * time.Minute
	// maxChangesSent bounds one answer: 1,000 heads with 15 cosignatures each are below it.
	maxChangesSent = 8 << 20
	// hostWorkers is how many logs of one host are followed at the same time.
	hostWorkers = 4
)

// hostJobs are the running jobs. Its fields belong to the goroutine of keepPeers.
type hostJobs struct {
	n     *Node
	hosts map[string]context.CancelFunc
	wg    sync.WaitGroup
}

// Federate follows the peers' nodes until ctx ends.
func (n *Node) Federate(ctx context.Context) {
	f := &hostJobs{n: n, hosts: map[string]context.CancelFunc{}}
	f.keepPeers(ctx)
	f.wg.Wait()
}

// keepPeers runs one job for each host, and ends those of hosts that are known no more.
func (f *hostJobs) keepPeers(ctx context.Context) {
	for {
		hosts, err := f.n.hosts(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			f.n.logger.Error("the peers cannot be read", "error", err)
		}
		for host, stop := range f.hosts {
			if _, known := hosts[host]; !known && err == nil {
				stop()
				delete(f.hosts, host)
			}
		}
		for host, introducer := range hosts {
			if _, runs := f.hosts[host]; runs {
				continue
			}
			hostCtx, stop := context.WithCancel(ctx)
			f.hosts[host] = stop
			h := &hostJob{n: f.n, host: host, introducer: introducer, due: map[string]time.Time{}, wake: f.n.hostNews(host)}
			f.wg.Go(func() { h.run(hostCtx) })
		}
		select {
		case <-ctx.Done():
			for _, stop := range f.hosts {
				stop()
			}
			return
		case <-f.n.peerNews:
			f.n.wakeHosts(ctx, hosts)
		}
	}
}

// hosts lists the addresses to follow, each with the party whose node it is; for a mirror of a node that has another address
// that is whoever named the mirror.
func (n *Node) hosts(ctx context.Context) (map[string]string, error) {
	all, err := n.store.Peers(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, p := range all {
		if p.URL != "" {
			out[p.URL] = p.Party
		}
	}
	for _, p := range all {
		if p.Mirror != "" && out[p.Mirror] == "" {
			out[p.Mirror] = p.Party
		}
	}
	return out, nil
}

// hostNews is the channel on which a host's job is told that something here has changed.
func (n *Node) hostNews(host string) chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hostWakes[host] == nil {
		n.hostWakes[host] = make(chan struct{}, 1)
	}
	return n.hostWakes[host]
}

// wakeHosts tells the jobs of the depositaries' hosts that peers, rolls or pending acts have changed. The others need not
// know: of 1,200 parties few keep a roll.
func (n *Node) wakeHosts(ctx context.Context, hosts map[string]string) {
	awake := map[string]bool{}
	for host, party := range hosts {
		awake[host] = n.someRoll(ctx, func(r *roll) bool { return r.keptBy(party) || n.partner(r) == party })
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for host, c := range n.hostWakes {
		if !awake[host] {
			continue
		}
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// keptBy says whether a party writes into the roll: it is the depositary, or is named as its successor.
func (r *roll) keptBy(party string) bool {
	return party == r.state.Depositary() || party == r.proposedKeeper() ||
		slices.ContainsFunc(r.own, func(o ownAct) bool {
			return o.act.Act == agreement.ActSucceed && o.act.Party == party && !r.entered(o.leaf)
		})
}

// hostJob follows the logs of one host.
type hostJob struct {
	n          *Node
	host       string
	introducer string
	wake       chan struct{}

	cursor    string
	announced time.Time
	backoff   time.Duration
	mu        sync.Mutex           // guards due
	due       map[string]time.Time // followed logs to look at again without being told
}

func (h *hostJob) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := h.round(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			h.backoff = 0
			h.n.reached(h.host, true)
			continue
		}
		h.n.reached(h.host, false)
		h.backoff = min(max(2*h.backoff, firstBackoff), longBackoff)
		h.cursor = ""
		h.n.logger.Info("a host cannot be followed now", "host", h.host, "again", h.backoff, "error", err)
		if !h.pause(ctx, h.backoff) {
			return
		}
	}
}

// pause waits; news of this node's own ends it early, but not at once, so that two nodes never keep each other busy.
func (h *hostJob) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-h.wake:
	}
	h.announced = time.Time{}
	early := time.NewTimer(min(d, firstBackoff))
	defer early.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-early.C:
		return true
	}
}

// round announces this node where that is due, brings what waits, and takes what has changed.
func (h *hostJob) round(ctx context.Context) error {
	if now := h.n.now(); now.Sub(h.announced) >= announceEvery {
		if err := h.n.announce(ctx, h.host, h.introducer); err != nil && CodeOf(err) != CodeNotFound {
			return err // a host that does not know us yet may still show what is public
		}
		h.announced = now
	}
	h.n.sendPending(ctx, h.host)
	if h.n.cfg.OutboundOnly {
		if err := h.n.push(ctx, h.host, h.introducer); err != nil && CodeOf(err) != CodeNotFound {
			h.n.logger.Warn("what this node publishes could not be brought to a depositary", "host", h.host, "error", err)
		}
	}
	asked := h.n.now()
	changes, err := h.ask(ctx)
	if err != nil {
		return err
	}
	h.take(ctx, changes.Logs)
	if changes.Cursor == h.cursor && len(changes.Logs) == 0 && !h.announced.IsZero() && h.n.now().Sub(asked) < strangersPause {
		h.pause(ctx, strangersPause) // who does not know us lets nobody wait
	}
	h.cursor = changes.Cursor
	return nil
}

// ask waits for news of the host, until it is time to look at a log again or something has changed here.
func (h *hostJob) ask(ctx context.Context) (Changes, error) {
	wait := h.patience()
	q := url.Values{"after": {h.cursor}, "wait": {strconv.Itoa(int(wait.Seconds()))}}
	ctx, stop := context.WithTimeout(ctx, wait+20*time.Second)
	defer stop()
	var out Changes
	done := make(chan error, 1)
	go func() { done <- h.n.exchange(ctx, h.host, "/changes?"+q.Encode(), nil, maxChangesSent, &out) }()
	select {
	case err := <-done:
		return out, err
	case <-h.wake:
		h.announced = time.Time{} // our rolls may name others now
		stop()
		if err := <-done; err == nil {
			return out, nil
		}
		return Changes{Cursor: h.cursor}, nil
	}
}

// patience is how long the host may let us wait.
func (h *hostJob) patience() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	wait, now := pollWait, h.n.now()
	for _, at := range h.due {
		wait = min(wait, max(at.Sub(now), time.Second))
	}
	return wait
}

// take follows the logs that have changed and those that are due, several at a time.
func (h *hostJob) take(ctx context.Context, logs []ChangedLog) {
	now := h.n.now()
	h.mu.Lock()
	for id, at := range h.due {
		if !at.After(now) && !slices.ContainsFunc(logs, func(l ChangedLog) bool { return l.Log == id }) {
			logs = append(logs, ChangedLog{Log: id})
		}
	}
	h.mu.Unlock()
	var workers sync.WaitGroup
	slots := make(chan struct{}, hostWorkers)
	touched := map[string]bool{}
	for _, l := range logs {
		if l.Agreement != "" {
			touched[l.Agreement] = true
		}
		slots <- struct{}{}
		workers.Go(func() {
			defer func() { <-slots }()
			h.follow(ctx, l)
		})
	}
	workers.Wait()
	for id := range touched {
		h.n.heardUnder(ctx, id)
	}
}

// follow brings one log up to date, if it is one that is followed from this host.
func (h *hostJob) follow(ctx context.Context, l ChangedLog) {
	if l.Agreement != "" && !h.n.followsFrom(ctx, l, h.host) {
		return
	}
	round, err := h.n.Sync(ctx, l.Log)
	if err == nil {
		err = round.Err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.due, l.Log)
	if err != nil && ctx.Err() == nil {
		h.n.logger.Debug("a log could not be followed to its end", "log", l.Log, "host", h.host, "error", err)
		h.due[l.Log] = round.Until
		if round.Until.IsZero() {
			h.due[l.Log] = h.n.now().Add(longBackoff)
		}
	}
}

// followsFrom says whether a log is fetched from a host, and makes room for it where it is new: the author must run the
// agreement by its roll here. The author's own host comes first; another one serves where the author has no address, where a
// person chose it as the mirror, or while the author's own does not answer.
func (n *Node) followsFrom(ctx context.Context, l ChangedLog, host string) bool {
	if l.Party == n.party.ID || !record.IsID(l.Log, record.PrefixLog) || !record.IsAgreementID(l.Agreement) {
		return false
	}
	runs := false
	if err := n.withRoll(ctx, l.Agreement, func(r *roll) error { runs = r.runs(l.Party); return nil }); err != nil || !runs {
		return false
	}
	all, err := n.store.Peers(ctx)
	if err != nil {
		return false
	}
	if i := slices.IndexFunc(all, func(p store.Peer) bool { return p.Party == l.Party }); i >= 0 {
		p := all[i]
		switch {
		case p.Mirror != "" && p.Mirror != host:
			return false
		case p.Mirror == "" && p.URL != "" && p.URL != host && n.answers(p.URL):
			return false
		}
	}
	identity := record.LogIdentity{ID: l.Log, Origin: record.LogOrigin(l.Log), Agreement: l.Agreement, Generation: l.Generation}
	if row, err := n.store.Log(ctx, l.Log); err == nil {
		if f, err := n.store.Follow(ctx, row.No); err == nil && f.Source == host {
			return true
		}
	}
	if err := n.FollowAs(ctx, identity, l.Party, host); err != nil {
		n.logger.Warn("a log is not followed", "log", l.Log, "party", l.Party, "error", err)
		return false
	}
	return true
}

// reached notes whether a host answers. One that failed twice in a row does not, until it does.
func (n *Node) reached(host string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ok {
		delete(n.failures, host)
		return
	}
	n.failures[host]++
}

func (n *Node) answers(host string) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.failures[host] < 2
}

// heardUnder does what new leaves of an agreement's logs call for: the roll is folded further, acts are entered where this node
// keeps the roll, and what the log does not show of the roll is asked for.
func (n *Node) heardUnder(ctx context.Context, id string) {
	before, after, gap, keeper := "", "", false, ""
	err := n.withRoll(ctx, id, func(r *roll) error {
		before = r.state.Hash().String()
		if err := n.enterFound(ctx, r); err != nil {
			return err
		}
		after, gap, keeper = r.state.Hash().String(), r.gap(), r.keeper(n)
		return nil
	})
	if err != nil {
		if ctx.Err() == nil {
			n.logger.Error("the roll cannot be folded", "agreement", id, "error", err)
		}
		return
	}
	if host := n.hostOf(ctx, keeper); gap && host != "" {
		if _, err := n.fetchRoll(ctx, host, id); err != nil {
			n.logger.Info("the roll cannot be fetched now", "agreement", id, "error", err)
		}
	}
	if before != after || n.rollSeen(id, after) {
		n.peersChanged()
	}
}

// rollSeen notes the state of a roll and says whether it is another than the last time.
func (n *Node) rollSeen(id, state string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.rollStates[id]
	n.rollStates[id] = state
	return old != state
}

// catchUpWith takes at once what a host has under one agreement: after it entered an act of ours.
func (n *Node) catchUpWith(ctx context.Context, host, id string) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return
	}
	followed := false
	for _, l := range infos {
		if !l.Followed() || l.Agreement != id {
			continue
		}
		row, err := n.store.Log(ctx, l.ID)
		if err != nil {
			continue
		}
		if f, err := n.store.Follow(ctx, row.No); err == nil && f.Source == host {
			if _, err := n.Sync(ctx, l.ID); err == nil {
				followed = true
			}
		}
	}
	if !followed {
		if _, err := n.fetchRoll(ctx, host, id); err != nil {
			n.logger.Info("the roll cannot be fetched now", "agreement", id, "error", err)
		}
	}
	n.heardUnder(ctx, id)
}
