package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// Change narrows, takes back or widens what this party published before.
type Change struct {
	Action  string   `json:"action" enum:"withdraw,narrow,release" doc:"withdraw, narrow: a recall; release: a wider marking or audience"`
	Reason  string   `json:"reason" doc:"Of a recall: error, false-positive, source, legal, other. Of a release: a line of text"`
	TLP     string   `json:"tlp,omitempty"`
	PAP     string   `json:"pap,omitempty"`
	Parties []string `json:"parties,omitempty" doc:"Audience: party ids"`
	Persons []string `json:"persons,omitempty" doc:"Audience: officers' key ids"`
	Objects []string `json:"objects,omitempty" doc:"Of a recall: STIX ids, only these objects of the record"`
	Note    string   `json:"note,omitempty" maxLength:"1000" doc:"A sentence, in English"`
}

// ChangeRecord publishes a recall or a release of a record of this party, to the same audience as the record had.
func (n *Node) ChangeRecord(ctx context.Context, ref string, index int64, c Change) (Receipt, error) {
	if n.ledger == nil {
		return Receipt{}, errReadOnly()
	}
	o, l, err := n.openAt(ctx, ref, index)
	if err != nil {
		return Receipt{}, err
	}
	body, kind, err := c.body(o.view)
	if err != nil {
		return Receipt{}, err
	}
	to, err := n.changeReaches(ctx, l, o, body)
	if err != nil {
		return Receipt{}, err
	}
	encoded, err := record.EncodeBody(body)
	if err != nil {
		return Receipt{}, recordFault("changing place "+fmt.Sprint(index), err)
	}
	// By its agreement: a record of a log that was retired is changed in the successor.
	to.Kind, to.Refs, to.Body = string(kind), []string{"about:" + o.view.Leaf}, encoded
	return n.Publish(ctx, l.Agreement, to)
}

// changeReaches says to whom a recall or a release goes: a recall to all who got the record, as it was published or released since; a
// release also to those who may have it from now on, and it brings them what opens the record.
func (n *Node) changeReaches(ctx context.Context, l ledger.LogInfo, o opened, body record.Body) (Draft, error) {
	marking, audience, err := n.reach(ctx, o)
	if err != nil {
		return Draft{}, err
	}
	if release, ok := body.(*record.Release); ok {
		if release.Marking != nil {
			marking = *release.Marking
		}
		if release.Audience != nil && audience != nil {
			audience = record.NewAudience(slices.Concat(audience.Parties, release.Audience.Parties), slices.Concat(audience.Persons, release.Audience.Persons))
		}
		if marking.TLP == record.TLPClear {
			audience = nil
		}
		if o.view.Standing == StandingValid || o.view.Standing == StandingNotVouched {
			ids, err := n.identities(ctx, n.book(l.ID).no)
			if err == nil {
				release.Opens, err = record.OpeningOf(o.object, ids...)
			}
			if err != nil {
				return Draft{}, recordFault("releasing", err)
			}
		}
	}
	d := Draft{TLP: string(marking.TLP)}
	if audience != nil {
		d.Parties, d.Persons = audience.Parties, audience.Persons
	}
	return d, nil
}

func (c Change) body(target RecordView) (record.Body, record.Kind, error) {
	var marking *record.Marking
	if c.TLP != "" || c.PAP != "" {
		m := record.Marking{TLP: record.TLP(target.TLP), PAP: record.PAP(target.PAP)}
		if c.TLP != "" {
			m.TLP = record.TLP(prefixed("TLP:", c.TLP))
		}
		if c.PAP != "" {
			m.PAP = record.PAP(prefixed("PAP:", c.PAP))
		}
		marking = &m
	}
	var note record.Text
	if c.Note != "" {
		note = record.Text{"en": c.Note}
	}
	audience := record.NewAudience(c.Parties, c.Persons)
	switch c.Action {
	case "withdraw", "narrow":
		return &record.Recall{Target: target.Leaf, Action: record.RecallAction(c.Action), Reason: record.RecallReason(c.Reason),
			Marking: marking, Audience: audience, Objects: c.Objects, Note: note}, record.KindRecall, nil
	case "release":
		return &record.Release{Target: target.Leaf, Marking: marking, Audience: audience, Reason: c.Reason, Note: note}, record.KindRelease, nil
	}
	return nil, "", fault.New(fault.Invalid, "use withdraw, narrow or release", "changing a record: unknown action %s", fault.Clip(c.Action))
}

// checkPublishable says what package record cannot: whether the commitments a record serves are in the text in force, and
// whether a recall or release fits the record that it is about.
func (n *Node) checkPublishable(ctx context.Context, l ledger.LogInfo, rec record.Record) error {
	if l.Agreement != record.OwnAgreement {
		if err := n.checkServes(ctx, l.Agreement, rec.Serves); err != nil {
			return err
		}
	}
	switch rec.Kind {
	case record.KindRecall:
		recall, err := record.Parse[record.Recall](rec)
		if err != nil {
			return recordFault("publishing", err)
		}
		if recall.Action == record.RecallErase {
			return n.checkErasable(ctx, recall.Target)
		}
		target, err := n.ownTarget(ctx, recall.Target)
		if err != nil {
			return err
		}
		return checkNarrower(target, recall)
	case record.KindRelease:
		release, err := record.Parse[record.Release](rec)
		if err != nil {
			return recordFault("publishing", err)
		}
		target, err := n.ownTarget(ctx, release.Target)
		if err != nil {
			return err
		}
		return checkWider(target, release)
	}
	return nil
}

// checkServes refuses commitments that the text in force does not have.
func (n *Node) checkServes(ctx context.Context, id string, serves []string) error {
	return n.withRoll(ctx, id, func(r *roll) error {
		d := r.text()
		if d == nil {
			return nil
		}
		for _, label := range serves {
			if _, ok := d.Commitment(label); !ok {
				return fault.New(fault.Invalid, "see 'mithaq agreement show "+d.Label+"'", "publishing: version %s of %s has no commitment %s", d.Version, d.Label, fault.Clip(label))
			}
		}
		return nil
	})
}

// ownTarget opens the record that a recall or release names. Only what this party published itself can be changed.
func (n *Node) ownTarget(ctx context.Context, leaf string) (record.Record, error) {
	place, err := n.Find(ctx, leaf)
	if err != nil {
		return record.Record{}, fmt.Errorf("finding what is to be changed: %w", err)
	}
	o, _, err := n.openAt(ctx, place.Log, place.Index)
	if err != nil {
		return record.Record{}, err
	}
	switch o.view.Standing {
	case StandingErased:
		return record.Record{}, fault.New(fault.Gone, "", "changing place %d of log %s: it was %s", place.Index, place.Log, o.view.Why)
	case StandingValid, StandingNotVouched:
	default:
		return record.Record{}, fault.New(fault.Forbidden, "", "changing place %d of log %s: it is %s", place.Index, place.Log, o.view.Why)
	}
	return o.record, checkRecallable(o)
}

// checkErasable refuses to erase what cannot be recalled. What can no longer be opened may be erased all the same.
func (n *Node) checkErasable(ctx context.Context, leaf string) error {
	place, err := n.Find(ctx, leaf)
	if err != nil {
		return fmt.Errorf("finding what is to be erased: %w", err)
	}
	o, _, err := n.openAt(ctx, place.Log, place.Index)
	if err != nil || o.record.Kind == "" {
		return err
	}
	return checkRecallable(o)
}

func checkRecallable(o opened) error {
	spec, err := record.LookupKind(o.record.Kind)
	if err != nil {
		return recordFault("changing a record", err)
	}
	if !spec.Recallable {
		return fault.New(fault.Forbidden, "publish a correction", "changing place %d: records of kind %s cannot be recalled or released", o.view.Index, o.record.Kind)
	}
	return nil
}

// checkNarrower refuses a narrowing that would let anybody see more.
func checkNarrower(target record.Record, r record.Recall) error {
	if m := r.Marking; m != nil && !m.Covers(target.Marking) {
		return fault.New(fault.Invalid, "use 'mithaq release' to widen", "recalling: %s is wider than the record's own %s", m.TLP, target.Marking.TLP)
	}
	if r.Audience != nil && !r.Audience.Within(target.Audience) {
		return fault.New(fault.Invalid, "use 'mithaq release' to widen", "recalling: the new audience names somebody whom the record does not")
	}
	return nil
}

// checkWider refuses a release that narrows, or that changes nothing.
func checkWider(target record.Record, r record.Release) error {
	m := target.Marking
	if r.Marking != nil {
		if m = *r.Marking; !target.Marking.Covers(m) {
			return fault.New(fault.Invalid, "use 'mithaq recall --action narrow'", "releasing: %s is stricter than the record's own %s", m.TLP, target.Marking.TLP)
		}
	}
	if r.Audience != nil && !target.Audience.Within(r.Audience) {
		return fault.New(fault.Invalid, "name everybody who could have it before", "releasing: the new audience leaves out somebody whom the record names")
	}
	if m == target.Marking && (r.Audience == nil || r.Audience.Within(target.Audience)) {
		return fault.New(fault.Invalid, "name a wider marking or audience", "releasing: that changes nothing")
	}
	return nil
}
