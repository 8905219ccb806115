package policy

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// token is a word of rules and its place. cedar-go's tree has places for whole policies only, and its parser recurses
// as deep as the text nests: this pass finds places and refuses depth before the parser runs.
type token struct {
	text         string
	offset       int
	line, column int
}

// lex splits rules into identifiers, numbers, strings (with their quotes, escapes unread) and single marks.
func lex(file string, src []byte) ([]token, *Problem) {
	var tokens []token
	l := lexer{src: src, line: 1, column: 1}
	depth, signs := 0, 0
	for {
		l.skip()
		if l.bad != "" {
			return nil, &Problem{CodeSyntax, at(file, l.line, l.column), l.bad}
		}
		if l.pos >= len(src) {
			return tokens, nil
		}
		t := token{offset: l.pos, line: l.line, column: l.column}
		l.token()
		if l.bad != "" {
			return nil, &Problem{CodeSyntax, at(file, t.line, t.column), l.bad}
		}
		t.text = string(src[t.offset:l.pos])
		switch t.text {
		case "(", "[", "{", "if":
			depth++
		case ")", "]", "}":
			depth--
		case ";":
			depth = 0
		}
		if t.text == "!" || t.text == "-" {
			signs++
		} else {
			signs = 0
		}
		if t.text == "has" {
			// The parser writes a chain of attributes after has out in full, which grows with its square.
			return nil, &Problem{CodeSchema, at(file, t.line, t.column), "every attribute is always there; leave `has` out"}
		}
		if depth > maxNesting || signs > 2 {
			return nil, &Problem{CodeCost, at(file, t.line, t.column),
				fmt.Sprintf("conditions nest deeper than %d; write them as rules of their own", maxNesting)}
		}
		tokens = append(tokens, t)
	}
}

type lexer struct {
	src          []byte
	pos          int
	line, column int
	bad          string
}

// next consumes one rune.
func (l *lexer) next() rune {
	r, size := utf8.DecodeRune(l.src[l.pos:])
	switch {
	case r == utf8.RuneError && size == 1:
		l.bad = "the text is not UTF-8 here"
	case unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r':
		l.bad = fmt.Sprintf("invisible character %U; a rule must read as it looks", r)
	}
	l.pos += size
	if r == '\n' {
		l.line++
		l.column = 1
	} else {
		l.column++
	}
	return r
}

func (l *lexer) peek(s string) bool {
	return len(l.src)-l.pos >= len(s) && string(l.src[l.pos:l.pos+len(s)]) == s
}

// skip consumes white space and comments.
func (l *lexer) skip() {
	for l.pos < len(l.src) && l.bad == "" {
		switch {
		case l.peek("//"):
			for l.pos < len(l.src) && l.src[l.pos] != '\n' && l.bad == "" {
				l.next()
			}
		case l.peek("/*"):
			l.next()
			for l.next(); l.pos < len(l.src) && !l.peek("*/") && l.bad == ""; {
				l.next()
			}
			if l.pos < len(l.src) && l.bad == "" {
				l.next()
				l.next()
			}
		case l.src[l.pos] == ' ' || l.src[l.pos] == '\t' || l.src[l.pos] == '\n' || l.src[l.pos] == '\r':
			l.next()
		default:
			return
		}
	}
}

// token consumes one token.
func (l *lexer) token() {
	r := l.next()
	switch {
	case r == '"':
		for l.pos < len(l.src) && l.bad == "" {
			switch l.next() {
			case '\\':
				if l.pos < len(l.src) {
					l.next()
				}
			case '\n':
				l.bad = "a string must end on its line"
			case '"':
				return
			}
		}
		if l.bad == "" {
			l.bad = "a string does not end"
		}
	case word(r):
		for l.pos < len(l.src) && word(rune(l.src[l.pos])) {
			l.next()
		}
	}
}

func word(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
}
