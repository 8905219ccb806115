package arabic

import (
	"slices"
	"strings"
)

// A broken plural changes a word's vowels and keeps its consonants: حادث, حوادث. So a word of a plural's shape and a word
// of any other shape are the same when their consonants are. Both are indexed by their consonants, under different
// marks, and a query looks for the other one's: two singulars of one root (خبر and خبير) do not meet.
const (
	singularMark = "zs"
	pluralMark   = "zp"
)

// brokenPlural says whether a folded word without its article has the shape of a broken plural.
func brokenPlural(w string) bool {
	r := []rune(w)
	switch n := len(r); {
	case n == 5 && r[0] == 'ا' && r[3] == 'ا' && !weak(r[1]): // أفعال
		return true
	case n == 5 && r[0] == 'ا' && r[4] == 'ه' && !slices.Contains(r[1:4], 'ا'): // أفعلة
		return true
	case n == 4 && r[2] == 'و' && r[3] != 'ه': // فعول
		return true
	case n == 4 && r[3] == 'ا' && r[0] != 'ا': // فعلاء
		return true
	case (n == 5 || n == 6) && r[2] == 'ا' && r[3] != 'ا' && r[n-1] != 'ا' && r[1] != 'ا': // فواعل, مفاعل, فعائل, مفاعيل, فعاللة
		return n == 5 || r[4] == 'ي' || r[5] == 'ه'
	}
	return false
}

// weak says whether a letter is one of the three that carry long vowels.
func weak(r rune) bool { return r == 'ا' || r == 'و' || r == 'ي' }

// consonants returns what a broken plural shares with its singular: no weak letter but a first و or ي, and no final ه.
func consonants(w string) string {
	r := []rune(strings.TrimSuffix(w, "ه"))
	kept := r[:0]
	for i, c := range r {
		if !weak(c) || i == 0 && c != 'ا' {
			kept = append(kept, c)
		}
	}
	return string(kept)
}

// maxBones is the longest word, in letters, whose consonants are looked at; two consonants are too few to tell a plural
// by, unless they are three with the last one doubled.
const (
	maxBones       = 8
	minBones       = 2
	minBonesOfMany = 3
)

// bones adds a word's consonants under a mark. A plural's doubled last consonant can be one in the singular: سر, أسرار.
func (s *stemmer) bones(mark, w string) {
	if letters(w) > maxBones {
		return
	}
	c := consonants(w)
	r := []rune(c)
	if n := len(r); n < minBones || mark == pluralMark && n < minBonesOfMany {
		return
	}
	s.add(mark + c)
	if n := len(r); mark == pluralMark && n == minBonesOfMany && r[n-1] == r[n-2] {
		s.add(mark + string(r[:n-1]))
	}
}

// counterparts returns what a query looks for when a word's own term is t: of a singular its plurals, of a plural its
// singular too. Other terms are their own.
func counterparts(t string) []string {
	for _, mark := range []string{singularMark, pluralMark} {
		rest, ok := strings.CutPrefix(t, mark)
		if !ok || rest == "" || rest[0] < 0x80 {
			continue // "zsh" is a word
		}
		if mark == singularMark {
			return []string{pluralMark + rest}
		}
		return []string{pluralMark + rest, singularMark + rest}
	}
	return []string{t}
}
