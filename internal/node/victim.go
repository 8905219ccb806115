package node

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// VictimView says whether a sighting may say who was hit, and why.
type VictimView struct {
	Allowed bool                `json:"allowed" doc:"Whether a rule of the agreement permits it towards the party that shared the indicator"`
	Why     map[string][]string `json:"why" doc:"The rules behind the answer in words, by language"`
	Hosts   []string            `json:"hosts,omitempty" doc:"One's own ends of the connections, as the example has them: nothing of it is sent unless a person writes it down"`
}

// mayNameVictim asks policy whether who shared the indicator may be told who was hit, in a record that is marked as a draft is.
func (n *Node) mayNameVictim(ctx context.Context, about store.Indexed, d Draft) (policy.Decision, error) {
	v := Viewer{Party: about.Author}
	if len(d.Persons) > 0 {
		v.Person = about.Officer
	}
	decide, err := n.decideUnder(ctx, v, about.Agreement)
	if err != nil {
		return policy.Decision{}, err
	}
	item := policy.Item{ID: hex.EncodeToString(about.Leaf[:]), Agreement: about.Agreement, Author: n.party.ID, Kind: policy.KindVictim,
		Marking: policy.Marking{TLP: policy.TLP(d.TLP), PAP: policy.PAP(d.PAP)}, Audience: audienceOf(d.Parties, d.Persons)}
	return decide.decider.Decide(decide.request(policy.ToObject(), item)), nil
}

// victimView tells the person who decides what the agreement says about naming who was hit, and who that may be.
func (n *Node) victimView(ctx context.Context, s store.Sighting, example *engine.Example) (*VictimView, error) {
	_, about, err := n.waitingSighting(ctx, s.ID)
	if err != nil {
		return nil, nil //nolint:nilerr // it cannot be approved any more: there is nothing to say
	}
	decision, err := n.mayNameVictim(ctx, about, n.approvedDraft(about, hex.EncodeToString(s.Target[:])))
	if err != nil {
		return nil, err
	}
	v := &VictimView{Allowed: decision.Allow, Why: map[string][]string{}}
	for _, language := range []string{"ar", "en", "fr"} {
		v.Why[language] = decision.Why(language)
	}
	if decision.Allow && example != nil {
		v.Hosts = example.OwnHosts()
	}
	return v, nil
}

// nameVictim writes who was hit into a sighting, when the agreement permits it.
func (n *Node) nameVictim(ctx context.Context, about store.Indexed, d Draft, victim string, body *record.Sighting) error {
	decision, err := n.mayNameVictim(ctx, about, d)
	if err != nil {
		return err
	}
	if !decision.Allow {
		return fault.New(fault.Forbidden, "send it without, or have the agreement changed: docs/detection.md has the rule", "approving a sighting: %s", strings.Join(decision.Why("en"), " "))
	}
	body.Note = record.Text{"und": victim}
	return nil
}
