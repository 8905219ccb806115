package logs

import (
	"unicode/utf16"
	"unicode/utf8"
)

// cursor steps through one JSON text. It takes what JSON allows and, in what is stepped over, some of what it does not:
// lines are read for values in known fields, not to be judged. bad says that the text ended or made no sense.
type cursor struct {
	b    []byte
	i    int
	bad  bool
	room []byte // where strings with escapes are put together
}

func (c *cursor) fail() { c.bad, c.i = true, len(c.b) }

func (c *cursor) space() {
	for c.i < len(c.b) && (c.b[c.i] == ' ' || c.b[c.i] == '\t' || c.b[c.i] == '\n' || c.b[c.i] == '\r') {
		c.i++
	}
}

// peek gives the first byte of the value that comes, 0 at the end. Nearly always it is the next byte.
func (c *cursor) peek() byte {
	if c.i < len(c.b) && c.b[c.i] > ' ' {
		return c.b[c.i]
	}
	return c.peekBehindSpace()
}

func (c *cursor) peekBehindSpace() byte {
	c.space()
	if c.i >= len(c.b) {
		return 0
	}
	return c.b[c.i]
}

// at tells whether a byte comes, without space before it.
func (c *cursor) at(want byte) bool { return c.i < len(c.b) && c.b[c.i] == want }

func (c *cursor) take(want byte) bool {
	if c.at(want) || c.peek() == want {
		c.i++
		return true
	}
	return false
}

// element begins or goes on with a list: true with the cursor at the next value, false at the list's end.
func (c *cursor) element(first bool) bool {
	if first {
		if !c.take('[') {
			c.fail()
			return false
		}
		return !c.take(']') && !c.bad
	}
	if c.take(']') {
		return false
	}
	if !c.take(',') {
		c.fail()
		return false
	}
	return true
}

// raw steps over a string and gives what is between its quotes, and where its first backslash is, -1 when there is none.
func (c *cursor) raw() (text []byte, escape int) {
	begin := c.i + 1
	escape = -1
	for at := begin; ; {
		at = quoteOrEscape(c.b, at)
		switch {
		case at >= len(c.b):
			c.fail()
			return nil, -1
		case c.b[at] == '"':
			c.i = at + 1
			return c.b[begin:at], escape
		case escape < 0:
			escape = at - begin
		}
		at += 2 // whatever it is that is escaped, it does not end the string
	}
}

// text reads a string. Without escapes it is a piece of the line, else of the cursor's room, where it stays good until
// the line's end.
func (c *cursor) text() []byte {
	text, escape := c.raw()
	if escape < 0 {
		return text
	}
	begin := len(c.room)
	c.room = append(c.room, text[:escape]...)
	for i := escape; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			c.room = append(c.room, text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n':
			c.room = append(c.room, '\n')
		case 't':
			c.room = append(c.room, '\t')
		case 'r':
			c.room = append(c.room, '\r')
		case 'b':
			c.room = append(c.room, '\b')
		case 'f':
			c.room = append(c.room, '\f')
		case 'u':
			r, n := unicodeEscape(text[i+1:])
			c.room = utf8.AppendRune(c.room, r)
			i += n
		default:
			c.room = append(c.room, text[i])
		}
	}
	return c.room[begin:]
}

// unicodeEscape reads what follows \u, a surrogate pair in full, and tells how many bytes that are.
func unicodeEscape(b []byte) (rune, int) {
	r, ok := fourHex(b)
	if !ok {
		return utf8.RuneError, 0
	}
	if utf16.IsSurrogate(r) && len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if low, ok := fourHex(b[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 10
			}
		}
	}
	return r, 4
}

func fourHex(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// scalar reads a string, number or word as text; lists and objects are stepped over and give nil.
func (c *cursor) scalar() []byte {
	if begin := c.i + 1; c.at('"') {
		// Nearly every string is one without escapes.
		if end := quoteOrEscape(c.b, begin); end < len(c.b) && c.b[end] == '"' {
			c.i = end + 1
			return c.b[begin:end]
		}
	}
	switch c.peek() {
	case '"':
		return c.text()
	case '{', '[':
		c.skip()
		return nil
	}
	if b := c.word(); string(b) != "null" {
		return b
	}
	return nil
}

// word reads what stands without quotes: a number, true, false or null.
func (c *cursor) word() []byte {
	begin := c.i
	if c.i = wordEnd(c.b, begin); c.i == begin {
		c.fail()
	}
	return c.b[begin:c.i]
}

// skip steps over any value.
func (c *cursor) skip() {
	if end := behindValue(c.b, c.i); end >= 0 {
		c.i = end
	} else {
		c.fail()
	}
}
