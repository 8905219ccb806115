package packet

import "encoding/binary"

// UDP ports of the tunnels that are looked into.
const (
	portVXLAN    = 4789
	portVXLANOld = 8472 // Linux's first choice, and OTV's
	portVXLANGPE = 4790
	portGENEVE   = 6081
	portGTP      = 2152
	portTeredo   = 3544
	portMPLS     = 6635
	portL2TP     = 1701
)

func tunnelPort(p uint16) bool {
	switch p {
	case portVXLAN, portVXLANOld, portVXLANGPE, portGENEVE, portGTP, portTeredo, portMPLS, portL2TP:
		return true
	default:
		return false
	}
}

// udpTunnel looks for a tunnel inside a UDP datagram. A port proves nothing, so the datagram
// stays what it was unless a whole TCP or UDP header comes out inside.
func (d *Decoder) udpTunnel(b []byte) {
	outside := *d.info
	if d.tunnelled(b) != ProblemNone {
		*d.info = outside
	}
}

func (d *Decoder) tunnelled(b []byte) Problem {
	if d.deeper() {
		return ProblemTooDeep
	}
	for _, port := range [2]uint16{d.info.DstPort, d.info.SrcPort} {
		var p Problem
		switch port {
		case portVXLAN, portVXLANOld:
			if len(b) < 8 || b[0]&0x08 == 0 {
				continue
			}
			p = d.ethernet(b[8:])
		case portVXLANGPE:
			p = d.vxlanGPE(b)
		case portGENEVE:
			p = d.geneve(b)
		case portGTP:
			p = d.gtp(b)
		case portTeredo:
			p = d.teredo(b)
		case portMPLS:
			p = d.mpls(b)
		case portL2TP:
			p = d.l2tp(b)
		default:
			continue
		}
		return p
	}
	return ProblemNotIP
}

func (d *Decoder) vxlanGPE(b []byte) Problem {
	if len(b) < 8 || b[0]&0x08 == 0 {
		return ProblemHeader
	}
	if b[0]&0x04 == 0 { // plain VXLAN on this port
		return d.ethernet(b[8:])
	}
	switch b[3] {
	case 1, 2:
		return d.ip(b[8:])
	case 3:
		return d.ethernet(b[8:])
	case 4:
		return d.nsh(b[8:])
	case 5:
		return d.mpls(b[8:])
	default:
		return ProblemNotIP
	}
}

// geneve reads RFC 8926.
func (d *Decoder) geneve(b []byte) Problem {
	if len(b) < 8 || b[0]>>6 != 0 {
		return ProblemHeader
	}
	length := 8 + int(b[0]&0x3f)*4
	if length > len(b) {
		return ProblemTruncated
	}
	return d.etherType(binary.BigEndian.Uint16(b[2:]), b[length:])
}

// gtp reads a user packet of GTP version 1 (3GPP TS 29.281, section 5).
func (d *Decoder) gtp(b []byte) Problem {
	if len(b) < 8 || b[0]>>5 != 1 || b[0]&0x10 == 0 || b[1] != 0xff {
		return ProblemHeader
	}
	flags := b[0]
	b = b[8:]
	if flags&7 == 0 {
		return d.ip(b)
	}
	if len(b) < 4 {
		return ProblemTruncated
	}
	next := b[3]
	b = b[4:]
	for flags&4 != 0 && next != 0 {
		if d.deeper() {
			return ProblemTooDeep
		}
		if len(b) < 1 || b[0] == 0 || int(b[0])*4 > len(b) {
			return ProblemHeader
		}
		length := int(b[0]) * 4
		next, b = b[length-1], b[length:]
	}
	return d.ip(b)
}

// teredo reads RFC 4380, section 5.1.1: IPv6 after optional indications.
func (d *Decoder) teredo(b []byte) Problem {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 {
		length := 4 + int(b[2]) + int(b[3]) + 9
		if length > len(b) {
			return ProblemTruncated
		}
		b = b[length:]
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 {
		b = b[8:]
	}
	if len(b) < 40 || b[0]>>4 != 6 {
		return ProblemHeader
	}
	return d.ip(b)
}

// l2tp reads a data message of version 2 (RFC 2661, section 3.1).
func (d *Decoder) l2tp(b []byte) Problem {
	if len(b) < 6 || b[0]&0x80 != 0 || b[1]&15 != 2 {
		return ProblemHeader
	}
	flags := b[0]
	length := 6
	if flags&0x40 != 0 {
		length += 2
	}
	if flags&0x08 != 0 {
		length += 4
	}
	if flags&0x02 != 0 {
		if len(b) < length+2 {
			return ProblemTruncated
		}
		length += 2 + int(binary.BigEndian.Uint16(b[length:]))
	}
	if length > len(b) {
		return ProblemTruncated
	}
	return d.ppp(b[length:])
}

// gre reads RFC 2784 and 2890, the routing entries of RFC 1701, and the version of PPTP (RFC 2637).
func (d *Decoder) gre(b []byte) Problem {
	if len(b) < 4 {
		return ProblemTruncated
	}
	if d.deeper() {
		return ProblemTooDeep
	}
	flags, protocol := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	version := flags & 7
	if version > 1 {
		return ProblemHeader
	}
	length := 4
	if flags&0xc000 != 0 && version == 0 { // checksum or routing: both fields are there
		length += 4
	}
	if flags&0x2000 != 0 {
		length += 4
	}
	sequence := flags&0x1000 != 0
	if sequence {
		length += 4
	}
	if version == 1 && flags&0x80 != 0 {
		length += 4
	}
	if version == 0 && flags&0x4000 != 0 {
		for {
			if length+4 > len(b) {
				return ProblemTruncated
			}
			family, size := binary.BigEndian.Uint16(b[length:]), int(b[length+3])
			length += 4
			if family == 0 && size == 0 {
				break
			}
			length += size
		}
	}
	if length > len(b) {
		return ProblemTruncated
	}
	b = b[length:]
	switch protocol {
	case etherERSPAN:
		if sequence { // type II has a header, type I neither a sequence number nor a header
			if len(b) < 8 {
				return ProblemTruncated
			}
			b = b[8:]
		}
		return d.ethernet(b)
	case etherERSPAN3:
		if len(b) < 12 {
			return ProblemTruncated
		}
		frame, sub := b[10]>>3&0x1f, b[11]&1 == 1
		b = b[12:]
		if sub {
			if len(b) < 8 {
				return ProblemTruncated
			}
			b = b[8:]
		}
		if frame == 2 {
			return d.ip(b)
		}
		return d.ethernet(b)
	default:
		return d.etherType(protocol, b)
	}
}
