package pattern

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenInvalid
	tokenInteger
	tokenFloat
	tokenHex
	tokenBinary
	tokenString
	tokenBoolean
	tokenTimestamp
	tokenKeyword
	tokenName         // identifier without a hyphen
	tokenHyphenedName // identifier with a hyphen: only an object type may be one
	tokenOperator     // = == != <> < <= > >=
	tokenPunctuation
)

// token is a slice of the text: text includes quotes and prefixes.
type token struct {
	kind     tokenKind
	text     string
	position Position
}

// describe names a token as an error message would.
func (t token) describe() string {
	if t.kind == tokenEnd {
		return "the end of the pattern"
	}
	const shown = 40
	text := t.text
	if len(text) > shown {
		cut := shown
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strconv.Quote(text)
}

// lexer cuts a pattern into tokens: the longest token wins, and of two equally
// long ones the more special (a keyword before a name). This is how the
// published ANTLR grammar reads, so t'2020' that is no timestamp is the name t
// and a string.
type lexer struct {
	text   string
	offset int
	line   int
	column int
}

func newLexer(text string) *lexer { return &lexer{text: text, line: 1, column: 1} }

func (l *lexer) position() Position {
	return Position{Offset: l.offset, Line: l.line, Column: l.column}
}

// advance moves over n bytes and keeps line and column.
func (l *lexer) advance(n int) {
	for _, r := range l.text[l.offset : l.offset+n] {
		if r == '\n' {
			l.line++
			l.column = 1
		} else {
			l.column++
		}
	}
	l.offset += n
}

func (l *lexer) next() token {
	l.skip()
	at := l.position()
	rest := l.text[l.offset:]
	if rest == "" {
		return token{kind: tokenEnd, position: at}
	}
	kind, n := scan(rest)
	l.advance(n)
	return token{kind: kind, text: rest[:n], position: at}
}

// skip moves over white space and comments.
func (l *lexer) skip() {
	for l.offset < len(l.text) {
		rest := l.text[l.offset:]
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case isSpace(r):
			l.advance(n)
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			l.advance(end)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return // an unclosed comment is two stray characters
			}
			l.advance(end + 4)
		default:
			return
		}
	}
}

func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}

// scan finds the token at the beginning of a text that is not empty.
func scan(s string) (tokenKind, int) {
	c := s[0]
	switch {
	case c == '\'':
		if n := scanString(s); n > 0 {
			return tokenString, n
		}
		return tokenInvalid, 1
	case isDigit(c), c == '+', c == '-', c == '.':
		return scanNumber(s)
	case isLetter(c):
		return scanWord(s)
	case c == '=':
		if strings.HasPrefix(s, "==") {
			return tokenOperator, 2
		}
		return tokenOperator, 1
	case c == '<':
		if len(s) > 1 && (s[1] == '=' || s[1] == '>') {
			return tokenOperator, 2
		}
		return tokenOperator, 1
	case c == '>':
		if strings.HasPrefix(s, ">=") {
			return tokenOperator, 2
		}
		return tokenOperator, 1
	case strings.HasPrefix(s, "!="):
		return tokenOperator, 2
	case strings.IndexByte(":,()[]*", c) >= 0:
		return tokenPunctuation, 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return tokenInvalid, n
}

// scanString gives the length of a string in quotes, or 0.
func scanString(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\'':
			return i + 1
		case '\\':
			if i+1 >= len(s) || (s[i+1] != '\\' && s[i+1] != '\'') {
				return 0
			}
			i++
		}
	}
	return 0
}

func scanNumber(s string) (tokenKind, int) {
	start := 0
	if s[0] == '+' || s[0] == '-' {
		start = 1
	}
	digits := start
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	fraction := digits
	if fraction < len(s) && s[fraction] == '.' {
		fraction++
		for fraction < len(s) && isDigit(s[fraction]) {
			fraction++
		}
		if fraction > digits+1 {
			return tokenFloat, fraction
		}
	}
	switch {
	case digits == start && s[0] == '.':
		return tokenPunctuation, 1
	case digits == start:
		return tokenInvalid, 1
	case s[start] == '0':
		return tokenInteger, start + 1 // no integer begins with 0 but 0
	}
	return tokenInteger, digits
}

func scanWord(s string) (tokenKind, int) {
	if len(s) > 1 && s[1] == '\'' {
		switch s[0] {
		case 't':
			if n := scanTimestamp(s); n > 0 {
				return tokenTimestamp, n
			}
		case 'h':
			if n := scanHex(s); n > 0 {
				return tokenHex, n
			}
		case 'b':
			if n := scanBinary(s); n > 0 {
				return tokenBinary, n
			}
		}
	}
	n, kind := 1, tokenName
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '-') {
		if s[n] == '-' {
			kind = tokenHyphenedName
		}
		n++
	}
	switch word := s[:n]; {
	case word == "true" || word == "false":
		kind = tokenBoolean
	case isKeyword(word):
		kind = tokenKeyword
	}
	return kind, n
}

// isKeyword tells whether a word can be no name without quotes. Keywords are
// upper case only; LAST is reserved and stands nowhere.
func isKeyword(word string) bool {
	switch word {
	case "AND", "OR", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS",
		"LAST", "IN", "START", "STOP", "SECONDS", "WITHIN", "REPEATS", "TIMES", "true", "false":
		return true
	}
	return false
}

// scanTimestamp gives the length of t'YYYY-MM-DDThh:mm:ss[.f+]Z', or 0. The
// form is checked, not the calendar: 30 February is a timestamp here.
func scanTimestamp(s string) int {
	const form = "t'0000-00-00T00:00:00"
	if len(s) < len(form)+2 {
		return 0
	}
	for i := 0; i < len(form); i++ {
		if form[i] == '0' && !isDigit(s[i]) || form[i] != '0' && s[i] != form[i] {
			return 0
		}
	}
	month, day, hour, minute, second := s[7:9], s[10:12], s[13:15], s[16:18], s[19:21]
	if month < "01" || month > "12" || day < "01" || day > "31" || hour > "23" || minute > "59" || second > "60" {
		return 0
	}
	n := len(form)
	if s[n] == '.' {
		n++
		first := n
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		if n == first {
			return 0
		}
	}
	if strings.HasPrefix(s[n:], "Z'") {
		return n + 2
	}
	return 0
}

func scanHex(s string) int {
	n := 2
	for n < len(s) && isHexDigit(s[n]) {
		n++
	}
	if n%2 == 0 && n < len(s) && s[n] == '\'' {
		return n + 1
	}
	return 0
}

// scanBinary gives the length of b'…' with whole groups of four, at least one,
// or 0.
func scanBinary(s string) int {
	n := 2
	for n < len(s) && isBase64(s[n]) {
		n++
	}
	data := n - 2
	for n < len(s) && s[n] == '=' {
		n++
	}
	pad := n - 2 - data
	if n >= len(s) || s[n] != '\'' || pad > 2 || data == 0 || (data+pad)%4 != 0 {
		return 0
	}
	return n + 1
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isHexDigit(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
func isBase64(c byte) bool {
	return c != '_' && isLetter(c) || isDigit(c) || c == '+' || c == '/'
}
