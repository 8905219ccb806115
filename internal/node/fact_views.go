package node

import (
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/facts"
)

// FactView is a fact that ships with the program: what a document reports, or what another source says under the same number.
type FactView struct {
	Number    string   `json:"number" doc:"Document and number, as 003-1; facts of one number stand side by side"`
	Becomes   string   `json:"becomes" doc:"What the program enters it as: meeting, act, claim"`
	Agreement string   `json:"agreement,omitempty" doc:"Label on the shelf"`
	Parties   []string `json:"parties,omitempty" doc:"Labels of whom it names"`
	ClaimView
}

// viewFacts lists the facts that what selects: nothing selects all, a number ("003-1") or a document ("003") its own, a label
// those about that agreement or naming that party.
func viewFacts(f *facts.Facts, what string) []FactView {
	var out []FactView
	x := shelfViewer{facts: f, a: &agreement.Agreement{}}
	for _, fact := range f.Facts {
		number := fact.Refs[0]
		document, _, _ := strings.Cut(number, "-")
		if what == "" || what == number || what == document || what == fact.Agreement || slices.Contains(fact.Parties, strings.ToLower(what)) {
			out = append(out, FactView{Number: number, Becomes: fact.Becomes, Agreement: fact.Agreement, Parties: fact.Parties, ClaimView: x.claim(fact.Claim)})
		}
	}
	return out
}
