package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// Changes tells another node which logs have grown since it last asked.
type Changes struct {
	Cursor string       `json:"cursor" doc:"To go on from; opaque"`
	Logs   []ChangedLog `json:"logs"`
}

// ChangedLog is the head of a log that the caller may follow here.
type ChangedLog struct {
	Log        string `json:"log"`
	Party      string `json:"party" doc:"Author"`
	Agreement  string `json:"agreement"`
	Generation int64  `json:"generation"`
	Size       int64  `json:"size"`
	Checkpoint string `json:"checkpoint" doc:"C2SP tlog-checkpoint with its signatures"`
	Witnessed  string `json:"witnessed,omitempty" doc:"The last checkpoint that enough witnesses co-signed, where that is an earlier one"`
}

const (
	// maxChanges is how many logs one answer holds; the next one begins where it ended.
	maxChanges = 1000
	// maxWaiting bounds the requests that wait for a change at the same time.
	maxWaiting = 10_000
	// maxWaitingEach bounds those of one party: its node has one, and another while a connection ends unnoticed.
	maxWaitingEach = 16
)

// waiters are the requests that wait for a change. The zero value: none.
type waiters struct {
	mu  sync.Mutex // guards all below
	all int
	by  map[string]int
}

// enter lets one more of a party's requests wait, until leave is called.
func (w *waiters) enter(party string) (leave func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= maxWaiting || w.by[party] >= maxWaitingEach {
		return nil, false
	}
	if w.by == nil {
		w.by = map[string]int{}
	}
	w.all++
	w.by[party]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all--
		if w.by[party]--; w.by[party] == 0 {
			delete(w.by, party)
		}
	}, true
}

// ChangesQuery asks what has changed.
type ChangesQuery struct {
	After string        // cursor of the answer before
	Wait  time.Duration // how long to wait for a change where nothing did
	// Calm is how long news that is not urgent may be gathered before it is told: heads of others' logs, which this node only passes
	// on to a caller who follows those from elsewhere, and what the program writes of its own accord. What people of this party
	// publish is told at once.
	Calm time.Duration
}

// Changes lists what changed for a party since a cursor. A stranger ("") learns of public logs and waits for nothing.
func (n *Node) Changes(ctx context.Context, party string, q ChangesQuery) (Changes, error) {
	if n.feed == nil {
		return Changes{}, errReadOnly()
	}
	wait := q.Wait
	if party == "" {
		wait = 0
	} else if leave, ok := n.waiting.enter(party); ok {
		defer leave()
	} else {
		n.refusals.request(RequestTooMany)
		wait = 0
	}
	var timeout <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	var calm <-chan time.Time
	for {
		pressing := n.feed.Urgent()
		out, urgent, wake, err := n.changesNow(ctx, party, q.After)
		if err != nil || wait <= 0 {
			return out, err
		}
		if len(out.Logs) > 0 {
			if calm != nil || q.Calm <= 0 || urgent {
				return out, nil
			}
			timer := time.NewTimer(min(q.Calm, wait))
			defer timer.Stop()
			calm, wake = timer.C, pressing
		}
		select {
		case <-calm:
		case <-wake:
		case <-timeout:
			return out, nil
		case <-ctx.Done():
			return out, ctx.Err()
		case <-n.ending:
			return out, nil
		}
	}
}

func (n *Node) changesNow(ctx context.Context, party, cursor string) (_ Changes, urgent bool, _ <-chan struct{}, _ error) {
	scope, err := n.followable(ctx, party)
	if err != nil {
		return Changes{}, false, nil, err
	}
	heads := map[string]policy.Guarded[ledger.LogInfo]{}
	grants := map[string]policy.Grant{}
	ids, next, urgent, wake := n.feed.Since(cursor, scope, maxChanges, func(id string) bool {
		l, err := n.reader.Log(ctx, id)
		if err != nil || !n.begun(id) || l.Size == 0 {
			return false
		}
		item, grant, err := n.mayFollow(ctx, Viewer{Party: party}, l)
		if err != nil || grant.Covers(policy.ToLog(), item) != nil {
			return false
		}
		heads[id], grants[id] = policy.Guard(item, l), grant
		return true
	})
	out := Changes{Cursor: next, Logs: []ChangedLog{}}
	for _, id := range ids {
		checkpoint, err := n.reader.Checkpoint(ctx, id)
		if err != nil {
			continue // it is being restored: its next head is a change again
		}
		l, err := heads[id].Open(policy.ToLog(), grants[id])
		if err != nil {
			return Changes{}, false, nil, err
		}
		witnessed, err := n.witnessedBefore(ctx, l)
		if err != nil {
			return Changes{}, false, nil, err
		}
		out.Logs = append(out.Logs, ChangedLog{Log: id, Party: n.authorOf(id), Agreement: l.Agreement, Generation: l.Generation,
			Size: l.Size, Checkpoint: string(checkpoint), Witnessed: string(witnessed)})
	}
	return out, urgent, wake, nil
}

// followable names the list of agreements whose logs a party may follow here.
func (n *Node) followable(ctx context.Context, party string) (scope string, err error) {
	if party == "" {
		return "public", nil
	}
	all, err := n.rollIDs()
	if err != nil {
		return "", err
	}
	var ids []string
	for _, id := range all {
		if n.MayFollow(ctx, party, id) {
			ids = append(ids, id)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(ids, " ")))
	return hex.EncodeToString(sum[:8]), nil
}

// authorOf is the party whose log it is, by the log's own keyrings.
func (n *Node) authorOf(logID string) string {
	k, err := n.keyring(logID)
	if err != nil || !record.IsID(k.Party, record.PrefixParty) {
		return n.party.ID
	}
	return k.Party
}
