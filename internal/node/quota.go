package node

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
)

// Quota is the configuration's bound on what is taken of one author under one agreement. 0: no bound.
type Quota struct {
	Hours        int64 `toml:"hours"`
	Records      int64 `toml:"records"`
	Megabytes    int64 `toml:"megabytes"`
	Broken       int64 `toml:"broken"`
	AllRecords   int64 `toml:"all_records"`
	AllMegabytes int64 `toml:"all_megabytes"`
}

func (q Quota) check() error {
	for _, v := range []int64{q.Hours, q.Records, q.Megabytes, q.Broken, q.AllRecords, q.AllMegabytes} {
		if v < 0 || v > 1<<40 {
			return fmt.Errorf("quota: %d is out of range: write a number from 0, which is no bound", v)
		}
	}
	if q.Hours == 0 {
		return fmt.Errorf("quota: hours = 0: write how long a window is, say 24")
	}
	return nil
}

// HeldView is an author whose log waits because its quota is used up.
type HeldView struct {
	Agreement string    `json:"agreement"`
	Log       string    `json:"log,omitempty"`
	What      string    `json:"what" doc:"What is used up: records, bytes, broken records, records altogether, bytes altogether"`
	Limit     int64     `json:"limit"`
	Since     time.Time `json:"since" doc:"When the window began"`
	Until     time.Time `json:"until" doc:"When the rest is taken"`
}

// purseKey is whose purse it is.
type purseKey struct{ agreement, author string }

// purse is what an author may still send under an agreement: by the agreement's own rule where it has one, else by the
// configuration's.
func (n *Node) purse(ctx context.Context, agreementID, author string) *federate.Purse {
	c := n.cfg.Quota
	q := federate.Quota{Window: time.Duration(c.Hours) * time.Hour, Leaves: c.Records, Bytes: c.Megabytes << 20, Garbage: c.Broken,
		AllLeaves: c.AllRecords, AllBytes: c.AllMegabytes << 20}
	err := n.withRoll(ctx, agreementID, func(r *roll) error {
		if d := r.text(); d != nil {
			if v := int64(d.Quota.RecordsPerDay); v > 0 {
				q.Window, q.Leaves = 24*time.Hour, v
			}
			if v := int64(d.Quota.MegabytesPerDay); v > 0 {
				q.Window, q.Bytes = 24*time.Hour, v<<20
			}
		}
		return nil
	})
	if err != nil {
		n.logger.Debug("an agreement's own quota cannot be read: the configured one holds", "agreement", agreementID, "error", err)
	}
	key := purseKey{agreementID, author}
	n.mu.RLock()
	p := n.purses[key]
	n.mu.RUnlock()
	if p == nil {
		spent, err := n.store.Spent(ctx, agreementID, author)
		if err != nil {
			n.logger.Error("what was taken of an author cannot be read: counting begins anew", "party", author, "error", err)
		}
		n.mu.Lock()
		if p = n.purses[key]; p == nil {
			p = federate.NewPurse(q, spent)
			n.purses[key] = p
		}
		n.mu.Unlock()
	}
	p.Allow(q)
	return p
}

// heldOf lists what waits of an author.
func (n *Node) heldOf(author string) []HeldView {
	now := n.now()
	var out []HeldView
	n.mu.RLock()
	defer n.mu.RUnlock()
	for key, p := range n.purses {
		if key.author != author {
			continue
		}
		if o := p.Held(now); o != nil {
			out = append(out, HeldView{Agreement: key.agreement, What: o.What, Limit: o.Limit, Since: o.Since, Until: o.Until})
		}
	}
	return out
}

// held counts the authors who wait here, and the own logs that wait elsewhere.
func (n *Node) held() (authors, logs int) {
	now := n.now()
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, p := range n.purses {
		if p.Held(now) != nil {
			authors++
		}
	}
	for _, h := range n.heldBy {
		if h.Until.After(now) {
			logs++
		}
	}
	return authors, logs
}

// HoldFormat names the form of a notice that a log waits.
const HoldFormat = "mithaq-hold/1"

// MaxHold bounds such a notice in bytes.
const MaxHold = 4 << 10

// Hold tells an author that a follower takes no more of its log for a while.
type Hold struct {
	Format string `json:"format" enum:"mithaq-hold/1"`
	HeldView
}

// tellHeld tells the author of a followed log, once for each window, that the rest of it waits.
func (n *Node) tellHeld(ctx context.Context, logID string, over federate.Overdraft) {
	b := n.book(logID)
	if b == nil || !b.log.Followed() {
		return
	}
	host := n.hostOf(ctx, b.log.Author)
	n.mu.Lock()
	told := n.toldHeld[logID].Equal(over.Until)
	n.toldHeld[logID] = over.Until
	n.mu.Unlock()
	if told || host == "" {
		return // an author whom nobody reaches sees it in the answer to its card
	}
	h := Hold{Format: HoldFormat, HeldView: HeldView{Agreement: b.log.Agreement, Log: logID, What: over.What, Limit: over.Limit, Since: over.Since, Until: over.Until}}
	if err := n.exchange(ctx, host, "/holds", h, maxCard, nil); err != nil {
		n.logger.Info("an author could not be told that its log waits", "party", b.log.Author, "log", logID, "error", err)
		n.mu.Lock()
		delete(n.toldHeld, logID)
		n.mu.Unlock()
	}
}

// ReceiveHold notes that a party takes no more of a log of this party's for a while.
func (n *Node) ReceiveHold(r *http.Request, content []byte) (struct{}, error) {
	party, err := n.CallerOf(r, content)
	if err != nil || party == "" {
		return struct{}{}, errStranger()
	}
	var h Hold
	if err := readStrict(content, &h); err != nil || h.Format != HoldFormat {
		return struct{}{}, n.malformed()
	}
	if err := n.noteHold(r.Context(), party, h.HeldView); err != nil {
		return struct{}{}, n.stranger()
	}
	return struct{}{}, nil
}

// noteHold keeps a notice, if it is about a log of this party's that the other may have.
func (n *Node) noteHold(ctx context.Context, party string, h HeldView) error {
	l, err := n.reader.Log(ctx, h.Log)
	if err != nil || l.Followed() || l.Agreement != h.Agreement || !n.MayFollow(ctx, party, l.Agreement) {
		return errStranger()
	}
	if h.What = oneLine(h.What); len(h.What) > 40 {
		return errStranger()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heldBy[party+" "+h.Log] = h
	n.logger.Warn("another party holds a log of ours back: quota", "party", party, "log", h.Log, "what", h.What, "limit", h.Limit, "until", h.Until)
	return nil
}

// heldAt lists the logs of this party that a party takes no more of for a while.
func (n *Node) heldAt(party string) []HeldView {
	now := n.now()
	var out []HeldView
	n.mu.RLock()
	defer n.mu.RUnlock()
	for key, h := range n.heldBy {
		if strings.HasPrefix(key, party+" ") && h.Until.After(now) {
			out = append(out, h)
		}
	}
	slices.SortStableFunc(out, func(a, b HeldView) int { return strings.Compare(a.Log, b.Log) })
	return out
}

// holdsOn lists what this node holds back of a party, for the answer to its card.
func (n *Node) holdsOn(ctx context.Context, party string) []HeldView {
	held := n.heldOf(party)
	if len(held) == 0 {
		return nil
	}
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil
	}
	var out []HeldView
	for _, l := range infos {
		for _, h := range held {
			if l.Author == party && l.Agreement == h.Agreement && record.IsID(l.ID, record.PrefixLog) {
				h.Log = l.ID
				out = append(out, h)
			}
		}
	}
	return out
}
