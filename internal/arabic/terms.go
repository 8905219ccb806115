package arabic

import "strings"

// maxChunk is the longest piece of text between white space whose terms an Indexer remembers.
const maxChunk = 40

// Terms yields the index terms of a text in the order of their places, as [Tokens] does, repeats included. No term goes across
// white space, so that the terms of a piece between white space are the same wherever it stands, and most pieces were
// seen before.
func (x *Indexer) Terms(text string, hint Language, yield func(term string)) {
	if hint == Unknown {
		hint = Guess(text)
	}
	for len(text) > 0 {
		n := 0
		for n < len(text) && !blank(text[n]) {
			n++
		}
		if n > maxChunk {
			x.each(text[:n], hint, func(t Token) { yield(t.Term) })
		} else if n > 0 {
			for _, term := range x.chunk(text[:n], hint) {
				yield(term)
			}
		}
		for n < len(text) && blank(text[n]) {
			n++
		}
		text = text[n:]
	}
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// chunk returns the terms of a short piece of text.
func (x *Indexer) chunk(text string, hint Language) []string {
	known := &x.chunks[hint]
	if terms, ok := (*known)[text]; ok {
		return terms
	}
	if *known == nil || len(*known) >= maxKnown {
		*known = make(map[string][]string)
	}
	var terms []string
	x.each(text, hint, func(t Token) { terms = append(terms, t.Term) })
	(*known)[strings.Clone(text)] = terms
	return terms
}
