package suricata

import (
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
)

// content writes bytes to look for. All but letters, digits and a few signs are written in hexadecimal, so that nothing
// has to be escaped.
func content(s string) string {
	var b strings.Builder
	hex := false
	for i := range len(s) {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-/ ", c) >= 0
		switch {
		case plain && hex:
			b.WriteByte('|')
			hex = false
		case !plain && !hex:
			b.WriteByte('|')
			hex = true
		case !plain:
			b.WriteByte(' ')
		}
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%02X", c)
		}
	}
	if hex {
		b.WriteByte('|')
	}
	return b.String()
}

// maxMessage is how long a message may be, in bytes.
const maxMessage = 200

// message makes text fit for a rule's msg: what ends, escapes or separates there becomes a space.
func message(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`";:\|()`, r) {
			return ' '
		}
		return r
	}, exchange.OneLine(s))
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > maxMessage {
		runes := []rune(s)
		s = string(runes[:len(runes)-1])
	}
	return s
}

// word makes text fit for a key or value of metadata: letters, digits and a few signs.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._+-", r) {
			return r
		}
		return '_'
	}, s)
}
