package node

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// statusPatience is how long the page of kept promises waits for what was just published to be indexed.
const statusPatience = 2 * time.Second

// activity is what kept promises are computed from.
type activity struct {
	aggregates []agreement.Aggregate
	deadlines  []agreement.OpenDeadline
	records    int
	evidence   map[string]EvidenceView // of the leaves that the above name
}

// activity asks the index what this party did under an agreement.
func (n *Node) activity(ctx context.Context, id string, a *agreement.Agreement, now time.Time) (activity, error) {
	act := activity{evidence: map[string]EvidenceView{}}
	var queries []store.DeadlineQuery
	for _, d := range a.Deadlines {
		if d.Starts != "" {
			queries = append(queries, store.DeadlineQuery{Starts: d.Starts, Due: d.Due, After: d.Within.After})
			act.deadlines = append(act.deadlines, agreement.OpenDeadline{Deadline: d.Label})
		}
	}
	found, err := n.store.Index().Activity(ctx, id, n.party.ID, queries, now, agreement.MaxSamples)
	if err != nil {
		return act, indexFault("computing kept promises", err)
	}
	act.records = int(found.Records)
	for _, s := range found.Served {
		g := agreement.Aggregate{Commitment: s.Label, Kind: s.Kind, Count: int(s.Count), Last: s.Last}
		for _, m := range s.Months {
			g.Months = append(g.Months, agreement.MonthCount{Month: m.Month, Count: int(m.Count)})
		}
		for _, e := range s.Newest {
			g.Samples = append(g.Samples, hex.EncodeToString(e.Leaf[:]))
		}
		act.aggregates = append(act.aggregates, g)
		if err := n.addEvidence(ctx, act.evidence, s.Newest); err != nil {
			return act, err
		}
	}
	for i, d := range found.Deadlines {
		o := &act.deadlines[i]
		o.Met, o.Late, o.Passed, o.Open = int(d.Met), int(d.Late), int(d.Passed), int(d.Open)
		shown := d.Oldest
		if d.Next != nil {
			shown = append(shown, *d.Next)
		}
		for _, e := range shown {
			o.Starts = append(o.Starts, agreement.Started{Leaf: hex.EncodeToString(e.Leaf[:]), Time: e.Time})
		}
		if err := n.addEvidence(ctx, act.evidence, d.Oldest); err != nil {
			return act, err
		}
	}
	return act, nil
}

// addEvidence tells of records where they stand and whether they were taken back.
func (n *Node) addEvidence(ctx context.Context, to map[string]EvidenceView, records []store.Indexed) error {
	for _, e := range records {
		leaf := hex.EncodeToString(e.Leaf[:])
		if _, known := to[leaf]; known {
			continue
		}
		v := EvidenceView{Leaf: leaf, Index: e.Index}
		if v.Log = n.logOf(e.LogNo); v.Log != "" {
			v.Proof = proofPath(Place{Log: v.Log, Index: e.Index})
		}
		changes, err := n.store.Index().ChangesOf(ctx, e.Leaf)
		if err != nil {
			return err
		}
		for _, c := range changes {
			whole := c.Action != actionRelease && c.Action != string(record.RecallNarrow) && len(c.Objects) == 0
			if whole && c.By.Author == e.Author && c.By.Standing == StandingValid {
				v.Recalled = true
			}
		}
		to[leaf] = v
	}
	return nil
}

// logOf is the id of the log with a number, when it is one of this node's.
func (n *Node) logOf(no int64) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for id, b := range n.books {
		if b.no == no {
			return id
		}
	}
	return ""
}
