package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// work is what the writing goroutine takes from its queue: an entry, or a task that runs between batches.
type work struct {
	entry *Submission
	reply chan<- reply
	task  func()
}

type reply struct {
	receipt Receipt
	err     error
}

// write is the one goroutine that changes logs. While it commits, the next batch gathers in the queue.
func (l *Ledger) write() {
	defer l.giveBack()
	for {
		if !l.state.Waiting() {
			select {
			case w := <-l.queue:
				l.take(w)
			case <-l.lostCh:
				l.step(Lost{fmt.Errorf("%w", l.LostErr())})
				l.refuseAll()
				return
			case <-l.stop:
				l.drain()
				return
			}
		}
		l.gather()
		if l.LostErr() == nil {
			l.runBatch()
		} else {
			l.step(Lost{l.LostErr()})
		}
	}
}

// gather takes what has come in meanwhile. Submitters that were just acknowledged often come back at once with their
// next entry; waiting for as many as were answered, for at most an eighth of what the last batch took, makes batches
// fuller. A submitter who is alone never waits, since its own entry is the one that is waited for.
func (l *Ledger) gather() {
	var patience <-chan time.Time
	for len(l.state.pending) < l.cfg.BatchEntries {
		select {
		case w := <-l.queue:
			l.take(w)
			continue
		default:
		}
		if len(l.state.pending) >= l.answeredLast || l.lastTook == 0 {
			return
		}
		if patience == nil {
			t := time.NewTimer(min(l.lastTook/8, maxPatience))
			defer t.Stop()
			patience = t.C
		}
		select {
		case w := <-l.queue:
			l.take(w)
		case <-patience:
			return
		case <-l.stop:
			return
		}
	}
}

// maxPatience bounds what gathering adds to an entry's latency.
const maxPatience = time.Millisecond

// runBatch runs one batch and remembers how large and how long it was.
func (l *Ledger) runBatch() {
	waiting := len(l.waiters)
	start := l.cfg.Clock()
	l.step(Go{})
	l.lastTook = l.cfg.Clock().Sub(start)
	l.answeredLast = waiting - len(l.waiters)
}

func (l *Ledger) take(w work) {
	if w.task != nil {
		w.task()
		return
	}
	l.ticket++
	w.entry.Ticket = l.ticket
	l.waiters[l.ticket] = w.reply
	l.step(Submit{*w.entry})
}

// drain finishes what was accepted before Close.
func (l *Ledger) drain() {
	for {
		select {
		case w := <-l.queue:
			l.take(w)
		default:
			if !l.state.Waiting() {
				return
			}
			l.step(Go{})
		}
	}
}

// refuseAll answers everybody after the lease was lost, until Close.
func (l *Ledger) refuseAll() {
	for {
		select {
		case w := <-l.queue:
			l.take(w)
		case <-l.stop:
			l.drain()
			return
		}
	}
}

// step runs the sequencer until it has nothing more to do.
func (l *Ledger) step(ev Event) {
	for ev != nil {
		var effects []Effect
		l.state, effects = Step(l.state, ev)
		ev = nil
		for _, e := range effects {
			if next := l.perform(e); next != nil {
				ev = next
			}
		}
	}
}

// perform does one effect and returns the event that answers it, if any.
func (l *Ledger) perform(e Effect) Event {
	ctx := context.Background()
	switch e := e.(type) {
	case Prepare:
		return l.prepare(ctx, e)
	case Sign:
		return l.sign(e)
	case Commit:
		return l.commit(ctx, e)
	case Protect:
		return Guarded{l.cfg.Guard.Record(ctx, e.Heads)}
	case Publish:
		for no, h := range e.Heads {
			l.heads.publish(l.bySeries[no], h)
		}
	case Reply:
		ch := l.waiters[e.Ticket]
		delete(l.waiters, e.Ticket)
		ch <- reply{e.Receipt, e.Err}
	}
	return nil
}

func (l *Ledger) prepare(ctx context.Context, e Prepare) Event {
	out := Prepared{Logs: map[int64]Loaded{}}
	for _, no := range e.Load {
		out.Logs[no] = l.load(ctx, no)
	}
	out.Known, out.Err = l.store.Known(ctx, e.Lookup)
	return out
}

func (l *Ledger) sign(e Sign) Event {
	out := Signed{Checkpoints: map[int64][]byte{}, Errs: map[int64]error{}}
	for no, h := range e.Heads {
		cp, err := l.checkpointFor(l.bySeries[no], e.Serials[no], h)
		if err != nil {
			out.Errs[no] = err
			continue
		}
		out.Checkpoints[no] = cp
	}
	return out
}

// checkpointFor signs a head with the key that the keyring with this serial names.
func (l *Ledger) checkpointFor(id string, serial uint64, h Head) ([]byte, error) {
	s, err := l.cfg.Signer(id, serial)
	if err != nil {
		return nil, fmt.Errorf("log %s: finding the checkpoint key: %w", id, err)
	}
	cp, err := signCheckpoint(h, s)
	if err != nil {
		return nil, fmt.Errorf("log %s: signing a checkpoint: %w", id, err)
	}
	return cp, nil
}

func (l *Ledger) commit(ctx context.Context, e Commit) Event {
	results, err := l.store.Commit(ctx, l.lease, e.Advances)
	if err != nil {
		if errors.Is(err, store.ErrLeaseLost) {
			l.markLost(err)
		}
		return Committed{Err: fmt.Errorf("storing entries: %w", err)}
	}
	out := Committed{Conflicts: map[int64]error{}}
	for i, r := range results {
		if r != nil {
			no := e.Advances[i].LogNo
			out.Conflicts[no] = fmt.Errorf("log %s: %w", l.bySeries[no], r)
		}
	}
	return out
}
