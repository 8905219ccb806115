package node

import (
	"context"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// WhyView explains one decision.
type WhyView struct {
	Log    string              `json:"log"`
	Index  int64               `json:"index"`
	Party  string              `json:"party"`
	Person string              `json:"person,omitempty"`
	Exit   string              `json:"exit" doc:"Through which exit: log, object, taxii, api, ui, search, export, detect, mail"`
	Allow  bool                `json:"allow"`
	Why    map[string][]string `json:"why" doc:"Reasons by language: which rule allowed or denied it"`
}

// Why answers whether a party may have a record of this node, and because of which rule. An exit that is not named is the API.
func (n *Node) Why(ctx context.Context, ref string, index int64, party, person, exit string) (WhyView, error) {
	if exit == "" {
		exit = "api"
	}
	exits := policy.Exits()
	i := slices.IndexFunc(exits, func(e policy.Exit) bool { return e.String() == exit })
	if i < 0 {
		var names []string
		for _, e := range exits {
			names = append(names, e.String())
		}
		return WhyView{}, fault.New(fault.Invalid, "use "+strings.Join(names, ", "), "asking why: there is no exit %q", exit)
	}
	if !record.IsID(party, record.PrefixParty) {
		return WhyView{}, fault.New(fault.Invalid, "write p-…", "asking why: %q is not a party id", fault.Clip(party))
	}
	o, l, err := n.openAt(ctx, ref, index)
	if err != nil {
		return WhyView{}, err
	}
	if o.record.Kind == "" {
		return WhyView{}, fault.New(fault.Forbidden, "", "asking why: place %d of log %s is %s: %s", index, l.ID, o.view.Standing, o.view.Why)
	}
	d, err := n.decideFor(ctx, Viewer{Party: party, Person: person})
	if err != nil {
		return WhyView{}, err
	}
	if n.indexer != nil {
		if err := n.WaitIndexed(ctx, l.ID, l.Size); err != nil {
			return WhyView{}, err
		}
	}
	item, err := d.itemOf(ctx, o)
	if err != nil {
		return WhyView{}, err
	}
	answer := d.decider.Decide(d.request(exits[i], item))
	v := WhyView{Log: l.ID, Index: index, Party: party, Person: person, Exit: exit, Allow: answer.Allow, Why: map[string][]string{}}
	for _, language := range []string{"ar", "en", "fr"} {
		v.Why[language] = answer.Why(language)
	}
	return v, nil
}
