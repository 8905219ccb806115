package node

import (
	"context"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
)

// PartyPage is all that this node knows of a party: who it is, where it stands in the world, and what it runs.
type PartyPage struct {
	ID          string          `json:"id,omitempty" doc:"Party id; absent for a party that runs nothing this node knows of"`
	Label       string          `json:"label,omitempty" doc:"In the register or in an agreement's text"`
	Kind        string          `json:"kind,omitempty"`
	Names       agreement.Text  `json:"names,omitempty"`
	Country     string          `json:"country,omitempty" doc:"ISO 3166-1 alpha-2"`
	Of          string          `json:"of,omitempty" doc:"Label of the party that it belongs to"`
	Office      agreement.Text  `json:"office,omitempty" doc:"Of a person"`
	Fingerprint string          `json:"fingerprint,omitempty" doc:"In eight words, to compare by telephone"`
	Mark        string          `json:"mark,omitempty"`
	Standing    []PartyStanding `json:"standing,omitempty" doc:"Where it stands in the world, as sources say"`
	Through     []PartyStanding `json:"through,omitempty" doc:"Where its bodies stand in the world: a ministry of a state, say"`
	Connected   []PartyRoll     `json:"connected,omitempty" doc:"Rolls here that name it"`
	Facts       []FactView      `json:"facts,omitempty" doc:"What the documents say of it, each with its source"`
}

// PartyStanding is where a party stands towards an agreement on the shelf.
type PartyStanding struct {
	Agreement string `json:"agreement"`
	StandingView
}

// PartyRoll is what a roll says of a party.
type PartyRoll struct {
	Agreement string `json:"agreement" doc:"Agreement id"`
	Label     string `json:"label"`
	MemberView
}

// PartyPage shows a party by its id or label; an empty ref means this node's own.
func (n *Node) PartyPage(ctx context.Context, ref string) (PartyPage, error) {
	p := PartyPage{}
	if ref == "" || ref == n.party.ID {
		p.ID, p.Names, p.Fingerprint, p.Mark = n.party.ID, n.party.Names, n.party.Fingerprint, n.party.Mark
		ref = n.party.ID
	}
	if err := n.partyInRolls(ctx, &p, ref); err != nil {
		return p, err
	}
	if err := n.partyOnShelf(&p, ref); err != nil {
		return p, err
	}
	return p, p.found(ref)
}

func (p *PartyPage) found(ref string) error {
	if p.ID == "" && p.Label == "" {
		return fault.New(fault.NotFound, "give a party id (p-…), a label, or a country's code", "there is no party %s in the register or in any roll here", fault.Clip(ref))
	}
	return nil
}

// partyInRolls adds what the rolls here say of a party.
func (n *Node) partyInRolls(ctx context.Context, p *PartyPage, ref string) error {
	ids, err := n.rollIDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := n.withRoll(ctx, id, func(r *roll) error {
			for party, m := range r.state.Members {
				label, names := r.nameOf(party)
				if party != ref && (label == "" || !strings.EqualFold(label, ref)) {
					continue
				}
				if p.ID == "" {
					p.ID = party
				}
				p.fill(label, names, r.text())
				if r.keyrings[party].Names.Fictional() {
					p.Mark = fictionalMark
				}
				p.Connected = append(p.Connected, PartyRoll{Agreement: id, Label: r.label(), MemberView: r.viewMember(party, m)})
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (p *PartyPage) fill(label string, names map[string]string, a *agreement.Agreement) {
	if p.Label == "" {
		p.Label = label
	}
	if p.Names == nil {
		p.Names = names
	}
	if a == nil {
		return
	}
	if i := slices.IndexFunc(a.Parties, func(x agreement.Party) bool { return x.Label == label }); i >= 0 {
		p.Kind, p.Country = string(a.Parties[i].Kind), a.Parties[i].Country
		if a.Parties[i].Fictional {
			p.Mark = fictionalMark
		}
	}
}

// partyOnShelf adds what the register and the shelf say of a party. Only labels are compared: a party of the register has
// no id, and that it bears the name of one that runs mithaq makes it no other party's standing.
func (n *Node) partyOnShelf(p *PartyPage, ref string) error {
	f, err := n.facts()
	if err != nil {
		return err
	}
	if p.ID != "" {
		return nil
	}
	all, err := n.shelf()
	if err != nil {
		return err
	}
	known, registered := f.Party(strings.ToLower(ref))
	for _, s := range all {
		if local, ok := s.Agreement.Party(ref); ok && !registered && s.imported {
			known = local
		}
	}
	if known.Label == "" {
		return nil
	}
	p.Label, p.Kind, p.Names, p.Country, p.Of, p.Office = known.Label, string(known.Kind), known.Names, known.Country, known.Of, known.Office
	if known.Fictional {
		p.Mark = fictionalMark
	}
	for _, s := range all {
		if _, local := s.Agreement.Party(p.Label); !registered && !local {
			continue // a label means what the file says that declares it
		}
		x := shelfViewer{facts: f, a: s.Agreement}
		if st := s.Agreement.StandingOf(p.Label); len(st.History) > 0 {
			p.Standing = append(p.Standing, PartyStanding{Agreement: s.Label, StandingView: x.standing(st)})
		}
		for _, st := range s.Agreement.Standings() {
			if body, ok := f.Party(st.Party); ok && registered && body.Of == p.Label {
				p.Through = append(p.Through, PartyStanding{Agreement: s.Label, StandingView: x.standing(st)})
			}
		}
	}
	if registered {
		p.Facts = viewFacts(f, p.Label)
	}
	return nil
}
