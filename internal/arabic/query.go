package arabic

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Query is what somebody looks for: every clause must be met. The zero Query looks for nothing and finds nothing.
type Query struct {
	Clauses []Clause
}

// Clause is one word or indicator of a query: any of its alternatives meets it.
type Clause struct {
	Any []Alternative
}

// Alternative is a term that meets a clause: exactly, or as the beginning of an indexed term.
type Alternative struct {
	Term   string
	Prefix bool
}

// Limits of a query: what is beyond them is left out, so that a pasted page cannot become a thousand index scans.
const (
	maxQueryBytes   = 4 << 10
	maxQueryClauses = 32
)

// ParseQuery reads what a person typed. With typing set, the last word is also looked for as a beginning, so that
// results appear as one types. Stop words are left out unless there is nothing else.
func ParseQuery(text string, typing bool) Query {
	if len(text) > maxQueryBytes {
		n := maxQueryBytes
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	f := appendPlaces(nil, text, 0)
	s := newStemmer(Unknown) // a query is too short to tell English from French: look for both stems
	var all, chosen []Clause
	typed := lastWordEnd(f)
	scan(f, func(u unit) {
		last := typing && u.to == typed
		for _, v := range asked(u) {
			c := s.clause(v, last && v.to == u.to)
			all = append(all, c)
			if v.word != "" && stopWord(v.word) && !(last && v.to == u.to) {
				continue
			}
			chosen = append(chosen, c)
		}
	})
	if len(chosen) == 0 {
		chosen = all
	}
	return Query{Clauses: chosen[:min(len(chosen), maxQueryClauses)]}
}

// lastWordEnd returns where the word being typed ends: at the end of the text, punctuation aside ("198.51." is on its
// way to an address), or nowhere after a space.
func lastWordEnd(f []place) int {
	for n := len(f); n > 0; n-- {
		if isTermRune(f[n-1].r) {
			return n
		}
		if unicode.IsSpace(f[n-1].r) {
			return -1
		}
	}
	return -1
}

// asked returns the units a query demands for u: itself when it is a word or an indicator, else its parts.
func asked(u unit) []unit {
	if u.word != "" || u.exact != "" {
		return []unit{u}
	}
	var units []unit
	for _, p := range u.parts {
		units = append(units, asked(p)...)
	}
	return units
}

func (s *stemmer) clause(u unit, prefix bool) Clause {
	if u.exact != "" {
		return Clause{Any: []Alternative{{Term: u.exact, Prefix: prefix}}}
	}
	var c Clause
	for i, t := range s.terms(u.word, u.hamza) {
		// A beginning is looked for as typed; a stem of half a word says nothing about the whole.
		asTyped := prefix && (i == 0 || strings.HasSuffix(u.word, t)) && longEnough(t)
		for _, t := range counterparts(t) {
			c.Any = append(c.Any, Alternative{Term: t, Prefix: asTyped})
		}
	}
	if prefix && isAlnum(rune(u.word[0])) && len(u.word) >= 3 {
		c.Any = append(c.Any, Alternative{Term: encode(u.word), Prefix: true})
	}
	return c
}

func longEnough(t string) bool { return letters(t) >= 2 }

// String writes the query for people: beginnings end in *. Empty when it looks for nothing.
func (q Query) String() string {
	var b strings.Builder
	for i, c := range q.Clauses {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteByte('(')
		for j, a := range c.Any {
			if j > 0 {
				b.WriteString(" OR ")
			}
			b.WriteString(a.Term)
			if a.Prefix {
				b.WriteByte('*')
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}

// Find returns the bytes of text that meet the query's clauses, in order and without overlap, and whether every clause
// is met: what a page of results highlights. The answer is the index's own, term by term.
func (q Query) Find(text string, hint Language) (spans []Span, found bool) {
	met := make([]bool, len(q.Clauses))
	NewIndexer().each(text, hint, func(t Token) {
		for i, c := range q.Clauses {
			if !c.meets(t.Term) {
				continue
			}
			met[i] = true
			if n := len(spans); n > 0 && t.Start < spans[n-1].End {
				spans[n-1].End = max(spans[n-1].End, t.End)
			} else {
				spans = append(spans, Span{Start: t.Start, End: t.End})
			}
		}
	})
	for _, m := range met {
		if !m {
			return nil, false
		}
	}
	return spans, len(met) > 0
}

// Span is the bytes [Start, End) of a text.
type Span struct{ Start, End int }

func (c Clause) meets(term string) bool {
	for _, a := range c.Any {
		if term == a.Term || a.Prefix && strings.HasPrefix(term, a.Term) {
			return true
		}
	}
	return false
}
