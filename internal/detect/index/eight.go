package index

import (
	"encoding/binary"
)

// The functions of this file read the names and addresses that nearly all traffic consists of eight bytes at a time. A text is as
// long and has its dots where it pleases: a loop over its bytes is foretold wrongly at each of them, and that costs more than all else.
// What they do not take, those of canonical.go look at.

const (
	ones = 0x0101010101010101
	high = 0x80 * ones
	low  = 0x7f * ones
)

// zeros has the highest bit of each byte that is zero.
func zeros(w uint64) uint64 { return ^(w&low + low | w | low) }

// within has the highest bit of each byte from first to last, both below 128.
func within(w uint64, first, last byte) uint64 {
	l := w & low
	return (l + uint64(0x80-first)*ones) &^ (l + uint64(0x7f-last)*ones) &^ w & high
}

const mostPlain = maxLabel // bytes of a name in which no label is too long

// appendPlainDomain appends the key of a name of 8 to 63 letters, digits, hyphens, underscores and dots, none of which is the last
// byte. It takes no other name.
func appendPlainDomain(dst, name []byte) (key []byte, ok bool) {
	n := len(name)
	if n < 8 || n > mostPlain || name[n-1] == '.' {
		return dst, false
	}
	begin := len(dst)
	if cap(dst)-begin < n {
		dst = append(dst, name...)
	}
	out := dst[begin : begin+n]
	after := uint64(0x80) // the byte before is a dot, as it were: no label is empty
	for at := 0; ; at += 8 {
		if at > n-8 { // the rest, and some of what was looked at
			if at == n {
				break
			}
			at, after = n-8, 0
		}
		w := binary.LittleEndian.Uint64(name[at:])
		w |= within(w, 'A', 'Z') >> 2
		dots := zeros(w ^ '.'*ones)
		if within(w, 'a', 'z')|within(w, '0', '9')|zeros(w^'-'*ones)|zeros(w^'_'*ones)|dots != high || dots&(dots<<8|after) != 0 {
			return dst[:begin], false
		}
		binary.LittleEndian.PutUint64(out[at:], w)
		after = dots >> 56
	}
	return dst[:begin+n], true
}
