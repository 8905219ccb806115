package agreement

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Text is one text in several languages: BCP 47 tag to words. docs/formats.md section 5 gives its limits.
type Text map[string]string

// Limits of texts for people.
const (
	MaxLanguages  = 16
	MaxTextBytes  = 64 << 10
	MaxNameRunes  = 200
	maxLabelBytes = 32
)

var (
	languageShape = shaped(`^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)
	labelShape    = shaped(`^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$`)
)

// In returns the text in the first of the wanted languages that is there, then in English, then in the first language
// of the alphabet; and the language it is in, for the reader's direction and voice.
func (t Text) In(wanted ...string) (text, language string) {
	for _, l := range append(wanted, "en") {
		if s, ok := t[l]; ok {
			return s, l
		}
	}
	for _, l := range t.Languages() {
		return t[l], l
	}
	return "", ""
}

// Languages lists the tags in order.
func (t Text) Languages() []string {
	tags := make([]string, 0, len(t))
	for l := range t {
		tags = append(tags, l)
	}
	slices.Sort(tags)
	return tags
}

// CheckLabel says what is wrong with the label of a commitment, party, source, deadline or rule.
func CheckLabel(s string) error {
	if !labelShape().MatchString(s) {
		return fmt.Errorf("label %q is not 1 to %d letters, digits, dots and hyphens", clip(s), maxLabelBytes)
	}
	return nil
}

// CheckLanguage says what is wrong with a language tag.
func CheckLanguage(tag string) error {
	if len(tag) > 35 || !languageShape().MatchString(tag) {
		return fmt.Errorf("%q is not a language tag like en, ar or pt-BR", clip(tag))
	}
	return nil
}

// CheckText says what is wrong with a text for people: too long, not in Unicode NFC, or with control characters
// other than line feed and tab.
func CheckText(s string) error {
	if len(s) > MaxTextBytes {
		return fmt.Errorf("text of %d bytes is longer than %d", len(s), MaxTextBytes)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("text is not UTF-8")
	}
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return fmt.Errorf("text holds the control character U+%04X", r)
		}
	}
	if !norm.NFC.IsNormalString(s) {
		return fmt.Errorf("text is not in Unicode normal form C")
	}
	return nil
}

// CheckName says what is wrong with a name: all that [CheckText] refuses, and line breaks, bidirectional controls
// (which can make one name look like another), blanks around it, and more than 200 characters.
func CheckName(s string) error {
	if strings.TrimSpace(s) == "" {
		return fmt.Errorf("name is empty")
	}
	if len(s) > 4*MaxNameRunes || utf8.RuneCountInString(s) > MaxNameRunes {
		return fmt.Errorf("name is longer than %d characters", MaxNameRunes)
	}
	for _, r := range s {
		switch {
		case isBidiControl(r):
			return fmt.Errorf("name holds the bidirectional control U+%04X", r)
		case r == '\n' || r == '\t' || r == '\u2028' || r == '\u2029':
			return fmt.Errorf("name holds a line break or tab")
		}
	}
	if strings.TrimSpace(s) != s {
		return fmt.Errorf("name has blanks around it")
	}
	return CheckText(s)
}

func isBidiControl(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// clip keeps error messages short and free of what could disturb a terminal.
func clip(s string) string {
	const most = 48
	out := make([]rune, 0, most)
	for _, r := range s {
		if len(out) == most {
			return string(out) + "…"
		}
		if r < ' ' || isBidiControl(r) || r == utf8.RuneError {
			r = '·'
		}
		out = append(out, r)
	}
	return string(out)
}
