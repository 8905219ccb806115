package record

import "fmt"

// RecallAction says what holders do with the target.
type RecallAction string

// The actions of a recall.
const (
	RecallWithdraw RecallAction = "withdraw" // hand it out no more
	RecallNarrow   RecallAction = "narrow"   // hand it out to fewer, or less of it
	RecallErase    RecallAction = "erase"    // destroy it; the author destroyed its own copy
)

// RecallReason says why.
type RecallReason string

// The reasons of a recall.
const (
	RecallError         RecallReason = "error"
	RecallFalsePositive RecallReason = "false-positive"
	RecallSource        RecallReason = "source"
	RecallLegal         RecallReason = "legal"
	RecallOther         RecallReason = "other"
)

// Recall takes back or narrows a record of the same author. Every holder obeys it at every exit.
type Recall struct {
	Target   string       `json:"target,omitzero"` // leaf hash
	Action   RecallAction `json:"action,omitzero"`
	Reason   RecallReason `json:"reason,omitzero"`
	Marking  *Marking     `json:"marking,omitzero"`  // with narrow only
	Audience *Audience    `json:"audience,omitzero"` // with narrow only
	Objects  []string     `json:"objects,omitzero"`  // STIX ids: only these objects of the target
	Note     Text         `json:"note,omitzero"`
}

const maxRecalled = 4096 // STIX ids of one recall

// Kind returns [KindRecall].
func (*Recall) Kind() Kind { return KindRecall }

func (r *Recall) check(c *checker, at string) {
	if c.required(r.Target != "", at+"/target") {
		c.hash(r.Target, at+"/target")
	}
	oneOf(c, r.Action, at+"/action", RecallWithdraw, RecallNarrow, RecallErase)
	oneOf(c, r.Reason, at+"/reason", RecallError, RecallFalsePositive, RecallSource, RecallLegal, RecallOther)
	if r.Action == RecallNarrow {
		if r.Marking == nil && r.Audience == nil && len(r.Objects) == 0 {
			c.fail(CodeMissing, at+"/marking", "a narrowing says how: add marking, audience or objects")
		}
	} else if r.Marking != nil || r.Audience != nil {
		c.fail(CodeValue, at+"/action", "marking and audience belong to narrow: change the action or leave them out")
	}
	c.change(r.Marking, r.Audience, at)
	c.count(len(r.Objects), maxRecalled, at+"/objects")
	seen := make(map[string]bool, len(r.Objects))
	for i, id := range r.Objects {
		place := fmt.Sprintf("%s/objects/%d", at, i)
		if _, ok := splitSTIXID(id); !ok {
			c.fail(CodeValue, place, "%.80q is not a STIX id: write the type, -- and a UUID", id)
		}
		if seen[id] {
			c.fail(CodeValue, place, "the id stands twice: drop the repeat")
		}
		seen[id] = true
	}
	c.optionalText(r.Note, at+"/note")
}

// change checks the new marking and audience that a recall or a release gives.
func (c *checker) change(m *Marking, a *Audience, at string) {
	if m != nil {
		c.marking(*m, at+"/marking")
		c.reach(*m, a, at)
	}
	c.audience(a, at+"/audience")
}
