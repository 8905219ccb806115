package federate

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// ErrGaveWay ends a round beside for which the host that the log is followed from cannot wait. It is to be run again later.
var ErrGaveWay = errors.New("the host gave way to the one that the log is followed from")

// besideYields is how long a round at the host that a log is followed from waits for one that runs beside.
const besideYields = time.Second

// turns lets the rounds of one log run one after the other. However slow other hosts are, and however many of them were there
// first, they do not hold up the one that the log is followed from.
type turns struct {
	free   chan struct{}                      // holds a value while it is nobody's turn
	first  atomic.Int32                       // how many wait that go before every round beside
	beside atomic.Pointer[context.CancelFunc] // ends the round beside that runs, if one does
}

func newTurns() *turns {
	t := &turns{free: make(chan struct{}, 1)}
	t.free <- struct{}{}
	return t
}

// take waits for its turn, and holds it until done is called.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	t.first.Add(1)
	defer t.first.Add(-1)
	waits := time.AfterFunc(besideYields, func() {
		if end := t.beside.Load(); end != nil {
			(*end)()
		}
	})
	defer waits.Stop()
	select {
	case <-t.free:
		return func() { t.free <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// takeBeside waits for the turn of a round beside, whose requests run under the context that it returns: it is cancelled when the
// round has to give way. [ErrGaveWay]: it has to at once.
func (t *turns) takeBeside(ctx context.Context) (turn context.Context, done func(), err error) {
	select {
	case <-t.free:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	turn, end := context.WithCancel(ctx)
	done = func() {
		t.beside.Store(nil)
		end()
		t.free <- struct{}{}
	}
	t.beside.Store(&end) // before looking who waits: whoever comes later finds it
	if t.first.Load() > 0 {
		done()
		return nil, nil, ErrGaveWay
	}
	return turn, done, nil
}
