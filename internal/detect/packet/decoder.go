package packet

import (
	"encoding/binary"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// maxLayers bounds how many headers are followed in one packet.
const maxLayers = 24

// Counts is how often each problem was met.
type Counts [Problems]int64

// Map gives the problems that occurred by name.
func (c *Counts) Map() map[string]int64 {
	m := map[string]int64{}
	for k, v := range c {
		if v > 0 && k != 0 {
			m[Problem(k).String()] = v
		}
	}
	return m
}

// Decoder decodes packets. It keeps the fragments that wait for others. It is for one goroutine.
type Decoder struct {
	Counts    Counts
	fragments fragments
	info      *Info
	layers    int
	later     datagram // the other reading of the datagram just completed
	hasLater  bool
	now       int64
	outer     uint8 // tunnels around the datagram in later
	overlap   bool
}

// NewDecoder makes a Decoder with room for the given number of incomplete datagrams and bytes of
// their fragments; zeros mean 256 and 8 MiB.
func NewDecoder(datagrams, bytes int) *Decoder {
	if datagrams <= 0 {
		datagrams = 256
	}
	if bytes <= 0 {
		bytes = 8 << 20
	}
	return &Decoder{fragments: newFragments(datagrams, bytes)}
}

// Forget makes the Decoder as new: no fragment waits, and counts begin at zero.
func (d *Decoder) Forget() {
	for i := range d.fragments.slots {
		if s := &d.fragments.slots[i]; s.used {
			s.used = false
			s.stream.Release()
		}
	}
	*d = Decoder{fragments: d.fragments}
}

// Decode reads the headers of a packet into info. ProblemNone means that info holds a TCP segment
// or a UDP datagram; with any other result info is only good for what was read before the problem.
// now is the packet's time in nanoseconds. After a datagram with overlapping fragments, Later gives
// the other reading.
func (d *Decoder) Decode(link capture.LinkType, data []byte, now int64, info *Info) Problem {
	*info = Info{}
	d.info, d.layers, d.now, d.hasLater, d.overlap = info, 0, now, false, false
	p, usual := ProblemNone, false
	if link == capture.LinkEthernet {
		p, usual = d.usual(data)
	}
	if !usual {
		p = d.link(link, data)
	}
	d.Counts[p]++
	return p
}

// usual decodes what nearly all packets are, TCP or UDP in a whole IPv4 packet without options on Ethernet, in few steps. It tells
// whether it did; if not, nothing was changed.
func (d *Decoder) usual(b []byte) (Problem, bool) {
	const header = 14 + 20
	if len(b) < header || b[12] != etherIPv4>>8 || b[13] != etherIPv4&0xff || b[14] != 0x45 {
		return ProblemNone, false
	}
	ip := b[14:]
	total := int(binary.BigEndian.Uint16(ip[2:]))
	if total < 20 || total > len(ip) || binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 || ip[9] != ProtocolTCP && ip[9] != ProtocolUDP {
		return ProblemNone, false
	}
	info := d.info
	mapped(&info.Src, ip[12:16])
	mapped(&info.Dst, ip[16:20])
	info.Protocol = ip[9]
	d.layers = 3 // as many as link counts
	if info.Protocol == ProtocolTCP {
		return d.tcp(ip[20:total], false), true
	}
	return d.udp(ip[20:total], false), true
}

// Overlapped tells whether the packet just decoded brought fragments into conflict.
func (d *Decoder) Overlapped() bool { return d.overlap }

// Later decodes the other reading of the datagram that the last Decode completed, in which later
// bytes replace earlier ones. It returns false when there is none.
func (d *Decoder) Later(info *Info) bool {
	if !d.hasLater {
		return false
	}
	d.hasLater = false
	*info = Info{Later: true, Reassembled: true, IPv6: d.later.v6, Src: d.later.src, Dst: d.later.dst, Tunnels: d.outer}
	d.info, d.layers = info, 0
	return d.transport(d.later.protocol, d.later.data, d.later.v6, false) == ProblemNone
}

func (d *Decoder) link(link capture.LinkType, b []byte) Problem {
	switch link {
	case capture.LinkEthernet:
		return d.ethernet(b)
	case capture.LinkRaw, capture.LinkRawBSD12, capture.LinkRawBSD14, capture.LinkIPv4, capture.LinkIPv6:
		return d.ip(b)
	case capture.LinkNull, capture.LinkLoop:
		return d.loopback(b)
	case capture.LinkSLL:
		if len(b) < 16 {
			return ProblemTruncated
		}
		return d.etherType(binary.BigEndian.Uint16(b[14:]), b[16:])
	case capture.LinkSLL2:
		if len(b) < 20 {
			return ProblemTruncated
		}
		return d.etherType(binary.BigEndian.Uint16(b), b[20:])
	case capture.LinkPPP, capture.LinkPPPHDLC, capture.LinkPPPPPPD:
		return d.ppp(b)
	case capture.LinkPPPWithDir:
		if len(b) < 1 {
			return ProblemTruncated
		}
		return d.ppp(b[1:])
	case capture.LinkPPPEther:
		return d.pppoe(b)
	case capture.LinkCiscoHDLC:
		if len(b) < 4 {
			return ProblemTruncated
		}
		return d.etherType(binary.BigEndian.Uint16(b[2:]), b[4:])
	case capture.LinkRadiotap:
		if len(b) < 4 || int(binary.LittleEndian.Uint16(b[2:])) > len(b) {
			return ProblemTruncated
		}
		return d.wireless(b[binary.LittleEndian.Uint16(b[2:]):])
	case capture.Link80211:
		return d.wireless(b)
	default:
		return ProblemLink
	}
}

// deeper counts a header and tells whether there were too many.
func (d *Decoder) deeper() bool {
	d.layers++
	return d.layers > maxLayers
}
