package federate

import (
	"fmt"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// Quota bounds what is taken of one author under one agreement. Zero values: no bound.
type Quota struct {
	Window  time.Duration // default: 24 h
	Leaves  int64         // in a window
	Bytes   int64         // of objects, in a window
	Garbage int64         // leaves in a window whose object is no record that can be believed
	// AllLeaves and AllBytes bound what is here of the author altogether.
	AllLeaves, AllBytes int64
}

// Purse is what one author may still send under one agreement, in all its logs. What is over the quota is not lost: it is taken
// when the next window begins. Safe for concurrent use.
type Purse struct {
	mu    sync.Mutex // guards all below
	quota Quota
	spent store.Spent
	last  *Overdraft // what was refused in this window: fewer leaves may still fit, and yet the author waits
}

// NewPurse makes a purse out of what was spent before.
func NewPurse(q Quota, spent store.Spent) *Purse {
	p := &Purse{spent: spent}
	p.Allow(q)
	return p
}

// Allow changes the quota.
func (p *Purse) Allow(q Quota) {
	setDefault(&q.Window, 24*time.Hour)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quota != q {
		p.last = nil // it is asked anew
	}
	p.quota = q
}

// Overdraft says that an author has used up its quota.
type Overdraft struct {
	What  string    // leaves, bytes, garbage, all leaves, all bytes
	Limit int64     // of it
	Since time.Time // when the window began
	Until time.Time // when the next one begins; for what is bounded altogether, when to look again
}

func (o Overdraft) String() string {
	return fmt.Sprintf("quota of %d %s since %s; the rest waits until %s", o.Limit, o.What, o.Since.UTC().Format(time.RFC3339), o.Until.UTC().Format(time.RFC3339))
}

// mayTake says whether that many leaves more may be taken, or what is used up.
func (p *Purse) mayTake(now time.Time, leaves int64) *Overdraft {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.over(now, leaves)
	if o != nil {
		p.last = o
	}
	return o
}

func (p *Purse) over(now time.Time, n int64) *Overdraft {
	if now.Sub(p.spent.Since) >= p.quota.Window || now.Before(p.spent.Since) {
		p.spent.Since, p.spent.Leaves, p.spent.Bytes, p.spent.Garbage = now, 0, 0, 0
		p.last = nil
	}
	q, s := p.quota, p.spent
	for _, b := range []struct {
		what        string
		limit, have int64
	}{
		{"records", q.Leaves, s.Leaves + n},
		{"bytes", q.Bytes, s.Bytes + 1},
		{"broken records", q.Garbage, s.Garbage + 1},
		{"records altogether", q.AllLeaves, s.AllLeaves + n},
		{"bytes altogether", q.AllBytes, s.AllBytes + 1},
	} {
		// A bundle that is larger than a whole window's room is taken at its beginning, or it would never be.
		alone := b.what == "records" && s.Leaves == 0 && n <= bundleWidth
		if b.limit > 0 && b.have > b.limit && !alone {
			return &Overdraft{What: b.what, Limit: b.limit, Since: s.Since, Until: s.Since.Add(q.Window)}
		}
	}
	return nil
}

// Held says whether the author waits now.
func (p *Purse) Held(now time.Time) *Overdraft {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := p.over(now, 1); o != nil {
		return o
	}
	return p.last
}

// took notes what came.
func (p *Purse) took(leaves, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spent.Leaves, p.spent.AllLeaves = p.spent.Leaves+leaves, p.spent.AllLeaves+leaves
	p.spent.Bytes, p.spent.AllBytes = p.spent.Bytes+bytes, p.spent.AllBytes+bytes
}

// Garbage notes leaves that hold nothing that can be believed.
func (p *Purse) Garbage(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spent.Garbage += n
}

// Spent is what was spent.
func (p *Purse) Spent() store.Spent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent
}
