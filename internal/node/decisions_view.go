package node

import (
	"context"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// MaxAuditRows is how many rows of the audit table are listed at most.
const MaxAuditRows = 1000

// AuditRowView counts decisions of one hour that are alike.
type AuditRowView struct {
	Hour      time.Time `json:"hour" doc:"When the hour began"`
	Exit      string    `json:"exit" doc:"log, object, taxii, api, ui, search, export, detect, mail"`
	Party     string    `json:"party,omitempty" doc:"Who asked; absent: a stranger"`
	Person    string    `json:"person,omitempty" doc:"Key id of the officer who asked; absent: a program"`
	Agreement string    `json:"agreement,omitempty"`
	Author    string    `json:"author,omitempty"`
	Kind      string    `json:"kind,omitempty"`
	TLP       string    `json:"tlp,omitempty"`
	Allowed   bool      `json:"allowed"`
	Reason    string    `json:"reason" doc:"The rule or filter that weighed most"`
	Count     int64     `json:"count"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// Decisions lists what was decided at this node's exits since the hour of a time, the newest first.
func (n *Node) Decisions(ctx context.Context, since time.Time, limit int) ([]AuditRowView, error) {
	if n.ledger != nil {
		if err := n.writeAudit(ctx, time.Time{}); err != nil {
			return nil, err
		}
	}
	rows, err := n.store.AuditSince(ctx, since.Truncate(time.Hour), min(limit, MaxAuditRows))
	out := make([]AuditRowView, len(rows))
	for i, r := range rows {
		out[i] = AuditRowView{Hour: r.Hour.UTC(), Exit: r.Exit, Party: r.Party, Person: r.Person, Agreement: r.Agreement, Author: r.Author, Kind: r.Kind, TLP: r.TLP,
			Allowed: r.Allowed, Reason: r.Reason, Count: r.Count, First: r.First.UTC(), Last: r.Last.UTC()}
	}
	return out, err
}

// The states of an hour of the audit table.
const (
	auditHolds     = "holds"     // its rows are those that the leaf commits to
	auditChanged   = "changed"   // they are not, or the chain is broken there
	auditMissing   = "missing"   // its rows are not here, and should be
	auditForgotten = "forgotten" // they were kept long enough
	auditUnsealed  = "unsealed"  // rows of an hour that has no leaf and is older than one that has
	auditOpen      = "open"      // its leaf is still to come
)

// AuditHourView is one hour of the audit table against its leaf in the own log.
type AuditHourView struct {
	Hour      time.Time `json:"hour"`
	State     string    `json:"state" enum:"holds,changed,missing,forgotten,unsealed,open"`
	Rows      int64     `json:"rows" doc:"As the leaf says; of an hour without one, as the table does"`
	Decisions int64     `json:"decisions"`
	Log       string    `json:"log,omitempty"`
	Index     int64     `json:"index,omitempty" doc:"Place of the leaf"`
	Why       string    `json:"why,omitempty"`
}

// AuditCheck says whether the audit table is what the own log commits to.
type AuditCheck struct {
	OK    bool            `json:"ok"`
	Hours []AuditHourView `json:"hours" doc:"Oldest first"`
}

// CheckDecisions holds every hour of the audit table against its leaf.
func (n *Node) CheckDecisions(ctx context.Context) (AuditCheck, error) {
	out := AuditCheck{OK: true, Hours: []AuditHourView{}}
	hours, err := n.store.AuditHours(ctx, time.UnixMicro(0))
	if err != nil {
		return out, err
	}
	here := map[int64]store.AuditHour{}
	for _, h := range hours {
		here[h.Hour.UnixMicro()] = h
	}
	var last record.AuditBody
	for after := int64(0); ; {
		list, err := n.store.Index().OfKind(ctx, string(record.KindAudit), n.party.ID, after, 1000)
		if err != nil {
			return out, indexFault("checking the audit table", err)
		}
		for _, e := range list {
			after = e.No
			v, body, err := n.checkHour(ctx, e, last)
			if err != nil {
				return out, err
			}
			delete(here, v.Hour.UnixMicro())
			out.add(v)
			last = body
		}
		if len(list) == 0 {
			break
		}
	}
	for _, h := range hours {
		if _, left := here[h.Hour.UnixMicro()]; !left {
			continue
		}
		v := AuditHourView{Hour: h.Hour.UTC(), State: auditOpen, Rows: h.Rows, Decisions: h.Decisions}
		if !h.Hour.After(last.Hour.Time) {
			v.State, v.Why = auditUnsealed, "the log has no leaf for these rows, and one for a later hour"
		}
		out.add(v)
	}
	return out, nil
}

func (c *AuditCheck) add(v AuditHourView) {
	c.Hours = append(c.Hours, v)
	c.OK = c.OK && (v.State == auditHolds || v.State == auditForgotten || v.State == auditOpen)
}

// checkHour holds one hour against its leaf and the leaf against the one before it.
func (n *Node) checkHour(ctx context.Context, e store.Indexed, last record.AuditBody) (AuditHourView, record.AuditBody, error) {
	o, err := n.openIndexed(ctx, e)
	if err != nil {
		return AuditHourView{}, last, err
	}
	body, unread := record.Parse[record.AuditBody](o.record)
	if unread != nil || o.view.Standing != StandingValid {
		return AuditHourView{Hour: e.Time.UTC().Truncate(time.Hour), State: auditChanged, Log: o.view.Log, Index: e.Index, Why: "the leaf is " + o.view.Standing}, last, nil //nolint:nilerr // the answer says what is wrong with it
	}
	v := AuditHourView{Hour: body.Hour.Time.UTC(), State: auditHolds, Rows: body.Rows, Decisions: body.Decisions, Log: o.view.Log, Index: e.Index}
	if body.Previous != last.Hash || !body.Hour.Time.After(last.Hour.Time) {
		v.State, v.Why = auditChanged, "the leaf does not follow from the one before it"
		return v, body, nil
	}
	rows, err := n.store.AuditOf(ctx, body.Hour.Time)
	if err != nil {
		return v, body, err
	}
	hash, err := hashAudit(body.Previous, body.Hour.Time, rows)
	switch {
	case err != nil:
		return v, body, err
	case hash == body.Hash:
	case len(rows) > 0:
		v.State, v.Why = auditChanged, fmt.Sprintf("its %d rows are not the %d that the leaf commits to", len(rows), body.Rows)
	case n.cfg.AuditDays > 0 && body.Hour.Time.Before(n.now().AddDate(0, 0, -n.cfg.AuditDays).Add(time.Hour)):
		v.State = auditForgotten
	default:
		v.State, v.Why = auditMissing, "its rows are not here: taken out, or the node was restored from an older backup"
	}
	return v, body, nil
}
