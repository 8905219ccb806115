package node

import (
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
)

// ShelfAlone is what can be known where there is no node: what ships with the program, and the agreement files in the folder
// shelf of a directory, which may be missing.
type ShelfAlone struct{ n *Node }

// NewShelfAlone reads the shelf in dir.
func NewShelfAlone(dir string) ShelfAlone { return ShelfAlone{newNode(dir, DefaultConfig(), nil)} }

// Agreements lists the shelf without the particulars.
func (s ShelfAlone) Agreements() ([]AgreementView, error) { return s.n.shelfViews(nil) }

// Agreement shows one agreement of the shelf with all its particulars.
func (s ShelfAlone) Agreement(label string) (AgreementView, error) { return s.n.shelfView(label) }

// Party shows a party of the register or of the shelf by its label.
func (s ShelfAlone) Party(label string) (PartyPage, error) {
	p := PartyPage{}
	if err := s.n.partyOnShelf(&p, label); err != nil {
		return p, err
	}
	return p, p.found(label)
}

// Facts lists what the documents report and what other sources say of it: all, or those of a number or document, an agreement
// or a party.
func (s ShelfAlone) Facts(what string) ([]FactView, error) {
	f, err := s.n.facts()
	if err != nil {
		return nil, err
	}
	what = strings.TrimSpace(what)
	out := viewFacts(f, what)
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "see 'mithaq facts' for all of them", "no fact has the number, agreement or party %s", fault.Clip(what))
	}
	return out, nil
}
