package arabic

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// plainGuess is Guess as its comment says it, letter by letter and word by word.
func plainGuess(text string) Language {
	var arab, latin, en, fr int
	for _, r := range text {
		switch {
		case isArabic(r):
			arab++
		case r < 0x250 && unicode.IsLetter(r):
			latin++
			if strings.ContainsRune("éèêàùçœâîôûëïÉÈÊÀÇŒ", r) {
				fr++
			}
		}
	}
	if arab > latin {
		return Arabic
	}
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(w) < 2 || len(w) > 8 {
			continue
		}
		w = Fold(w)
		if inEn, inFr := englishStop(w), frenchStop(w); inEn != inFr {
			if inEn {
				en += 2
			} else {
				fr += 2
			}
		}
	}
	switch {
	case en > fr:
		return English
	case fr > en:
		return French
	}
	return Unknown
}

func TestGuessReadsEveryWord(t *testing.T) {
	words := []string{"the", "Les", "de", "être", "ÉTÉ", "of", "on", "x1y", "في", "الاتفاق", "l'accord", "\xff", "日本", "مـن", "ﬁn", "the\u0301", "1", "a"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 12).Draw(t, "words"), rapid.SampledFrom([]string{" ", "", "-", "،"}).Draw(t, "between"))
		if got, want := Guess(text), plainGuess(text); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	})
}
