package node

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Every decision at an exit is counted: by the hour, by who asked, by what decisions have in common, by the answer and its
// first reason. An exit counts in memory and never waits for a disk; a job writes the counts to the audit table every few
// seconds, and a kill loses those of the last few. When an hour is over its rows are sealed: their hash, chained to the hour
// before, becomes a leaf of the own log, and from then on a row that is changed, added or taken out is found.

const (
	// auditFlush is how often counts are written.
	auditFlush = 5 * time.Second
	// maxAuditRows bounds what is counted between two writes. What is more is counted together, by exit and answer.
	maxAuditRows = 4096
	// auditRest stands for what is not told apart.
	auditRest = "…"
)

// auditor counts decisions.
type auditor struct {
	mu   sync.Mutex
	open time.Time                         // no decision is counted in an hour before it: those are sealed
	rows map[store.AuditClass]*auditCounts // guarded by mu
}

type auditCounts struct {
	count       int64
	first, last time.Time
}

// note counts one decision. Of a request only what the rows say is kept, never what it was about in particular.
func (a *auditor) note(q policy.Request, d policy.Decision) {
	who, it := q.Principal, q.Item
	c := store.AuditClass{Exit: q.Exit.String(), Party: who.Party, Person: who.Person, Agreement: it.Agreement, Author: it.Author,
		Kind: it.Kind, TLP: string(it.Marking.TLP), Allowed: d.Allow}
	if len(d.Reasons) > 0 {
		if c.Reason = d.Reasons[0].Code; c.Reason == policy.ReasonRule {
			c.Reason = d.Reasons[0].Rule
		}
	}
	at := q.Now.UTC()
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.Before(a.open) {
		at = a.open // the clock was set back
	}
	c.Hour = at.Truncate(time.Hour)
	if a.rows == nil {
		a.rows = map[store.AuditClass]*auditCounts{}
	}
	n := a.rows[c]
	if n == nil && len(a.rows) >= maxAuditRows {
		c = store.AuditClass{Hour: c.Hour, Exit: c.Exit, Allowed: c.Allowed, Reason: auditRest}
		n = a.rows[c]
	}
	if n == nil {
		n = &auditCounts{first: at}
		a.rows[c] = n
	}
	n.count++
	n.last = at
}

// take returns what was counted since the last time, and closes the hours before open.
func (a *auditor) take(open time.Time) []store.AuditRow {
	a.mu.Lock()
	defer a.mu.Unlock()
	if open.After(a.open) {
		a.open = open
	}
	out := make([]store.AuditRow, 0, len(a.rows))
	for c, n := range a.rows {
		out = append(out, store.AuditRow{AuditClass: c, Count: n.count, First: n.first, Last: n.last})
	}
	a.rows = nil
	return out
}

// put takes counts back that could not be written.
func (a *auditor) put(rows []store.AuditRow) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rows == nil {
		a.rows = map[store.AuditClass]*auditCounts{}
	}
	for _, r := range rows {
		n := a.rows[r.AuditClass]
		if n == nil {
			n = &auditCounts{first: r.First, last: r.Last}
			a.rows[r.AuditClass] = n
		}
		n.count += r.Count
		if r.First.Before(n.first) {
			n.first = r.First
		}
	}
}

// ask is policy.Ask for this node's exits: the answer is counted.
func ask[T any](d decision, q policy.Request, g policy.Guarded[T]) (T, policy.Decision) {
	value, answer := policy.Ask(d.decider, q, g)
	q.Item = g.Item()
	d.counted.note(q, answer)
	return value, answer
}

// writeAudit writes what was counted to the table. Hours before open take no more.
func (n *Node) writeAudit(ctx context.Context, open time.Time) error {
	rows := n.audited.take(open)
	err := n.store.AddAudit(ctx, rows)
	if err != nil {
		n.audited.put(rows)
	}
	return err
}

// KeepAudit writes what was decided at the exits to the audit table and seals each hour when it is over, until ctx ends.
func (n *Node) KeepAudit(ctx context.Context) {
	if n.ledger == nil {
		return
	}
	tick := time.NewTicker(auditFlush)
	defer tick.Stop()
	sealed := time.Time{}
	for {
		hour := n.now().UTC().Truncate(time.Hour)
		var err error
		if hour.After(sealed) {
			if err = n.sealAudit(ctx, hour); err == nil {
				sealed = hour
			}
		} else {
			err = n.writeAudit(ctx, time.Time{})
		}
		if err != nil && ctx.Err() == nil {
			n.logger.Warn("the audit table is behind and will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sealAudit appends the hashes of the hours before one that are not in the own log yet, and forgets rows that were kept long
// enough. What is in the log tells how far it was, so that a node which was killed or restored goes on from there.
func (n *Node) sealAudit(ctx context.Context, before time.Time) error {
	own, err := n.resolveLog(ctx, record.OwnAgreement)
	if err != nil {
		return err
	}
	if err := n.settled(own); err != nil {
		return err
	}
	if err := n.waitIndexed(ctx, own, own.Size); err != nil {
		return err
	}
	last, err := n.lastAudit(ctx)
	if err != nil {
		return err
	}
	if open := last.Hour.Time.Add(time.Hour); open.After(before) {
		before = open // the clock was set back
	}
	if err := n.writeAudit(ctx, before); err != nil {
		return err
	}
	hours, err := n.store.AuditHours(ctx, last.Hour.Time)
	if err != nil {
		return err
	}
	for _, h := range hours {
		if !h.Hour.Before(before) {
			break
		}
		if last, err = n.sealHour(ctx, own.ID, h, last); err != nil {
			return fmt.Errorf("sealing the audit table's hour of %s: %w", h.Hour.UTC().Format(time.RFC3339), err)
		}
	}
	if days := n.cfg.AuditDays; days > 0 {
		return n.store.DropAudit(ctx, before.AddDate(0, 0, -days))
	}
	return nil
}

// sealHour appends the hash of one hour's rows.
func (n *Node) sealHour(ctx context.Context, logID string, h store.AuditHour, last record.AuditBody) (record.AuditBody, error) {
	rows, err := n.store.AuditOf(ctx, h.Hour)
	if err != nil {
		return last, err
	}
	hash, err := hashAudit(last.Hash, h.Hour, rows)
	if err != nil {
		return last, err
	}
	body := record.AuditBody{Hour: record.At(h.Hour), Rows: h.Rows, Decisions: h.Decisions, Hash: hash, Previous: last.Hash}
	encoded, err := record.EncodeBody(&body)
	if err != nil {
		return last, recordFault("sealing", err)
	}
	k, err := n.keyring(logID)
	if err != nil {
		return last, err
	}
	node := k.WithRole(record.RoleNode)[0]
	rec := record.Record{Agreement: k.Log.Agreement, Author: k.Party, Officer: node.ID, Kind: record.KindAudit,
		Marking: record.Marking{TLP: record.TLPAmberStrict}, Body: encoded}
	if _, err := n.append(ctx, logID, rec, node, uint64(k.Serial), 0, nil); err != nil {
		return last, err
	}
	return body, nil
}

// lastAudit is the newest audit record of this party; the zero one where there is none.
func (n *Node) lastAudit(ctx context.Context) (body record.AuditBody, err error) {
	e, found, err := n.store.Index().LastOfKind(ctx, string(record.KindAudit), n.party.ID)
	if err != nil || !found {
		return body, err
	}
	o, err := n.openIndexed(ctx, e)
	if err != nil {
		return body, err
	}
	return record.Parse[record.AuditBody](o.record)
}

// openIndexed opens a record that the index lists.
func (n *Node) openIndexed(ctx context.Context, e store.Indexed) (opened, error) {
	s := searching{node: n, logs: map[int64]string{}}
	log, err := s.log(ctx, e.LogNo)
	if err != nil {
		return opened{}, err
	}
	o, _, err := n.openAt(ctx, log, e.Index)
	return o, err
}

// hashAudit is the hash of an hour's rows, as docs/formats.md says.
func hashAudit(previous string, hour time.Time, rows []store.AuditRow) (string, error) {
	encoded := make([][]byte, len(rows))
	for i, r := range rows {
		b, err := json.Marshal([]any{r.Exit, r.Party, r.Person, r.Agreement, r.Author, r.Kind, r.TLP, r.Allowed, r.Reason, r.Count, r.First.UnixMicro(), r.Last.UnixMicro()})
		if err != nil {
			return "", fmt.Errorf("writing a row of the audit table: %w", err)
		}
		encoded[i] = b
	}
	slices.SortFunc(encoded, slices.Compare)
	return record.AuditHash(previous, hour, encoded), nil
}
