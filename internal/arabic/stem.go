package arabic

import (
	"slices"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/french"
)

// Limits of one word: a longer one is no word of a language, gets no stem, and its term is cut.
const (
	maxStemBytes = 96
	maxTermBytes = 240
)

// maxKnown bounds the words a stemmer remembers, twice over: a text's words repeat, and stemming is most of the work.
const maxKnown = 1 << 15

// stemmer gives the terms of a word. It keeps one snowball environment, so it serves one goroutine.
type stemmer struct {
	lang  Language
	env   *snowballstem.Env
	out   []string
	known knownWords
	older knownWords // what was known when known was full: it is given up when known is full again
}

// knownWords are terms by word: of each language, with hamza and without.
type knownWords struct {
	of    [2 * (French + 1)]map[string][]string
	count int
}

func newStemmer(lang Language) *stemmer {
	return &stemmer{lang: lang, env: snowballstem.NewEnv("")}
}

// terms returns the distinct terms of a folded word, its fullest form first. The slice must not be changed, and is good until the
// next call.
func (s *stemmer) terms(w string, hamza bool) []string {
	if len(w) > maxStemBytes || stemless(w) {
		return s.find(w, hamza)
	}
	of := 2 * s.lang
	if hamza {
		of++
	}
	if t, ok := s.known.of[of][w]; ok {
		return t
	}
	if s.known.count >= maxKnown {
		s.known, s.older = knownWords{}, s.known
	}
	t, ok := s.older.of[of][w]
	if !ok {
		t = slices.Clone(s.find(w, hamza))
	}
	if s.known.of[of] == nil {
		s.known.of[of] = make(map[string][]string)
	}
	s.known.of[of][w] = t
	s.known.count++
	return t
}

// stemless says that a word has no stem, which is quicker to see than to remember: numbers, parts of hashes.
func stemless(w string) bool {
	return w != "" && isASCII(w) && !plainLetters(w)
}

func isASCII(w string) bool {
	for i := range len(w) {
		if w[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// find works out the terms of a word. The slice is reused by the next call.
func (s *stemmer) find(w string, hamza bool) []string {
	s.out = s.out[:0]
	w = cut(w)
	s.add(w)
	if len(w) > maxStemBytes {
		return s.out
	}
	if r, _ := utf8.DecodeRuneInString(w); isArabic(r) {
		s.arabic(w, hamza)
		return s.out
	}
	if !plainLetters(w) {
		return s.out
	}
	if s.lang != French {
		s.add(s.snowball(w, english.Stem))
	}
	if s.lang != English {
		s.add(s.snowball(w, french.Stem))
	}
	return s.out
}

func (s *stemmer) add(term string) {
	if term == "" {
		return
	}
	for _, t := range s.out {
		if t == term {
			return
		}
	}
	s.out = append(s.out, term)
}

func (s *stemmer) snowball(w string, stem func(*snowballstem.Env) bool) string {
	s.env.SetCurrent(w)
	stem(s.env)
	// The stemmers mark letters by upper case while they work, and one may be left over.
	return foldShort(s.env.Current())
}

// plainLetters says whether the stemmers know this word's letters; "sha256" and "4g" they do not.
func plainLetters(w string) bool {
	if len(w) < 3 {
		return false
	}
	for i := range len(w) {
		if w[i] < 'a' || 'z' < w[i] {
			return false
		}
	}
	return true
}

// cut shortens a term to maxTermBytes at a rune's boundary.
func cut(w string) string {
	if len(w) <= maxTermBytes {
		return w
	}
	n := maxTermBytes
	for !utf8.RuneStart(w[n]) {
		n--
	}
	return w[:n]
}
