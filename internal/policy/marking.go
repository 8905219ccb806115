package policy

import (
	"cmp"
	"fmt"
	"slices"
)

// TLP is a label of the Traffic Light Protocol 2.0 (FIRST), spelled as it is written and printed: how far something may
// travel.
type TLP string

// The labels of TLP 2.0, from the laxest to the strictest.
const (
	TLPClear       TLP = "TLP:CLEAR"
	TLPGreen       TLP = "TLP:GREEN"
	TLPAmber       TLP = "TLP:AMBER"
	TLPAmberStrict TLP = "TLP:AMBER+STRICT"
	TLPRed         TLP = "TLP:RED"
)

// PAP is a label of the Permissible Actions Protocol: what may be done with something. The empty label is PAP:CLEAR.
type PAP string

// The labels of PAP, from the laxest to the strictest.
const (
	PAPClear PAP = "PAP:CLEAR"
	PAPGreen PAP = "PAP:GREEN"
	PAPAmber PAP = "PAP:AMBER"
	PAPRed   PAP = "PAP:RED"
)

const tlpCount, papCount = 5, 4

// TLPs returns the TLP labels, the laxest first.
func TLPs() []TLP { l := tlpLabels(); return l[:] }

// PAPs returns the PAP labels, the laxest first.
func PAPs() []PAP { l := papLabels(); return l[:] }

func tlpLabels() [tlpCount]TLP { return [...]TLP{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed} }

func papLabels() [papCount]PAP { return [...]PAP{PAPClear, PAPGreen, PAPAmber, PAPRed} }

// level is a label's place among the strict ones, or -1 when it is none.
func (t TLP) level() int {
	switch t {
	case TLPClear:
		return 0
	case TLPGreen:
		return 1
	case TLPAmber:
		return 2
	case TLPAmberStrict:
		return 3
	case TLPRed:
		return 4
	}
	return -1
}

func (p PAP) level() int {
	switch p {
	case "", PAPClear:
		return 0
	case PAPGreen:
		return 1
	case PAPAmber:
		return 2
	case PAPRed:
		return 3
	}
	return -1
}

// Valid says whether t is a label of TLP 2.0.
func (t TLP) Valid() bool { return t.level() >= 0 }

// Valid says whether p is a label of PAP, or empty.
func (p PAP) Valid() bool { return p.level() >= 0 }

// Compare is negative when t is laxer than o, positive when it is stricter. A label that is none is stricter than all, so
// that a mistake never widens.
func (t TLP) Compare(o TLP) int { return cmp.Compare(strictness(t.level()), strictness(o.level())) }

// Compare is negative when p is laxer than o, positive when it is stricter. The empty label equals PAP:CLEAR; one that is
// none is stricter than all.
func (p PAP) Compare(o PAP) int { return cmp.Compare(strictness(p.level()), strictness(o.level())) }

// strictness is a level for comparing, in which what is no label stands above all labels.
func strictness(level int) int {
	if level < 0 {
		return tlpCount
	}
	return level
}

// Stricter says whether t is strictly stricter than o.
func (t TLP) Stricter(o TLP) bool { return t.Compare(o) > 0 }

// Stricter says whether p is strictly stricter than o.
func (p PAP) Stricter(o PAP) bool { return p.Compare(o) > 0 }

// Marking is what an author wrote on an item (docs/formats.md, section 3). TLP is required, PAP is not.
type Marking struct {
	TLP TLP `json:"tlp,omitzero"`
	PAP PAP `json:"pap,omitzero"`
}

// Check returns an error that names the label which is none.
func (m Marking) Check() error {
	if !m.TLP.Valid() {
		return fmt.Errorf("reading a marking: %q is not a TLP 2.0 label (one of %v)", m.TLP, TLPs())
	}
	if !m.PAP.Valid() {
		return fmt.Errorf("reading a marking: %q is not a PAP label (one of %v)", m.PAP, PAPs())
	}
	return nil
}

// Covers says whether everything that m allows is also allowed by wider: m is as strict or stricter in both labels.
func (m Marking) Covers(wider Marking) bool {
	return m.TLP.Compare(wider.TLP) >= 0 && m.PAP.Compare(wider.PAP) >= 0
}

// Narrower says whether m takes something away from o and adds nothing: what a narrowing recall may do.
func (m Marking) Narrower(o Marking) bool { return m.Covers(o) && !o.Covers(m) }

// Strictest returns a marking that is as strict as either.
func (m Marking) Strictest(o Marking) Marking {
	return Marking{
		TLP: slices.MaxFunc([]TLP{m.TLP, o.TLP}, TLP.Compare),
		PAP: slices.MaxFunc([]PAP{m.PAP, o.PAP}, PAP.Compare),
	}
}

// String returns the labels as they are printed: "TLP:AMBER PAP:RED".
func (m Marking) String() string {
	if m.PAP == "" {
		return string(m.TLP)
	}
	return string(m.TLP) + " " + string(m.PAP)
}
