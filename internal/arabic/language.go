package arabic

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Language says which stems a text's words get. The zero value, Unknown, gives Latin words both English and French stems.
type Language uint8

// The languages that agreements are written in here.
const (
	Unknown Language = iota
	Arabic
	English
	French
)

// String returns the BCP 47 tag: "und", "ar", "en" or "fr".
func (l Language) String() string {
	switch l {
	case Arabic:
		return "ar"
	case English:
		return "en"
	case French:
		return "fr"
	}
	return "und"
}

// guessBytes is how much of a text Guess reads: enough for a page, bounded for a book.
const guessBytes = 16 << 10

// Guess tells the language of a text by its script and its stop words, from its first 16 KiB. A text with too little to
// go by is Unknown.
func Guess(text string) Language {
	if len(text) > guessBytes {
		text = text[:guessBytes]
	}
	var arab, latin, en, fr int
	for text != "" {
		w := nextLetters(text)
		text = text[w.bytes:]
		arab, latin, fr = arab+w.arab, latin+w.latin, fr+w.french
		if w.latin == 0 || len(w.text) < 2 || len(w.text) > 8 {
			continue
		}
		// A word that is a stop word in both languages ("on") tells nothing.
		folded := foldShort(w.text)
		inEn, inFr := englishStop(folded), frenchStop(folded)
		if inEn && !inFr {
			en += 2
		}
		if inFr && !inEn {
			fr += 2
		}
	}
	switch {
	case arab > latin:
		return Arabic
	case en > fr:
		return English
	case fr > en:
		return French
	}
	return Unknown
}

// lettersRun is the first run of letters of a text, and how many bytes it takes with what is no letter before it.
type lettersRun struct {
	text                string
	bytes               int
	arab, latin, french int // letters: Arabic ones, Latin ones, and those of them that French writes and English does not
}

func nextLetters(text string) (w lettersRun) {
	from, i := -1, 0
	for i < len(text) {
		size := 1
		if c := text[i]; c < utf8.RuneSelf {
			if c |= 0x20; c < 'a' || 'z' < c {
				if from >= 0 {
					break
				}
				i++
				continue
			}
			w.latin++
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			switch {
			case 'ؠ' <= r && r < 'ـ' || 'ـ' < r && r <= 'ي': // all of them Arabic letters, but for tatweel
				w.arab++
			case !unicode.IsLetter(r):
				if from >= 0 {
					w.text, w.bytes = text[from:i], i
					return w
				}
				i += size
				continue
			case r < 0x250:
				w.latin++
				if strings.ContainsRune("éèêàùçœâîôûëïÉÈÊÀÇŒ", r) {
					w.french++
				}
			case isArabic(r):
				w.arab++
			}
		}
		if from < 0 {
			from = i
		}
		i += size
	}
	w.bytes = i
	if from >= 0 {
		w.text = text[from:i]
	}
	return w
}

// foldShort is Fold, without work for what is folded already.
func foldShort(w string) string {
	for i := range len(w) {
		if w[i] < 'a' || 'z' < w[i] {
			return Fold(w)
		}
	}
	return w
}

// stopWord says whether a folded word is so common that a query is better without it.
func stopWord(w string) bool { return englishStop(w) || frenchStop(w) || arabicStop(w) }

func englishStop(w string) bool {
	switch w {
	case "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "for", "from", "has", "have", "his", "if", "in", "into",
		"is", "it", "its", "not", "of", "on", "or", "our", "shall", "such", "that", "the", "their", "there", "these", "they",
		"this", "those", "to", "was", "we", "were", "which", "who", "will", "with", "would":
		return true
	}
	return false
}

func frenchStop(w string) bool {
	switch w {
	case "a", "au", "aux", "avec", "ce", "ces", "cette", "dans", "de", "des", "du", "elle", "en", "est", "et", "etre", "il", "ils",
		"la", "le", "les", "leur", "leurs", "mais", "ne", "nos", "notre", "nous", "on", "ont", "ou", "par", "pas", "plus", "pour",
		"qu", "que", "qui", "sa", "se", "ses", "son", "sont", "sur", "un", "une", "vous", "y", "d", "l", "s", "n", "c", "j":
		return true
	}
	return false
}

func arabicStop(w string) bool {
	switch w {
	case "في", "من", "الي", "علي", "عن", "مع", "او", "ان", "هو", "هي", "هذا", "هذه", "ذلك", "تلك", "التي", "الذي", "الذين", "ما",
		"لا", "لم", "لن", "كان", "كانت", "قد", "كل", "بين", "بعد", "قبل", "ثم", "حتي", "اذا", "كما", "و", "ف", "ب", "ل", "ك",
		"فيه", "فيها", "منه", "منها", "به", "بها", "له", "لها", "عند", "اي", "هم", "نحن", "وفي", "ومن", "وهو", "وهي":
		return true
	}
	return false
}
