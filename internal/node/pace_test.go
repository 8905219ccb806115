package node

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheIndexGivesWay: beside posts the index rests for a multiple of its work, but not while somebody waits for it, nor once
// what it is about is old, nor after posts have ended.
func TestTheIndexGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Node{}
		p := &n.pace
		p.now = time.Now
		took := func(published time.Time) time.Duration {
			begin := time.Now()
			p.work(t.Context(), &p.reading, published, func() { time.Sleep(10 * time.Millisecond) })
			return time.Since(begin)
		}
		if d := took(time.Now()); d != 10*time.Millisecond {
			t.Errorf("without posts it took %v", d)
		}
		ended := p.post()
		if d := took(time.Now()); d != (1+giveWay)*10*time.Millisecond {
			t.Errorf("beside a post it took %v", d)
		}
		if d := took(time.Now().Add(-mostBehind)); d != 10*time.Millisecond {
			t.Errorf("far behind it took %v", d)
		}
		over := p.wait()
		if d := took(time.Now()); d != 10*time.Millisecond {
			t.Errorf("while somebody waits it took %v", d)
		}
		over()
		ended()
		if d := took(time.Now()); d > 10*time.Millisecond+2*postLull {
			t.Errorf("after a post it took %v", d)
		}
		defer p.post()()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begin := time.Now()
		p.work(ctx, &p.writing, begin, func() { time.Sleep(time.Second) })
		if d := time.Since(begin); d > time.Second+postLull {
			t.Errorf("when the node stopped it took %v", d)
		}
	})
}
