package facts

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a word of a text with its place, and the forms under which it may stand in the table of names.
type token struct {
	start, end int
	folded     string
	upper      bool // begins with a capital letter
	arabic     bool
	article    bool // begins with the Arabic article, its alif bare: in إلكتروني the same letters belong to the word
}

// tokens cuts a text into words: runs of letters, digits and marks, with the full stops and apostrophes inside them.
func tokens(text string) []token {
	var out []token
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, newToken(text, start, end))
			start = -1
		}
	}
	for i, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == 'ـ' {
			if start < 0 {
				start = i
			}
			continue
		}
		flush(i)
	}
	flush(len(text))
	return out
}

func newToken(text string, start, end int) token {
	first, _ := utf8.DecodeRuneInString(text[start:])
	return token{start: start, end: end, folded: foldWord(text[start:end]), upper: unicode.IsUpper(first), arabic: unicode.Is(unicode.Arabic, first),
		article: strings.HasPrefix(text[start:end], "ال")}
}

// foldWord brings the spellings of one word together: no diacritics or tatweel, one alif, ta marbuta as ha,
// alif maqsura as ya, Latin letters in lower case without accents.
func foldWord(word string) string {
	var b strings.Builder
	for _, r := range word {
		switch {
		case r == 'ـ' || unicode.IsMark(r):
			continue
		case strings.ContainsRune("أإآٱ", r):
			r = 'ا'
		case r == 'ة':
			r = 'ه'
		case r == 'ى':
			r = 'ي'
		case r < utf8.RuneSelf:
			r = unicode.ToLower(r)
		default:
			r = plainLatin(unicode.ToLower(r))
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plainLatin drops the accents that French names carry; texts often leave them out on capitals.
func plainLatin(r rune) rune {
	const accented, plain = "àâäçéèêëîïôöùûüÿñ", "aaaceeeeiioouuuyn"
	if i := strings.IndexRune(accented, r); i >= 0 {
		return rune(plain[utf8.RuneCountInString(accented[:i])])
	}
	return r
}

// foldWords folds a name: each word, without the Arabic article.
func foldWords(name string) []string {
	var out []string
	for _, t := range tokens(name) {
		if t.article {
			t.folded = withoutArticle(t.folded)
		}
		out = append(out, t.folded)
	}
	return out
}

const minStem = 2 // letters that must be left of a word whose prefix is taken off

func withoutArticle(word string) string { return cut(word, "ال") }

func cut(word, prefix string) string {
	if rest, ok := strings.CutPrefix(word, prefix); ok && utf8.RuneCountInString(rest) >= minStem {
		return rest
	}
	return word
}

// forms lists what a word may be once the particles written together with it are taken off: and, so; by, for, like; the.
// The word as it stands comes first, so that a name which begins with such a letter wins.
func (t token) forms() []string {
	out := []string{t.folded}
	add := func(s string) {
		for _, o := range out {
			if o == s {
				return
			}
		}
		out = append(out, s)
	}
	if !t.arabic {
		return out
	}
	add(withoutArticle(t.folded))
	for _, and := range []string{"", "و", "ف"} {
		rest := t.folded
		if and != "" {
			if rest = cut(t.folded, and); rest == t.folded {
				continue
			}
		}
		add(rest)
		add(withoutArticle(rest))
		add(cut(rest, "لل"))
		for _, particle := range []string{"ب", "ل", "ك"} {
			if stem := cut(rest, particle); stem != rest {
				add(stem)
				add(withoutArticle(stem))
			}
		}
	}
	return out
}
