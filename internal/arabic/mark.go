package arabic

// Mark returns the bytes of text that meet any of the query's clauses, in order and without overlap, and which of
// the clauses are met. Unlike [Query.Find] it does not ask for all of them: the others may be met in another text of
// the same record. An Indexer that marks many texts is faster, because their words repeat.
func (x *Indexer) Mark(q Query, text string, hint Language) (spans []Span, met []bool) {
	met = make([]bool, len(q.Clauses))
	x.each(text, hint, func(t Token) {
		hit := false
		for i, c := range q.Clauses {
			if c.meets(t.Term) {
				met[i], hit = true, true
			}
		}
		if !hit {
			return
		}
		if n := len(spans); n > 0 && t.Start < spans[n-1].End {
			spans[n-1].End = max(spans[n-1].End, t.End)
		} else {
			spans = append(spans, Span{Start: t.Start, End: t.End})
		}
	})
	return spans, met
}
