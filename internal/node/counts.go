package node

import "sync/atomic"

// Counts are what the node counted since it was opened.
type Counts struct {
	Leaves   int64
	Failures int64
	Writer   bool
	// What other nodes answered, and asked, and was refused, and what was told of followed logs: how often, by kind.
	RefusedAnswers, RefusedRequests, Notices map[string]int64
	// Authors who wait here because their quota is used up, and own logs that wait so elsewhere.
	HeldAuthors, HeldLogs int
}

type counters struct {
	leaves, failures atomic.Int64
}

// Counts returns the node's counters.
func (n *Node) Counts() Counts {
	c := Counts{Leaves: n.counts.leaves.Load(), Failures: n.counts.failures.Load()}
	c.RefusedAnswers, c.RefusedRequests, c.Notices = n.refusals.counts()
	c.HeldAuthors, c.HeldLogs = n.held()
	if n.ledger != nil {
		c.Writer = n.ledger.LostErr() == nil
	}
	return c
}
