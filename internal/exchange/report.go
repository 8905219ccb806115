package exchange

import (
	"fmt"
	"strings"
)

// maxLosses bounds how many losses a report names; the others are counted.
const maxLosses = 1000

// Report says what became of a conversion. The zero value is ready.
type Report struct {
	// Read and Made count what went in and what came out, in the units of the format (attributes, lines, rules).
	Read int `json:"read"`
	Made int `json:"made"`
	// Losses are in the order of the input, at most 1,000; Omitted counts those beyond.
	Losses  []Loss `json:"losses,omitempty"`
	Omitted int    `json:"omitted,omitempty"`
}

// Loss is one thing that a conversion could not carry, or not as it was.
type Loss struct {
	// Place is where it stands in the input: a JSON pointer, "line 12", a STIX id.
	Place string `json:"place"`
	Why   string `json:"why"`
}

// Lose notes a loss.
func (r *Report) Lose(place, format string, args ...any) {
	if len(r.Losses) >= maxLosses {
		r.Omitted++
		return
	}
	r.Losses = append(r.Losses, Loss{Place: Clip(place), Why: fmt.Sprintf(format, args...)})
}

// Lost is how many losses there were.
func (r *Report) Lost() int { return len(r.Losses) + r.Omitted }

// Join adds what another report says; places get the prefix.
func (r *Report) Join(prefix string, other Report) {
	r.Read, r.Made = r.Read+other.Read, r.Made+other.Made
	for _, l := range other.Losses {
		r.Lose(prefix+l.Place, "%s", l.Why)
	}
	r.Omitted += other.Omitted
}

// maxClip is how much of somebody else's text a message quotes, in bytes.
const maxClip = 160

// Clip makes a piece of somebody else's text fit for a message: one line, bounded, without control and direction
// characters.
func Clip(s string) string {
	cut := len(s) > maxClip
	if cut {
		s = s[:maxClip]
	}
	s = OneLine(s)
	if cut {
		s += "…"
	}
	return s
}

// OneLine makes text safe to stand in a line: line breaks and tabs become spaces; control characters, characters that turn
// the direction of text, and bytes that are no UTF-8 are left out.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == 0x2028 || r == 0x2029 || r == 0x85:
			return ' '
		case r < 0x20, 0x7f <= r && r < 0xa0, r == 0xad, r == 0x61c, r == 0x180e, 0x200b <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e,
			0x2060 <= r && r <= 0x206f, r == 0xfeff, r == 0xfffd, 0xfff9 <= r && r <= 0xfffb, 0xe0000 <= r && r <= 0xe007f:
			return -1
		}
		return r
	}, s)
}
