package ledger

import "github.com/mithaq/mithaq/internal/store"

// The sequencer decides which entries become which leaves. It has no goroutine, clock or I/O: Step takes what happened
// and answers with what to do next, and the shell in run.go does it. One batch is under way at a time:
//
//	idle ── Go ──► preparing ── Prepared ──► signing ── Signed ──► committing ── Committed ──► guarding ── Guarded ──► idle
//
// Entries submitted meanwhile wait for the next batch. A batch is one transaction over all logs that have entries.
// What fails in one log (a conflict, a stale keyring, a signer) fails that log's entries alone.
//
// Events and effects are in effects.go; a batch's way through the phases in batch.go; what index an entry gets in place.go.

// Ticket names a submitted entry in the replies.
type Ticket uint64

// Submission is an entry on its way into a log.
type Submission struct {
	Ticket      Ticket
	LogNo       int64
	Object      store.Object // Index is set by the sequencer
	Attachments []store.Object
	Under       uint64
	Sets        uint64
}

// Loaded is a log as read from the store: its newest committed head, which is guarded and published.
type Loaded struct {
	ID      string
	Edge    *edge
	Serial  uint64
	Head    SignedHead
	Retired bool
	Err     error // the log cannot take entries now, and why
}

// SignedHead is a head with the checkpoint that says so.
type SignedHead struct {
	Head
	Checkpoint []byte
}

// State is what the sequencer knows. It is owned by whoever calls Step, which may change it in place.
type State struct {
	limits  Limits
	logs    map[int64]*logState
	pending []Submission
	batch   *batch
	phase   phase
	round   uint64 // counts batches, for forgetting logs that were not used for long
	lost    error  // the lease is gone: everything is refused with this
}

// Limits bound a batch and what is remembered between batches.
type Limits struct {
	BatchEntries int
	BatchBytes   int64
	LoadedLogs   int
}

type phase int

const (
	idle phase = iota
	preparing
	signing
	committing
	guarding
)

type logState struct {
	Loaded
	used uint64
}

// NewState returns the state of a sequencer that knows nothing yet.
func NewState(l Limits) State {
	return State{limits: l, logs: map[int64]*logState{}}
}

// Waiting says whether entries wait for a batch.
func (s State) Waiting() bool { return len(s.pending) > 0 }

// Step takes one event and returns the next state and what to do. An event out of turn is ignored.
func Step(s State, ev Event) (State, []Effect) {
	switch ev := ev.(type) {
	case Submit:
		if s.lost != nil {
			return s, []Effect{Reply{Ticket: ev.Ticket, Err: s.lost}}
		}
		s.pending = append(s.pending, ev.Submission)
	case Go:
		if s.phase == idle && s.lost == nil && len(s.pending) > 0 {
			return s.begin()
		}
	case Prepared:
		if s.phase == preparing {
			return s.place(ev)
		}
	case Signed:
		if s.phase == signing {
			return s.signed(ev)
		}
	case Committed:
		if s.phase == committing {
			return s.committed(ev)
		}
	case Guarded:
		if s.phase == guarding {
			return s.guarded(ev)
		}
	case Forget:
		delete(s.logs, ev.LogNo)
	case Lost:
		s.lost = ev.Err
		var out []Effect
		for _, p := range s.pending {
			out = append(out, Reply{Ticket: p.Ticket, Err: s.lost})
		}
		s.pending = nil
		return s, out
	}
	return s, nil
}
