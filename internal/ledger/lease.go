package ledger

import (
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// LeaseState is the writer's lease as a step function: no clock and no I/O inside.
//
// The holder counts its lease from before it asked, so that by its own clock the lease never lasts longer than by the
// database's. Every transaction checks the fence in the database as well; this only makes the loser stop early.
type LeaseState struct {
	TTL   time.Duration
	Lease store.Lease
	Until time.Time // by our clock, not later than the database's
	Lost  error     // not nil: it is gone for good
}

// LeaseEvent is one of LeaseTick, LeaseRenewed.
type LeaseEvent interface{ lease() }

type (
	// LeaseTick says what time it is.
	LeaseTick struct{ Now time.Time }
	// LeaseRenewed answers LeaseRenew.
	LeaseRenewed struct {
		Asked, Now time.Time
		Gone       error // somebody else has it
		Failed     error // could not ask
	}
)

func (LeaseTick) lease()    {}
func (LeaseRenewed) lease() {}

// LeaseEffect says what the shell does next.
type LeaseEffect int

// The effects.
const (
	LeaseWait LeaseEffect = iota
	LeaseRenew
	LeaseStop // sign nothing any more
)

// StepLease takes one event and returns the next state and what to do.
func StepLease(s LeaseState, ev LeaseEvent) (LeaseState, LeaseEffect) {
	if s.Lost != nil {
		return s, LeaseStop
	}
	switch ev := ev.(type) {
	case LeaseTick:
		if !ev.Now.Before(s.Until) {
			// It may still be ours: nobody took it if the fence is the same. Ask once more before stopping.
			return s, LeaseRenew
		}
		if s.Until.Sub(ev.Now) <= s.TTL*2/3 {
			return s, LeaseRenew
		}
	case LeaseRenewed:
		switch {
		case ev.Gone != nil:
			s.Lost = ev.Gone
			return s, LeaseStop
		case ev.Failed == nil:
			s.Until = ev.Asked.Add(s.TTL)
		case !ev.Now.Before(s.Until):
			s.Lost = ev.Failed
			return s, LeaseStop
		}
	}
	return s, LeaseWait
}
