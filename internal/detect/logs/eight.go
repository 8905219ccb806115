package logs

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// The functions of this file find where something in a line ends, eight bytes at a time. Values of logs are short and of any length: a loop over
// their bytes is foretold wrongly at the end of each, and a search made for long texts takes as long to begin.

const (
	ones = 0x0101010101010101
	high = 0x80 * ones
	low  = 0x7f * ones
	// oneCase makes of [ and ], which are 32 less, { and }. A comma stays one.
	oneCase = 0x20 * ones
)

// zeros marks by the highest bit the first byte that is zero, and behind it perhaps others.
func zeros(w uint64) uint64 { return (w - ones) &^ w & high }

// blank marks the first byte that is a space or a control character, and behind it perhaps others.
func blank(w uint64) uint64 { return (w - ' '*ones - ones) &^ w & high }

// quoteOrEscape finds the first quote or backslash from a place on, or gives the text's length.
func quoteOrEscape(b []byte, at int) int {
	for ; at+8 <= len(b); at += 8 {
		w := binary.LittleEndian.Uint64(b[at:])
		if found := zeros(w^'"'*ones) | zeros(w^'\\'*ones); found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(b) && b[at] != '"' && b[at] != '\\' {
		at++
	}
	return at
}

// wordEnd finds where a number or word ends: the first comma, closing bracket, space or control character, or the text's length.
func wordEnd(b []byte, at int) int {
	for ; at+8 <= len(b); at += 8 {
		w := binary.LittleEndian.Uint64(b[at:])
		if found := zeros(w^','*ones) | zeros(w|oneCase^'}'*ones) | blank(w); found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(b) && b[at] > ' ' && b[at] != ',' && b[at] != '}' && b[at] != ']' {
		at++
	}
	return at
}

// quoteOrBracket finds the first quote or bracket of any kind, or gives the text's length.
func quoteOrBracket(b []byte, at int) int {
	for ; at+8 <= len(b); at += 8 {
		w := binary.LittleEndian.Uint64(b[at:])
		if found := zeros(w^'"'*ones) | zeros(w|oneCase^'{'*ones) | zeros(w|oneCase^'}'*ones); found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(b) && b[at] != '"' && b[at]|0x20 != '{' && b[at]|0x20 != '}' {
		at++
	}
	return at
}

// firstOf finds the first byte of a sort, or gives -1.
func firstOf(b []byte, want byte) int {
	at := 0
	for sought := uint64(want) * ones; at+8 <= len(b); at += 8 {
		if found := zeros(binary.LittleEndian.Uint64(b[at:]) ^ sought); found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for ; at < len(b); at++ {
		if b[at] == want {
			return at
		}
	}
	return -1
}

// behindString gives the place behind a string that begins before at, behind its first quote; -1 when it does not end.
func behindString(b []byte, at int) int {
	for {
		at = quoteOrEscape(b, at)
		if at >= len(b) {
			return -1
		}
		if b[at] == '"' {
			return at + 1
		}
		at += 2 // whatever it is that is escaped, it does not end the string
	}
}

// behindNested gives the place behind a list or object that begins at a place; -1 when it does not end. Brackets are counted, not told
// from each other.
func behindNested(b []byte, at int) int {
	for depth := 0; ; {
		at = quoteOrBracket(b, at)
		if at >= len(b) {
			return -1
		}
		switch b[at] {
		case '"':
			if at = behindString(b, at+1); at < 0 {
				return -1
			}
			continue
		case '{', '[':
			depth++
		default:
			depth--
		}
		if at++; depth == 0 {
			return at
		}
	}
}

// behindValue gives the place behind the value that comes; -1 when there is none that ends.
func behindValue(b []byte, at int) int {
	if at >= len(b) {
		return -1
	}
	switch b[at] {
	case ' ', '\t', '\n', '\r':
		return behindValue(b, at+1+len(b[at+1:])-len(bytes.TrimLeft(b[at+1:], " \t\n\r")))
	case '"':
		return behindString(b, at+1)
	case '{', '[':
		return behindNested(b, at)
	}
	end := wordEnd(b, at)
	if end == at {
		return -1
	}
	return end
}
