package hello

import (
	"crypto/md5" // #nosec: JA3 is defined with it; it is a name here, not a protection
	"encoding/hex"
	"strconv"
)

// JA3 gives the fingerprint of a client hello that https://github.com/salesforce/ja3 defines:
// the MD5, in lower-case hexadecimal, of version, ciphers, extensions, groups and point formats
// in decimal, GREASE left out.
func (h *ClientHello) JA3() string {
	var space [2048]byte
	b := strconv.AppendUint(space[:0], uint64(h.Version), 10)
	b = append(b, ',')
	if h.SSL2 {
		b = appendTriples(b, h.Ciphers)
	} else {
		b = appendDecimals(b, h.Ciphers)
	}
	b = append(b, ',')
	b = h.appendExtensions(b)
	b = append(b, ',')
	b = appendDecimals(b, h.Groups)
	b = append(b, ',')
	for i, v := range h.PointFormats {
		if i > 0 {
			b = append(b, '-')
		}
		b = strconv.AppendUint(b, uint64(v), 10)
	}
	sum := md5.Sum(b) // #nosec: see above
	return hex.EncodeToString(sum[:])
}

func (h *ClientHello) appendExtensions(b []byte) []byte {
	var cut bool
	mark := len(b)
	for kind := range extensions(h.Extensions, &cut) {
		if grease(kind) {
			continue
		}
		if len(b) > mark {
			b = append(b, '-')
		}
		b = strconv.AppendUint(b, uint64(kind), 10)
	}
	return b
}

func appendDecimals(b, values []byte) []byte {
	mark := len(b)
	for ; len(values) >= 2; values = values[2:] {
		v := uint16(values[0])<<8 | uint16(values[1])
		if grease(v) {
			continue
		}
		if len(b) > mark {
			b = append(b, '-')
		}
		b = strconv.AppendUint(b, uint64(v), 10)
	}
	return b
}

func appendTriples(b, values []byte) []byte {
	mark := len(b)
	for ; len(values) >= 3; values = values[3:] {
		if len(b) > mark {
			b = append(b, '-')
		}
		b = strconv.AppendUint(b, uint64(values[0])<<16|uint64(values[1])<<8|uint64(values[2]), 10)
	}
	return b
}

// JA3S gives the fingerprint of a server hello from the same source: the MD5 of version, cipher
// and extensions in decimal.
func (h *ServerHello) JA3S() string {
	var space [256]byte
	b := strconv.AppendUint(space[:0], uint64(h.Legacy), 10)
	b = append(b, ',')
	b = strconv.AppendUint(b, uint64(h.Cipher), 10)
	b = append(b, ',')
	mark := len(b)
	var cut bool
	for kind := range extensions(h.Extensions, &cut) {
		if len(b) > mark {
			b = append(b, '-')
		}
		b = strconv.AppendUint(b, uint64(kind), 10)
	}
	sum := md5.Sum(b) // #nosec: see above
	return hex.EncodeToString(sum[:])
}
