package ledger

import (
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// leaseState is the writer's lease as a step function: no clock and no I/O inside.
//
// The holder counts its lease from before it asked, so that by its own clock the lease never lasts longer than by the
// database's. Every transaction checks the fence in the database as well; this only makes the loser stop early.
type leaseState struct {
	ttl   time.Duration
	lease store.Lease
	until time.Time // by our clock, not later than the database's
	lost  error
}

// leaseEvent is one of leaseTick, leaseRenewed.
type leaseEvent interface{ lease() }

type (
	leaseTick    struct{ now time.Time }
	leaseRenewed struct {
		asked, now time.Time
		gone       error // somebody else has it
		failed     error // could not ask
	}
)

func (leaseTick) lease()    {}
func (leaseRenewed) lease() {}

// leaseEffect says what the shell does next.
type leaseEffect int

const (
	leaseWait leaseEffect = iota
	leaseRenew
	leaseStop
)

func stepLease(s leaseState, ev leaseEvent) (leaseState, leaseEffect) {
	if s.lost != nil {
		return s, leaseStop
	}
	switch ev := ev.(type) {
	case leaseTick:
		if !ev.now.Before(s.until) {
			// It may still be ours: nobody took it if the fence is the same. Ask once more before stopping.
			return s, leaseRenew
		}
		if s.until.Sub(ev.now) <= s.ttl*2/3 {
			return s, leaseRenew
		}
	case leaseRenewed:
		switch {
		case ev.gone != nil:
			s.lost = ev.gone
			return s, leaseStop
		case ev.failed == nil:
			s.until = ev.asked.Add(s.ttl)
		case !ev.now.Before(s.until):
			s.lost = ev.failed
			return s, leaseStop
		}
	}
	return s, leaseWait
}
