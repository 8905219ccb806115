package capture

import (
	"encoding/binary"
	"fmt"

	"github.com/mithaq/mithaq/internal/detect/room"
)

// classicState is the state of the pcap format
// (https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcap).
type classicState struct {
	link     LinkType
	fraction int64 // nanoseconds per unit of the second timestamp field
	big      bool  // big-endian
	header   int   // bytes of a record header: 16, or 24 in Kuznetzov's variant
	seconds  uint32
}

func (c *Reader) openClassic(magic []byte) error {
	s := &c.classic
	s.header = 16
	switch binary.LittleEndian.Uint32(magic) {
	case 0xa1b2c3d4:
		s.fraction = 1000
	case 0xd4c3b2a1:
		s.big, s.fraction = true, 1000
	case 0xa1b23c4d:
		s.fraction = 1
	case 0x4d3cb2a1:
		s.big, s.fraction = true, 1
	case 0xa1b2cd34:
		s.fraction, s.header = 1000, 24
	case 0x34cdb2a1:
		s.big, s.fraction, s.header = true, 1000, 24
	default:
		return ErrNotCapture
	}
	head := c.in.peek(24)
	if len(head) < 24 {
		return fmt.Errorf("file header cut off: %w", ErrNotCapture)
	}
	// The upper bits tell of a frame check sequence; IP lengths trim it anyway.
	s.link = LinkType(s.number(head[20:]) & 0xffff)
	c.skip(24)
	return nil
}

func (c *Reader) nextClassic(p *Packet) error {
	s := &c.classic
	if c.inView(p) {
		return nil
	}
	for {
		head := c.in.peek(s.header)
		if len(head) == 0 {
			return c.end()
		}
		if len(head) < s.header {
			c.damage(DamageTruncated, "record header cut off")
			c.skip(int64(len(head)))
			return c.end()
		}
		if !s.plausible(head) {
			if caplen := s.number(head[8:]); caplen > MaxPacket && s.number(head[4:]) < s.units() &&
				caplen < 1<<26 && near(s.number(head), s.seconds) && s.seconds != 0 && c.skipsToRecord(int64(caplen)) {
				c.damage(DamageOversize, fmt.Sprintf("packet of %d bytes skipped", caplen))
				c.number++
				continue
			}
			c.damage(DamageHeader, "record header makes no sense, searching for the next one")
			if !c.resyncClassic() {
				return c.end()
			}
			continue
		}
		seconds, frac := s.number(head), s.number(head[4:])
		caplen, length := int(s.number(head[8:])), int(s.number(head[12:]))
		whole := c.in.peek(s.header + caplen)
		if len(whole) < s.header+caplen {
			c.damage(DamageTruncated, fmt.Sprintf("packet cut off: %d of %d bytes", len(whole)-s.header, caplen))
		}
		s.seconds = seconds
		c.number++
		p.Number, p.Link, p.Length, p.Data = c.number, s.link, max(length, caplen), whole[s.header:]
		p.Time = int64(seconds)*1e9 + int64(frac)*s.fraction
		// The bytes stay in the window until the next peek, which is in the next call.
		c.in.pass(len(whole))
		c.offset += int64(len(whole))
		return nil
	}
}

// inView gives the next packet where nothing is wrong with it and all of it is in view in the usual form. It tells whether it did.
func (c *Reader) inView(p *Packet) bool {
	s, in := &c.classic, c.in
	b := in.buf[in.from:in.to]
	if s.big || s.header != 16 || len(b) < 16 {
		return false
	}
	caplen, length := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	if caplen > MaxPacket || length >= 1<<26 || 16+int(caplen) > len(b) {
		return false
	}
	size := 16 + int(caplen)
	if size+128 < len(b) { // the next one: its two headers, and what it carries begins soon behind them
		room.Ahead(&b[size])
		room.Ahead(&b[size+64])
	}
	s.seconds = binary.LittleEndian.Uint32(b)
	c.number++
	p.Number, p.Link, p.Length, p.Data = c.number, s.link, int(max(length, caplen)), b[16:size]
	p.Time = int64(s.seconds)*1e9 + int64(binary.LittleEndian.Uint32(b[4:]))*s.fraction
	in.from += size
	c.offset += int64(size)
	return true
}

// number reads one of the four numbers of a record's header.
func (s *classicState) number(b []byte) uint32 {
	if s.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (s *classicState) units() uint32 {
	if s.fraction == 1 {
		return 1e9
	}
	return 1e6
}

// plausible does not look at the fraction of the second: some writers get it wrong.
func (s *classicState) plausible(head []byte) bool {
	return s.number(head[8:]) <= MaxPacket && s.number(head[12:]) < 1<<26
}

// near tells whether two times in seconds are within a month of each other.
func near(a, b uint32) bool {
	d := int64(a) - int64(b)
	return d > -31*86400 && d < 31*86400
}

// skipsToRecord moves over an oversized record.
func (c *Reader) skipsToRecord(caplen int64) bool {
	return c.skip(int64(c.classic.header) + caplen)
}

// resyncClassic searches for two record headers in a row that make sense.
func (c *Reader) resyncClassic() bool {
	s := &c.classic
	c.skip(1)
	for {
		data, last := c.ahead()
		if len(data) < s.header {
			c.skip(int64(len(data)))
			return false
		}
		limit := len(data) - s.header
		if !last {
			limit = len(data) - MaxPacket
		}
		for i := 0; i <= limit; i++ {
			if s.chain(data[i:], last) {
				c.skip(int64(i))
				return true
			}
		}
		c.skip(int64(limit + 1))
	}
}

// chain tells whether data starts with a believable record that another one, or the end, follows.
func (s *classicState) chain(data []byte, last bool) bool {
	if !s.plausible(data) || s.number(data[4:]) >= s.units() {
		return false
	}
	caplen, length := int(s.number(data[8:])), int(s.number(data[12:]))
	if caplen < 14 || length < caplen || length > MaxPacket {
		return false
	}
	if s.seconds != 0 && !near(s.number(data), s.seconds) {
		return false
	}
	next := s.header + caplen
	if next == len(data) && last {
		return true
	}
	if next+s.header > len(data) {
		return false
	}
	rest := data[next:]
	return s.plausible(rest) && near(s.number(rest), s.number(data))
}
