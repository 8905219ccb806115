package packet

import "math/bits"

const (
	smallestClass = 11 // 2 KiB
	classes       = 10 // up to 1 MiB
)

// Pool hands out buffers from a fixed budget of bytes, and takes them back. In the steady state
// it allocates nothing. It is for one goroutine.
type Pool struct {
	// Refused counts the buffers that the budget had no room for.
	Refused   int64
	budget    int
	allocated int
	free      [classes][][]byte
}

// NewPool makes a Pool that never holds more than budget bytes.
func NewPool(budget int) *Pool { return &Pool{budget: budget} }

// Allocated tells how many bytes the pool's buffers have, free ones included.
func (p *Pool) Allocated() int { return p.allocated }

func class(n int) int {
	if n <= 1<<smallestClass {
		return 0
	}
	return bits.Len(uint(n-1)) - smallestClass
}

// Get gives a buffer of at least n bytes, or nil when there is no room. Its contents are arbitrary.
func (p *Pool) Get(n int) []byte {
	c := class(n)
	if c >= classes {
		p.Refused++
		return nil
	}
	if l := len(p.free[c]); l > 0 {
		b := p.free[c][l-1]
		p.free[c] = p.free[c][:l-1]
		return b
	}
	size := 1 << (smallestClass + c)
	// Free buffers of other sizes make room, the largest first.
	for o := classes - 1; o >= 0 && p.allocated+size > p.budget; o-- {
		for l := len(p.free[o]); l > 0 && p.allocated+size > p.budget; l-- {
			p.free[o][l-1] = nil
			p.free[o] = p.free[o][:l-1]
			p.allocated -= 1 << (smallestClass + o)
		}
	}
	if p.allocated+size > p.budget {
		p.Refused++
		return nil
	}
	p.allocated += size
	return make([]byte, size)
}

// Put takes a buffer back that Get gave; nil is fine.
func (p *Pool) Put(b []byte) {
	if b == nil {
		return
	}
	c := class(cap(b))
	p.free[c] = append(p.free[c], b[:cap(b)])
}
