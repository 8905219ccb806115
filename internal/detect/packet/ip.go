package packet

import "encoding/binary"

func (d *Decoder) ip(b []byte) Problem {
	if len(b) < 1 {
		return ProblemTruncated
	}
	if d.deeper() {
		return ProblemTooDeep
	}
	switch b[0] >> 4 {
	case 4:
		return d.ipv4(b)
	case 6:
		return d.ipv6(b)
	default:
		return ProblemNotIP
	}
}

// enter begins an IP header: whatever was read before it belongs to a tunnel around it.
func (d *Decoder) enter() {
	if d.info.Protocol != 0 {
		d.info.Tunnels++
	}
	d.info.SrcPort, d.info.DstPort, d.info.Flags = 0, 0, 0
}

func (d *Decoder) ipv4(b []byte) Problem {
	if len(b) < 20 {
		return ProblemTruncated
	}
	header := int(b[0]&15) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 {
		return ProblemHeader
	}
	cut := false
	switch {
	case total == 0: // segmentation offloading leaves it empty
		total = len(b)
	case total < header:
		return ProblemHeader
	case total > len(b):
		total, cut = len(b), true
	}
	if header > total {
		return ProblemTruncated
	}
	d.enter()
	info := d.info
	info.IPv6 = false
	mapped(&info.Src, b[12:16])
	mapped(&info.Dst, b[16:20])
	info.Protocol = b[9]
	payload := b[header:total]
	if frag := binary.BigEndian.Uint16(b[6:]); frag&0x3fff != 0 {
		if cut {
			return ProblemFragmentBad
		}
		return d.fragment(fragmentKey{
			src: info.Src, dst: info.Dst, id: uint32(binary.BigEndian.Uint16(b[4:])), protocol: b[9],
		}, int(frag&0x1fff)*8, frag&0x2000 != 0, payload)
	}
	return d.transport(b[9], payload, false, cut)
}

// mapped makes an IPv4 address one of IPv6. It writes eight bytes at a time: what reads addresses reads no less.
func mapped(a *[16]byte, b []byte) {
	binary.LittleEndian.PutUint64(a[:8], 0)
	binary.LittleEndian.PutUint64(a[8:], 0xffff<<16|uint64(binary.LittleEndian.Uint32(b))<<32)
}

func (d *Decoder) ipv6(b []byte) Problem {
	if len(b) < 40 {
		return ProblemTruncated
	}
	d.enter()
	info := d.info
	info.IPv6 = true
	info.Src, info.Dst = [16]byte(b[8:24]), [16]byte(b[24:40])
	info.Protocol = b[6]
	length := int(binary.BigEndian.Uint16(b[4:]))
	next, payload := b[6], b[40:]
	cut := false
	if length > 0 { // zero: a jumbogram, or offloading
		if length > len(payload) {
			cut = true
		} else {
			payload = payload[:length]
		}
	}
	return d.extensions(next, payload, cut)
}

// IPv6 extension headers (RFC 8200, section 4).
const (
	nextHopByHop    = 0
	nextIPv4        = 4
	nextIPv6        = 41
	nextRouting     = 43
	nextFragment    = 44
	nextGRE         = 47
	nextAuth        = 51
	nextDestination = 60
	nextEtherIP     = 97
	nextMPLS        = 137
	nextMobility    = 135
	nextHIP         = 139
	nextShim6       = 140
)

func (d *Decoder) extensions(next uint8, b []byte, cut bool) Problem {
	for {
		switch next {
		case nextHopByHop, nextRouting, nextDestination, nextMobility, nextHIP, nextShim6:
			if d.deeper() {
				return ProblemTooDeep
			}
			if len(b) < 8 {
				return ProblemTruncated
			}
			length := int(b[1])*8 + 8
			if length > len(b) {
				return ProblemTruncated
			}
			next, b = b[0], b[length:]
		case nextFragment:
			if d.deeper() {
				return ProblemTooDeep
			}
			if len(b) < 8 {
				return ProblemTruncated
			}
			frag := binary.BigEndian.Uint16(b[2:])
			if frag&0xfff9 == 0 { // an atomic fragment (RFC 6946)
				next, b = b[0], b[8:]
				continue
			}
			if cut {
				return ProblemFragmentBad
			}
			return d.fragment(fragmentKey{
				src: d.info.Src, dst: d.info.Dst, id: binary.BigEndian.Uint32(b[4:]), protocol: b[0], v6: true,
			}, int(frag&0xfff8), frag&1 != 0, b[8:])
		default:
			return d.transport(next, b, true, cut)
		}
	}
}

// transport reads what an IP packet carries.
func (d *Decoder) transport(protocol uint8, b []byte, v6, cut bool) Problem {
	if v6 {
		switch protocol {
		case nextHopByHop, nextRouting, nextDestination, nextMobility, nextHIP, nextShim6:
			return d.extensions(protocol, b, cut) // found inside a reassembled datagram
		case nextFragment:
			return ProblemFragmentBad
		}
	}
	d.info.Protocol = protocol
	switch protocol {
	case ProtocolTCP:
		return d.tcp(b, cut)
	case ProtocolUDP:
		return d.udp(b, cut)
	case nextIPv4, nextIPv6:
		return d.ip(b)
	case nextGRE:
		return d.gre(b)
	case nextAuth:
		if len(b) < 12 {
			return ProblemTruncated
		}
		length := int(b[1])*4 + 8
		if length > len(b) {
			return ProblemTruncated
		}
		if d.deeper() {
			return ProblemTooDeep
		}
		if v6 {
			return d.extensions(b[0], b[length:], cut)
		}
		return d.transport(b[0], b[length:], v6, cut)
	case nextEtherIP:
		if len(b) < 2 {
			return ProblemTruncated
		}
		return d.ethernet(b[2:])
	case nextMPLS:
		return d.mpls(b)
	default:
		return ProblemProtocol
	}
}

func (d *Decoder) tcp(b []byte, cut bool) Problem {
	if len(b) < 20 {
		return ProblemTruncated
	}
	header := int(b[12]>>4) * 4
	if header < 20 {
		return ProblemHeader
	}
	if header > len(b) {
		return ProblemTruncated
	}
	info := d.info
	info.SrcPort, info.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	info.Seq, info.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	info.Flags = b[13]
	info.Payload, info.Cut = b[header:], cut
	if header > 20 {
		tcpTimestamp(info, b[20:header])
	}
	return ProblemNone
}

// tcpTimestamp finds the timestamp option (RFC 7323).
func tcpTimestamp(info *Info, opts []byte) {
	// Nearly every segment has it in this place.
	if len(opts) == 12 && opts[0] == 1 && opts[1] == 1 && opts[2] == 8 && opts[3] == 10 {
		opts = opts[2:]
	}
	for len(opts) > 0 {
		switch opts[0] {
		case 0:
			return
		case 1:
			opts = opts[1:]
			continue
		}
		if len(opts) < 2 || opts[1] < 2 || int(opts[1]) > len(opts) {
			return
		}
		if opts[0] == 8 && opts[1] == 10 {
			info.HasTimestamp = true
			info.TSVal, info.TSEcr = binary.BigEndian.Uint32(opts[2:]), binary.BigEndian.Uint32(opts[6:])
			return
		}
		opts = opts[opts[1]:]
	}
}

func (d *Decoder) udp(b []byte, cut bool) Problem {
	if len(b) < 8 {
		return ProblemTruncated
	}
	info := d.info
	info.SrcPort, info.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	length := int(binary.BigEndian.Uint16(b[4:]))
	payload := b[8:]
	if length >= 8 && length-8 <= len(payload) {
		payload = payload[:length-8]
	} else if length > 8 {
		cut = true
	}
	info.Payload, info.Cut = payload, cut
	if tunnelPort(info.SrcPort) || tunnelPort(info.DstPort) {
		d.udpTunnel(payload)
	}
	return ProblemNone
}
