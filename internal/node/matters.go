package node

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/notify"
	"github.com/mithaq/mithaq/internal/store"
)

// Matter is something that waits for a person of this party, or that is wrong here until somebody looks after it.
type Matter struct {
	Occasion string    `json:"occasion" enum:"approval,mismatch,stale,quota,sensor,feed,backup"`
	Key      string    `json:"key" doc:"The same as long as it is the same matter"`
	What     string    `json:"what,omitempty" doc:"Which agreement, party, sensor or feed: its id or name"`
	Since    time.Time `json:"since,omitzero" doc:"Where it is known"`
	Path     string    `json:"path" doc:"Where on the screens"`
}

const (
	// staleAfter is how long another party's node may not answer before people are told.
	staleAfter = 6 * time.Hour
	// silentAfter is how long a sensor may tell nothing, which it does every few minutes.
	silentAfter = 30 * time.Minute
	// retiredAfter is how long a sensor is missed.
	retiredAfter = 7 * 24 * time.Hour
)

// Matters lists what waits and what is wrong, of all occasions in their order. What comes and is over at once, as recalls and
// sightings, is not among it.
func (n *Node) Matters(ctx context.Context) ([]Matter, error) {
	var all []Matter
	for _, look := range []func(context.Context) ([]Matter, error){n.approvalMatters, n.mismatchMatters, n.staleMatters, n.sensorMatters, n.feedMatters, n.backupMatters} {
		found, err := look(ctx)
		if err != nil {
			return nil, fault.OfStore(err)
		}
		all = append(all, found...)
	}
	all = append(all, n.quotaMatters()...)
	order := notify.Occasions()
	slices.SortStableFunc(all, func(a, b Matter) int {
		return cmp.Or(slices.Index(order, notify.Occasion(a.Occasion))-slices.Index(order, notify.Occasion(b.Occasion)), cmp.Compare(a.Key, b.Key))
	})
	if all == nil {
		all = []Matter{}
	}
	return all, nil
}

func matter(o notify.Occasion, what string, since time.Time, path string) Matter {
	return Matter{Occasion: string(o), Key: string(o) + ":" + what, What: what, Since: since, Path: path}
}

// approvalMatters are open proposals that this party has a say in and has not approved, and drafts that officers are to
// approve or sign.
func (n *Node) approvalMatters(ctx context.Context) ([]Matter, error) {
	ids, err := n.rollIDs()
	if err != nil {
		return nil, err
	}
	var out []Matter
	for _, id := range ids {
		if err := n.withRoll(ctx, id, func(r *roll) error {
			if _, ok := r.effect.Member(n.party.ID); !ok {
				return nil
			}
			for _, p := range r.effect.OpenProposals() {
				if !p.ApprovedBy(n.party.ID) {
					m := matter(notify.Approval, id, time.Time{}, "/agreements/"+id)
					m.Key += ":" + p.Leaf
					out = append(out, m)
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	drafts, err := n.store.Drafts(ctx, maxDrafts)
	for _, d := range drafts {
		if d.State == store.DraftSigning {
			out = append(out, matter(notify.Approval, d.ID, d.Changed, "/desk/"+d.ID))
		}
	}
	return out, err
}

// mismatchMatters are logs with two histories that wait for a person to decide on the proofs, and that this node may be behind its
// own history.
func (n *Node) mismatchMatters(ctx context.Context) ([]Matter, error) {
	var out []Matter
	if n.ahead.Load() {
		out = append(out, matter(notify.Mismatch, n.party.ID, time.Time{}, "/record"))
	}
	rows, err := n.store.Evidence(ctx)
	if err != nil {
		return nil, err
	}
	// Of two histories each tree that is signed later is another proof: they are one matter, over for all when somebody has decided.
	told := map[string]bool{}
	for _, e := range rows {
		told[e.LogID] = told[e.LogID] || !e.Published.IsZero()
	}
	for _, e := range rows { // oldest first
		if !told[e.LogID] {
			told[e.LogID] = true
			m := matter(notify.Mismatch, e.Party, e.Found, "/record/"+e.LogID)
			m.Key += ":" + e.ID
			out = append(out, m)
		}
	}
	cases, err := n.allCases()
	for _, c := range cases {
		if c.Decision == nil {
			m := matter(notify.Mismatch, c.Party, c.Found, "/agreements/"+c.Agreement)
			m.Key += ":" + c.id
			out = append(out, m)
		}
	}
	return out, err
}

// staleMatters are the nodes that have not answered for long.
func (n *Node) staleMatters(ctx context.Context) ([]Matter, error) {
	peers, err := n.store.Peers(ctx)
	if err != nil {
		return nil, err
	}
	now := n.now()
	var out []Matter
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, p := range peers {
		if c := n.contacts[p.URL]; p.URL != "" && c.failures > 1 && now.Sub(c.since) >= staleAfter {
			out = append(out, matter(notify.Stale, p.Party, c.since, "/participants/"+p.Party))
		}
	}
	return out, nil
}

// quotaMatters are the authors whose records wait here, and the logs of this party that wait elsewhere.
func (n *Node) quotaMatters() []Matter {
	now := n.now()
	var out []Matter
	n.mu.RLock()
	defer n.mu.RUnlock()
	for key, p := range n.purses {
		if o := p.Held(now); o != nil {
			m := matter(notify.Quota, key.author, o.Since, "/participants/"+key.author)
			m.Key += ":" + key.agreement
			out = append(out, m)
		}
	}
	for _, h := range n.heldBy {
		if h.Until.After(now) {
			out = append(out, matter(notify.Quota, h.Log, h.Since, "/record/"+h.Log))
		}
	}
	return out
}

// sensorMatters are the sensors that are missed.
func (n *Node) sensorMatters(ctx context.Context) ([]Matter, error) {
	sensors, err := n.Sensors(ctx)
	now := n.now()
	var out []Matter
	for _, s := range sensors {
		if silent := now.Sub(s.Told); !s.Once && silent >= silentAfter && silent < retiredAfter {
			out = append(out, matter(notify.Sensor, s.Name, s.Told, "/watch"))
		}
	}
	return out, err
}

// feedMatters are the feeds whose last turn failed.
func (n *Node) feedMatters(ctx context.Context) ([]Matter, error) {
	var out []Matter
	for _, f := range n.cfg.Feeds {
		state, err := n.feedState(ctx, f.Name)
		if err != nil {
			return nil, err
		}
		if state.Error != "" {
			out = append(out, matter(notify.Feed, f.Name, state.At, "/admin"))
		}
	}
	return out, nil
}

// backupMatters say that the last backup failed, or that none was made for twice as long as the schedule says.
func (n *Node) backupMatters(ctx context.Context) ([]Matter, error) {
	last, err := n.lastBackup(ctx)
	if err != nil || last == nil {
		return nil, err
	}
	if last.Error != "" || n.overdue(last) {
		return []Matter{{Occasion: string(notify.Backup), Key: string(notify.Backup), Since: last.At, Path: "/admin"}}, nil
	}
	return nil, nil
}
