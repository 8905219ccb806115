package stix

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical appends the canonical form (RFC 8785) of a JSON value to dst. It is what identifiers of observables are made
// from; received objects are never rewritten with it.
func (v Value) Canonical(dst []byte) []byte {
	if v.t == nil {
		return dst
	}
	return v.t.canonical(dst, v.i)
}

func (t *tape) canonical(dst []byte, at int32) []byte {
	n := t.nodes[at]
	switch n.kind {
	case isString:
		return appendString(dst, t.text(at))
	case isNumber:
		f, _ := strconv.ParseFloat(string(t.text(at)), 64)
		return appendNumber(dst, f)
	case isArray:
		dst = append(dst, '[')
		for i := at + 1; i < n.next; i = t.nodes[i].next {
			if i > at+1 {
				dst = append(dst, ',')
			}
			dst = t.canonical(dst, i)
		}
		return append(dst, ']')
	case isObject:
		members := make([]int32, 0, n.count)
		for i := at + 1; i < n.next; i = t.nodes[i].next {
			members = append(members, i)
		}
		slices.SortFunc(members, func(a, b int32) int { return compareUTF16(t.key(a), t.key(b)) })
		dst = append(dst, '{')
		for k, i := range members {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, t.key(i))
			dst = append(dst, ':')
			dst = t.canonical(dst, i)
		}
		return append(dst, '}')
	}
	return append(dst, t.src[n.start:n.end]...)
}

// compareUTF16 orders names by their UTF-16 code units, as section 3.2.3 of RFC 8785 wants it.
func compareUTF16(a, b []byte) int {
	return slices.Compare(utf16.Encode([]rune(string(a))), utf16.Encode([]rune(string(b))))
}

func appendString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			_, n := utf8.DecodeRune(s[i:])
			dst = append(dst, s[i:i+n]...)
			i += n
			continue
		}
		i++
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			if c < 0x20 {
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				dst = append(dst, c)
			}
		}
	}
	return append(dst, '"')
}

// appendNumber writes a double as ECMAScript does: the shortest digits that read back as the same value.
func appendNumber(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0')
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	for i := start; i < len(dst); i++ { // e-07 is written e-7
		if dst[i] == 'e' && i+2 < len(dst)-1 && dst[i+2] == '0' {
			dst = append(dst[:i+2], dst[i+3:]...)
		}
	}
	return dst
}
