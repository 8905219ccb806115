package node

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
)

// The jobs that keep this node in step with the others: one for each host, each with one request that waits for news.

const (
	pollWait     = 50 * time.Second // how long a host is asked to wait for news
	firstBackoff = time.Second
	// calmFor is how long a host may gather heads of logs that it only passes on, where nobody's but its own are followed from it:
	// among n nodes that all pass on everything, each change would be told n² times.
	calmFor = 2 * time.Second
	// strangersPause is how long after an empty answer a host is asked again that does not let us wait for news.
	strangersPause = 10 * time.Second
	longBackoff    = 5 * time.Minute
	// announceEvery renews what the host knows of us, and what we know of those whom it introduces.
	announceEvery = 10 * time.Minute
	// maxChangesSent bounds one answer: maxChanges heads with 15 cosignatures each are below it; maxCursor the place in it.
	maxChangesSent = 8 << 20
	maxCursor      = 512
	// freeRounds is how many answers in a row a host may give at once that bring nothing; the next ones are waited for longer and
	// longer.
	freeRounds = 16
	idlePause  = 100 * time.Millisecond
	// hostWorkers is how many logs of one host are followed at the same time.
	hostWorkers = 4
	// maxStrange bounds the logs of one host that are remembered although no roll here has their party.
	maxStrange = 64
	// strangeFor is how long such a log is tried again.
	strangeFor = time.Minute
)

// hostJobs are the running jobs. Its fields belong to the goroutine of keepPeers.
type hostJobs struct {
	n     *Node
	hosts map[string]context.CancelFunc
	wg    sync.WaitGroup
}

// Federate follows the peers' nodes until ctx ends.
func (n *Node) Federate(ctx context.Context) {
	if err := n.catchUpMirror(ctx); err != nil && ctx.Err() == nil {
		n.logger.Warn("what others need of followed logs could not be asked for", "error", err)
	}
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
			h := &hostJob{n: f.n, host: host, introducer: introducer, due: map[string]time.Time{}, beside: map[string]shown{}, mended: map[string]time.Time{}, strange: map[string]strange{}, wake: f.n.hostNews(host)}
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
	all, err := n.peers(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, p := range all {
		if p.URL != "" && !n.onlyCosigns(ctx, p) {
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
	idle      int                  // answers in a row that brought nothing
	compares  sync.WaitGroup       // running in the background
	mu        sync.Mutex           // guards all below
	passes    map[string]bool      // logs of others that are followed from it
	comparing bool                 // what it shows beside is being compared
	due       map[string]time.Time // followed logs to look at again without being told
	beside    map[string]shown     // heads that the host shows of logs that are followed from others
	mended    map[string]time.Time // when absent objects of those were asked for here
	strange   map[string]strange   // logs that were shown, of parties that no roll here has: one may have them soon
}

// strange is a shown log of a party that does not run its agreement by the roll here.
type strange struct {
	ChangedLog
	since time.Time
}

func (h *hostJob) run(ctx context.Context) {
	defer h.compares.Wait()
	for ctx.Err() == nil {
		err := h.round(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			h.backoff = 0
			h.n.reached(h.host, nil, time.Time{})
			continue
		}
		h.backoff = min(max(2*h.backoff, firstBackoff), longBackoff)
		h.cursor = ""
		h.n.reached(h.host, err, h.n.now().Add(h.backoff))
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
		if err := h.n.announce(ctx, h.host, h.introducer); err != nil && fault.CodeOf(err) != fault.NotFound {
			return err // a host that does not know us yet may still show what is public
		}
		h.announced = now
	}
	h.n.sendPending(ctx, h.host)
	if h.n.cfg.OutboundOnly {
		if err := h.n.push(ctx, h.host, h.introducer); err != nil && fault.CodeOf(err) != fault.NotFound {
			h.n.logger.Warn("what this node publishes could not be brought to a depositary", "host", h.host, "error", err)
		}
	}
	asked, wait := h.n.now(), h.patience()
	changes, err := h.ask(ctx, wait)
	if err != nil {
		return err
	}
	if len(changes.Logs) > maxChanges || len(changes.Cursor) > maxCursor {
		err := fetch.Refuse(fetch.TooMany, "%s names %d logs at once, after a cursor of %d bytes", h.host, len(changes.Logs), len(changes.Cursor))
		h.n.refusals.answer(err, h.n.now(), h.host)
		return err
	}
	if h.take(ctx, changes.Logs) {
		h.idle = 0
	} else {
		took := h.n.now().Sub(asked)
		h.rest(ctx, len(changes.Logs) == 0 && changes.Cursor == h.cursor, took >= min(wait, strangersPause))
	}
	h.cursor = changes.Cursor
	return nil
}

// rest waits after an answer that brought nothing and came at once: a stranger is not let wait for news, and a host that has
// news without end and nothing in it does not keep this node busy.
func (h *hostJob) rest(ctx context.Context, nothing, waited bool) {
	switch {
	case waited:
		h.idle = 0
	case nothing && !h.announced.IsZero():
		h.pause(ctx, strangersPause)
	default:
		if h.idle++; h.idle > freeRounds {
			h.pause(ctx, min(idlePause<<min(h.idle-freeRounds, 10), strangersPause))
		}
	}
}

// ask waits for news of the host, until it is time to look at a log again or something has changed here.
func (h *hostJob) ask(ctx context.Context, wait time.Duration) (Changes, error) {
	q := url.Values{"after": {h.cursor}, "wait": {strconv.Itoa(int(wait.Seconds()))}}
	h.mu.Lock()
	if len(h.passes) == 0 {
		q.Set("calm", strconv.Itoa(int(calmFor.Seconds())))
	}
	h.mu.Unlock()
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

// patience is how long the host may let us wait, in whole seconds.
func (h *hostJob) patience() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	wait, now := pollWait, h.n.now()
	if len(h.strange) > 0 {
		wait = strangersPause
	}
	for _, at := range h.due {
		wait = min(wait, max(at.Sub(now), time.Second))
	}
	for _, b := range h.beside {
		wait = min(wait, max(b.at.Sub(now), time.Second))
	}
	return (wait + time.Second - 1).Truncate(time.Second)
}

// take follows the logs that have changed and those that are due, several at a time, and says whether one of them has grown here.
func (h *hostJob) take(ctx context.Context, logs []ChangedLog) bool {
	var grew atomic.Bool
	now := h.n.now()
	h.mu.Lock()
	for id, at := range h.due {
		if !at.After(now) && !slices.ContainsFunc(logs, func(l ChangedLog) bool { return l.Log == id }) {
			logs = append(logs, ChangedLog{Log: id})
		}
	}
	for _, id := range h.n.withheldAt(h.host) {
		if !slices.ContainsFunc(logs, func(l ChangedLog) bool { return l.Log == id }) {
			logs = append(logs, ChangedLog{Log: id})
		}
	}
	for id, l := range h.strange {
		switch {
		case now.Sub(l.since) > strangeFor:
			delete(h.strange, id)
		case !slices.ContainsFunc(logs, func(l ChangedLog) bool { return l.Log == id }):
			logs = append(logs, l.ChangedLog)
		}
	}
	h.mu.Unlock()
	h.compareDue(ctx, now)
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
			if h.follow(ctx, l) {
				grew.Store(true)
			}
		})
	}
	workers.Wait()
	for id := range touched {
		h.n.heardUnder(ctx, id)
	}
	return grew.Load()
}

// follow brings one log up to date, if it is one that is followed from this host, and says whether it has grown.
func (h *hostJob) follow(ctx context.Context, l ChangedLog) bool {
	if l.Agreement != "" && !h.n.runsUnder(ctx, l.Party, l.Agreement) {
		h.wonder(l)
		return false
	}
	if l.Agreement != "" {
		from := h.n.followsFrom(ctx, l, h.host)
		h.mu.Lock()
		if delete(h.passes, l.Log); from && l.Party != h.introducer {
			if h.passes == nil {
				h.passes = map[string]bool{}
			}
			h.passes[l.Log] = true
		}
		h.mu.Unlock()
		if !from {
			h.hearBeside(ctx, l)
			return false
		}
	}
	before, _ := h.n.reader.Log(ctx, l.Log) // of a log that is not there yet the size is 0
	round, err := h.n.syncShown(ctx, l.Log, []byte(l.Checkpoint))
	err = round.Failure(err)
	news, bad := h.n.heardWitnessed(ctx, l.Log, l.Witnessed)
	if bad != nil && ctx.Err() == nil {
		h.n.refusals.answer(bad, h.n.now(), h.host, l.Log)
		h.n.logger.Debug("a witnessed checkpoint is not believed", "log", l.Log, "host", h.host, "error", bad)
	}
	if errors.Is(err, federate.ErrQuota) {
		h.n.mu.RLock()
		over := h.n.overdrafts[l.Log]
		h.n.mu.RUnlock()
		h.n.tellHeld(ctx, l.Log, over)
	}
	h.again(ctx, l.Log, round, err)
	return news || round.Size > before.Size
}

// again notes when a log is to be looked at next although nobody tells of news, by how a round of it ended.
func (h *hostJob) again(ctx context.Context, logID string, round federate.Round, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.due, logID)
	delete(h.strange, logID)
	if round.Mend {
		h.due[logID] = round.Until
	}
	if err != nil && ctx.Err() == nil {
		h.n.logger.Debug("a log could not be followed to its end", "log", logID, "host", h.host, "error", err)
		h.due[logID] = round.Until
		if round.Until.IsZero() {
			h.due[logID] = h.n.now().Add(longBackoff)
		}
	}
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
	if err := n.deliverEpochs(ctx, id); err != nil && ctx.Err() == nil {
		n.logger.Warn("the keys of earlier epochs could not be delivered", "agreement", id, "error", err)
	}
	if before != after || n.rollSeen(id, after) {
		if err := n.catchUpMirror(ctx); err != nil && ctx.Err() == nil {
			n.logger.Warn("what others need of followed logs could not be asked for", "error", err)
		}
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

// wonder remembers for a while a log that cannot be followed because no roll here has its party: who joins opens its log first.
func (h *hostJob) wonder(l ChangedLog) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.strange[l.Log]; !known && len(h.strange) < maxStrange && record.IsAgreementID(l.Agreement) {
		h.strange[l.Log] = strange{l, h.n.now()}
	}
}

// runsUnder says whether a party runs an agreement by its roll here.
func (n *Node) runsUnder(ctx context.Context, party, id string) (runs bool) {
	if !record.IsAgreementID(id) {
		return false
	}
	err := n.withRoll(ctx, id, func(r *roll) error { runs = r.runs(party); return nil })
	return err == nil && runs
}
