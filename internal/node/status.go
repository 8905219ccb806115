package node

import (
	"context"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
)

// StatusView is the page of kept promises: for each commitment what puts it into practice here, the last activity, the
// evidence, and the gap.
type StatusView struct {
	Agreement string         `json:"agreement" doc:"Agreement id, or label where it is on the shelf only"`
	Label     string         `json:"label"`
	Names     agreement.Text `json:"names,omitempty"`
	Version   string         `json:"version"`
	Phase     string         `json:"phase"`
	Since     string         `json:"since,omitempty" doc:"When this party joined"`
	At        time.Time      `json:"at"`
	Mark      string         `json:"mark,omitempty"`
	Records   int            `json:"records" doc:"Records under the agreement, of all parties whose logs are here, that serve a commitment"`
	Behind    int64          `json:"behind,omitempty" doc:"Leaves that are published and not indexed yet: the page may lack them"`
	Witnesses *RollWitnesses `json:"witnesses,omitempty" doc:"Absent: the agreement asks for none"`
	Promises  []PromiseView  `json:"promises"`
}

// PromiseView is one commitment.
type PromiseView struct {
	Label     string         `json:"label"`
	Names     agreement.Text `json:"names,omitempty"`
	Mechanism bool           `json:"mechanism" doc:"Whether any kind of record or deadline puts it into practice"`
	Kinds     []KindView     `json:"kinds,omitempty"`
	Deadlines []DeadlineView `json:"deadlines,omitempty"`
	Count     int            `json:"count"`
	Last      *time.Time     `json:"last,omitempty"`
	Evidence  []EvidenceView `json:"evidence,omitempty" doc:"Newest first"`
	Parties   []PartyCount   `json:"parties,omitempty" doc:"How many of the records are whose, where several parties have some"`
	Gap       string         `json:"gap,omitempty" enum:"no-mechanism,overdue,no-activity,quiet"`
}

// PartyCount is what one party did for a commitment.
type PartyCount struct {
	Party string            `json:"party"`
	Label string            `json:"label,omitempty" doc:"Its label in the agreement's text"`
	Names map[string]string `json:"names,omitempty"`
	Count int               `json:"count"`
	Last  *time.Time        `json:"last,omitempty"`
}

// PartyDeadline is what became of what one party started.
type PartyDeadline struct {
	Party  string            `json:"party"`
	Label  string            `json:"label,omitempty" doc:"Its label in the agreement's text"`
	Names  map[string]string `json:"names,omitempty"`
	Met    int               `json:"met"`
	Late   int               `json:"late"`
	Open   int               `json:"open"`
	Passed int               `json:"passed,omitempty"`
}

// KindView is what records of one kind did for a commitment.
type KindView struct {
	Kind      string     `json:"kind"`
	Mechanism bool       `json:"mechanism" doc:"Whether the agreement names the kind"`
	Count     int        `json:"count"`
	Last      *time.Time `json:"last,omitempty"`
}

// DeadlineView is how a deadline stands.
type DeadlineView struct {
	Label   string          `json:"label"`
	Names   agreement.Text  `json:"names,omitempty"`
	Within  string          `json:"within,omitempty" doc:"ISO 8601 period"`
	Every   string          `json:"every,omitempty" doc:"ISO 8601 period"`
	AtLeast int             `json:"at_least,omitempty"`
	Parties []PartyDeadline `json:"parties,omitempty" doc:"By who started it, where several parties did"`
	Met     int             `json:"met"`
	Late    int             `json:"late"`
	Open    int             `json:"open"`
	Passed  int             `json:"passed,omitempty" doc:"How many started it, were not met, and had their time"`
	Overdue []EvidenceView  `json:"overdue,omitempty" doc:"The oldest of them, oldest first"`
	Missing int             `json:"missing,omitempty" doc:"Records that the period which ends now lacks"`
	Next    *time.Time      `json:"next,omitempty" doc:"When the next one passes"`
}

// EvidenceView is a record with its place; its proof is had with GET …/logs/{log}/records/{index}/proof.
type EvidenceView struct {
	Leaf     string `json:"leaf"`
	Log      string `json:"log,omitempty"`
	Index    int64  `json:"index"`
	Proof    string `json:"proof,omitempty" doc:"Path of the offline proof in the API"`
	Recalled bool   `json:"recalled,omitempty" doc:"Its author has withdrawn it since; that it was said still counts"`
}

// Status computes which commitments of an agreement are kept, from the records of all parties under it that this node holds. quiet is the silence
// after which a commitment is shown as such; zero: six months.
func (n *Node) Status(ctx context.Context, ref string, quiet agreement.Period) (StatusView, error) {
	id, err := n.rollID(ctx, ref)
	if err != nil {
		return StatusView{}, err
	}
	var v StatusView
	var a *agreement.Agreement
	since := time.Time{}
	if err := n.withRoll(ctx, id, func(r *roll) error {
		if a = r.text(); a == nil {
			return fault.New(fault.NotFound, "import its roll", "showing kept promises: this node does not know the text of %s", id)
		}
		v = StatusView{Agreement: id, Label: a.Label, Names: a.Names, Version: a.Version, Phase: string(r.effect.Phase()), Mark: markOf(a), At: n.now().UTC()}
		if m, ok := r.effect.Member(n.party.ID); ok && m.Membership == agreement.Joined {
			v.Since = m.Since
			since = r.joinedAt(m)
		}
		var err error
		v.Witnesses, err = n.viewWitnesses(ctx, r)
		return err
	}); err != nil {
		return StatusView{}, err
	}
	if since.IsZero() {
		since = v.At
	}
	if v.Behind, err = n.awaitIndex(ctx, statusPatience); err != nil {
		return StatusView{}, err
	}
	act, err := n.activity(ctx, id, a, v.At)
	if err != nil {
		return StatusView{}, err
	}
	v.Records = act.records
	if err := n.withRoll(ctx, id, func(r *roll) error { act.name(r); return nil }); err != nil {
		return StatusView{}, err
	}
	for _, p := range agreement.Promises(a, act.aggregates, act.deadlines, since, v.At, quiet) {
		v.Promises = append(v.Promises, act.view(p))
	}
	return v, nil
}

// joinedAt is the time of the act that made a party a member; recurring deadlines count from it.
func (r *roll) joinedAt(m agreement.Member) time.Time {
	for i := range r.places {
		if r.places[i].entry.Leaf == m.Leaf {
			return r.places[i].entry.Time
		}
	}
	return time.Time{}
}

// name gives the parties the names that the agreement has for them.
func (a activity) name(r *roll) {
	for _, list := range a.served {
		for i := range list {
			list[i].Label, list[i].Names = r.nameOf(list[i].Party)
		}
	}
	for _, list := range a.timely {
		for i := range list {
			list[i].Label, list[i].Names = r.nameOf(list[i].Party)
		}
	}
}

func (a activity) view(p agreement.Promise) PromiseView {
	v := PromiseView{Label: p.Commitment.Label, Names: p.Commitment.Names, Count: p.Count, Last: timeOf(p.Last), Gap: string(p.Gap),
		Mechanism: len(p.Commitment.Kinds)+len(p.Commitment.Deadlines) > 0}
	if parties := a.served[p.Commitment.Label]; len(parties) > 1 {
		v.Parties = parties
	}
	for _, k := range p.Kinds {
		v.Kinds = append(v.Kinds, KindView{Kind: k.Kind, Mechanism: k.Mechanism, Count: k.Count, Last: timeOf(k.Last)})
	}
	for _, d := range p.Deadlines {
		view := DeadlineView{Label: d.Deadline.Label, Names: d.Deadline.Names, AtLeast: d.Deadline.AtLeast, Met: d.Met, Late: d.Late, Open: d.Open,
			Passed: d.Passed, Missing: d.Missing, Next: timeOf(d.Next)}
		if parties := a.timely[d.Deadline.Label]; len(parties) > 1 {
			view.Parties = parties
		}
		if !d.Deadline.Within.IsZero() {
			view.Within = d.Deadline.Within.String()
		}
		if !d.Deadline.Every.IsZero() {
			view.Every = d.Deadline.Every.String()
		}
		for _, s := range d.Overdue {
			view.Overdue = append(view.Overdue, a.evidence[s.Leaf])
		}
		v.Deadlines = append(v.Deadlines, view)
	}
	for _, leaf := range p.Evidence {
		v.Evidence = append(v.Evidence, a.evidence[leaf])
	}
	return v
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
