package pattern

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// likePattern is the operand of LIKE, in normal form C: % is any text within one
// line, _ one character but a line feed, everything else itself.
type likePattern struct {
	text   string
	latin1 bool // all characters are below 256: binary values are looked at, too
}

func newLikePattern(operand string) likePattern {
	text := norm.NFC.String(operand)
	_, ok := latin1(text)
	return likePattern{text: text, latin1: ok}
}

// matches tells whether the whole value is like the pattern; a line feed at the
// end of the value may be left over.
func (l likePattern) matches(value string, steps *int64) (bool, error) {
	value = norm.NFC.String(value)
	ok, err := wildcard(l.text, value, steps)
	if !ok && err == nil && strings.HasSuffix(value, "\n") {
		return wildcard(l.text, value[:len(value)-1], steps)
	}
	return ok, err
}

// wildcard goes back to the last % only: what an earlier one could take, the
// later one can take as well.
func wildcard(pattern, text string, steps *int64) (bool, error) {
	p, t := 0, 0
	star, starText := -1, 0
	for t < len(text) || p < len(pattern) {
		if *steps--; *steps < 0 {
			return false, errSteps
		}
		if p < len(pattern) && pattern[p] == '%' {
			star, starText = p, t
			p++
			continue
		}
		if p < len(pattern) && t < len(text) {
			want, wantSize := utf8.DecodeRuneInString(pattern[p:])
			have, haveSize := utf8.DecodeRuneInString(text[t:])
			if want == have || want == '_' && have != '\n' {
				p += wantSize
				t += haveSize
				continue
			}
		}
		if star < 0 || starText >= len(text) || text[starText] == '\n' {
			return false, nil
		}
		_, size := utf8.DecodeRuneInString(text[starText:])
		starText += size
		p, t = star+1, starText
	}
	return true, nil
}
