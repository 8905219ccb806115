package node

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/taxii"
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

// TestWhatWasPostedAMomentAgoIsKnown: an envelope that comes again before the index has it makes no second record.
func TestWhatWasPostedAMomentAgoIsKnown(t *testing.T) {
	ctx := t.Context()
	n := newNodeOn(t, false)
	defer func() { _ = n.Close(context.WithoutCancel(ctx)) }()
	b, owner := collections{n}, account.TAXIICaller{Owner: true}
	list, err := b.list(ctx, owner)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	var objects []taxii.Object
	for i := range 3 {
		id := fmt.Sprintf("domain-name--00000000-0000-5000-8000-%012d", i)
		raw := fmt.Appendf(nil, `{"type":"domain-name","spec_version":"2.1","id":%q,"value":"%d.example"}`, id, i)
		objects = append(objects, taxii.Object{ID: id, Type: "domain-name", SpecVersion: "2.1", Raw: raw, Index: i})
	}
	post := func() taxii.Status {
		s, err := b.Add(ctx, owner, taxii.Place{Root: TAXIIRoot, Collection: list[0].id()}, taxii.Submission{Objects: objects, Received: time.Now()})
		if err != nil {
			t.Error(err)
		}
		return s
	}
	n.indexer.writing.Lock() // the index stands still
	if s := post(); s.SuccessCount != 3 || s.Successes[0].Message != "" {
		t.Errorf("posted: %+v", s)
	}
	again := make(chan taxii.Status, 1)
	go func() { again <- post() }()
	for n.pace.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	n.indexer.writing.Unlock()
	if s := <-again; s.SuccessCount != 3 || s.Successes[0].Message != hereAlready {
		t.Errorf("posted again: %+v", s)
	}
	if len(n.fresh.of(n, objects)) > 0 {
		t.Error("what is indexed is still remembered")
	}
}
