package arabic

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold maps every spelling of a text that a reader takes for the same one to one string: compatibility forms (NFKC's,
// presentation forms of Arabic among them), case, accents, Arabic diacritics and Quranic marks, tatweel, hamza and its
// seats, ta marbuta, alef maqsura, Persian letters, digits, quotation marks and dashes. Invisible format characters are
// dropped, an invalid byte becomes U+FFFD, and other characters stay. Fold(Fold(s)) == Fold(s).
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	var buf [32]rune
	for _, r := range s {
		for _, f := range appendFold(buf[:0], r) {
			b.WriteRune(f)
		}
	}
	return b.String()
}

// place is one folded rune and the bytes [start, end) of the source text it came from.
type place struct {
	r          rune
	start, end int
	hamza      bool // the source letter was أ, إ or آ: it cannot be the alef of an article
}

// appendPlaces folds s, whose first byte is at offset base of the source text.
func appendPlaces(dst []place, s string, base int) []place {
	var buf [32]rune
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, place{r: rune(c), start: base + i, end: base + i + 1})
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		hamza := r == 'أ' || r == 'إ' || r == 'آ'
		for _, f := range appendFold(buf[:0], r) {
			dst = append(dst, place{r: f, start: base + i, end: base + i + size, hamza: hamza})
		}
		i += size
	}
	return dst
}

// appendFold appends what one rune folds to: nothing, itself, or several runes.
func appendFold(dst []rune, r rune) []rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(dst, r)
	case 'ب' <= r && r <= 'و':
		if r == 'ة' {
			r = 'ه'
		}
		if r == 'ـ' {
			return dst
		}
		return append(dst, r)
	}
	if s, ok := special(r); ok {
		return append(dst, s...)
	}
	if dropped(r) {
		return dst
	}
	// A mark is dropped wherever it stands, so a rune can be decomposed alone: no reordering is needed.
	var enc [utf8.UTFMax]byte
	if d := norm.NFKD.Properties(enc[:utf8.EncodeRune(enc[:], r)]).Decomposition(); d != nil {
		for _, p := range string(d) {
			if p == r {
				dst = append(dst, p)
			} else {
				dst = appendFold(dst, p)
			}
		}
		return dst
	}
	if l := unicode.ToLower(r); l != r {
		return appendFold(dst, l)
	}
	return append(dst, r)
}

// dropped says whether a rune carries nothing that a search asks for: a mark over a letter, or an invisible format
// character. The vowel signs of other scripts than Latin, Arabic and Hebrew are letters to their readers, and stay.
func dropped(r rune) bool {
	switch r {
	case 'ـ', 'ء', 'ٴ', 'ۥ', 'ۦ':
		return true
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return unicode.In(r, unicode.Inherited, unicode.Arabic, unicode.Hebrew)
	}
	return unicode.Is(unicode.Cf, r)
}

// special holds the letters whose fold is a convention and not a decomposition.
func special(r rune) ([]rune, bool) {
	switch r {
	case 'ى', 'ی', 'ې', 'ۍ', 'ے', 'ۓ', 'ێ', 'ئ':
		return []rune{'ي'}, true
	case 'ک', 'ڪ', 'ګ', 'گ':
		return []rune{'ك'}, true
	case 'ە', 'ہ', 'ھ', 'ۀ', 'ۂ', 'ۃ', 'ة', 'ۿ':
		return []rune{'ه'}, true
	case 'أ', 'إ', 'آ', 'ٱ', 'ٲ', 'ٳ', 'ٵ':
		return []rune{'ا'}, true
	case 'ؤ', 'ۇ', 'ۆ', 'ۋ':
		return []rune{'و'}, true
	case 'پ':
		return []rune{'ب'}, true
	case 'چ':
		return []rune{'ج'}, true
	case 'ژ':
		return []rune{'ز'}, true
	case 'ڤ', 'ڨ':
		return []rune{'ف'}, true
	case '٫':
		return []rune{'.'}, true
	case '٬', '،':
		return []rune{','}, true
	case '’', '‘', '‛', 'ʼ', '´', '′', '＇':
		return []rune{'\''}, true
	case '‐', '‑', '‒', '–', '—', '―', '−':
		return []rune{'-'}, true
	case 'ß', 'ẞ':
		return []rune("ss"), true
	case 'œ', 'Œ':
		return []rune("oe"), true
	case 'æ', 'Æ':
		return []rune("ae"), true
	case 'ø', 'Ø':
		return []rune{'o'}, true
	case 'ł', 'Ł':
		return []rune{'l'}, true
	case 'đ', 'Đ':
		return []rune{'d'}, true
	case 'ı':
		return []rune{'i'}, true
	case 'ς':
		return []rune{'σ'}, true
	}
	switch {
	case '٠' <= r && r <= '٩':
		return []rune{'0' + r - '٠'}, true
	case '۰' <= r && r <= '۹':
		return []rune{'0' + r - '۰'}, true
	}
	return nil, false
}

func isArabic(r rune) bool {
	return r >= 0x0600 && unicode.Is(unicode.Arabic, r) && unicode.IsLetter(r)
}

func isAlnum(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }

// isTermRune says what may stand in a term. Marks of scripts whose vowels are marks are not among them, because
// unicode61 and PostgreSQL disagree on them.
func isTermRune(r rune) bool {
	return isAlnum(r) || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
