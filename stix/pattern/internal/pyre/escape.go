package pyre

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// escape reads a backslash and what follows, outside a class.
func (p *parser) escape() (*node, error) {
	if p.pos+1 >= len(p.src) {
		return nil, p.errorf("nothing follows the backslash")
	}
	r := p.src[p.pos+1]
	switch r {
	case 'A':
		p.pos += 2
		return assertNode(beginText), nil
	case 'Z':
		p.pos += 2
		return assertNode(endText), nil
	case 'b', 'B':
		p.pos += 2
		switch {
		case r == 'b' && p.flags.ascii:
			return assertNode(wordBoundaryASCII), nil
		case r == 'b':
			return assertNode(wordBoundary), nil
		case p.flags.ascii:
			return assertNode(noWordBoundaryASCII), nil
		}
		return assertNode(noWordBoundary), nil
	case 'd', 'D', 's', 'S', 'w', 'W':
		p.pos += 2
		set := p.newSet()
		set.classes = append(set.classes, class(r))
		return &node{kind: nodeSet, set: set}, nil
	}
	if r >= '1' && r <= '9' {
		value, ok, err := p.threeOctal()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, p.unsupported("a back reference")
		}
		return p.character(value), nil
	}
	value, err := p.escapedCharacter(false)
	if err != nil {
		return nil, err
	}
	return p.character(value), nil
}

// threeOctal reads \ooo when three octal digits follow.
func (p *parser) threeOctal() (rune, bool, error) {
	if p.pos+4 > len(p.src) {
		return 0, false, nil
	}
	digits := p.src[p.pos+1 : p.pos+4]
	for _, d := range digits {
		if d < '0' || d > '7' {
			return 0, false, nil
		}
	}
	value, _ := strconv.ParseUint(string(digits), 8, 32)
	if value > 0o377 {
		return 0, false, p.errorf("an octal escape beyond \\377")
	}
	p.pos += 4
	return rune(value), true, nil
}

// escapedCharacter reads a backslash and the one character it stands for.
func (p *parser) escapedCharacter(inClass bool) (rune, error) {
	r := p.src[p.pos+1]
	switch r {
	case 'x':
		return p.hexEscape(2)
	case 'u', 'U':
		if p.bytes {
			return 0, p.errorf("bad escape \\%c in an expression of bytes", r)
		}
		if r == 'u' {
			return p.hexEscape(4)
		}
		return p.hexEscape(8)
	case 'N':
		if p.bytes {
			return 0, p.errorf("bad escape \\N in an expression of bytes")
		}
		return 0, p.unsupported("a character by its name")
	}
	if r >= '0' && r <= '7' {
		return p.octalEscape(inClass)
	}
	if i := strings.IndexRune("afnrtv", r); i >= 0 {
		p.pos += 2
		return rune("\a\f\n\r\t\v"[i]), nil
	}
	if inClass && r == 'b' {
		p.pos += 2
		return '\b', nil
	}
	if isASCIILetter(r) || r == '8' || r == '9' {
		return 0, p.errorf("bad escape \\%c", r)
	}
	p.pos += 2
	return r, nil
}

func (p *parser) hexEscape(digits int) (rune, error) {
	end := p.pos + 2 + digits
	if end > len(p.src) {
		return 0, p.errorf("the escape needs %d hexadecimal digits", digits)
	}
	value, err := strconv.ParseUint(string(p.src[p.pos+2:end]), 16, 32)
	if err != nil || slices.Contains(p.src[p.pos+2:end], '_') || value > utf8.MaxRune {
		return 0, p.errorf("the escape needs %d hexadecimal digits of a character", digits)
	}
	p.pos = end
	return rune(value), nil
}

// octalEscape reads up to three octal digits: after \0 two more, in a class any.
func (p *parser) octalEscape(inClass bool) (rune, error) {
	end := p.pos + 2
	for end < len(p.src) && end < p.pos+4 && p.src[end] >= '0' && p.src[end] <= '7' {
		end++
	}
	value, _ := strconv.ParseUint(string(p.src[p.pos+1:end]), 8, 32)
	if inClass && value > 0o377 {
		return 0, p.errorf("an octal escape beyond \\377")
	}
	p.pos = end
	return rune(value), nil
}

// class reads a set in square brackets, after the opening one.
func (p *parser) class() (*node, error) {
	set := p.newSet()
	set.negate = p.accept("^")
	for first := true; ; first = false {
		if !p.more() {
			return nil, p.errorf("the set is not closed")
		}
		if !first && p.accept("]") {
			return &node{kind: nodeSet, set: set}, nil
		}
		low, lowClass, err := p.classMember()
		if err != nil {
			return nil, err
		}
		if !p.looking("-") || p.pos+1 < len(p.src) && p.src[p.pos+1] == ']' {
			set.addMember(low, lowClass)
			continue
		}
		p.pos++
		if !p.more() {
			return nil, p.errorf("the set is not closed")
		}
		high, highClass, err := p.classMember()
		if err != nil {
			return nil, err
		}
		if lowClass != 0 || highClass != 0 || high < low {
			return nil, p.errorf("bad range of characters")
		}
		set.add(low, high)
	}
}

// classMember reads one character or one class such as \d inside brackets.
func (p *parser) classMember() (rune, class, error) {
	r := p.src[p.pos]
	if r != '\\' {
		p.pos++
		return r, 0, nil
	}
	if p.pos+1 >= len(p.src) {
		return 0, 0, p.errorf("nothing follows the backslash")
	}
	switch c := p.src[p.pos+1]; c {
	case 'd', 'D', 's', 'S', 'w', 'W':
		p.pos += 2
		return 0, class(c), nil
	}
	r, err := p.escapedCharacter(true)
	return r, 0, err
}
