package packet

import "encoding/binary"

// Ether types (https://www.iana.org/assignments/ieee-802-numbers).
const (
	etherIPv4      = 0x0800
	etherIPv6      = 0x86dd
	etherVLAN      = 0x8100
	etherQinQ      = 0x88a8
	etherQinQOld   = 0x9100
	etherQinQOld2  = 0x9200
	etherMPLS      = 0x8847
	etherMPLSMulti = 0x8848
	etherPPPoE     = 0x8864
	etherPPP       = 0x880b
	etherBridged   = 0x6558
	etherERSPAN    = 0x88be
	etherERSPAN3   = 0x22eb
	etherPBB       = 0x88e7
	etherVNTag     = 0x8926
	etherNSH       = 0x894f
)

func (d *Decoder) ethernet(b []byte) Problem {
	if len(b) < 14 {
		return ProblemTruncated
	}
	if d.deeper() {
		return ProblemTooDeep
	}
	t := binary.BigEndian.Uint16(b[12:])
	if t <= 1500 {
		return d.llc(b[14:])
	}
	return d.etherType(t, b[14:])
}

// llc reads an IEEE 802.2 header, which only matters when SNAP follows.
func (d *Decoder) llc(b []byte) Problem {
	if len(b) < 8 {
		return ProblemNotIP
	}
	if b[0] != 0xaa || b[1] != 0xaa || b[2] != 3 {
		return ProblemNotIP
	}
	return d.etherType(binary.BigEndian.Uint16(b[6:]), b[8:])
}

func (d *Decoder) etherType(t uint16, b []byte) Problem {
	for {
		if d.deeper() {
			return ProblemTooDeep
		}
		switch t {
		case etherIPv4, etherIPv6:
			return d.ip(b)
		case etherVLAN, etherQinQ, etherQinQOld, etherQinQOld2:
			if len(b) < 4 {
				return ProblemTruncated
			}
			t, b = binary.BigEndian.Uint16(b[2:]), b[4:]
			if t <= 1500 {
				return d.llc(b)
			}
		case etherVNTag:
			if len(b) < 6 {
				return ProblemTruncated
			}
			t, b = binary.BigEndian.Uint16(b[4:]), b[6:]
		case etherPBB:
			if len(b) < 4 {
				return ProblemTruncated
			}
			return d.ethernet(b[4:])
		case etherMPLS, etherMPLSMulti:
			return d.mpls(b)
		case etherPPPoE:
			return d.pppoe(b)
		case etherPPP:
			return d.ppp(b)
		case etherBridged:
			return d.ethernet(b)
		case etherNSH:
			return d.nsh(b)
		default:
			return ProblemNotIP
		}
	}
}

// loopback reads the four bytes of BSD loopback: an address family, whose number and byte order
// depend on the system that captured. The IP version says the same more reliably.
func (d *Decoder) loopback(b []byte) Problem {
	if len(b) < 4 {
		return ProblemTruncated
	}
	family := binary.LittleEndian.Uint32(b)
	if family > 0xffff {
		family = binary.BigEndian.Uint32(b)
	}
	switch family {
	case 2, 10, 23, 24, 28, 30:
		return d.ip(b[4:])
	default:
		return ProblemNotIP
	}
}

// ppp reads RFC 1661 with or without the HDLC-like framing of RFC 1662 and with the protocol
// field compressed or not.
func (d *Decoder) ppp(b []byte) Problem {
	if d.deeper() {
		return ProblemTooDeep
	}
	if len(b) >= 2 && b[0] == 0xff && b[1] == 3 {
		b = b[2:]
	}
	// Cisco HDLC travels under the same link type.
	if len(b) >= 4 && (b[0] == 0x0f || b[0] == 0x8f) && b[1] == 0 {
		return d.etherType(binary.BigEndian.Uint16(b[2:]), b[4:])
	}
	if len(b) < 2 {
		return ProblemTruncated
	}
	protocol := uint16(b[0])
	if b[0]&1 == 1 {
		b = b[1:]
	} else {
		protocol, b = binary.BigEndian.Uint16(b), b[2:]
	}
	switch protocol {
	case 0x0021, 0x0057:
		return d.ip(b)
	case 0x0281, 0x0283:
		return d.mpls(b)
	default:
		return ProblemNotIP
	}
}

func (d *Decoder) pppoe(b []byte) Problem {
	if len(b) < 6 {
		return ProblemTruncated
	}
	if b[0] != 0x11 || b[1] != 0 {
		return ProblemNotIP // a discovery packet, or another version
	}
	return d.ppp(b[6:])
}

// mpls pops labels (RFC 3032). What lies below is not named: the first nibble decides, and zero
// is a pseudowire's control word (RFC 4385) with Ethernet below.
func (d *Decoder) mpls(b []byte) Problem {
	for {
		if len(b) < 4 {
			return ProblemTruncated
		}
		if d.deeper() {
			return ProblemTooDeep
		}
		bottom := b[2]&1 == 1
		b = b[4:]
		if bottom {
			break
		}
	}
	if len(b) < 1 {
		return ProblemTruncated
	}
	switch b[0] >> 4 {
	case 4, 6:
		return d.ip(b)
	case 0:
		if len(b) < 4 {
			return ProblemTruncated
		}
		return d.ethernet(b[4:])
	default:
		return d.ethernet(b)
	}
}

// nsh reads a service chaining header (RFC 8300).
func (d *Decoder) nsh(b []byte) Problem {
	if len(b) < 8 {
		return ProblemTruncated
	}
	length := int(binary.BigEndian.Uint16(b)&0x3f) * 4
	if length < 8 {
		return ProblemHeader
	}
	if length > len(b) {
		return ProblemTruncated
	}
	if d.deeper() {
		return ProblemTooDeep
	}
	next := b[3]
	b = b[length:]
	switch next {
	case 1, 2:
		return d.ip(b)
	case 3:
		return d.ethernet(b)
	case 5:
		return d.mpls(b)
	default:
		return ProblemNotIP
	}
}

// wireless reads an unencrypted IEEE 802.11 data frame.
func (d *Decoder) wireless(b []byte) Problem {
	if len(b) < 24 {
		return ProblemTruncated
	}
	if b[0]&0x0c != 0x08 || b[0]&0x40 != 0 || b[1]&0x40 != 0 {
		return ProblemNotIP // not data, or without data, or encrypted
	}
	length := 24
	if b[1]&3 == 3 {
		length += 6
	}
	if b[0]&0x80 != 0 {
		length += 2
		if b[1]&0x80 != 0 {
			length += 4
		}
	}
	if len(b) < length {
		return ProblemTruncated
	}
	return d.llc(b[length:])
}
