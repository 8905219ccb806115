package arabic

import (
	"strings"
	"unicode"
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
	if latin == 0 {
		return Unknown
	}
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(w) < 2 || len(w) > 8 {
			continue
		}
		w = Fold(w)
		// A word that is a stop word in both languages ("on") tells nothing.
		inEn, inFr := englishStop(w), frenchStop(w)
		if inEn && !inFr {
			en += 2
		}
		if inFr && !inEn {
			fr += 2
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
