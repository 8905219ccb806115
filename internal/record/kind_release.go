package record

// Release widens a record of the same author: a wider marking, a wider audience, or both.
type Release struct {
	Target   string    `json:"target,omitzero"` // leaf hash
	Marking  *Marking  `json:"marking,omitzero"`
	Audience *Audience `json:"audience,omitzero"`
	Reason   string    `json:"reason,omitzero"` // one line of up to 200 characters
	Note     Text      `json:"note,omitzero"`
	Opens    *Opening  `json:"opens,omitzero"` // of a sealed target: for those to whom it was not sealed
}

// Kind returns [KindRelease].
func (*Release) Kind() Kind { return KindRelease }

func (r *Release) check(c *checker, at string) {
	if c.required(r.Target != "", at+"/target") {
		c.hash(r.Target, at+"/target")
	}
	if r.Marking == nil && r.Audience == nil {
		c.fail(CodeMissing, at+"/marking", "a release says what it widens: add marking or audience")
	}
	c.change(r.Marking, r.Audience, at)
	c.line(r.Reason, maxName, at+"/reason")
	c.optionalText(r.Note, at+"/note")
	if r.Opens != nil {
		r.Opens.check(c, at+"/opens")
	}
}
