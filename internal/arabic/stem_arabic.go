package arabic

import (
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem/arabic"
)

// arabic adds the terms of a folded Arabic word: without its article and clitics, its light stem, the lemma of a
// reviewed plural, and snowball's stem of what is left. hamza says that the word was written with أ, إ or آ first.
func (s *stemmer) arabic(w string, hamza bool) {
	s.form(w)
	if b, ok := withoutArticle(w, hamza); ok {
		s.add(b)
		s.form(b)
		return
	}
	if b, ok := withoutParticle(w, hamza); ok {
		s.add(b)
		s.form(b)
		// وبالاتفاق lost its و alone: what is left can still carry an article.
		if c, ok := withoutArticle(b, false); ok {
			s.add(c)
			s.form(c)
		}
	}
}

// form adds the stems of one candidate form of a word.
func (s *stemmer) form(w string) {
	var plural string
	listed := false
	light := w
	for {
		if l, ok := lemma(light); ok && !listed {
			s.add(l)
			listed = true
		}
		if plural == "" && brokenPlural(light) {
			plural = light
		}
		shorter := strip(light)
		if shorter == light {
			break
		}
		light = shorter
	}
	s.add(light)
	if deep := s.snowball(light, arabic.Stem); letters(deep) >= 3 {
		s.add(deep)
	}
	if plural == "" {
		s.bones(singularMark, light)
	} else {
		s.bones(pluralMark, plural)
	}
}

// articles are the article and what can be written before it, in folded letters, longest first. لل is ل with the
// article, whose alef it swallows.
func articles() [12]string {
	return [...]string{"وبال", "وكال", "فبال", "فكال", "وال", "بال", "كال", "فال", "ولل", "فلل", "لل", "ال"}
}

// withoutArticle takes the article off, unless the word has those letters of its own.
func withoutArticle(w string, hamza bool) (string, bool) {
	if hamza || ownArticleLetters(w) {
		return "", false
	}
	for _, a := range articles() {
		if rest, ok := strings.CutPrefix(w, a); ok && letters(rest) >= 2 {
			return rest, true
		}
	}
	return "", false
}

// withoutParticle takes off a conjunction or preposition of one letter (و ف ب ك ل), unless the word begins with that
// letter of its own or too little would be left to tell.
func withoutParticle(w string, hamza bool) (string, bool) {
	if hamza {
		return "", false
	}
	for _, p := range [...]string{"و", "ف", "ب", "ك", "ل"} {
		rest, ok := strings.CutPrefix(w, p)
		if !ok {
			continue
		}
		if letters(rest) < 4 && !(p == "و" && letters(rest) == 3) || ownFirstLetter(w) {
			return "", false
		}
		return rest, true
	}
	return "", false
}

// suffix is an ending and how many letters must be left when it goes.
type suffix struct {
	end  string
	keep int
}

// lightStem takes endings off a folded word until none fits: pronouns, sound plurals and duals, nisba, ta marbuta.
// lightStem(lightStem(w)) == lightStem(w).
func lightStem(w string) string {
	for {
		shorter := strip(w)
		if shorter == w {
			return w
		}
		w = shorter
	}
}

// strip takes one ending off.
func strip(w string) string {
	if ownEnding(w) {
		return w
	}
	n := letters(w)
	for _, s := range [...]suffix{
		{"اتهما", 3}, {"اتهم", 3}, {"اتها", 3}, {"اتنا", 3}, {"اتكم", 3}, {"اته", 3},
		{"تهما", 3}, {"تهم", 3}, {"تها", 3}, {"تنا", 3}, {"تكم", 3}, // a ta marbuta opens before a pronoun: شبكة, شبكتها
		{"هما", 3}, {"هم", 3}, {"ها", 3}, {"كم", 4}, {"هن", 4}, {"نا", 4},
		{"تان", 3}, {"تين", 3}, {"ات", 3}, {"ان", 4}, {"ون", 4}, {"ين", 4},
		{"يه", 3}, {"يت", 4}, {"ه", 3}, {"ي", 3}, {"ا", 4},
	} {
		if rest, ok := strings.CutSuffix(w, s.end); ok && n-utf8.RuneCountInString(s.end) >= s.keep {
			return rest
		}
	}
	return w
}

func letters(w string) int { return utf8.RuneCountInString(w) }
