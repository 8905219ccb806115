package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// FoundSighting is what detection found of one indicator: how often, and from when to when. It says nothing of where.
type FoundSighting struct {
	Indicator string    `json:"indicator" minLength:"1" maxLength:"256" doc:"STIX id of the indicator"`
	Record    string    `json:"record" minLength:"1" maxLength:"64" doc:"The record it was in: leaf hash or record id"`
	Count     int64     `json:"count" minimum:"1" doc:"How many matches"`
	First     time.Time `json:"first,omitzero" doc:"Of the first; only its day is kept"`
	Last      time.Time `json:"last,omitzero" doc:"Of the last; only its day is kept"`
	// Example is for the person who decides.
	Example *engine.Example `json:"example,omitempty" doc:"The surest match with its evidence: it stays on this node and is never sent on"`
}

// SightingView is a sighting that waits for a person, or that one has decided on.
type SightingView struct {
	ID        string          `json:"id"`
	State     string          `json:"state" enum:"waiting,approved,refused,false-positive"`
	Indicator string          `json:"indicator"`
	Record    string          `json:"record" doc:"Leaf hash of the record it is in"`
	Agreement string          `json:"agreement"`
	Author    string          `json:"author" doc:"Party that shared it, and would get the sighting"`
	Count     int64           `json:"count" doc:"Matches here; what is sent is rounded down to a power of two"`
	First     string          `json:"first,omitempty" doc:"Day of the first"`
	Last      string          `json:"last,omitempty" doc:"Day of the last"`
	Sure      float64         `json:"sure,omitempty" doc:"0 to 1: what the evidence of the surest match adds up to"`
	Seen      *engine.Seen    `json:"seen,omitempty" doc:"What the surest match saw"`
	Example   *engine.Example `json:"example,omitempty" doc:"The surest match with its evidence, where detection gave one; nobody else gets it"`
	Log       string          `json:"log,omitempty" doc:"Where the record is that the indicator came in"`
	Index     int64           `json:"index,omitempty"`
	Created   time.Time       `json:"created"`
	Decided   *time.Time      `json:"decided,omitempty"`
	Leaf      string          `json:"leaf,omitempty" doc:"Leaf hash of the sighting that was sent"`
	Reason    string          `json:"reason,omitempty"`
	Victim    *VictimView     `json:"victim,omitempty" doc:"Of one that waits, shown alone: whether it may say who was hit"`
}

// SightingVerdict is what a person decides on a sighting.
type SightingVerdict struct {
	Reason        string `json:"reason,omitempty" maxLength:"200"`
	FalsePositive bool   `json:"false_positive,omitempty" doc:"What matched is harmless: the indicator counts for less here from now on"`
	Tell          bool   `json:"tell,omitempty" doc:"Of a false positive: say so to those who have the indicator, as a record"`
	Victim        string `json:"victim,omitempty" maxLength:"500" doc:"Of one that is approved: who was hit, in the words that are sent. Only where a rule of the agreement permits it"`
}

// The bounds of sightings.
const (
	maxSightingsAtOnce = 10_000
	maxSightingsListed = 10_000
)

// AddSightings puts sightings up for a person's approval. Nothing leaves the node by it.
func (n *Node) AddSightings(ctx context.Context, found []FoundSighting) (int, error) {
	if n.ledger == nil {
		return 0, errReadOnly()
	}
	if len(found) > maxSightingsAtOnce {
		return 0, fault.New(fault.Invalid, "send them in parts", "adding sightings: %d are more than %d", len(found), maxSightingsAtOnce)
	}
	if err := n.allIndexed(ctx); err != nil {
		return 0, err
	}
	for i, f := range found {
		e, err := n.sightedRecord(ctx, f)
		if err != nil {
			return i, err
		}
		var raw [10]byte
		if _, err := io.ReadFull(n.rand, raw[:]); err != nil {
			return i, fmt.Errorf("adding a sighting: %w", err)
		}
		s := store.Sighting{ID: "s-" + record.Base32.EncodeToString(raw[:]), Indicator: f.Indicator, Target: e.Leaf, Agreement: e.Agreement,
			Count: max(1, f.Count), First: dayOf(f.First), Last: dayOf(f.Last), Created: n.now()}
		if s.Evidence, err = exampleBytes(f.Example); err != nil {
			return i, err
		}
		if f.Example != nil {
			s.Sure = int64(1000 * min(1, max(0, f.Example.Sure)))
		}
		if err := n.store.AddSighting(ctx, s); err != nil {
			return i, err
		}
	}
	return len(found), nil
}

// maxExample bounds an example that is kept, in bytes.
const maxExample = 64 << 10

func exampleBytes(e *engine.Example) ([]byte, error) {
	if e == nil {
		return nil, nil
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fault.New(fault.Invalid, "leave the example out", "adding a sighting: %v", err)
	}
	if len(b) > maxExample {
		return nil, nil // it is a help, and not what the sighting says
	}
	return b, nil
}

func dayOf(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(24 * time.Hour)
}

// sightedRecord finds the intel record that holds the indicator.
func (n *Node) sightedRecord(ctx context.Context, f FoundSighting) (store.Indexed, error) {
	list, err := n.store.Index().WithSTIX(ctx, f.Indicator, 256)
	if err != nil {
		return store.Indexed{}, indexFault("reading sightings", err)
	}
	for _, e := range list {
		if e.Kind == string(record.KindIntel) && (hex.EncodeToString(e.Leaf[:]) == f.Record || e.ID == f.Record) {
			return e, nil
		}
	}
	return store.Indexed{}, fault.New(fault.NotFound, "give the record that detection names", "adding a sighting: no record %s here holds the indicator %s", fault.Clip(f.Record), fault.Clip(f.Indicator))
}

// Sightings lists sightings in a state, the newest first, without their evidence; all where it is empty.
func (n *Node) Sightings(ctx context.Context, state string) ([]SightingView, error) {
	list, err := n.store.Sightings(ctx, state, maxSightingsListed)
	if err != nil {
		return nil, err
	}
	out := make([]SightingView, 0, len(list))
	logs := map[int64]string{}
	for _, s := range list {
		v, err := n.viewSighting(ctx, s, logs)
		v.Example = nil
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Sighting shows one, with the evidence of its surest match.
func (n *Node) Sighting(ctx context.Context, id string) (SightingView, error) {
	s, err := n.store.Sighting(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.NotFound, "see 'mithaq sighting list'", "there is no sighting %s", fault.Clip(id))
	}
	if err != nil {
		return SightingView{}, err
	}
	v, err := n.sightingView(ctx, s)
	if err == nil && s.State == store.SightingWaiting {
		v.Victim, err = n.victimView(ctx, s, v.Example)
	}
	return v, err
}

func (n *Node) sightingView(ctx context.Context, s store.Sighting) (SightingView, error) {
	return n.viewSighting(ctx, s, map[int64]string{})
}

// viewSighting shows a sighting. logs remembers the ids of logs by their numbers.
func (n *Node) viewSighting(ctx context.Context, s store.Sighting, logs map[int64]string) (SightingView, error) {
	v := SightingView{ID: s.ID, State: s.State, Indicator: s.Indicator, Record: hex.EncodeToString(s.Target[:]), Agreement: s.Agreement,
		Count: s.Count, First: dateOf(s.First), Last: dateOf(s.Last), Created: s.Created, Leaf: s.Leaf, Reason: s.Reason}
	if !s.Decided.IsZero() {
		v.Decided = &s.Decided
	}
	if v.Sure = float64(s.Sure) / 1000; len(s.Evidence) > 0 {
		v.Example = &engine.Example{}
		if err := json.Unmarshal(s.Evidence, v.Example); err != nil {
			return v, fmt.Errorf("reading sighting %s: %w", s.ID, err)
		}
		v.Seen = &v.Example.Seen
	}
	records, err := n.store.Index().ByLeaf(ctx, s.Target)
	if err != nil && !errors.Is(err, store.ErrNoIndex) {
		return v, err
	}
	if len(records) > 0 {
		e := records[0]
		if logs[e.LogNo] == "" {
			if logs[e.LogNo], err = n.logByNo(ctx, e.LogNo); err != nil {
				return v, err
			}
		}
		v.Author, v.Log, v.Index = e.Author, logs[e.LogNo], e.Index
	}
	return v, nil
}

func dateOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// waitingSighting finds one that waits, and the record it is about.
func (n *Node) waitingSighting(ctx context.Context, id string) (s store.Sighting, about store.Indexed, err error) {
	s, err = n.store.Sighting(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return s, about, fault.New(fault.NotFound, "see 'mithaq sighting list'", "there is no sighting %s", fault.Clip(id))
	}
	if err != nil {
		return s, about, err
	}
	if s.State != store.SightingWaiting {
		return s, about, fault.New(fault.Conflict, "", "sighting %s waits no more: it was decided on as %s", s.ID, s.State)
	}
	records, err := n.store.Index().ByLeaf(ctx, s.Target)
	if err != nil {
		return s, about, indexFault("reading sightings", err)
	}
	for _, e := range records {
		if e.Agreement == s.Agreement {
			return s, e, nil
		}
	}
	return s, about, fault.New(fault.Gone, "refuse it", "the record that sighting %s is about is not here any more", s.ID)
}

// ApproveSighting sends a sighting back to who shared the indicator, as a record under the agreement it came from: the
// count as a power of two, days, and nothing else; who was hit only where the agreement permits it and the person says so.
func (n *Node) ApproveSighting(ctx context.Context, id string, v SightingVerdict) (SightingView, error) {
	s, about, err := n.waitingSighting(ctx, id)
	if err != nil {
		return SightingView{}, err
	}
	body := &record.Sighting{Target: hex.EncodeToString(s.Target[:]), Indicator: s.Indicator, Verdict: record.SightingSeen, Count: record.SightingCount(s.Count)}
	if !s.First.IsZero() && !s.Last.IsZero() {
		body.First, body.Last = record.Date(dateOf(s.First)), record.Date(dateOf(s.Last))
	}
	d := n.approvedDraft(about, body.Target)
	if v.Victim != "" {
		if err := n.nameVictim(ctx, about, d, v.Victim, body); err != nil {
			return SightingView{}, err
		}
	}
	s.State = store.SightingApproved
	return n.sendSighting(ctx, s, d, body)
}

// approvedDraft is for who shared the indicator alone.
func (n *Node) approvedDraft(about store.Indexed, target string) Draft {
	d := n.sightingDraft(about, target)
	if about.Author != "" && len(d.Persons) == 0 {
		d.Parties = []string{about.Author}
	}
	return d
}

// sightingDraft is marked as the record it is about, and never less than AMBER: what a party sees is its own matter.
func (n *Node) sightingDraft(about store.Indexed, target string) Draft {
	d := Draft{Kind: string(record.KindSighting), TLP: about.TLP, PAP: about.PAP, Refs: []string{string(record.RelAbout) + ":" + target}}
	switch record.TLP(about.TLP) {
	case record.TLPRed:
		d.Persons = []string{about.Officer}
	case record.TLPAmberStrict:
	default:
		d.TLP = string(record.TLPAmber)
	}
	return d
}

func (n *Node) sendSighting(ctx context.Context, s store.Sighting, d Draft, body *record.Sighting) (SightingView, error) {
	var err error
	if d.Body, err = record.EncodeBody(body); err != nil {
		return SightingView{}, recordFault("sending a sighting", err)
	}
	receipt, err := n.Publish(ctx, s.Agreement, d)
	if err != nil {
		return SightingView{}, err
	}
	s.Leaf = receipt.Leaf
	return n.decideSighting(ctx, s)
}

func (n *Node) decideSighting(ctx context.Context, s store.Sighting) (SightingView, error) {
	s.Decided = n.now()
	if err := n.store.DecideSighting(ctx, s); err != nil {
		return SightingView{}, err
	}
	return n.sightingView(ctx, s)
}

// RefuseSighting keeps a sighting here. A false positive lowers what the indicator counts for, and can be told to all who
// have it.
func (n *Node) RefuseSighting(ctx context.Context, id string, v SightingVerdict) (SightingView, error) {
	s, about, err := n.waitingSighting(ctx, id)
	if err != nil && fault.CodeOf(err) != fault.Gone {
		return SightingView{}, err
	}
	s.State, s.Reason = store.SightingRefused, v.Reason
	if v.FalsePositive {
		s.State = store.SightingFalse
	}
	if !v.FalsePositive || !v.Tell {
		return n.decideSighting(ctx, s)
	}
	if err != nil {
		return SightingView{}, err
	}
	body := &record.Sighting{Target: hex.EncodeToString(s.Target[:]), Indicator: s.Indicator, Verdict: record.SightingFalsePositive}
	d := n.sightingDraft(about, body.Target)
	if d.Persons == nil {
		d.Parties, d.Persons = about.Parties, about.Persons // whoever has the indicator
	}
	return n.sendSighting(ctx, s, d, body)
}
