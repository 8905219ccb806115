package agreement

import (
	"slices"
	"strings"
)

// State shows a pair in the form of an agreement with a roll, for whoever reads what holds. Nothing can be applied to it: it
// has no order of entries and nobody who keeps it.
func (p PairState) State() State {
	s := Begin(p.id, p.opt)
	s.phase, s.basis, s.text, s.definition, s.bytes, s.size = p.Phase(), p.basis, p.text, p.definition, p.bytes, len(p.acts)
	for _, party := range p.parties {
		m := p.member(party)
		if m.Membership == Joined {
			s.joined++
		}
		s.members = s.members.put(party, m)
	}
	for n, leaf := range p.order {
		e := p.acts[leaf]
		s.entries = s.entries.put(leaf, logged{n, e.Party, e.Act.Act})
		if e.Time.After(s.last) {
			s.last = e.Time.UTC()
		}
		p.statement(&s, e)
	}
	for leaf, proposal := range p.proposals {
		for _, party := range p.parties {
			if p.gave(party, proposal) {
				proposal.votes = proposal.votes.add(party)
			}
		}
		s.proposals = s.proposals.put(leaf, proposal)
	}
	s.open = p.open()
	s.hash = p.Hash()
	return s
}

// gave says whether a party gave its word for the text of a proposal, by this one or by another with the same text.
func (p PairState) gave(party string, of Proposal) bool {
	word, ok := p.said[party+"/"+of.Parent]
	return ok && p.proposals[word.Child].Text.SHA256 == of.Text.SHA256
}

// open lists the proposals on the current basis, in the order in which they were folded.
func (p PairState) open() []string {
	var out []string
	for _, leaf := range p.order {
		if proposal, ok := p.proposals[leaf]; ok && proposal.Status == Open && proposal.Parent == p.basis.String() {
			out = append(out, leaf)
		}
	}
	return out
}

func (p PairState) member(party string) Member {
	founding := p.root
	word := p.said[party+"/"+founding]
	m := Member{Membership: Invited, Since: p.acts[word.Leaf].Act.Date, Leaf: word.Leaf}
	if p.phase == InForce {
		m.Membership, m.Since, m.Text = Joined, p.since, p.text
	}
	for _, leaf := range p.order {
		e := p.acts[leaf]
		if e.Party != party {
			continue
		}
		switch e.Act.Act {
		case ActApprove:
			if word := p.counted[party+"/"+e.Act.Parent]; word.Leaf == leaf && (len(e.Act.Reservations) > 0 || e.Act.Parent == founding) {
				m.Reservations = e.Act.Reservations
			}
		case ActReview:
			m.Reviewed = max(m.Reviewed, e.Act.Date)
		}
		m.Declarations += min(1, len(e.Act.Declarations))
	}
	if gone, ok := p.left[party]; ok {
		m.Membership, m.Since, m.Leaf = Withdrawn, gone.Act.Date, gone.Leaf
	}
	return m
}

func (p PairState) statement(s *State, e Entry) {
	st := Statement{Party: e.Party, Date: e.Act.Date, Leaf: e.Leaf, ObjectsTo: e.Act.ObjectsTo, Texts: e.Act.Declarations}
	if e.Act.Act == ActObject && e.Act.Note != nil {
		st.Texts = append([]Text{e.Act.Note}, st.Texts...)
	}
	if e.Act.Act == ActObject || len(st.Texts) > 0 {
		s.statements = s.statements.put(e.Leaf, st)
	}
	if e.Act.Act == ActReview {
		s.reviewed = max(s.reviewed, e.Act.Date)
	}
}

// Acts lists the acts of both parties: by date, and within a day as they were folded.
func (p PairState) Acts() []Entry {
	out := make([]Entry, 0, len(p.order))
	for _, leaf := range p.order {
		out = append(out, p.acts[leaf])
	}
	slices.SortStableFunc(out, func(a, b Entry) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Leaf, b.Leaf)
	})
	return out
}
