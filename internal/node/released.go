package node

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"sync"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// What an author releases stays sealed as it is: the release, which is sealed to those who may have it now, brings what opens it.

// releases keeps what opens released objects, by their authors. The index tells which releases there are.
type releases struct {
	mu    sync.Mutex // guards all below
	asked int64      // of how many notices of a release the lists are
	ready bool
	by    map[string][]record.Opening
	known map[[32]byte]bool // releases that were opened, by leaf
}

// releasedBy is what opens the objects that an author released to this party; nil: none.
func (n *Node) releasedBy(ctx context.Context, author string) (age.Identity, error) {
	r := &n.released
	r.mu.Lock()
	defer r.mu.Unlock()
	if told := n.releasesTold.Load(); !r.ready || r.asked != told {
		list, err := n.store.Index().Releases(ctx)
		if errors.Is(err, store.ErrNoIndex) {
			return nil, nil //nolint:nilnil // it tells when it is built
		}
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if r.known[e.Leaf] {
				continue
			}
			o, ok := n.openingIn(ctx, e)
			if !ok {
				continue // sealed to others, so far
			}
			if r.by == nil {
				r.by, r.known = map[string][]record.Opening{}, map[[32]byte]bool{}
			}
			r.known[e.Leaf] = true
			if o != nil {
				r.by[e.Author] = append(r.by[e.Author], *o)
			}
		}
		r.asked, r.ready = told, true
	}
	if len(r.by[author]) == 0 {
		return nil, nil //nolint:nilnil // nothing was released
	}
	return record.OpeningIdentity(r.by[author]...), nil
}

// openingIn reads the opening in a release that the index has verified; nil: it brings none.
func (n *Node) openingIn(ctx context.Context, e store.Indexed) (*record.Opening, bool) {
	object, err := n.store.Object(ctx, e.Object)
	if err != nil {
		return nil, false
	}
	ids, err := n.sealedIdentities(ctx, e.LogNo)
	if err != nil {
		return nil, false
	}
	envelope, err := record.OpenObject(object, ids...)
	if err != nil {
		return nil, false
	}
	parsed, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, false
	}
	rec, err := record.ParsePayload(parsed.Payload)
	if err != nil {
		return nil, false
	}
	body, err := record.Parse[record.Release](rec)
	return body.Opens, err == nil
}

// noteReleases has records opened that others released to this party, and asks for those that were withheld from it.
func (x *indexer) noteReleases(ctx context.Context, entries []store.IndexEntry) error {
	var released []store.IndexEntry
	for _, e := range entries {
		if e.Change != nil && e.Change.Action == entry.ActionRelease && e.Standing == StandingValid {
			released = append(released, e)
		}
	}
	if len(released) == 0 {
		return nil
	}
	x.node.releasesTold.Add(1)
	x.node.epochsKept.Add(1) // what opens the logs' records is made anew
	for _, e := range released {
		targets, err := x.index.ByLeaf(ctx, e.Change.Target)
		if err != nil {
			return err
		}
		if len(targets) == 0 {
			x.node.askAgain(ctx, x.node.logNumbered(e.LogNo))
		}
		for _, t := range targets {
			if t.Standing == StandingSealed {
				if err := x.node.store.AddLate(ctx, t.LogNo, []int64{t.Index}); err != nil {
					return err
				}
			}
		}
	}
	x.nudge()
	return nil
}

// askAgain has a followed log's host asked soon for the objects that it withheld.
func (n *Node) askAgain(ctx context.Context, logID string) {
	row, err := n.store.Log(ctx, logID)
	if err != nil || n.follower == nil {
		return
	}
	f, err := n.store.Follow(ctx, row.No)
	if err != nil {
		return // it is this party's own
	}
	n.mu.Lock()
	n.withheld[logID] = f.Source
	n.mu.Unlock()
	select {
	case n.hostNews(f.Source) <- struct{}{}:
	default:
	}
}

// withheldAt lists the logs of which a host is to be asked for what it withheld, once.
func (n *Node) withheldAt(host string) (logs []string) {
	n.mu.Lock()
	for log, source := range n.withheld {
		if source == host {
			logs = append(logs, log)
			delete(n.withheld, log)
		}
	}
	n.mu.Unlock()
	for _, log := range logs {
		n.follower.Forget(log) // who begins anew asks at once
	}
	slices.Sort(logs)
	return logs
}

// reach is how far a record of this party went: as it was published, and as it was released since.
func (n *Node) reach(ctx context.Context, o opened) (record.Marking, *record.Audience, error) {
	it := policy.Item{Author: n.party.ID}
	m, a := o.record.Marking, o.record.Audience
	raw, err := hex.DecodeString(o.view.Leaf)
	if err != nil {
		return m, a, err
	}
	changes, err := n.store.Index().ChangesOf(ctx, [32]byte(raw))
	if errors.Is(err, store.ErrNoIndex) {
		return m, a, nil
	}
	for _, c := range changes {
		if c.Action != entry.ActionRelease || !counts(c, it.Author) {
			continue
		}
		if c.TLP != "" {
			m = record.Marking{TLP: record.TLP(c.TLP), PAP: record.PAP(c.PAP)}
		}
		if c.Audience && a != nil {
			a = record.NewAudience(slices.Concat(a.Parties, c.Parties), slices.Concat(a.Persons, c.Persons))
		}
	}
	if m.TLP == record.TLPClear {
		a = nil
	}
	return m, a, err
}
