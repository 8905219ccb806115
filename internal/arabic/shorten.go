package arabic

import "unicode/utf8"

// Shorten returns the query with every beginning cut to at most letters letters, and whether any was longer. What meets
// q meets the shorter query too, not the other way round.
func (q Query) Shorten(letters int) (short Query, cut bool) {
	short.Clauses = make([]Clause, len(q.Clauses))
	for i, c := range q.Clauses {
		any := make([]Alternative, len(c.Any))
		for j, a := range c.Any {
			if a.Prefix && utf8.RuneCountInString(a.Term) > letters {
				a.Term, cut = firstRunes(a.Term, letters), true
			}
			any[j] = a
		}
		short.Clauses[i] = Clause{Any: any}
	}
	return short, cut
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
