package agreement

import (
	"fmt"
	"strings"
)

func checkReservations(a *Agreement, act Act) error {
	for _, r := range act.Reservations {
		if _, ok := a.Commitment(r.Commitment); !ok {
			return &Refusal{Code: NoSuch, What: fmt.Sprintf("the text has no commitment %q to make a reservation to", clip(r.Commitment))}
		}
	}
	return nil
}

func (s *State) join(e Entry) error {
	if s.phase != InForce {
		return turn("the agreement is not in force", "founders approve the founding text; others join afterwards")
	}
	if err := s.onBasis(e.Act.Parent); err != nil {
		return err
	}
	if e.Act.Text != nil && *e.Act.Text != s.text {
		return &Refusal{Code: WrongParent, What: fmt.Sprintf("the act joins text %s, version %s is in force", e.Act.Text.Version, s.text.Version),
			Remedy: "read the text in force and join that"}
	}
	if err := checkReservations(s.definition, e.Act); err != nil {
		return err
	}
	m, known := s.members.get(e.Party)
	switch {
	case known && m.Membership == Joined:
		return turn("it has joined already", "amend, declare or withdraw")
	case known && m.Membership == Applied:
		return turn("it has asked already", "wait until the parties admit it")
	}
	becomes := Joined
	invited := known && m.Membership == Invited
	switch s.definition.Terms.Accession {
	case AccessionInvitation:
		if !invited {
			return notEntitled("nobody has invited it", "ask a party for an invitation")
		}
	case AccessionApproval:
		if !invited {
			becomes = Applied
		}
	case AccessionOpen:
		if known && m.Membership == Removed {
			return notEntitled("it was removed", "ask the parties to admit it again")
		}
	}
	s.members = s.members.put(e.Party, Member{Membership: becomes, Since: e.Act.Date, Leaf: e.Leaf, Text: s.text,
		Reservations: e.Act.Reservations, Declarations: m.Declarations, Reviewed: m.Reviewed, Log: e.Act.Log})
	if becomes == Joined {
		s.joined++
	}
	s.note(e)
	return nil
}

// note keeps the declarations that came with an act.
func (s *State) note(e Entry) {
	if len(e.Act.Declarations) == 0 {
		return
	}
	s.statements = s.statements.put(e.Leaf, Statement{Party: e.Party, Date: e.Act.Date, Leaf: e.Leaf, Texts: e.Act.Declarations})
	m, _ := s.members.get(e.Party)
	m.Declarations++
	s.members = s.members.put(e.Party, m)
}

func (s *State) decline(e Entry) error {
	m, _ := s.members.get(e.Party)
	switch {
	case m.Membership == Joined:
		return turn("it is a party", "withdraw instead")
	case m.Membership == Declined:
		return &Refusal{Code: Repeated, What: "it has declined already"}
	case s.phase == Proposed && m.Membership == "":
		return notEntitled("it was not asked", "")
	}
	m.Membership, m.Since, m.Leaf = Declined, e.Act.Date, e.Leaf
	s.members = s.members.put(e.Party, m)
	return nil
}

func (s *State) invite(e Entry) error {
	if e.Party != s.depositary || s.phase != InForce {
		if err := s.mustBeJoined(e); err != nil {
			return err
		}
	}
	m, _ := s.members.get(e.Act.Party)
	switch m.Membership {
	case Joined, Applied, Invited:
		return turn(fmt.Sprintf("%s is %s already", e.Act.Party, m.Membership), "")
	case Removed:
		return notEntitled(e.Act.Party+" was removed", "the parties can admit it again")
	}
	m.Membership, m.Since, m.Leaf = Invited, e.Act.Date, e.Leaf
	s.members = s.members.put(e.Act.Party, m)
	return nil
}

// withdraw binds its author at once; nobody else has a say.
func (s *State) withdraw(e Entry) error {
	m, ok := s.members.get(e.Party)
	founder := s.phase == Proposed && ok && m.Membership == Invited
	if !founder && m.Membership != Joined && m.Membership != Applied {
		return turn("it is not a party", "decline an invitation instead")
	}
	s.leave(e.Party, Withdrawn, e)
	return nil
}

func (s *State) leave(party string, becomes Membership, e Entry) {
	m, _ := s.members.get(party)
	if m.Membership == Joined {
		s.joined--
	}
	m.Membership, m.Since, m.Leaf = becomes, e.Act.Date, e.Leaf
	s.members = s.members.put(party, m)
	if s.phase == InForce && s.joined == 0 {
		s.phase = Ended
		return
	}
	if s.phase == InForce {
		// With one party less, what the others approved may be enough now.
		s.settle(e.Act.Date)
	}
}

func (s *State) review(e Entry) error {
	if err := s.mustBeJoined(e); err != nil {
		return err
	}
	if err := s.onBasis(e.Act.Parent); err != nil {
		return err
	}
	m, _ := s.members.get(e.Party)
	m.Reviewed = e.Act.Date
	s.members = s.members.put(e.Party, m)
	s.reviewed = max(s.reviewed, e.Act.Date)
	return nil
}

func (s *State) object(e Entry) error {
	if s.phase == InForce {
		if err := s.mustBeJoined(e); err != nil {
			return err
		}
	} else if _, ok := s.members.get(e.Party); !ok {
		return notEntitled(e.Party+" is not a founder", "")
	}
	target, ok := s.entries.get(e.Act.ObjectsTo)
	if !ok {
		return &Refusal{Code: NoSuch, What: fmt.Sprintf("there is no act %.12s… in the roll to object to", e.Act.ObjectsTo)}
	}
	switch {
	case target.party == e.Party:
		return notEntitled("a party does not object to its own act", "withdraw the act, or declare")
	case target.act == ActWithdraw || target.act == ActDecline || target.act == ActObject || target.act == ActReview:
		return turn(fmt.Sprintf("there is nothing in a %s to object to", target.act), "")
	}
	texts := e.Act.Declarations
	if e.Act.Note != nil {
		texts = append([]Text{e.Act.Note}, texts...)
	}
	s.statements = s.statements.put(e.Leaf, Statement{Party: e.Party, Date: e.Act.Date, Leaf: e.Leaf, ObjectsTo: e.Act.ObjectsTo, Texts: texts})
	return nil
}

func (s *State) declare(e Entry) error {
	m, ok := s.members.get(e.Party)
	if !ok || m.Membership != Joined && (s.phase != Proposed || m.Membership != Invited) {
		return notEntitled(e.Party+" is not a party", "join first; declarations can come with that act")
	}
	s.note(e)
	return nil
}

// admit lets one that asked, was removed or lost its root key in, once enough parties say so.
func (s *State) admit(e Entry) error {
	if err := s.mustBeJoined(e); err != nil {
		return err
	}
	m, known := s.members.get(e.Act.Party)
	if known && (m.Membership == Joined || m.Membership == Invited) {
		return turn(fmt.Sprintf("%s is %s already", e.Act.Party, m.Membership), "")
	}
	enough, err := s.ballot("admit/"+e.Act.Party+"/"+m.Leaf, e, s.definition.Terms.Admission.Of(s.joined))
	if err != nil || !enough {
		return err
	}
	if m.Membership == Applied {
		if m.Text != s.text {
			// It asked under an older text: it must say that it accepts this one.
			m.Membership = Invited
		} else {
			m.Membership = Joined
			s.joined++
		}
	} else {
		m.Membership = Invited
	}
	m.Since, m.Leaf = e.Act.Date, e.Leaf
	s.members = s.members.put(e.Act.Party, m)
	return nil
}

func (s *State) remove(e Entry) error {
	if err := s.mustBeJoined(e); err != nil {
		return err
	}
	m, _ := s.members.get(e.Act.Party)
	switch {
	case e.Act.Party == e.Party:
		return turn("a party does not remove itself", "withdraw instead")
	case m.Membership != Joined:
		return turn(e.Act.Party+" is not a party", "")
	}
	enough, err := s.ballot("remove/"+e.Act.Party+"/"+m.Leaf, e, s.definition.Terms.Removal.Of(s.joined-1))
	if err != nil || !enough {
		return err
	}
	s.leave(e.Act.Party, Removed, e)
	return nil
}

// ballot counts a party's vote and says whether there are enough.
func (s *State) ballot(question string, e Entry, needed int) (bool, error) {
	b, _ := s.ballots.get(question)
	if b.votes.has(e.Party) {
		return false, &Refusal{Code: Repeated, What: "the party has said so already"}
	}
	b.votes = b.votes.add(e.Party)
	if b.votes.count >= needed {
		b.votes = s.standing(b.votes)
		b.done = b.votes.count >= needed
	}
	s.ballots = s.ballots.put(question, b)
	return b.done, nil
}

// succeed names a new depositary on the state at which the old one fell silent.
func (s *State) succeed(e Entry) error {
	if err := s.mustBeJoined(e); err != nil {
		return err
	}
	base := s.succession
	if base == "" {
		base = s.hash.String()
		if silentAt := s.definition.Terms.Silence.After(s.last); e.Time.Before(silentAt) {
			return turn(fmt.Sprintf("the depositary is not silent before %s", silentAt.Format("2006-01-02 15:04")), "wait, or ask it")
		}
	}
	if e.Act.Parent != base {
		return &Refusal{Code: WrongParent, What: fmt.Sprintf("the act names state %.12s…, the succession rests on %.12s…", e.Act.Parent, base)}
	}
	switch {
	case e.Act.Party == s.depositary:
		return turn("it is the depositary", "")
	case !s.Connected(e.Act.Party):
		return notEntitled(e.Act.Party+" is not a party, so it cannot keep the roll", "name a party")
	}
	if err := s.checkDouble(e, base, e.Act.Party); err != nil {
		return err
	}
	s.approvals = s.approvals.put(e.Party+"/"+base, Approval{Party: e.Party, Parent: base, Child: e.Act.Party, Leaf: e.Leaf})
	enough, err := s.ballot(strings.Join([]string{"succeed", base, e.Act.Party}, "/"), e, s.definition.Terms.Succession.Of(s.joined))
	if err != nil {
		return err
	}
	s.succession = base
	if enough {
		s.depositary, s.succession = e.Act.Party, ""
	}
	return nil
}
