package node

import "sync/atomic"

// Counts are what the node counted since it was opened.
type Counts struct {
	Leaves   int64
	Failures int64
	Writer   bool
}

type counters struct {
	leaves, failures atomic.Int64
}

// Counts returns the node's counters.
func (n *Node) Counts() Counts {
	c := Counts{Leaves: n.counts.leaves.Load(), Failures: n.counts.failures.Load()}
	if n.ledger != nil {
		c.Writer = n.ledger.LostErr() == nil
	}
	return c
}
