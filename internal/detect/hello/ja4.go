package hello

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Transport is what carries a hello; its value is the first character of a JA4.
type Transport byte

// The transports.
const (
	OverTCP  Transport = 't'
	OverQUIC Transport = 'q'
	OverDTLS Transport = 'd'
)

// String names the transport the way events print it.
func (t Transport) String() string {
	switch t {
	case OverTCP:
		return "tcp"
	case OverQUIC:
		return "quic"
	default:
		return "dtls"
	}
}

// JA4 gives the client fingerprint that FoxIO defines in
// https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md (BSD 3-Clause):
// transport, version, server name or not, counts of ciphers and extensions, ALPN; a hash of the
// ciphers sorted; a hash of the extensions sorted with the signature algorithms as sent.
// GREASE is ignored everywhere.
func (h *ClientHello) JA4(transport Transport) string {
	var cipherSpace, extensionSpace [256]uint16
	ciphers, kinds := h.cipherList(cipherSpace[:0]), extensionSpace[:0]
	var cut bool
	for kind := range extensions(h.Extensions, &cut) {
		if !grease(kind) {
			kinds = append(kinds, kind)
		}
	}
	b := make([]byte, 0, 36)
	b = append(b, byte(transport))
	b = append(b, ja4Version(h.highestVersion())...)
	if h.HasServerName {
		b = append(b, 'd')
	} else {
		b = append(b, 'i')
	}
	b = appendTwoDigits(b, len(ciphers))
	b = appendTwoDigits(b, len(kinds))
	b = appendALPN(b, h.ALPN)

	var space [4096]byte
	slices.Sort(ciphers)
	b = append(b, '_')
	b = appendHash12(b, appendHexList(space[:0], ciphers))
	kinds = slices.DeleteFunc(kinds, func(k uint16) bool { return k == extServerName || k == extALPN })
	slices.Sort(kinds)
	text := appendHexList(space[:0], kinds)
	var algorithmSpace [128]uint16
	if algorithms := withoutGrease(algorithmSpace[:0], h.SignatureAlgorithms); len(algorithms) > 0 {
		text = append(text, '_')
		text = appendHexList(text, algorithms)
	}
	b = append(b, '_')
	b = appendHash12(b, text)
	return string(b)
}

// cipherList gives the ciphers without GREASE. Of the three-byte ciphers in the form of SSL 2
// those are listed that later versions know too: the first byte of the others is not zero.
func (h *ClientHello) cipherList(list []uint16) []uint16 {
	if !h.SSL2 {
		return withoutGrease(list, h.Ciphers)
	}
	for c := h.Ciphers; len(c) >= 3; c = c[3:] {
		if c[0] == 0 {
			list = append(list, uint16(c[1])<<8|uint16(c[2]))
		}
	}
	return list
}

func withoutGrease(list []uint16, values []byte) []uint16 {
	for ; len(values) >= 2; values = values[2:] {
		if v := uint16(values[0])<<8 | uint16(values[1]); !grease(v) {
			list = append(list, v)
		}
	}
	return list
}

// highestVersion is the highest supported version, or the version of the hello where it does not
// list any. Versions of DTLS count downwards.
func (h *ClientHello) highestVersion() uint16 {
	if !h.HasVersions {
		return h.Version
	}
	var best uint16
	for v := h.Versions; len(v) >= 2; v = v[2:] {
		version := uint16(v[0])<<8 | uint16(v[1])
		if grease(version) {
			continue
		}
		switch dtls := version>>8 == 0xfe; {
		case best == 0, !dtls && version > best, dtls && best>>8 == 0xfe && version < best:
			best = version
		}
	}
	return best
}

func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	case 0xfeff:
		return "d1"
	case 0xfefd:
		return "d2"
	case 0xfefc:
		return "d3"
	default:
		return "00"
	}
}

func appendTwoDigits(b []byte, n int) []byte {
	n = min(n, 99)
	return append(b, byte('0'+n/10), byte('0'+n%10))
}

// appendALPN adds the first and last character of the first protocol, or of its hexadecimal form
// when one of them is not a letter or digit of ASCII.
func appendALPN(b, alpn []byte) []byte {
	for name := range Protocols(alpn) {
		if len(name) == 0 {
			break
		}
		first, last := name[0], name[len(name)-1]
		if alphanumeric(first) && alphanumeric(last) {
			return append(b, first, last)
		}
		const digits = "0123456789abcdef"
		return append(b, digits[first>>4], digits[last&15])
	}
	return append(b, '0', '0')
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func appendHexList(b []byte, list []uint16) []byte {
	const digits = "0123456789abcdef"
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
	}
	return b
}

// appendHash12 adds the first twelve hexadecimal digits of the SHA-256, zeros for an empty text.
func appendHash12(b, text []byte) []byte {
	if len(text) == 0 {
		return append(b, "000000000000"...)
	}
	sum := sha256.Sum256(text)
	return hex.AppendEncode(b, sum[:6])
}

// Highest is the highest version the client offers.
func (h *ClientHello) Highest() uint16 { return h.highestVersion() }
