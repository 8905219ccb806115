package packet

import (
	"math/bits"
	"slices"
	"unsafe"

	"github.com/mithaq/mithaq/internal/detect/room"
)

const (
	smallestClass = 9  // 512 bytes: most of what clients say first fits, and memory that is not touched costs nothing
	classes       = 12 // up to 1 MiB
)

// Pool hands out buffers from a fixed budget of bytes, and takes them back. It makes nothing after NewPool: buffers are
// blocks of one arena, halved and joined again with their other half (a buddy system). It is for one goroutine.
type Pool struct {
	// Refused counts the buffers that the budget had no room for.
	Refused int64
	arena   []byte
	begun   int // bytes of the arena that were ever part of a buffer
	blocks  []block
	free    [classes]int32 // the first free block of each size, -1 for none
}

// block is what is known of the smallest block at its place, of which larger ones are made.
type block struct {
	next, before int32 // of the free ones of its size
	size         int8  // of the block that begins here and is free, its class and one; 0: none is
}

// NewPool makes a Pool that never holds more than budget bytes.
func NewPool(budget int) *Pool {
	n := max(budget>>smallestClass, 0)
	p := &Pool{arena: room.Make[byte](n << smallestClass), blocks: make([]block, n)}
	for c := range p.free {
		p.free[c] = -1
	}
	var whole []int32 // where the largest blocks begin that fit
	size := func(at int32) int8 { return int8(min(bits.Len(uint(n-int(at)))-1, classes-1)) }
	for at := int32(0); int(at) < n; at += 1 << size(at) {
		whole = append(whole, at)
	}
	for _, at := range slices.Backward(whole) { // what lies at the beginning is handed out first
		p.add(at, size(at))
	}
	return p
}

// Allocated tells how many bytes the pool has ever handed out at once, or a little more: what it took from the system.
func (p *Pool) Allocated() int { return p.begun }

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
	from := c
	for from < classes && p.free[from] < 0 {
		from++
	}
	if from == classes {
		p.Refused++
		return nil
	}
	at := p.free[from]
	p.remove(at)
	for from > c { // the second half stays free
		from--
		p.add(at+1<<from, int8(from))
	}
	begin, end := int(at)<<smallestClass, (int(at)+1<<c)<<smallestClass
	p.begun = max(p.begun, end)
	return p.arena[begin:end:end]
}

// Put takes a buffer back that Get gave, whole; nil is fine.
func (p *Pool) Put(b []byte) {
	if b == nil {
		return
	}
	c := class(cap(b))
	// #nosec G103 -- the buffer lies in the arena: the difference of their addresses is its place there
	at := int32((uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(p.arena)))) >> smallestClass)
	for c < classes-1 {
		other := at ^ 1<<c
		if int(other)+1<<c > len(p.blocks) || p.blocks[other].size != int8(c)+1 {
			break
		}
		p.remove(other)
		at &^= 1 << c
		c++
	}
	p.add(at, int8(c))
}

// add makes a block a free one.
func (p *Pool) add(at int32, c int8) {
	first := p.free[c]
	p.blocks[at] = block{next: first, before: -1, size: c + 1}
	if first >= 0 {
		p.blocks[first].before = at
	}
	p.free[c] = at
}

// remove takes a block from the free ones.
func (p *Pool) remove(at int32) {
	b := &p.blocks[at]
	if b.next >= 0 {
		p.blocks[b.next].before = b.before
	}
	if b.before >= 0 {
		p.blocks[b.before].next = b.next
	} else {
		p.free[b.size-1] = b.next
	}
	b.size = 0
}
