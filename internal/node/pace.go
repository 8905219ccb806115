package node

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// giveWay is how many times as long as it worked the index rests while objects are being posted.
	giveWay = 5
	// postLull is how long after a post another is expected: a client that waits for each answer is gone for less.
	postLull = 20 * time.Millisecond
	// mostBehind is how old what is not indexed may be before the index gives way no more.
	mostBehind = 20 * time.Second
)

// pace lets the index give way to posts that are under way, so that what many post at once is accepted faster than it is listed. It
// does not while somebody waits for the index, nor when it is far behind, so that it follows at a part of its speed at least and
// never lags for long.
type pace struct {
	now     func() time.Time
	posts   atomic.Int64 // under way
	last    atomic.Int64 // when a post ended, in nanoseconds of Unix time
	waiting atomic.Int64 // who waits for the index

	reading, writing sync.Mutex // held by the one that reads leaves, and by the one that writes, while posts are under way
}

// post notes a post; the caller says when it has ended.
func (p *pace) post() (ended func()) {
	p.posts.Add(1)
	return func() {
		p.last.Store(p.now().UnixNano())
		p.posts.Add(-1)
	}
}

// wait notes that somebody waits for the index.
func (p *pace) wait() (over func()) {
	p.waiting.Add(1)
	return func() { p.waiting.Add(-1) }
}

// yields says whether indexing what was published at a time gives way now.
func (p *pace) yields(published time.Time) bool {
	if p.waiting.Load() > 0 {
		return false
	}
	now := p.now()
	return (p.posts.Load() > 0 || now.UnixNano()-p.last.Load() < int64(postLull)) && now.Sub(published) < mostBehind
}

// work does a part of indexing what was published at a time, and rests then as long as it has to.
func (p *pace) work(ctx context.Context, one *sync.Mutex, published time.Time, do func()) {
	if !p.yields(published) {
		do()
		return
	}
	one.Lock()
	defer one.Unlock()
	begin := p.now()
	do()
	for rest := giveWay * p.now().Sub(begin); rest > 0 && p.yields(published); rest -= postLull {
		nap := time.NewTimer(min(rest, postLull))
		select {
		case <-nap.C:
		case <-ctx.Done():
			nap.Stop()
			return
		}
	}
}
