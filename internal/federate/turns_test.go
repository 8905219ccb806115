package federate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// The host that a log is followed from waits for one slow host beside, for a second, and for none of those that queued after that.
func TestSlowHostsBesideAreNotWaitedForOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		turns := newTurns()
		slow, done, err := turns.takeBeside(ctx)
		if err != nil {
			t.Fatal(err)
		}
		gaveWay := make(chan error, 3)
		for range cap(gaveWay) {
			go func() {
				_, done, err := turns.takeBeside(ctx)
				if err == nil {
					<-ctx.Done() // as slow as the first
					done()
				}
				gaveWay <- err
			}()
		}
		synctest.Wait()
		took := make(chan func(), 1)
		go func() {
			done, err := turns.take(ctx)
			if err != nil {
				t.Error(err)
			}
			took <- done
		}()
		<-slow.Done()
		done()
		for range cap(gaveWay) {
			if err := <-gaveWay; !errors.Is(err, ErrGaveWay) {
				t.Errorf("one that waited: %v", err)
			}
		}
		(<-took)()
		if turn, done, err := turns.takeBeside(ctx); err != nil || turn.Err() != nil {
			t.Errorf("nobody waits, and a round beside may not run: %v", err)
		} else {
			done()
		}
	})
}

// Who is not wanted any more does not wait for its turn.
func TestWaitingForATurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		done, err := turns.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := turns.take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a round: %v", err)
		}
		if _, _, err := turns.takeBeside(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a round beside: %v", err)
		}
		done()
		if done, err = turns.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		done()
	})
}
