package arabic

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// Token is one index term and the bytes [Start, End) of the source text it stands for. Several tokens can stand for the
// same bytes: a word's full form, its form without the article, its stem; an indicator, the names above it, its parts.
type Token struct {
	Term       string
	Start, End int
}

// window is how much text is folded at once: memory does not grow with the text.
const window = 32 << 10

// Tokens returns the index terms of a text in the order of their places. The hint says which language's stems Latin
// words get; Unknown guesses.
func Tokens(text string, hint Language) []Token {
	var tokens []Token
	NewIndexer().each(text, hint, func(t Token) { tokens = append(tokens, t) })
	return tokens
}

// Index returns the terms of a text joined by spaces.
func Index(text string, hint Language) string { return NewIndexer().Index(text, hint) }

// Indexer does what Index does for many texts, and is faster because their words repeat. It remembers a bounded number
// of words, and serves one goroutine.
type Indexer struct {
	s *stemmer
	f []place

	chunks  [French + 1]map[string][]uint32 // numbers of the terms of pieces of text, by language
	shared  []string                        // terms by their number
	numbers map[string]uint32
	own     []string // terms since the last Vocabulary that are not among them
	seed    maphash.Seed
	seen    [1 << 15]uint32 // pieces of text that came lately
}

// NewIndexer returns an Indexer that knows no word yet.
func NewIndexer() *Indexer { return &Indexer{s: newStemmer(Unknown), seed: maphash.MakeSeed()} }

// Index returns the terms of a text joined by spaces, as the function of this name does.
func (x *Indexer) Index(text string, hint Language) string {
	var b strings.Builder
	b.Grow(2 * len(text))
	x.each(text, hint, func(t Token) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.Term)
	})
	return b.String()
}

// each yields the tokens of a text, window by window.
func (x *Indexer) each(text string, hint Language, yield func(Token)) {
	if hint == Unknown {
		hint = Guess(text)
	}
	x.s.lang = hint
	for base := 0; base < len(text); {
		end := base + breakAt(text[base:])
		x.f = appendPlaces(x.f[:0], text[base:end], base)
		scan(x.f, func(u unit) { x.s.index(x.f, u, yield) })
		base = end
	}
}

// breakAt returns where the first window of text ends: after its last white space, else at a rune's boundary.
func breakAt(text string) int {
	if len(text) <= window {
		return len(text)
	}
	if i := strings.LastIndexAny(text[:window], " \n\t\r"); i > 0 {
		return i + 1
	}
	n := window
	for n > window-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return n
}

// index yields a unit's tokens.
func (s *stemmer) index(f []place, u unit, yield func(Token)) {
	start, end := f[u.from].start, f[u.to-1].end
	for _, t := range u.whole {
		yield(Token{Term: t, Start: start, End: end})
	}
	if u.word != "" {
		for _, t := range s.terms(u.word, u.hamza) {
			yield(Token{Term: t, Start: start, End: end})
		}
	}
	for _, p := range u.parts {
		s.index(f, p, yield)
	}
}
