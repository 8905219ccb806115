package record

import "slices"

// TLP is a label of the Traffic Light Protocol 2.0 (FIRST).
type TLP string

// The labels, from the widest to the strictest.
const (
	TLPClear       TLP = "TLP:CLEAR"
	TLPGreen       TLP = "TLP:GREEN"
	TLPAmber       TLP = "TLP:AMBER"
	TLPAmberStrict TLP = "TLP:AMBER+STRICT"
	TLPRed         TLP = "TLP:RED"
)

// PAP is a label of the Permissible Actions Protocol; empty when the author gave none.
type PAP string

// The labels, from the widest to the strictest.
const (
	PAPClear PAP = "PAP:CLEAR"
	PAPGreen PAP = "PAP:GREEN"
	PAPAmber PAP = "PAP:AMBER"
	PAPRed   PAP = "PAP:RED"
)

func tlps() []TLP { return []TLP{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed} }
func paps() []PAP { return []PAP{PAPClear, PAPGreen, PAPAmber, PAPRed} }

// Valid says whether t is one of the five labels.
func (t TLP) Valid() bool { return slices.Contains(tlps(), t) }

// Compare orders labels from the widest (CLEAR) to the strictest (RED): negative when t is wider than o. A label that is not
// valid counts as stricter than RED, so that a mistake never widens.
func (t TLP) Compare(o TLP) int { return rank(tlps(), t) - rank(tlps(), o) }

// Stricter says whether t is strictly stricter than o.
func (t TLP) Stricter(o TLP) bool { return t.Compare(o) > 0 }

// Valid says whether p is one of the four labels.
func (p PAP) Valid() bool { return slices.Contains(paps(), p) }

// Compare orders labels from none and CLEAR to RED, as for TLP; none restricts nothing and equals CLEAR.
func (p PAP) Compare(o PAP) int { return p.rank() - o.rank() }

// Stricter says whether p is strictly stricter than o.
func (p PAP) Stricter(o PAP) bool { return p.Compare(o) > 0 }

func (p PAP) rank() int {
	if p == "" {
		return 0
	}
	return rank(paps(), p)
}

func rank[T comparable](order []T, v T) int {
	if i := slices.Index(order, v); i >= 0 {
		return i
	}
	return len(order)
}

// A Marking says who may see a record and what they may do with it.
type Marking struct {
	TLP TLP `json:"tlp,omitzero"`
	PAP PAP `json:"pap,omitzero"`
}

// Covers says whether everything that m allows is also allowed by wider: m is as strict or stricter in both labels.
func (m Marking) Covers(wider Marking) bool {
	return m.TLP.Compare(wider.TLP) >= 0 && m.PAP.Compare(wider.PAP) >= 0
}

// Narrower says whether m takes something away from o and adds nothing: what a narrowing recall may do.
func (m Marking) Narrower(o Marking) bool { return m.Covers(o) && !o.Covers(m) }

// Strictest returns the stricter label of each protocol.
func Strictest(a, b Marking) Marking {
	if b.TLP.Stricter(a.TLP) {
		a.TLP = b.TLP
	}
	if b.PAP.Stricter(a.PAP) {
		a.PAP = b.PAP
	}
	return a
}

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
		c.fail(CodeMissing, at+"/audience/persons", "TLP:RED is for named persons: name them")
	case m.TLP == TLPClear && a != nil:
		c.fail(CodeValue, at+"/audience", "TLP:CLEAR is for everyone: leave the audience out or mark it stricter")
	}
}
