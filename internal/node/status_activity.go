package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/entry"
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

	served map[string][]PartyCount    // by commitment: what each party did
	timely map[string][]PartyDeadline // by deadline: what became of what each party started
}

// servedBy names what serves a commitment with one kind.
type servedBy struct{ label, kind string }

// activity asks the index what was done under an agreement, by every party whose records are here.
func (n *Node) activity(ctx context.Context, id string, a *agreement.Agreement, now time.Time) (activity, error) {
	act := activity{evidence: map[string]EvidenceView{}, served: map[string][]PartyCount{}, timely: map[string][]PartyDeadline{}}
	var queries []store.DeadlineQuery
	for _, d := range a.Deadlines {
		if d.Starts != "" {
			queries = append(queries, store.DeadlineQuery{Starts: d.Starts, Due: d.Due, After: d.Within.After})
			act.deadlines = append(act.deadlines, agreement.OpenDeadline{Deadline: d.Label})
		}
	}
	authors, err := n.store.Index().Activities(ctx, id, queries, now, agreement.MaxSamples)
	if err != nil {
		return act, indexFault("computing kept promises", err)
	}
	sums := map[servedBy]*store.Served{}
	oldest := make([]store.DeadlineActivity, len(queries))
	for _, one := range authors {
		act.records += int(one.Records)
		act.addServed(sums, one)
		for i, d := range one.Deadlines {
			act.addDeadline(i, one.Author, d)
			oldest[i].Oldest = newestFirst(append(oldest[i].Oldest, d.Oldest...), agreement.MaxSamples, true)
			if d.Next != nil && (oldest[i].Next == nil || d.Next.Time.Before(oldest[i].Next.Time)) {
				oldest[i].Next = d.Next
			}
		}
	}
	for _, s := range sums {
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
	for i, d := range oldest {
		shown := d.Oldest
		if d.Next != nil {
			shown = append(slices.Clone(shown), *d.Next)
		}
		for _, e := range shown {
			act.deadlines[i].Starts = append(act.deadlines[i].Starts, agreement.Started{Leaf: hex.EncodeToString(e.Leaf[:]), Time: e.Time})
		}
		if err := n.addEvidence(ctx, act.evidence, d.Oldest); err != nil {
			return act, err
		}
	}
	return act, nil
}

// addServed adds what one party did for the commitments.
func (a *activity) addServed(sums map[servedBy]*store.Served, one store.AuthorActivity) {
	mine := map[string]int{} // by commitment: where this party stands in its list
	for _, s := range one.Served {
		key := servedBy{s.Label, s.Kind}
		sum := sums[key]
		if sum == nil {
			sum = &store.Served{Label: s.Label, Kind: s.Kind}
			sums[key] = sum
		}
		sum.Count += s.Count
		if s.Last.After(sum.Last) {
			sum.Last = s.Last
		}
		sum.Months = addMonths(sum.Months, s.Months)
		sum.Newest = newestFirst(append(sum.Newest, s.Newest...), agreement.MaxSamples, false)
		at, known := mine[s.Label]
		if !known {
			at = len(a.served[s.Label])
			mine[s.Label] = at
			a.served[s.Label] = append(a.served[s.Label], PartyCount{Party: one.Author})
		}
		c := &a.served[s.Label][at]
		c.Count += int(s.Count)
		if c.Last == nil || s.Last.After(*c.Last) {
			c.Last = timeOf(s.Last)
		}
	}
}

// addDeadline adds what became of what one party started.
func (a *activity) addDeadline(i int, author string, d store.DeadlineActivity) {
	if d.Met+d.Late+d.Open+d.Passed == 0 {
		return
	}
	o := &a.deadlines[i]
	o.Met, o.Late, o.Passed, o.Open = o.Met+int(d.Met), o.Late+int(d.Late), o.Passed+int(d.Passed), o.Open+int(d.Open)
	a.timely[o.Deadline] = append(a.timely[o.Deadline], PartyDeadline{Party: author, Met: int(d.Met), Late: int(d.Late), Open: int(d.Open), Passed: int(d.Passed)})
}

// addMonths adds counts of months, both oldest first.
func addMonths(a, b []store.MonthCount) []store.MonthCount {
	out := slices.Clone(a)
	for _, m := range b {
		at, known := slices.BinarySearchFunc(out, m, func(x, y store.MonthCount) int { return strings.Compare(x.Month, y.Month) })
		if known {
			out[at].Count += m.Count
			continue
		}
		out = slices.Insert(out, at, m)
	}
	return out
}

// newestFirst sorts records by time, the oldest first where that is wanted, and keeps the first few.
func newestFirst(list []store.Indexed, most int, oldest bool) []store.Indexed {
	slices.SortStableFunc(list, func(a, b store.Indexed) int {
		if oldest {
			a, b = b, a
		}
		return cmp.Or(b.Time.Compare(a.Time), int(b.No-a.No))
	})
	return list[:min(most, len(list))]
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
			whole := c.Action != entry.ActionRelease && c.Action != string(record.RecallNarrow) && len(c.Objects) == 0
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
