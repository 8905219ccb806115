package evidence

import (
	"math"
	"math/bits"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/room"
)

// census counts who met what: for each key (a destination, a name, a fingerprint) when and where it was first met, how
// often, and by about how many sources. It is a table of fixed size in rows of four; in a full row the key that was met
// least often of those not met for longest gives way.
type census struct {
	rows    [][4]entry
	total   int64
	waiting []meeting // not in rows yet
	touched uint64    // what settle looked at ahead: the compiler must not leave that out
}

// meeting is that a source met a key.
type meeting struct {
	key, source uint64
	at          int64
	place       spot
}

type entry struct {
	key         uint64 // 0 is empty
	first, last int64  // nanoseconds since 1970; 0 when events had no time
	sources     uint64 // a bitmap of hashed sources
	at          int64  // line or packet of the first
	count       uint32
	file        uint32
}

func newCensus(rows int) *census {
	return &census{rows: room.Make[[4]entry](1 << bits.Len(uint(max(rows, 1)-1))), waiting: make([]meeting, 0, mostWaiting)}
}

// find gives what is known of a key, nil for nothing.
func (c *census) find(key uint64) *entry {
	c.settle()
	return c.entry(key)
}

func (c *census) row(key uint64) *[4]entry { return &c.rows[key>>32&uint64(len(c.rows)-1)] }

func (c *census) entry(key uint64) *entry {
	row := c.row(key)
	for i := range row {
		if row[i].key == key {
			return &row[i]
		}
	}
	return nil
}

// room gives the place for a new key: an empty one, or that of the key not met for longest.
func (c *census) room(key uint64) *entry {
	row := c.row(key)
	e := &row[0]
	for i := range row {
		if row[i].key == 0 {
			return &row[i]
		}
		if row[i].last < e.last {
			e = &row[i]
		}
	}
	return e
}

// put brings an entry back that is not there, unless its row is full of newer ones.
func (c *census) put(e entry) {
	if at := c.room(e.key); at.key == 0 || at.last < e.last {
		*at = e
	}
}

// meet notes that a source met a key. The key's low half chooses nothing, so that it may be any hash that is not 0.
func (c *census) meet(key, source uint64, at int64, place spot) {
	c.total++
	c.waiting = append(c.waiting, meeting{key, source, at, place})
	if len(c.waiting) == cap(c.waiting) {
		c.settle()
	}
}

// settle takes in what waits.
func (c *census) settle() {
	for all := c.waiting; len(all) > 0; {
		now := all[:min(len(all), ahead)]
		all = all[len(now):]
		for i := range now {
			for k := range c.row(now[i].key) {
				c.touched ^= c.row(now[i].key)[k].key
			}
		}
		for i := range now {
			c.take(&now[i])
		}
	}
	c.waiting = c.waiting[:0]
}

func (c *census) take(m *meeting) {
	e := c.entry(m.key)
	if e == nil {
		e = c.room(m.key)
		*e = entry{key: m.key, first: m.at, at: m.place.at, file: m.place.file}
	}
	if e.count < math.MaxUint32 {
		e.count++
	}
	if m.at != 0 && (e.first == 0 || m.at < e.first) {
		e.first, e.at, e.file = m.at, m.place.at, m.place.file
	}
	e.last = max(e.last, m.at)
	e.sources |= 1 << (m.source >> 58)
}

// about says how many sources a bitmap stands for: linear counting, right within a quarter up to about 100; a full one
// stands for many.
func about(bitmap uint64) float64 {
	empty := 64 - bits.OnesCount64(bitmap)
	if empty == 0 {
		return 300
	}
	return -64 * math.Log(float64(empty)/64)
}

// crowd counts distinct sources up to some ten thousand.
type crowd [128]uint64

func (c *crowd) add(source uint64) {
	n := source >> 51
	c[n>>6] |= 1 << (n & 63)
}

func (c *crowd) about() float64 {
	set := 0
	for _, word := range c {
		set += bits.OnesCount64(word)
	}
	all := len(c) * 64
	if set == all {
		return 100_000
	}
	return -float64(all) * math.Log(float64(all-set)/float64(all))
}

// spot is a place in few bytes: the file by its number.
type spot struct {
	at   int64 // line, or packet
	file uint32
}

// files gives places numbers and back: the newest maxFiles of them, while a sensor goes from file to file for months. Of what
// was seen in older ones the line is known, and no longer where.
type files struct {
	places []event.Place // the place of number n is at n % maxFiles
	next   uint32        // the number of the next place
	last   uint32        // the number that was given last
}

const maxFiles = 1 << 12

func (f *files) spot(p *event.Place) spot {
	s := spot{at: max(p.Line, p.Packet)}
	if f.known(f.last) && f.same(f.last, p) {
		s.file = f.last
		return s
	}
	for back := range uint32(len(f.places)) {
		if n := f.next - 1 - back; f.same(n, p) {
			f.last, s.file = n, n
			return s
		}
	}
	place := event.Place{File: p.File, Format: p.Format, Log: p.Log}
	if len(f.places) < maxFiles {
		f.places = append(f.places, place)
	} else {
		f.places[f.next%maxFiles] = place
	}
	f.last, s.file = f.next, f.next
	f.next++
	return s
}

// known tells whether the place of a number is still kept.
func (f *files) known(n uint32) bool { return f.next-1-n < uint32(len(f.places)) }

// settle makes numbers and places agree after both were read.
func (f *files) settle() {
	f.next = max(f.next, uint32(len(f.places)))
	if len(f.places) < maxFiles {
		f.next = uint32(len(f.places))
	}
	f.last = f.next - 1
}

func (f *files) same(n uint32, p *event.Place) bool {
	have := &f.places[n%maxFiles]
	return have.File == p.File && have.Log == p.Log && have.Format == p.Format
}

func (f *files) place(s spot) event.Place {
	if !f.known(s.file) {
		return event.Place{Line: s.at}
	}
	p := f.places[s.file%maxFiles]
	if p.Format == "packets" {
		p.Packet = s.at
	} else {
		p.Line = s.at
	}
	return p
}
