package pyre

import "unicode"

// class is one of d D s S w W.
type class rune

type runeRange struct{ low, high rune }

// charSet is a set of characters.
type charSet struct {
	ranges  []runeRange
	classes []class
	negate  bool
	fold    bool // letters match in either case
	ascii   bool // classes and case know ASCII only
}

func (s *charSet) add(low, high rune) { s.ranges = append(s.ranges, runeRange{low, high}) }

func (s *charSet) addMember(r rune, c class) {
	if c != 0 {
		s.classes = append(s.classes, c)
	} else {
		s.add(r, r)
	}
}

func (s *charSet) matches(r rune) bool {
	return s.contains(r) != s.negate
}

func (s *charSet) contains(r rune) bool {
	if s.containsExactly(r) {
		return true
	}
	if !s.fold {
		return false
	}
	if s.ascii {
		return isASCIILetter(r) && s.containsExactly(r^0x20)
	}
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		if s.containsExactly(other) {
			return true
		}
	}
	// Python takes the four i of Turkish and English for one letter.
	switch r {
	case 'i', 'I', 'İ', 'ı':
		return s.containsExactly('i') || s.containsExactly('I') || s.containsExactly('İ') || s.containsExactly('ı')
	}
	return false
}

func (s *charSet) containsExactly(r rune) bool {
	for _, x := range s.ranges {
		if x.low <= r && r <= x.high {
			return true
		}
	}
	for _, c := range s.classes {
		if c.contains(r, s.ascii) {
			return true
		}
	}
	return false
}

func (c class) contains(r rune, ascii bool) bool {
	switch c {
	case 'd':
		return isDecimal(r, ascii)
	case 'D':
		return !isDecimal(r, ascii)
	case 's':
		return isSpace(r, ascii)
	case 'S':
		return !isSpace(r, ascii)
	case 'w':
		return isWord(r, ascii)
	}
	return !isWord(r, ascii)
}

func isASCIILetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isDecimal(r rune, ascii bool) bool {
	return r >= '0' && r <= '9' || !ascii && r >= 0x80 && unicode.Is(unicode.Nd, r)
}

func isWord(r rune, ascii bool) bool {
	if r < 0x80 || ascii {
		return r == '_' || isASCIILetter(r) || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

func isSpace(r rune, ascii bool) bool {
	switch {
	case r == ' ' || r >= '\t' && r <= '\r':
		return true
	case ascii:
		return false
	case r >= 0x1c && r <= 0x1f || r == 0x85 || r == 0xa0 || r == 0x1680 || r == 0x2028 || r == 0x2029:
		return true
	}
	return r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000
}
