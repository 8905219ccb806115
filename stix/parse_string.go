package stix

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads the string whose opening quote is at pos. start and end are of its text: in src, or in decoded when it has
// escapes.
func (p *parser) str(pos int) (start, end int, escaped bool, after int) {
	src := p.src
	i, high := pos+1, false
	for {
		for i+8 <= len(src) { // eight bytes at once: stop at a quote, a backslash, a control or a non-ASCII character
			w := binary.LittleEndian.Uint64(src[i:])
			if stop(w) != 0 {
				break
			}
			i += 8
		}
		for i < len(src) && plain[src[i]] {
			i++
		}
		if i >= len(src) {
			return 0, 0, false, p.fail(NotJSON, len(src), "a string is not closed")
		}
		switch c := src[i]; {
		case c == '"':
			if high && !utf8.Valid(src[pos+1:i]) {
				return 0, 0, false, p.fail(InvalidUTF8, pos+1+invalidAt(src[pos+1:i]), "")
			}
			return pos + 1, i, false, i + 1
		case c == '\\':
			return p.escapedStr(pos, i)
		case c < 0x20:
			return 0, 0, false, p.fail(NotJSON, i, "a control character in a string")
		default:
			high = true
			i++
		}
	}
}

// stop has a high bit set for every byte of w that ends a run of plain characters (it may have more of them above the
// first, which does no harm).
func stop(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return (w | (w - ones*0x20) | (quote - ones) | (slash - ones)) & highs
}

// plain are the ASCII characters that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// escapedStr reads the string whose opening quote is at pos and whose first backslash is at i.
func (p *parser) escapedStr(pos, i int) (start, end int, escaped bool, after int) {
	src := p.src
	start = len(p.decoded)
	from := pos + 1
	for {
		if i >= len(src) {
			return 0, 0, false, p.fail(NotJSON, len(src), "a string is not closed")
		}
		switch c := src[i]; {
		case c == '"' || c == '\\':
			if !utf8.Valid(src[from:i]) {
				return 0, 0, false, p.fail(InvalidUTF8, from+invalidAt(src[from:i]), "")
			}
			p.decoded = append(p.decoded, src[from:i]...)
			if c == '"' {
				return start, len(p.decoded), true, i + 1
			}
			if i = p.escape(i); i < 0 {
				return 0, 0, false, -1
			}
			from = i
		case c < 0x20:
			return 0, 0, false, p.fail(NotJSON, i, "a control character in a string")
		default:
			i++
		}
		for i+8 <= len(src) && stop(binary.LittleEndian.Uint64(src[i:])) == 0 {
			i += 8
		}
		for i < len(src) && plain[src[i]] {
			i++
		}
	}
}

// escape decodes the escape whose backslash is at i.
func (p *parser) escape(i int) int {
	src := p.src
	if i+1 >= len(src) {
		return p.fail(NotJSON, i, "a string is not closed")
	}
	switch c := src[i+1]; c {
	case '"', '\\', '/':
		p.decoded = append(p.decoded, c)
	case 'b':
		p.decoded = append(p.decoded, '\b')
	case 'f':
		p.decoded = append(p.decoded, '\f')
	case 'n':
		p.decoded = append(p.decoded, '\n')
	case 'r':
		p.decoded = append(p.decoded, '\r')
	case 't':
		p.decoded = append(p.decoded, '\t')
	case 'u':
		r, ok := hex4(src, i+2)
		if !ok {
			return p.fail(NotJSON, i, "a \\u escape without four hexadecimal digits")
		}
		i += 6
		if utf16.IsSurrogate(r) {
			low, ok := rune(0), false
			if i+1 < len(src) && src[i] == '\\' && src[i+1] == 'u' {
				low, ok = hex4(src, i+2)
			}
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				return p.fail(InvalidUTF8, i-6, "an unpaired surrogate")
			}
			i += 6
		}
		p.decoded = utf8.AppendRune(p.decoded, r)
		return i
	default:
		return p.fail(NotJSON, i, "an unknown escape")
	}
	return i + 2
}

func hex4(src []byte, pos int) (r rune, ok bool) {
	if pos+4 > len(src) {
		return 0, false
	}
	for _, c := range src[pos : pos+4] {
		d := hexDigit[c]
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// hexDigit is the value of a hexadecimal digit, -1 for other bytes.
var hexDigit = func() (t [256]int8) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			t[i] = int8(c - '0')
		case c >= 'a' && c <= 'f':
			t[i] = int8(c-'a') + 10
		case c >= 'A' && c <= 'F':
			t[i] = int8(c-'A') + 10
		default:
			t[i] = -1
		}
	}
	return t
}()
