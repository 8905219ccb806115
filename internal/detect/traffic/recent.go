package traffic

import (
	"github.com/mithaq/mithaq/internal/detect/fingerprint"
	"github.com/mithaq/mithaq/internal/detect/packet"
	"github.com/mithaq/mithaq/internal/detect/room"
)

// recent remembers connections in fixed memory: a table of rows of four; the one of which nothing was heard for longest
// gives way. A connection that was forgotten is told of again.
type recent struct {
	marks []marks // of what stands at the same place in all: a row of them is looked at for every packet
	all   [][4]connection
	rows  []uint32 // in which something stands
}

// mark is 16 bytes, so that a row of them is one line of the processor's caches.
type mark struct {
	hash uint64 // of both ends; 0 is an empty place. One in 2^48 or so is taken for another
	last uint32 // when something was heard, in steps of a millisecond or so: to tell which was silent for longest
	_    uint32
}

type marks [4]mark

// oldest gives an empty place, or that of which nothing was heard for longest.
func (m *marks) oldest() int {
	oldest := 0
	for i := range m {
		if m[oldest].hash != 0 && (m[i].hash == 0 || int32(m[i].last-m[oldest].last) < 0) {
			oldest = i
		}
	}
	return oldest
}

// connection is what is counted of one while it is remembered.
type connection struct {
	last     int64 // nanoseconds since 1970
	bytes    int64 // of payload, in both directions
	fins     uint8
	closed   bool // it was told of
	protocol uint8
	srcPort  uint16
	dstPort  uint16
	first    int64 // nanoseconds since 1970
	packet   int64 // of the first
	src, dst [16]byte
}

const (
	recentRowBits = 15
	recentRows    = 1 << recentRowBits
)

// silence is after how many nanoseconds without a packet a connection is over: the next packet between the same ends
// begins another.
const silence = 120e9

func newRecent() *recent {
	return &recent{marks: room.Make[marks](recentRows), all: room.Make[[4]connection](recentRows), rows: make([]uint32, 0, recentRows)}
}

// forget makes it as new.
func (r *recent) forget() {
	for _, n := range r.rows {
		r.marks[n] = marks{}
	}
	r.rows = r.rows[:0]
}

func stepOf(t int64) uint32 { return uint32(t >> 20) }

// see counts a packet and tells whether it is the first of a connection. What ended by it is told of in over: a connection
// that gave way, or this one, which was closed.
func (r *recent) see(p *packet.Info, place fingerprint.Place, over func(*connection)) (c *connection, first bool) {
	h := place.Hash | 1
	n := h >> (64 - recentRowBits)
	marks, row := &r.marks[n], &r.all[n]
	at := 0
	for at < len(marks) && marks[at].hash != h {
		at++
	}
	known := at < len(marks)
	if !known {
		at = marks.oldest()
	}
	c = &row[at]
	flags := p.Flags
	if p.Protocol != packet.ProtocolTCP {
		flags = 0
	}
	again := c.closed && flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN
	if !known || again || place.Time-c.last > silence {
		if marks[at].hash != 0 && !c.closed {
			over(c)
		}
		first = true
		if marks[0].hash == 0 {
			r.rows = append(r.rows, uint32(n)) // a row fills up from its beginning
		}
		marks[at].hash = h
		*c = connection{src: p.Src, dst: p.Dst, srcPort: p.SrcPort, dstPort: p.DstPort, protocol: p.Protocol, first: place.Time, packet: place.Packet}
		if flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN|packet.FlagACK {
			c.src, c.dst, c.srcPort, c.dstPort = c.dst, c.src, c.dstPort, c.srcPort
		}
	}
	c.last = max(c.last, place.Time)
	marks[at].last = stepOf(c.last)
	c.bytes += int64(len(p.Payload))
	if flags&(packet.FlagFIN|packet.FlagRST) != 0 && !c.closed {
		if c.fins++; c.fins == 2 || flags&packet.FlagRST != 0 {
			c.closed = true
			over(c)
		}
	}
	return c, first
}

// flush tells of every connection that is not over.
func (r *recent) flush(over func(*connection)) {
	for _, i := range r.rows {
		for k := range r.marks[i] {
			if c := &r.all[i][k]; r.marks[i][k].hash != 0 && !c.closed {
				c.closed = true
				over(c)
			}
		}
	}
}
