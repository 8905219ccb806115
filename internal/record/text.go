package record

import (
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

const (
	maxLanguages = 16
	maxText      = 64 << 10 // bytes of one language's text
	maxName      = 200      // characters of one language's name
)

// A Text is text for people: language tag (BCP 47) to text, 1 to 16 languages.
type Text map[string]string

// Names are short texts that stand in lists and headings: one line, nothing that turns the writing direction.
type Names map[string]string

// FictionTag is the private-use language tag (BCP 47) under which an invented party's names carry the mark of it, so that
// whoever pins or follows its keyring knows. docs/formats.md section 6.
const FictionTag = "und-x-fiction"

// Fictional says whether the names are those of an invented party.
func (n Names) Fictional() bool { return n[FictionTag] != "" }

// In returns the text in the first of the languages that it has, else in English, else in the first by tag.
func (t Text) In(languages ...string) string { return pick(t, languages) }

// In returns the name in the first of the languages that it has, else in English, else in the first by tag.
func (n Names) In(languages ...string) string { return pick(n, languages) }

func pick(m map[string]string, languages []string) string {
	for _, l := range append(slices.Clip(languages), "en") {
		if s, ok := m[l]; ok {
			return s
		}
	}
	for _, l := range slices.Sorted(maps.Keys(m)) {
		if l != FictionTag {
			return m[l]
		}
	}
	return ""
}

// isLanguage says whether s is a language tag of the form [a-z]{2,3}(-[A-Za-z0-9]{1,8})*.
func isLanguage(s string) bool {
	n, first := 0, true
	for i := range len(s) + 1 {
		if i == len(s) || s[i] == '-' {
			if first && n < 2 || n == 0 {
				return false
			}
			n, first = 0, false
			continue
		}
		lower, other := 'a' <= s[i] && s[i] <= 'z', 'A' <= s[i] && s[i] <= 'Z' || '0' <= s[i] && s[i] <= '9'
		if n++; first && (!lower || n > 3) || !lower && !other || n > 8 {
			return false
		}
	}
	return true
}

// isBidiControl says whether r turns the direction of the text around it, which can make one name look like another.
func isBidiControl(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || 0x202A <= r && r <= 0x202E || 0x2066 <= r && r <= 0x2069
}

func (c *checker) text(t Text, at string) {
	c.languages(t, at, func(s, at string) {
		if len(s) > maxText {
			c.fail(CodeSize, at, "%d bytes, at most %d are allowed: shorten it", len(s), maxText)
		}
		for _, r := range s {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				c.fail(CodeValue, at, "the control character %U: only line feed and tab may stand in text", r)
			}
		}
	})
}

func (c *checker) names(n Names, at string) {
	c.languages(n, at, func(s, at string) {
		if utf8.RuneCountInString(s) > maxName {
			c.fail(CodeSize, at, "over %d characters: shorten the name", maxName)
		}
		for _, r := range s {
			if unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || isBidiControl(r) {
				c.fail(CodeValue, at, "the character %U: a name is one line without control and direction characters", r)
			}
		}
	})
}

func (c *checker) optionalText(t Text, at string) {
	if t != nil {
		c.text(t, at)
	}
}

func (c *checker) languages(m map[string]string, at string, check func(s, at string)) {
	if !c.required(len(m) > 0, at) {
		return
	}
	c.count(len(m), maxLanguages, at)
	for _, tag := range slices.Sorted(maps.Keys(m)) {
		place := at + string(jsontext.Pointer("").AppendToken(tag))
		s := m[tag]
		switch {
		case len(tag) > 64 || !isLanguage(tag):
			c.fail(CodeValue, place, "%.80q is not a language tag: write for instance en, ar or pt-BR", tag)
		case s == "":
			c.fail(CodeEmpty, place, "an empty text: leave the language out or write it")
		case !utf8.ValidString(s):
			c.fail(CodeUTF8, place, "invalid UTF-8: send text in UTF-8")
		case !norm.NFC.IsNormalString(s):
			c.fail(CodeValue, place, "not in Unicode normal form C: normalise it")
		default:
			check(s, place)
		}
	}
}
