package traffic

import (
	"github.com/mithaq/mithaq/internal/detect/fingerprint"
	"github.com/mithaq/mithaq/internal/detect/packet"
	"github.com/mithaq/mithaq/internal/detect/room"
)

// recent remembers connections in fixed memory: a table of rows of four; the one of which nothing was heard for longest
// gives way. A connection that was forgotten is told of again.
type recent struct {
	marks [][4]mark // of what stands at the same place in all: a row of them is looked at for every packet
	all   [][4]connection
}

type mark struct {
	tag  uint32 // of the hash; 0 is an empty place
	last uint32 // when something was heard, in steps of a millisecond or so: to tell which was silent for longest
}

// connection is what is counted of one while it is remembered.
type connection struct {
	hash     uint64 // of both ends. One in 2^48 or so is taken for another
	last     int64  // nanoseconds since 1970
	bytes    int64  // of payload, in both directions
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
	return &recent{marks: room.Make[[4]mark](recentRows), all: room.Make[[4]connection](recentRows)}
}

func stepOf(t int64) uint32 { return uint32(t >> 20) }

// see counts a packet and tells whether it is the first of a connection. What ended by it is told of in over: a connection
// that gave way, or this one, which was closed.
func (r *recent) see(p *packet.Info, place fingerprint.Place, over func(*connection)) (c *connection, first bool) {
	h := place.Hash
	n, tag := h>>(64-recentRowBits), uint32(h)|1
	marks, row := &r.marks[n], &r.all[n]
	at, oldest := -1, 0
	for i := range marks {
		if marks[i].tag == tag && row[i].hash == h {
			at = i
			break
		}
		if marks[oldest].tag != 0 && (marks[i].tag == 0 || int32(marks[i].last-marks[oldest].last) < 0) {
			oldest = i
		}
	}
	known := at >= 0
	if !known {
		at = oldest
	}
	c = &row[at]
	flags := p.Flags
	if p.Protocol != packet.ProtocolTCP {
		flags = 0
	}
	again := c.closed && flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN
	if !known || again || place.Time-c.last > silence {
		if marks[at].tag != 0 && !c.closed {
			over(c)
		}
		first = true
		marks[at].tag = tag
		*c = connection{hash: h, src: p.Src, dst: p.Dst, srcPort: p.SrcPort, dstPort: p.DstPort, protocol: p.Protocol, first: place.Time, packet: place.Packet}
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
	for i := range r.marks {
		for k := range r.marks[i] {
			if c := &r.all[i][k]; r.marks[i][k].tag != 0 && !c.closed {
				c.closed = true
				over(c)
			}
		}
	}
}
