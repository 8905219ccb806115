package main

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// plain is the app with an output on which other people's words cannot move the cursor, colour a line or turn its direction: what
// could is written out, as <U+202E>. Two words that differ by it then look different, and no word can pass for a status.
func (a *app) plain() *app {
	if _, ok := a.stdout.(plainWriter); ok {
		return a
	}
	b := *a
	b.stdout = plainWriter{a.stdout}
	return &b
}

// plainWriter expects whole characters in each call of Write, as package fmt writes them.
type plainWriter struct{ w io.Writer }

func (p plainWriter) Write(data []byte) (int, error) {
	var b bytes.Buffer
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if disturbs(r) || r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, "<U+%04X>", r)
		} else {
			b.Write(rest[:size])
		}
		rest = rest[size:]
	}
	if _, err := p.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(data), nil
}

// disturbs says whether a character controls the terminal or the direction of what follows it. The marks that only lend a
// direction to a blank or a full stop (U+200E, U+200F, U+061C) are left, as Arabic texts use them.
func disturbs(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || 0x7f <= r && r < 0xa0:
		return true
	}
	return 0x2028 <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}
