package arabic

import (
	"hash/maphash"
	"strings"
)

// maxChunk is the longest piece of text between white space whose terms an Indexer remembers.
const maxChunk = 40

// maxShared bounds the terms that an Indexer keeps numbers for.
const maxShared = 1 << 16

// ownTerm is set in the number of a term that stands in the vocabulary of a few texts alone.
const ownTerm = 1 << 31

// Vocabulary says which terms the numbers stand for that an Indexer gave since the vocabulary before. Many goroutines may
// read it. A term can have several numbers.
type Vocabulary struct{ shared, own []string }

// Term is the term with a number.
func (v *Vocabulary) Term(number uint32) string {
	if number&ownTerm != 0 {
		return v.own[number&^ownTerm]
	}
	return v.shared[number]
}

// Len is how many numbers there are: below shared those of Place.
func (v *Vocabulary) Len() int { return len(v.shared) + len(v.own) }

// Place is where a number stands among Len numbers.
func (v *Vocabulary) Place(number uint32) int {
	if number&ownTerm != 0 {
		return len(v.shared) + int(number&^ownTerm)
	}
	return int(number)
}

// Numbers appends a number for each index term of a text, in the order of their places and with repeats, as [Tokens] yields
// them. The next Vocabulary says what they mean. No term goes across white space, so that the terms of a piece between white
// space are the same wherever it stands, and most pieces were seen before.
func (x *Indexer) Numbers(dst []uint32, text string, hint Language) []uint32 {
	if hint == Unknown {
		hint = Guess(text)
	}
	for len(text) > 0 {
		n := 0
		for n < len(text) && !blank(text[n]) {
			n++
		}
		switch {
		case n > maxChunk:
			x.each(text[:n], hint, func(t Token) { dst = append(dst, x.number(t.Term)) })
		case n > 0:
			dst = x.chunk(dst, text[:n], hint)
		}
		for n < len(text) && blank(text[n]) {
			n++
		}
		text = text[n:]
	}
	return dst
}

// Verbatim is the number of a term that is not taken out of a text.
func (x *Indexer) Verbatim(term string) uint32 { return x.share(term) }

// Vocabulary returns what the numbers mean that were given since the last call.
func (x *Indexer) Vocabulary() *Vocabulary {
	v := &Vocabulary{shared: x.shared[:len(x.shared):len(x.shared)], own: x.own}
	x.own = nil
	if len(x.shared) >= maxShared {
		x.shared, x.numbers, x.chunks = nil, nil, [len(x.chunks)]map[string][]uint32{}
	}
	return v
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// chunk appends the numbers of a short piece of text.
func (x *Indexer) chunk(dst []uint32, text string, hint Language) []uint32 {
	if numbers, ok := x.chunks[hint][text]; ok {
		return append(dst, numbers...)
	}
	if len(x.shared) >= maxShared || !x.again(text, hint) {
		x.each(text, hint, func(t Token) { dst = append(dst, x.number(t.Term)) })
		return dst
	}
	var numbers []uint32
	x.each(text, hint, func(t Token) { numbers = append(numbers, x.share(t.Term)) })
	if x.chunks[hint] == nil {
		x.chunks[hint] = make(map[string][]uint32)
	}
	x.chunks[hint][strings.Clone(text)] = numbers
	return append(dst, numbers...)
}

// again says whether a piece of text was seen not long ago. What comes once, as most indicators do, is not worth keeping.
func (x *Indexer) again(text string, hint Language) bool {
	h := maphash.String(x.seed, text) + uint64(hint)
	place := &x.seen[h%uint64(len(x.seen))]
	mark := uint32(h>>32) | 1
	if *place == mark {
		return true
	}
	*place = mark
	return false
}

// number is a number for a term: the one it has, or one for now.
func (x *Indexer) number(term string) uint32 {
	if n, ok := x.numbers[term]; ok {
		return n
	}
	x.own = append(x.own, term)
	return ownTerm | uint32(len(x.own)-1)
}

// share gives a term a number to keep.
func (x *Indexer) share(term string) uint32 {
	if n, ok := x.numbers[term]; ok {
		return n
	}
	if x.numbers == nil {
		x.numbers = make(map[string]uint32)
	}
	n := uint32(len(x.shared))
	x.shared, x.numbers[term] = append(x.shared, term), n
	return n
}
