package record

import "github.com/mithaq/mithaq/internal/policy"

// TLP, PAP and Marking are the decision's own: what a record is marked with is what is decided on.
type (
	TLP     = policy.TLP
	PAP     = policy.PAP
	Marking = policy.Marking
)

// The labels, from the widest to the strictest.
const (
	TLPClear       = policy.TLPClear
	TLPGreen       = policy.TLPGreen
	TLPAmber       = policy.TLPAmber
	TLPAmberStrict = policy.TLPAmberStrict
	TLPRed         = policy.TLPRed

	PAPClear = policy.PAPClear
	PAPGreen = policy.PAPGreen
	PAPAmber = policy.PAPAmber
	PAPRed   = policy.PAPRed
)

func (c *checker) marking(m Marking, at string) {
	if c.required(m.TLP != "", at+"/tlp") && !m.TLP.Valid() {
		c.fail(CodeValue, at+"/tlp", "%.80q is not a TLP 2.0 label: TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED", string(m.TLP))
	}
	if m.PAP != "" && !m.PAP.Valid() {
		c.fail(CodeValue, at+"/pap", "%.80q is not a PAP label: PAP:CLEAR, PAP:GREEN, PAP:AMBER or PAP:RED", string(m.PAP))
	}
}

// reach checks marking and audience together: RED names persons, CLEAR names nobody.
func (c *checker) reach(m Marking, a *Audience, at string) {
	switch {
	case m.TLP == TLPRed && (a == nil || len(a.Persons) == 0):
		c.fail(CodeMissing, at+"/audience/persons", "TLP:RED is for named persons: name their keys (mithaq publish --to KEY)")
	case m.TLP == TLPClear && a != nil:
		c.fail(CodeValue, at+"/audience", "TLP:CLEAR is for everyone: leave the audience out or mark it stricter")
	}
}
