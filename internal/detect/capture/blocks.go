package capture

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Block types of pcapng (https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcapng).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete, still met
	blockSimple    = 3
	blockEnhanced  = 6
	byteOrderMagic = 0x1a2b3c4d

	maxInterfaces = 4096
	maxBlock      = 1 << 26 // larger lengths are damage, not data
)

// sectionState is what the current section of a pcapng file has described so far.
type sectionState struct {
	interfaces []netInterface
}

type netInterface struct {
	link    LinkType
	snaplen uint32
	power   bool  // the resolution is a power of two
	digits  uint8 // the resolution's exponent
	offset  int64 // seconds to add
}

// nanoseconds turns a timestamp of this interface into nanoseconds since 1970.
func (n *netInterface) nanoseconds(ts uint64) int64 {
	var whole, nanos uint64
	if n.power {
		if n.digits > 63 {
			return 0
		}
		whole = ts >> n.digits
		frac := ts & (1<<n.digits - 1)
		hi, lo := bits.Mul64(frac, 1e9)
		nanos = lo>>n.digits | hi<<(64-n.digits)
		if n.digits == 0 {
			nanos = 0
		}
	} else {
		if n.digits > 19 {
			return 0
		}
		unit := uint64(1)
		for range n.digits {
			unit *= 10
		}
		whole = ts / unit
		frac := ts % unit
		if n.digits <= 9 {
			nanos = frac * (1e9 / unit)
		} else {
			nanos = frac / (unit / 1e9)
		}
	}
	if whole > math.MaxInt64/2_000_000_000 {
		return 0
	}
	return (int64(whole)+n.offset)*1e9 + int64(nanos)
}

func (c *Reader) nextBlock(p *Packet) error {
	for {
		head := c.in.peek(12)
		if len(head) == 0 {
			return c.end()
		}
		if len(head) < 12 {
			c.damage(DamageTruncated, "block header cut off")
			c.skip(int64(len(head)))
			return c.end()
		}
		kind, length := c.order.Uint32(head), int64(c.order.Uint32(head[4:]))
		if kind == blockSection {
			if !c.startSection(head) {
				if !c.resyncBlocks("section header makes no sense") {
					return c.end()
				}
			}
			continue
		}
		if length < 12 || length%4 != 0 || length > maxBlock {
			if !c.resyncBlocks(fmt.Sprintf("block length %d makes no sense", length)) {
				return c.end()
			}
			continue
		}
		found, err := c.block(p, kind, length)
		if err != nil {
			return err
		}
		if found {
			return nil
		}
	}
}

// block handles one block after its header was found plausible. It says whether p was filled in.
func (c *Reader) block(p *Packet, kind uint32, length int64) (bool, error) {
	switch kind {
	case blockInterface, blockEnhanced, blockPacket, blockSimple:
	default:
		if !c.skip(length) {
			c.damage(DamageTruncated, "block cut off")
			return false, c.end()
		}
		return false, nil
	}
	if length > window {
		c.damage(DamageOversize, fmt.Sprintf("block of %d bytes skipped", length))
		if kind != blockInterface {
			c.number++
		}
		if !c.skip(length) {
			return false, c.end()
		}
		return false, nil
	}
	data := c.in.peek(int(length))
	cut := int64(len(data)) < length
	if cut {
		c.damage(DamageTruncated, fmt.Sprintf("block cut off: %d of %d bytes", len(data), length))
	} else if int64(c.order.Uint32(data[length-4:])) != length {
		if !c.resyncBlocks("block lengths at both ends differ") {
			return false, c.end()
		}
		return false, nil
	}
	body := data[8:]
	if !cut {
		body = data[8 : length-4]
	}
	found := false
	if kind == blockInterface {
		if cut {
			c.skip(int64(len(data)))
			return false, c.end()
		}
		c.describe(body)
	} else {
		found = c.packetBlock(p, kind, body)
	}
	c.skip(int64(len(data)))
	if cut && !found {
		return false, c.end()
	}
	return found, nil
}

func (c *Reader) startSection(head []byte) bool {
	switch {
	case binary.LittleEndian.Uint32(head[8:]) == byteOrderMagic:
		c.order = binary.LittleEndian
	case binary.BigEndian.Uint32(head[8:]) == byteOrderMagic:
		c.order = binary.BigEndian
	default:
		return false
	}
	length := int64(c.order.Uint32(head[4:]))
	if length < 28 || length%4 != 0 || length > maxBlock {
		return false
	}
	c.section.interfaces = c.section.interfaces[:0]
	if !c.skip(length) {
		c.damage(DamageTruncated, "section header cut off")
	}
	return true
}

func (c *Reader) describe(body []byte) {
	n := netInterface{link: LinkUnspecified, digits: 6}
	if len(body) >= 8 {
		n.link = LinkType(c.order.Uint16(body))
		n.snaplen = c.order.Uint32(body[4:])
		c.interfaceOptions(&n, body[8:])
	}
	if len(c.section.interfaces) >= maxInterfaces {
		c.damage(DamageInterface, "more interfaces than any real capture has")
		return
	}
	c.section.interfaces = append(c.section.interfaces, n)
}

func (c *Reader) interfaceOptions(n *netInterface, opts []byte) {
	for len(opts) >= 4 {
		code, length := c.order.Uint16(opts), int(c.order.Uint16(opts[2:]))
		opts = opts[4:]
		if code == 0 || length > len(opts) {
			return
		}
		switch {
		case code == 9 && length >= 1: // if_tsresol
			n.power, n.digits = opts[0]&0x80 != 0, opts[0]&0x7f
		case code == 14 && length >= 8: // if_tsoffset
			off := int64(c.order.Uint64(opts))
			if off > -1<<33 && off < 1<<33 {
				n.offset = off
			}
		}
		opts = opts[min((length+3)&^3, len(opts)):]
	}
}

// packetBlock fills in p from the body of one of the three packet blocks.
func (c *Reader) packetBlock(p *Packet, kind uint32, body []byte) bool {
	c.number++
	var which, caplen, length uint32
	var ts uint64
	fixed := 20
	switch kind {
	case blockEnhanced, blockPacket:
		if len(body) < fixed {
			c.damage(DamageHeader, "packet block too short")
			return false
		}
		which = c.order.Uint32(body)
		if kind == blockPacket {
			which = uint32(c.order.Uint16(body))
		}
		ts = uint64(c.order.Uint32(body[4:]))<<32 | uint64(c.order.Uint32(body[8:]))
		caplen, length = c.order.Uint32(body[12:]), c.order.Uint32(body[16:])
	default:
		fixed = 4
		if len(body) < fixed {
			c.damage(DamageHeader, "packet block too short")
			return false
		}
		length = c.order.Uint32(body)
		caplen = min(length, uint32(len(body)-fixed))
	}
	if int64(which) >= int64(len(c.section.interfaces)) {
		c.damage(DamageInterface, fmt.Sprintf("packet %d names interface %d, which was not described", c.number, which))
		return false
	}
	n := &c.section.interfaces[which]
	if kind == blockSimple && n.snaplen > 0 {
		caplen = min(caplen, n.snaplen)
	}
	data := body[fixed:]
	if caplen > MaxPacket {
		c.damage(DamageOversize, fmt.Sprintf("packet of %d bytes skipped", caplen))
		return false
	}
	if int64(caplen) > int64(len(data)) {
		c.damage(DamageTruncated, fmt.Sprintf("packet cut off: %d of %d bytes", len(data), caplen))
		caplen = uint32(len(data))
	}
	*p = Packet{Number: c.number, Link: n.link, Length: max(int(length), int(caplen)), Data: data[:caplen]}
	if kind != blockSimple {
		p.Time = n.nanoseconds(ts)
	}
	return true
}

// resyncBlocks searches for the next block whose lengths at both ends agree.
func (c *Reader) resyncBlocks(why string) bool {
	c.damage(DamageHeader, why+", searching for the next block")
	c.skip(1)
	for {
		data, last := c.ahead()
		if len(data) < 12 {
			c.skip(int64(len(data)))
			return false
		}
		limit := len(data) - 12
		if !last {
			limit = len(data) - MaxPacket
		}
		for i := 0; i <= limit; i++ {
			if c.blockAt(data[i:]) {
				c.skip(int64(i))
				return true
			}
		}
		c.skip(int64(limit + 1))
	}
}

// blockAt tells whether data starts with a block of a known type that is whole.
func (c *Reader) blockAt(data []byte) bool {
	kind, length := c.order.Uint32(data), int64(c.order.Uint32(data[4:]))
	if kind == blockSection {
		magic := binary.LittleEndian.Uint32(data[8:])
		return magic == byteOrderMagic || bits.ReverseBytes32(magic) == byteOrderMagic
	}
	if kind == 0 || kind > 10 || length < 12 || length%4 != 0 || length > int64(len(data)) {
		return false
	}
	return int64(c.order.Uint32(data[length-4:])) == length
}
