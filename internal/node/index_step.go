package node

import "time"

// The indexer's core is a step function: what happened goes in, what is to be done comes out. It does nothing itself, so
// that a test can drive it through every order of growth, failure and erasure.

// indexRangeMax is how many leaves of one log are indexed before the others get their turn; indexRangeFirst while the index is
// being built, when nobody is told that it is there before all of them are through.
const (
	indexRangeMax   = 64 << 10
	indexRangeFirst = 4 << 20
)

const (
	indexRetryFirst = 100 * time.Millisecond
	indexRetryMost  = 30 * time.Second
)

// indexState is what the indexer knows.
type indexState struct {
	logs     map[string]indexedLog
	order    []string // logs in the order in which they became known
	turn     int      // whose turn it is, in order
	busy     bool     // an effect is being carried out
	waiting  bool     // for a retry
	retry    time.Duration
	finished bool // the secondary indexes are there
}

// indexedLog is how far one log is published and indexed.
type indexedLog struct{ published, indexed int64 }

// Events.
type (
	logSeen struct {
		log                string
		published, indexed int64
	} // a log, when it is first seen
	logGrew struct {
		log       string
		published int64
	}
	rangeIndexed struct {
		log string
		to  int64
	}
	indexFailed  struct{}
	indexBuilt   struct{} // the secondary indexes are there
	retryDue     struct{}
	looked       struct{} // all logs were looked at
	indexDropped struct{} // nothing is indexed any more
)

// Effects. At most one of indexRange and finishIndex is under way.
type (
	indexRange struct {
		log      string
		from, to int64
	}
	finishIndex struct{}
	retryAfter  struct{ wait time.Duration }
)

// stepIndex takes one event in and says what to do now; nil: nothing.
func stepIndex(s indexState, event any) (indexState, any) {
	switch e := event.(type) {
	case logSeen:
		if s.logs == nil {
			s.logs = map[string]indexedLog{}
		}
		if _, known := s.logs[e.log]; !known {
			s.order = append(s.order, e.log)
			s.logs[e.log] = indexedLog{e.published, e.indexed}
		}
		return s, nil
	case logGrew:
		l := s.logs[e.log]
		l.published = max(l.published, e.published)
		s.logs[e.log] = l
		return s, nil
	case rangeIndexed:
		l := s.logs[e.log]
		l.indexed = e.to
		s.logs[e.log] = l
		s.busy, s.retry = false, 0
	case indexBuilt:
		s.busy, s.finished, s.retry = false, true, 0
	case indexFailed:
		s.busy, s.waiting = false, true
		s.retry = min(max(2*s.retry, indexRetryFirst), indexRetryMost)
		return s, retryAfter{s.retry}
	case retryDue:
		s.waiting = false
	case indexDropped:
		for id, l := range s.logs {
			s.logs[id] = indexedLog{published: l.published}
		}
		s.finished = false
		return s, nil // the shell looks again at once
	}
	if s.busy || s.waiting {
		return s, nil
	}
	return s.next()
}

// next gives the turn to the next log that has something to index.
func (s indexState) next() (indexState, any) {
	for i := range s.order {
		at := (s.turn + i) % len(s.order)
		id := s.order[at]
		if l := s.logs[id]; l.indexed < l.published {
			s.turn, s.busy = at+1, true
			most := int64(indexRangeFirst)
			if s.finished {
				most = indexRangeMax
			}
			return s, indexRange{log: id, from: l.indexed, to: min(l.published, l.indexed+most)}
		}
	}
	if !s.finished && len(s.order) > 0 {
		s.busy = true
		return s, finishIndex{}
	}
	return s, nil
}

// behind is how many leaves are published and not indexed.
func (s indexState) behind() (n int64) {
	for _, l := range s.logs {
		n += max(0, l.published-l.indexed)
	}
	return n
}
