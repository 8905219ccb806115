package agreement

import (
	"fmt"
)

// PairEntry is an act as one of the two logs of a pair holds it: its owner's own, or the other's, embedded with its proof.
type PairEntry struct {
	Log   string // party id of the log's owner
	Entry Entry  // Parent and Result are not used: two logs have no common order
}

// PairState is an agreement between two parties without a depositary. A text is in force when both have given their
// word for it and each log holds the other's act. It is a value, and the order in which entries of the two logs are
// folded does not matter as long as each log's own order is kept.
type PairState struct {
	opt        Options
	id         string
	phase      Phase
	ended      bool
	basis      Hash
	text       TextVersion
	definition *Agreement
	bytes      string
	parties    [2]string // ids, once a founding text is known
	proposals  trie[Proposal]
	approvals  trie[Approval] // party "/" parent
	copies     trie[copies]   // leaf → whose logs hold it
	bases      trie[logged]   // every basis so far
}

// copies says which of the two logs hold an act.
type copies struct{ own, other bool }

func (c copies) encode(e *encoder) {
	for _, b := range [...]bool{c.own, c.other} {
		if b {
			e.num(1)
		} else {
			e.num(0)
		}
	}
}

// BeginPair is the state before either log has an entry.
func BeginPair(id string, opt Options) PairState {
	s := Begin(id, opt)
	p := PairState{opt: opt, id: id, phase: Nothing, basis: s.basis}
	p.bases = p.bases.put(p.basis.String(), logged{})
	return p
}

// Phase says whether a text is in force. A pair ends when one of the two withdraws.
func (p PairState) Phase() Phase {
	if p.ended {
		return Ended
	}
	return p.phase
}

// Basis is the parent that amendments and approvals must name.
func (p PairState) Basis() Hash { return p.basis }

// Text is the text in force, or the founding text while it waits.
func (p PairState) Text() TextVersion { return p.text }

// Definition is what that text says; nil before a founding proposal.
func (p PairState) Definition() *Agreement { return p.definition }

// DefinitionBytes is that text, verbatim.
func (p PairState) DefinitionBytes() string { return p.bytes }

// Hash names what holds between the two.
func (p PairState) Hash() Hash {
	var e encoder
	e.str(p.id)
	e.str(string(p.Phase()))
	e.hash(p.basis)
	e.str(p.text.SHA256)
	e.hash(p.approvals.rootHash())
	return e.sum("mithaq/pair/v1")
}

// ApplyPair folds one entry of one of the two logs. On an error the state is the one given.
func ApplyPair(p PairState, e PairEntry) (PairState, error) {
	next := p
	if err := next.apply(e); err != nil {
		return p, err
	}
	return next, nil
}

func (p *PairState) apply(e PairEntry) error {
	in := e.Entry
	switch {
	case !isHash(in.Leaf):
		return malformed("leaf", "%q is not a leaf hash", clip(in.Leaf))
	case !isParty(in.Party) || !isParty(e.Log):
		return malformed("author", "a party id is missing")
	case len(in.Officers) > maxOfficers:
		return malformed("signatures", "more than %d", maxOfficers)
	}
	if err := in.Act.Check(); err != nil {
		return err
	}
	if p.phase != Nothing {
		for _, id := range []string{in.Party, e.Log} {
			if id != p.parties[0] && id != p.parties[1] {
				return notEntitled(id+" is not one of the two parties", "")
			}
		}
	}
	c, known := p.copies.get(in.Leaf)
	if !known {
		if err := p.act(in); err != nil {
			return err
		}
		if e.Log != p.parties[0] && e.Log != p.parties[1] {
			return notEntitled(e.Log+" is not one of the two parties", "")
		}
	}
	if e.Log == in.Party {
		c.own = true
	} else {
		c.other = true
	}
	p.copies = p.copies.put(in.Leaf, c)
	p.settle()
	return nil
}

// act takes in an act that neither log has shown before.
func (p *PairState) act(e Entry) error {
	if p.phase == Nothing && e.Act.Act != ActPropose {
		return turn("no text has been proposed", "a founding proposal comes first")
	}
	if p.definition != nil {
		if err := checkOfficers(p.definition, e); err != nil {
			return err
		}
	}
	switch e.Act.Act {
	case ActPropose:
		return p.propose(e)
	case ActAmend:
		return p.amend(e)
	case ActApprove:
		return p.approve(e)
	case ActWithdraw:
		p.ended = true
		return nil
	case ActDeclare, ActObject, ActReview:
		return nil
	}
	return turn(fmt.Sprintf("%s has no place between two parties", e.Act.Act), "propose, amend, approve, declare, object, review or withdraw")
}

func (p *PairState) propose(e Entry) error {
	if p.phase != Nothing {
		return turn("there is a founding text already", "use amend")
	}
	if id := ID([]byte(e.Act.Definition)); id != p.id {
		return &Refusal{Code: BadText, What: fmt.Sprintf("the proposal founds %s, these are the logs of %s", id, p.id)}
	}
	a, text, err := p.define(e.Act)
	if err != nil {
		return err
	}
	for i, label := range a.Founders {
		founder, ok := a.Party(label)
		if !ok || i > 1 {
			return &Refusal{Code: BadText, What: fmt.Sprintf("founder %q is not declared in the definition itself", label)}
		}
		p.parties[i] = founder.ID
	}
	if e.Party != p.parties[0] && e.Party != p.parties[1] {
		return notEntitled(e.Party+" is not one of the two it names", "")
	}
	if err := checkOfficers(a, e); err != nil {
		return err
	}
	p.phase, p.definition, p.bytes, p.text = Proposed, a, e.Act.Definition, text
	p.proposals = p.proposals.put(e.Leaf, Proposal{Leaf: e.Leaf, Party: e.Party, Date: e.Act.Date, Parent: p.basis.String(), Text: text,
		Status: Open, Definition: a, Bytes: e.Act.Definition})
	return p.word(e, p.basis.String(), e.Leaf)
}

func (p *PairState) define(act Act) (*Agreement, TextVersion, error) {
	s := State{opt: p.opt}
	a, text, err := s.define(act)
	if err == nil && a.Mode != Pair {
		err = &Refusal{Code: BadText, What: "the definition names a depositary", Remedy: "write mode = \"pair\""}
	}
	return a, text, err
}

func (p *PairState) amend(e Entry) error {
	if err := p.onSomeBasis(e.Act.Parent); err != nil {
		return err
	}
	a, text, err := p.define(e.Act)
	if err != nil {
		return err
	}
	if a.Label != p.definition.Label || a.Fictional != p.definition.Fictional {
		return &Refusal{Code: BadText, What: "an amendment keeps the agreement's label and nature"}
	}
	for _, label := range a.Founders {
		if f, ok := a.Party(label); !ok || f.ID != p.parties[0] && f.ID != p.parties[1] {
			return &Refusal{Code: BadText, What: "an amendment keeps the two parties", Remedy: "propose a new agreement instead"}
		}
	}
	if p.proposals.size >= MaxEntries {
		return &Refusal{Code: TooMany, What: "too many proposals"}
	}
	p.proposals = p.proposals.put(e.Leaf, Proposal{Leaf: e.Leaf, Party: e.Party, Date: e.Act.Date, Parent: e.Act.Parent, Text: text,
		Status: Open, Definition: a, Bytes: e.Act.Definition})
	return nil
}

// onSomeBasis accepts a basis that has passed as well: the other log may have moved on before it saw the act.
func (p *PairState) onSomeBasis(parent string) error {
	if _, ok := p.bases.get(parent); !ok {
		return &Refusal{Code: WrongParent, What: fmt.Sprintf("no text of these two has the basis %.12s…", parent)}
	}
	return nil
}

func (p *PairState) approve(e Entry) error {
	proposal, ok := p.proposals.get(e.Act.Proposal)
	switch {
	case !ok:
		return &Refusal{Code: NoSuch, What: fmt.Sprintf("neither log holds proposal %.12s…", e.Act.Proposal)}
	case proposal.Parent != e.Act.Parent:
		return &Refusal{Code: WrongParent, What: "the proposal is a child of another parent"}
	}
	if err := checkReservations(proposal.Definition, e.Act); err != nil {
		return err
	}
	return p.word(e, e.Act.Parent, e.Act.Proposal)
}

func (p *PairState) word(e Entry, parent, child string) error {
	s := State{approvals: p.approvals}
	if err := s.checkDouble(e, parent, child); err != nil {
		return err
	}
	p.approvals = p.approvals.put(e.Party+"/"+parent, Approval{Party: e.Party, Parent: parent, Child: child, Leaf: e.Leaf})
	return nil
}

// settle puts a text in force once each log holds the other's word for it.
func (p *PairState) settle() {
	a, okA := p.approvals.get(p.parties[0] + "/" + p.basis.String())
	b, okB := p.approvals.get(p.parties[1] + "/" + p.basis.String())
	if !okA || !okB {
		return
	}
	proposalA, _ := p.proposals.get(a.Child)
	proposalB, _ := p.proposals.get(b.Child)
	ca, _ := p.copies.get(a.Leaf)
	cb, _ := p.copies.get(b.Leaf)
	if proposalA.Text.SHA256 != proposalB.Text.SHA256 || !ca.own || !ca.other || !cb.own || !cb.other {
		return
	}
	p.phase = InForce
	p.definition, p.bytes, p.text = proposalA.Definition, proposalA.Bytes, proposalA.Text
	p.basis = nextBasis(p.basis, p.text.SHA256)
	p.bases = p.bases.put(p.basis.String(), logged{})
	// A text already agreed on the new basis may have been waiting for this one.
	p.settle()
}
