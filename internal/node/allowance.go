package node

import (
	"sync"
	"time"
)

// allowance bounds how often each of many callers may do something: burst at once, then one more for each interval. It
// forgets whoever has its whole burst again.
type allowance struct {
	burst    int
	interval time.Duration

	mu    sync.Mutex           // guards spent
	spent map[string]time.Time // when the caller's burst will be whole again
}

// maxAllowances bounds the callers that are remembered; beyond it nobody new is let in until some are forgotten.
const maxAllowances = 100_000

func (a *allowance) allow(caller string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	whole, known := a.spent[caller]
	if whole.Before(now) {
		whole = now
	}
	if whole = whole.Add(a.interval); whole.Sub(now) > time.Duration(a.burst)*a.interval {
		return false
	}
	if !known && len(a.spent) >= maxAllowances {
		for c, t := range a.spent {
			if t.Before(now) {
				delete(a.spent, c)
			}
		}
		if len(a.spent) >= maxAllowances {
			return false
		}
	}
	if a.spent == nil {
		a.spent = map[string]time.Time{}
	}
	a.spent[caller] = whole
	return true
}
