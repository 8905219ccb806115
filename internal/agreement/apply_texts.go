package agreement

import (
	"fmt"
	"slices"
)

// define reads a definition as the text of this agreement.
func (s *State) define(act Act) (*Agreement, TextVersion, error) {
	a, err := Load("definition", []byte(act.Definition), s.opt)
	if err != nil {
		return nil, TextVersion{}, &Refusal{Code: BadText, What: "the definition is refused", Cause: err}
	}
	text := TextVersion{Version: a.Version, SHA256: TextHash([]byte(act.Definition))}
	switch {
	case act.Text != nil && *act.Text != text:
		return nil, text, &Refusal{Code: BadText, What: fmt.Sprintf("the act names text %s, its definition is %s", act.Text.SHA256, text.SHA256)}
	case a.Mode == Shelf:
		return nil, text, &Refusal{Code: BadText, What: "the definition is a shelf copy of an agreement of others", Remedy: "write an agreement with mode = \"depositary\" or \"pair\""}
	}
	return a, text, nil
}

func (s *State) propose(e Entry) error {
	if s.phase != Nothing {
		return turn("the agreement has a founding text already", "use amend")
	}
	if id := ID([]byte(e.Act.Definition)); id != s.id {
		return &Refusal{Code: BadText, What: fmt.Sprintf("the proposal founds %s, this is the roll of %s", id, s.id)}
	}
	if err := s.onBasis(e.Act.Parent); err != nil {
		return err
	}
	a, text, err := s.define(e.Act)
	if err != nil {
		return err
	}
	if a.Mode != Depositary {
		return &Refusal{Code: BadText, What: "an agreement in pair mode has no roll", Remedy: "fold the two logs with FoldPair"}
	}
	if err := checkAuthor(a, e); err != nil {
		return err
	}
	founder := false
	for _, label := range a.Founders {
		p, ok := a.Party(label)
		if !ok {
			return &Refusal{Code: BadText, What: fmt.Sprintf("founder %q is not declared in the definition itself", label)}
		}
		founder = founder || p.ID == e.Party
		s.members = s.members.put(p.ID, Member{Membership: Invited, Since: e.Act.Date, Leaf: e.Leaf})
	}
	if !founder {
		return notEntitled(e.Party+" is not among the founders it names", "add it to founders, with its id")
	}
	keeper, ok := a.Party(a.Depositary)
	if !ok {
		return &Refusal{Code: BadText, What: fmt.Sprintf("depositary %q is not declared in the definition itself", a.Depositary)}
	}
	s.phase, s.definition, s.bytes, s.text, s.depositary = Proposed, a, e.Act.Definition, text, keeper.ID
	p := Proposal{Leaf: e.Leaf, Party: e.Party, Date: e.Act.Date, Parent: s.basis.String(), Text: text, Status: Open, Definition: a, Bytes: e.Act.Definition}
	s.proposals = s.proposals.put(e.Leaf, p)
	s.open = []string{e.Leaf}
	// Who founds an agreement approves it; the id leaves no other text to approve.
	return s.count(p, e)
}

func (s *State) amend(e Entry) error {
	if err := s.mustBeJoined(e); err != nil {
		return err
	}
	if err := s.onBasis(e.Act.Parent); err != nil {
		return err
	}
	if len(s.open) >= MaxOpenProposals {
		return &Refusal{Code: TooMany, What: fmt.Sprintf("%d proposals are open", len(s.open)), Remedy: "decide on those first"}
	}
	a, text, err := s.define(e.Act)
	if err != nil {
		return err
	}
	switch {
	case a.Label != s.definition.Label || a.Mode != s.definition.Mode || a.Fictional != s.definition.Fictional:
		return &Refusal{Code: BadText, What: "an amendment keeps the agreement's label, mode and nature", Remedy: "propose a new agreement instead"}
	case text.SHA256 == s.text.SHA256:
		return &Refusal{Code: BadText, What: "the proposed text is the one in force"}
	case a.Version == s.text.Version:
		return &Refusal{Code: BadText, What: fmt.Sprintf("the proposed text has the version %q of the one in force", a.Version), Remedy: "give it the next version"}
	}
	if _, ok := a.Party(a.Depositary); !ok {
		return &Refusal{Code: BadText, What: fmt.Sprintf("depositary %q is not declared in the definition itself", a.Depositary)}
	}
	s.proposals = s.proposals.put(e.Leaf, Proposal{Leaf: e.Leaf, Party: e.Party, Date: e.Act.Date, Parent: e.Act.Parent, Text: text, Status: Open,
		Definition: a, Bytes: e.Act.Definition})
	s.open = append(slices.Clone(s.open), e.Leaf)
	return nil
}

func (s *State) approve(e Entry) error {
	p, ok := s.proposals.get(e.Act.Proposal)
	if !ok {
		return &Refusal{Code: NoSuch, What: fmt.Sprintf("there is no proposal %.12s… in the roll", e.Act.Proposal)}
	}
	if p.Parent != e.Act.Parent {
		return &Refusal{Code: WrongParent, What: fmt.Sprintf("the proposal is a child of %.12s…, the approval names %.12s…", p.Parent, e.Act.Parent)}
	}
	if err := s.mayApprove(e); err != nil {
		return err
	}
	if err := s.checkDouble(e, e.Act.Parent, e.Act.Proposal); err != nil {
		return err
	}
	if p.Status != Open {
		return turn(fmt.Sprintf("the proposal is %s", p.Status), "read the text in force, and propose again on it if need be")
	}
	if err := checkReservations(p.Definition, e.Act); err != nil {
		return err
	}
	if e.Act.Text != nil && *e.Act.Text != p.Text {
		return &Refusal{Code: BadText, What: "the approval names another text than the proposal"}
	}
	return s.count(p, e)
}

func (s *State) mayApprove(e Entry) error {
	if s.phase != Proposed {
		return s.mustBeJoined(e)
	}
	m, ok := s.members.get(e.Party)
	if !ok {
		return notEntitled(e.Party+" is not a founder", "join once the agreement is in force")
	}
	if m.Membership == Withdrawn {
		return turn("the founder has withdrawn", "join once the agreement is in force")
	}
	return nil
}

// checkDouble finds out whether the party gave its word for a child of this parent before.
func (s *State) checkDouble(e Entry, parent, child string) error {
	before, ok := s.approvals.get(e.Party + "/" + parent)
	switch {
	case !ok:
		return nil
	case before.Child == child:
		return &Refusal{Code: Repeated, What: "the party has approved this already"}
	}
	return &MisconductError{Misconduct{Party: e.Party, Parent: parent, First: before,
		Second: Approval{Party: e.Party, Parent: parent, Child: child, Leaf: e.Leaf}}}
}

// count adds an approval and lets the text take force when there are enough.
func (s *State) count(p Proposal, e Entry) error {
	s.approvals = s.approvals.put(e.Party+"/"+p.Parent, Approval{Party: e.Party, Parent: p.Parent, Child: p.Leaf, Leaf: e.Leaf})
	p.votes = p.votes.add(e.Party)
	s.proposals = s.proposals.put(p.Leaf, p)
	if len(e.Act.Reservations) > 0 || s.phase == Proposed {
		m, _ := s.members.get(e.Party)
		if s.phase == Proposed {
			m.Membership, m.Since, m.Leaf = Invited, e.Act.Date, e.Leaf
		}
		m.Reservations = e.Act.Reservations
		if e.Act.Log != nil {
			m.Log = e.Act.Log
		}
		s.members = s.members.put(e.Party, m)
	}
	s.settle(e.Act.Date)
	return nil
}

// settle lets the first open proposal with enough approvals take force.
func (s *State) settle(date string) {
	for _, leaf := range s.open {
		p, _ := s.proposals.get(leaf)
		needed := s.Needed()
		if p.votes.count < needed {
			continue
		}
		// Those who have left since do not count, so count again before it matters.
		p.votes = s.standing(p.votes)
		s.proposals = s.proposals.put(leaf, p)
		if p.votes.count >= needed {
			s.enact(p, date)
			return
		}
	}
	s.cross()
}

// cross ends a round in which the parties gave their word for different texts, so that none can have enough any more: since
// nobody may approve two children of one basis, it would never end. The text in force stays, the proposals lapse, and whoever
// still wants one of them proposes it on the new basis.
func (s *State) cross() {
	if s.phase != InForce {
		return
	}
	approved, most, given := 0, 0, 0
	for _, leaf := range s.open {
		p, _ := s.proposals.get(leaf)
		if p.votes.count == 0 {
			continue
		}
		n := s.standing(p.votes).count
		approved, most, given = approved+1, max(most, n), given+n
	}
	// A number that needs more parties than there are waits for others to join.
	if needed := s.Needed(); approved < 2 || needed > s.joined || most+s.joined-given >= needed {
		return
	}
	var texts []string
	for _, leaf := range s.open {
		p, _ := s.proposals.get(leaf)
		if p.votes.count > 0 {
			texts = append(texts, p.Text.SHA256)
		}
		p.Status = Lapsed
		s.proposals = s.proposals.put(leaf, p)
	}
	s.open = nil
	s.basis = crossedBasis(s.basis, texts...)
}

// standing drops the votes of those who may no longer vote, oldest first as before.
func (s *State) standing(v votes) votes {
	var keep []string
	for n := v.head; n != nil; n = n.older {
		if s.mayVote(n.party) {
			keep = append(keep, n.party)
		}
	}
	if len(keep) == v.count {
		return v
	}
	var out votes
	for i := len(keep) - 1; i >= 0; i-- {
		out = out.add(keep[i])
	}
	return out
}

func (s *State) mayVote(party string) bool {
	m, ok := s.members.get(party)
	if s.phase == Proposed {
		return ok && m.Membership == Invited
	}
	return ok && m.Membership == Joined
}

func (s *State) enact(p Proposal, date string) {
	founding := s.phase == Proposed
	before := s.definition
	for _, leaf := range s.open {
		o, _ := s.proposals.get(leaf)
		o.Status = Lapsed
		if leaf == p.Leaf {
			o.Status = Enacted
		}
		s.proposals = s.proposals.put(leaf, o)
	}
	s.open = nil
	s.definition, s.bytes, s.text = p.Definition, p.Bytes, p.Text
	s.basis = nextBasis(s.basis, p.Text.SHA256)
	if founding {
		s.phase = InForce
		for n := p.votes.head; n != nil; n = n.older {
			m, _ := s.members.get(n.party)
			m.Membership, m.Since, m.Text = Joined, date, p.Text
			s.members = s.members.put(n.party, m)
			s.joined++
		}
		return
	}
	// A text that names another depositary moves the roll; one that repeats the name undoes no succession.
	old, _ := before.Party(before.Depositary)
	if keeper, ok := p.Definition.Party(p.Definition.Depositary); ok && keeper.ID != old.ID {
		s.depositary = keeper.ID
	}
}
