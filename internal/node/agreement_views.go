package node

import (
	"context"
	"slices"

	"github.com/mithaq/mithaq/internal/agreement"
)

// AgreementView is one agreement. Here is present when it runs on this node, Shelf when it is only known: what somebody
// joined here and where somebody stands in the world are never in one list.
type AgreementView struct {
	ID          string           `json:"id,omitempty" doc:"Agreement id, where it runs here"`
	Label       string           `json:"label"`
	Names       agreement.Text   `json:"names,omitempty"`
	Type        string           `json:"type,omitempty"`
	Force       string           `json:"force,omitempty" doc:"Legal force"`
	Version     string           `json:"version,omitempty"`
	Date        string           `json:"date,omitempty"`
	Printed     string           `json:"date_printed,omitempty" doc:"What the source printed for that date, in its own words"`
	Place       agreement.Text   `json:"place,omitempty"`
	Purpose     agreement.Text   `json:"purpose,omitempty"`
	Sectors     []string         `json:"sectors,omitempty" doc:"Entries of lists of sectors, as us-sectors/energy"`
	Links       []LinkView       `json:"links,omitempty" doc:"Agreements that it belongs with"`
	Mark        string           `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where it is invented"`
	Here        *HereView        `json:"here,omitempty"`
	Shelf       *ShelfView       `json:"shelf,omitempty"`
	Commitments []CommitmentView `json:"commitments,omitempty"`
	Deadlines   []TermView       `json:"deadlines,omitempty"`
	Rules       []RuleView       `json:"rules,omitempty" doc:"Sharing rules of its own; markings hold beside them"`
	Terms       *TermsView       `json:"terms,omitempty"`
	Text        string           `json:"text,omitempty" doc:"The agreement file in force, verbatim"`
}

// LinkView relates a whole agreement to another.
type LinkView struct {
	To       string         `json:"to" doc:"Label"`
	Relation string         `json:"relation" enum:"updates,implements,follows,part-of,related,context"`
	Note     agreement.Text `json:"note,omitempty"`
}

// HereView is an agreement's state, folded from its roll.
type HereView struct {
	Phase      string          `json:"phase" enum:"nothing,proposed,in-force,ended"`
	Entries    int             `json:"entries" doc:"Entries of the roll as it is known here"`
	State      string          `json:"state" doc:"State hash"`
	Basis      string          `json:"basis" doc:"What amendments and approvals name as their parent"`
	TextHash   string          `json:"text_sha256,omitempty"`
	Depositary string          `json:"depositary,omitempty" doc:"Party id of who keeps the roll"`
	Pair       bool            `json:"pair,omitempty" doc:"Two parties without a depositary: each log holds the other's acts"`
	Keeps      bool            `json:"keeps" doc:"Whether this node keeps the roll"`
	Membership string          `json:"membership,omitempty" doc:"Of this node's party"`
	Joined     int             `json:"joined" doc:"How many parties are connected: joined, and run it on a node of their own"`
	Needed     int             `json:"needed" doc:"How many of them must approve a proposal"`
	Reviewed   string          `json:"reviewed,omitempty"`
	Pending    int             `json:"pending" doc:"Acts of this party that the roll does not have yet"`
	Proposals  []ProposalView  `json:"proposals,omitempty" doc:"Open ones"`
	Members    []MemberView    `json:"members,omitempty"`
	Statements []StatementView `json:"statements,omitempty" doc:"Declarations and objections"`
	Acts       []ActView       `json:"acts,omitempty" doc:"The roll, in order"`
	Witnesses  *RollWitnesses  `json:"witnesses,omitempty" doc:"Absent: the agreement asks for none"`
	Texts      []TextView      `json:"texts,omitempty" doc:"Authentic texts that the agreement file names, by language and hash"`
	Cases      []CaseView      `json:"cases,omitempty" doc:"Proofs of misconduct: they wait for a person, or a person decided"`
}

// MemberView is a party in a roll.
type MemberView struct {
	Party        string                  `json:"party"`
	Label        string                  `json:"label,omitempty" doc:"Its label in the agreement's text"`
	Names        map[string]string       `json:"names,omitempty"`
	Country      string                  `json:"country,omitempty" doc:"ISO 3166-1 alpha-2, as the agreement's text says"`
	Membership   string                  `json:"membership" enum:"invited,applied,joined,declined,withdrawn,removed"`
	Waits        bool                    `json:"waits,omitempty" doc:"It has joined, and that waits for witnesses"`
	Since        string                  `json:"since"`
	Version      string                  `json:"version,omitempty" doc:"Of the text it joined"`
	Reservations []agreement.Reservation `json:"reservations,omitempty"`
	Leaf         string                  `json:"leaf" doc:"Of the act that made it so"`
}

// ProposalView is an open proposal.
type ProposalView struct {
	Leaf      string `json:"leaf"`
	Party     string `json:"party"`
	Date      string `json:"date"`
	Version   string `json:"version"`
	Approvals int    `json:"approvals"`
	Officers  int    `json:"officers" doc:"How many officers of a party must sign its approval"`
}

// StatementView is a declaration, or an objection to an act.
type StatementView struct {
	Party     string           `json:"party"`
	Date      string           `json:"date"`
	Leaf      string           `json:"leaf"`
	ObjectsTo string           `json:"objects_to,omitempty"`
	Texts     []agreement.Text `json:"texts"`
}

// ActView is one entry of a roll.
type ActView struct {
	Act      string         `json:"act"`
	Word     agreement.Text `json:"word,omitempty" doc:"The agreement's own verb for it"`
	Party    string         `json:"party"`
	Date     string         `json:"date"`
	Leaf     string         `json:"leaf"`
	Waits    bool           `json:"waits,omitempty" doc:"It has no effect before enough witnesses have co-signed it"`
	Seen     *bool          `json:"witnessed,omitempty" doc:"Whether enough witnesses have; absent where none are asked"`
	Officers int            `json:"officers" doc:"How many officers signed"`
	Mandate  agreement.Text `json:"mandate,omitempty" doc:"On whose authority"`
	Basis    agreement.Text `json:"mandate_basis,omitempty" doc:"On what that authority rests"`
	Granted  string         `json:"mandate_date,omitempty" doc:"When it was given"`
	Note     agreement.Text `json:"note,omitempty"`
	Version  string         `json:"version,omitempty" doc:"Of the text that it proposes"`
	Became   string         `json:"became,omitempty" enum:"open,enacted,lapsed" doc:"What became of that text; get-difference with the leaf says what it changes or changed"`
}

// CommitmentView is one promise.
type CommitmentView struct {
	Label           string                     `json:"label"`
	Article         string                     `json:"article,omitempty" doc:"Its number in the text, where that differs from the label"`
	Names           agreement.Text             `json:"names,omitempty"`
	Text            agreement.Text             `json:"text,omitempty"`
	Note            agreement.Text             `json:"note,omitempty" doc:"What to know about it: its limits, how others read it"`
	Kinds           []string                   `json:"kinds,omitempty" doc:"Kinds of records that put it into practice"`
	Deadlines       []string                   `json:"deadlines,omitempty"`
	Correspondences []agreement.Correspondence `json:"correspondences,omitempty" doc:"What it corresponds to elsewhere"`
}

// DifferenceView is what a proposal changes.
type DifferenceView struct {
	Agreement string                 `json:"agreement"`
	Label     string                 `json:"label"`
	From      string                 `json:"from" doc:"Version in force, or before the proposal took force; empty: it was the first"`
	To        string                 `json:"to" doc:"Version proposed"`
	Proposal  string                 `json:"proposal" doc:"Leaf"`
	By        string                 `json:"by" doc:"Party id"`
	Mark      string                 `json:"mark,omitempty"`
	Changes   []agreement.Difference `json:"changes"`
}

// viewText fills in what the text says.
func (v *AgreementView) viewText(a *agreement.Agreement, lib *agreement.Library) {
	v.Label, v.Names, v.Type, v.Force, v.Version, v.Purpose, v.Mark = a.Label, a.Names, a.Type, a.Force, a.Version, a.Purpose, markOf(a)
	if !a.Date.IsZero() {
		v.Date, v.Printed = a.Date.String(), a.Date.Source()
	}
	v.Place, v.Sectors = a.Place, a.Sectors
	for _, l := range a.Links {
		v.Links = append(v.Links, LinkView{To: l.To, Relation: l.Relation, Note: l.Note})
	}
	v.viewTerms(a)
	for _, c := range a.Commitments {
		view := CommitmentView{Label: c.Label, Article: c.Article, Names: c.Names, Text: c.Text, Note: c.Note, Kinds: c.Kinds, Deadlines: c.Deadlines}
		view.Correspondences = correspondences(a, c.Label, lib)
		v.Commitments = append(v.Commitments, view)
	}
}

// correspondences lists what a commitment corresponds to: from both ends where the library has its agreement, else as its own
// file states it.
func correspondences(a *agreement.Agreement, label string, lib *agreement.Library) []agreement.Correspondence {
	if known, ok := lib.Agreement(a.Label); ok && known == a {
		return lib.Correspondences(a.Label + "/" + label)
	}
	var out []agreement.Correspondence
	for _, x := range a.Crosswalks {
		if x.From == label {
			_, names, _ := lib.Place(x.To)
			out = append(out, agreement.Correspondence{Here: a.Label + "/" + label, There: x.To, Names: names, Relation: x.Relation, Note: x.Note, Stated: true})
		}
	}
	return out
}

// viewRoll shows an agreement that runs here. The caller holds r.mu.
func (n *Node) viewRoll(ctx context.Context, r *roll, lib *agreement.Library) (v AgreementView, err error) {
	s := r.effect
	v = AgreementView{ID: r.id, Label: r.id, Text: s.DefinitionBytes(), Here: &HereView{Phase: string(s.Phase()), Entries: len(r.places), State: s.Hash().String(),
		Basis: s.Basis().String(), TextHash: s.Text().SHA256, Depositary: s.Depositary(), Keeps: s.Depositary() == n.party.ID, Joined: s.Joined(), Needed: r.state.Needed(), Reviewed: s.Reviewed()}}
	d := r.text()
	if d != nil {
		v.viewText(d, lib)
		v.Here.Texts = viewTexts(d)
		v.Here.Pair = d.Mode == agreement.Pair
	}
	for _, o := range r.own {
		if !r.entered(o.leaf) {
			v.Here.Pending++
		}
	}
	for party, m := range s.Members {
		if party == n.party.ID {
			v.Here.Membership = string(m.Membership)
		}
		member := r.viewMember(party, m)
		member.Waits = agreement.Waits(s, r.state, party)
		v.Here.Members = append(v.Here.Members, member)
	}
	for _, p := range s.OpenProposals() {
		officers, _ := r.state.Definition().OfficersFor(agreement.ActApprove)
		v.Here.Proposals = append(v.Here.Proposals, ProposalView{Leaf: p.Leaf, Party: p.Party, Date: p.Date, Version: p.Text.Version, Approvals: p.Approvals(), Officers: officers})
	}
	for _, st := range s.Statements() {
		v.Here.Statements = append(v.Here.Statements, StatementView{Party: st.Party, Date: st.Date, Leaf: st.Leaf, ObjectsTo: st.ObjectsTo, Texts: st.Texts})
	}
	for i := range r.places {
		e := r.places[i].entry
		act := ActView{Act: string(e.Act.Act), Party: e.Party, Date: e.Act.Date, Leaf: e.Leaf, Officers: len(e.Officers), Note: e.Act.Note}
		if p, ok := s.Proposal(e.Leaf); ok {
			act.Version, act.Became = p.Text.Version, string(p.Status)
		}
		if d != nil {
			act.Word = d.Words[act.Act]
		}
		if e.Act.Mandate != nil {
			act.Mandate, act.Basis, act.Granted = e.Act.Mandate.By, e.Act.Mandate.Basis, e.Act.Mandate.Date
		}
		if r.seen != nil {
			seen := r.witnessed(i)
			act.Seen, act.Waits = &seen, !seen && agreement.NeedsWitnesses(e.Act.Act)
		}
		v.Here.Acts = append(v.Here.Acts, act)
	}
	v.Here.Witnesses, err = n.viewWitnesses(ctx, r)
	return v, err
}

func (r *roll) viewMember(party string, m agreement.Member) MemberView {
	v := MemberView{Party: party, Membership: string(m.Membership), Since: m.Since, Version: m.Text.Version, Reservations: m.Reservations, Leaf: m.Leaf}
	v.Label, v.Names = r.nameOf(party)
	if d := r.text(); d != nil {
		if i := slices.IndexFunc(d.Parties, func(p agreement.Party) bool { return p.ID == party }); i >= 0 {
			v.Country = d.Parties[i].Country
		}
	}
	return v
}

// nameOf is what a party is called: by the agreement's text, else by its own keyring.
func (r *roll) nameOf(party string) (label string, names map[string]string) {
	if d := r.text(); d != nil {
		if i := slices.IndexFunc(d.Parties, func(p agreement.Party) bool { return p.ID == party }); i >= 0 {
			return d.Parties[i].Label, d.Parties[i].Names
		}
	}
	return "", r.keyrings[party].Names
}

// viewCases lists the proofs of misconduct under an agreement.
func (n *Node) viewCases(v *AgreementView) error {
	kept, err := n.casesUnder(v.ID)
	for _, k := range kept {
		v.Here.Cases = append(v.Here.Cases, k.view())
	}
	return err
}
