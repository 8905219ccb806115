package traffic

import (
	"encoding/binary"
	"math/bits"

	"github.com/mithaq/mithaq/internal/detect/fingerprint"
	"github.com/mithaq/mithaq/internal/detect/packet"
	"github.com/mithaq/mithaq/internal/detect/room"
)

// recent remembers connections in fixed memory: a table of rows of four; the one of which nothing was heard for longest
// gives way. A connection that was forgotten is told of again.
type recent struct {
	seed uint64
	rows [][4]connection
}

// connection is what is counted of one while it is remembered.
type connection struct {
	hash        uint64 // of both ends; 0 is an empty place. One in 2^48 or so is taken for another
	src, dst    [16]byte
	first, last int64 // nanoseconds since 1970
	packet      int64 // of the first
	bytes       int64 // of payload, in both directions
	srcPort     uint16
	dstPort     uint16
	protocol    uint8
	fins        uint8
	closed      bool // it was told of
}

const recentRows = 1 << 15

// silence is after how many nanoseconds without a packet a connection is over: the next packet between the same ends
// begins another.
const silence = 120e9

func newRecent(seed uint64) *recent {
	return &recent{seed: seed | 1, rows: room.Make[[4]connection](recentRows)}
}

// see counts a packet and tells whether it is the first of a connection. What ended by it is told of in over: a connection
// that gave way, or this one, which was closed.
func (r *recent) see(p *packet.Info, place fingerprint.Place, over func(*connection)) (c *connection, first bool) {
	h := r.end(&p.Src, p.SrcPort) + r.end(&p.Dst, p.DstPort)
	hi, lo := bits.Mul64(h^uint64(p.Protocol)*0x9e3779b97f4a7c15, r.seed|0xa0761d6478bd642f)
	h = hi ^ lo | 1
	row := &r.rows[h>>49]
	c = &row[0]
	for i := range row {
		if row[i].hash == h {
			c = &row[i]
			break
		}
		if row[i].last < c.last {
			c = &row[i]
		}
	}
	flags := p.Flags
	if p.Protocol != packet.ProtocolTCP {
		flags = 0
	}
	again := c.closed && flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN
	if c.hash != h || again || place.Time-c.last > silence {
		if c.hash != 0 && !c.closed {
			over(c)
		}
		first = true
		*c = connection{hash: h, src: p.Src, dst: p.Dst, srcPort: p.SrcPort, dstPort: p.DstPort, protocol: p.Protocol, first: place.Time, packet: place.Packet}
		if flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN|packet.FlagACK {
			c.src, c.dst, c.srcPort, c.dstPort = c.dst, c.src, c.dstPort, c.srcPort
		}
	}
	c.last = max(c.last, place.Time)
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
	for i := range r.rows {
		for k := range r.rows[i] {
			if c := &r.rows[i][k]; c.hash != 0 && !c.closed {
				c.closed = true
				over(c)
			}
		}
	}
}

func (r *recent) end(a *[16]byte, port uint16) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(a[:])^r.seed, binary.LittleEndian.Uint64(a[8:])^0xe7037ed1a0b428db)
	hi, lo = bits.Mul64(hi^lo^uint64(port)<<17, r.seed^0x8ebc6af09c88c6a3)
	return hi ^ lo
}
