package node

import (
	"context"
	"slices"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// Preview says who would get a record and why, before it is signed.
type Preview struct {
	TLP        string           `json:"tlp"`
	Recipients []RecipientView  `json:"recipients"`
	Sealed     bool             `json:"sealed" doc:"Whether only those who get it can open it; else it is for everybody"`
	Serves     []CommitmentView `json:"serves,omitempty"`
	Warnings   []WarningView    `json:"warnings,omitempty" doc:"Values that are on warning lists"`
}

// RecipientView is the answer for one party that this node knows.
type RecipientView struct {
	Party string              `json:"party"`
	Names map[string]string   `json:"names,omitempty"`
	Gets  bool                `json:"gets"`
	Why   map[string][]string `json:"why" doc:"Reasons by language"`
}

// Preview asks, for every party whose keyring is known here, whether a record would reach it: by the members that the roll
// introduced, by the pins, and by the agreement's rules.
func (n *Node) Preview(ctx context.Context, ref string, d Draft) (Preview, error) {
	rec, err := d.record()
	if err != nil {
		return Preview{}, err
	}
	l, err := n.publishLog(ctx, ref)
	if err != nil {
		return Preview{}, err
	}
	form, err := record.FormFor(rec)
	if err != nil {
		return Preview{}, recordFault("previewing", err)
	}
	out := Preview{TLP: string(rec.Marking.TLP), Sealed: form == record.FormSealed}
	if rec.Kind == record.KindIntel {
		b := readIntel(d.Body)
		if out.Warnings, err = n.warningsOf(b.objects, maxWarnings); err != nil {
			return Preview{}, err
		}
		if err := b.fitsUnder(rec.Marking); err != nil {
			return Preview{}, err
		}
		if _, err := n.tagsOf(b, rec.Marking); err != nil { // publishing would be refused
			return Preview{}, &fault.Fault{Code: fault.Invalid, What: "previewing", Err: err}
		}
	}
	rules := policy.NoRules(l.Agreement)
	members := map[string]bool{n.party.ID: true}
	if l.Agreement != record.OwnAgreement {
		if err := n.withRoll(ctx, l.Agreement, func(r *roll) error {
			text := r.effect.Definition()
			if text == nil {
				return nil
			}
			for _, c := range text.Commitments {
				if slices.Contains(rec.Serves, c.Label) {
					out.Serves = append(out.Serves, CommitmentView{Label: c.Label, Names: c.Names, Kinds: c.Kinds, Deadlines: c.Deadlines})
				}
			}
			for party, m := range r.effect.Members {
				members[party] = m.Membership == agreement.Joined
			}
			rules, err = compileRules(l.Agreement, text)
			return err
		}); err != nil {
			return Preview{}, err
		}
	}
	book, err := policy.NewBook(rules)
	if err != nil {
		return Preview{}, err
	}
	pins, err := n.pins(ctx)
	if err != nil {
		return Preview{}, err
	}
	item := policy.Item{ID: "preview", Agreement: l.Agreement, Author: n.party.ID, Kind: string(rec.Kind), Marking: rec.Marking, Audience: audienceOf(d.Parties, d.Persons)}
	if rec.Expires != nil {
		item.Expires = *rec.Expires
	}
	seen := map[string]bool{}
	for _, k := range slices.Concat(n.membersOf(l.Agreement), pins) {
		if seen[k.Party] {
			continue
		}
		seen[k.Party] = true
		out.Recipients = append(out.Recipients, n.previewFor(book.NewDecider(), item, k, members[k.Party]))
	}
	return out, nil
}

func (n *Node) previewFor(decider *policy.Decider, item policy.Item, k record.Keyring, member bool) RecipientView {
	who := policy.Principal{Party: k.Party}
	if member {
		who.Membership, who.Connected = policy.Member, true
	}
	decision := decider.Decide(policy.Request{Principal: who, Exit: policy.ToAPI(), Item: item, Now: n.now()})
	v := RecipientView{Party: k.Party, Names: k.Names, Gets: decision.Allow, Why: map[string][]string{}}
	for _, language := range []string{"ar", "en", "fr"} {
		v.Why[language] = decision.Why(language)
	}
	return v
}
