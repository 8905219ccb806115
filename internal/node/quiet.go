package node

import "sync"

// quietLogs knows to which own logs the program alone is writing just now, of its own accord: receipts, hashes of the audit table.
// Readers and witnesses hear of such a head a little later, with others, so that bookkeeping holds up nothing that a person
// publishes. The zero value: to none.
type quietLogs struct {
	mu  sync.Mutex
	now map[string]writers // guarded by mu: by log id
}

// writers count the records that are being appended to one log.
type writers struct{ quiet, urgent int }

// enter notes a record that is about to be appended, until done is called.
func (q *quietLogs) enter(logID string, quiet bool) (done func()) {
	w := writers{urgent: 1}
	if quiet {
		w = writers{quiet: 1}
	}
	q.add(logID, w.quiet, w.urgent)
	return func() { q.add(logID, -w.quiet, -w.urgent) }
}

func (q *quietLogs) add(logID string, quiet, urgent int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.now == nil {
		q.now = map[string]writers{}
	}
	w := q.now[logID]
	w.quiet, w.urgent = w.quiet+quiet, w.urgent+urgent
	if q.now[logID] = w; w == (writers{}) {
		delete(q.now, logID)
	}
}

// only says whether a head that is published now holds nothing else.
func (q *quietLogs) only(logID string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.now[logID]
	return w.quiet > 0 && w.urgent == 0
}
