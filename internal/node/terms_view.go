package node

import "github.com/mithaq/mithaq/internal/agreement"

// TermView is a deadline as the text sets it.
type TermView struct {
	Label   string         `json:"label"`
	Names   agreement.Text `json:"names,omitempty"`
	Starts  string         `json:"starts,omitempty" doc:"Kind of record that starts it; absent for a recurring one"`
	Due     string         `json:"due,omitempty" doc:"Kind of record that meets it"`
	Within  string         `json:"within,omitempty" doc:"ISO 8601 period"`
	Every   string         `json:"every,omitempty" doc:"ISO 8601 period"`
	AtLeast int            `json:"at_least,omitempty" doc:"How many records in each period"`
	Note    agreement.Text `json:"note,omitempty"`
}

// RuleView is a sharing rule: what it says in words, beside the Cedar that decides.
type RuleView struct {
	Label string         `json:"label"`
	Names agreement.Text `json:"names,omitempty"`
	Cedar string         `json:"cedar"`
}

// TermsView says how the agreement changes: who must approve what.
type TermsView struct {
	Founding   string   `json:"founding,omitempty" doc:"all, majority, two-thirds, or a number of parties"`
	Amendment  string   `json:"amendment,omitempty"`
	Accession  string   `json:"accession,omitempty" doc:"open, invitation, approval"`
	Admission  string   `json:"admission,omitempty"`
	Removal    string   `json:"removal,omitempty"`
	Succession string   `json:"succession,omitempty"`
	Silence    string   `json:"silence,omitempty" doc:"ISO 8601 period after which the others may name a new depositary"`
	Review     string   `json:"review,omitempty" doc:"ISO 8601 period after which the text is due for review"`
	Witnesses  int      `json:"witnesses,omitempty" doc:"How many of those named must have co-signed the roll"`
	WitnessOf  []string `json:"witness_of,omitempty" doc:"Labels of who may witness the roll"`
	Backfill   string   `json:"backfill,omitempty" doc:"What a newcomer gets of what was sealed before: none, open or all"`
}

// viewTerms fills in deadlines, rules and, for an agreement that can run, its terms.
func (v *AgreementView) viewTerms(a *agreement.Agreement) {
	for _, d := range a.Deadlines {
		view := TermView{Label: d.Label, Names: d.Names, Starts: d.Starts, Due: d.Due, AtLeast: d.AtLeast, Note: d.Note}
		view.Within, view.Every = periodText(d.Within), periodText(d.Every)
		v.Deadlines = append(v.Deadlines, view)
	}
	for _, r := range a.Rules {
		v.Rules = append(v.Rules, RuleView{Label: r.Label, Names: r.Names, Cedar: r.Cedar})
	}
	if a.Mode == agreement.Shelf {
		return
	}
	t := a.Terms
	v.Terms = &TermsView{Founding: string(t.Founding), Amendment: string(t.Amendment), Accession: t.Accession, Admission: string(t.Admission),
		Removal: string(t.Removal), Succession: string(t.Succession), Silence: periodText(t.Silence), Review: periodText(t.Review),
		Witnesses: a.Witnesses.K, WitnessOf: a.Witnesses.Of, Backfill: string(a.Backfill)}
}

func periodText(p agreement.Period) string {
	if p.IsZero() {
		return ""
	}
	return p.String()
}
