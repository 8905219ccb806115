package node

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

// STIXQuery is which STIX objects somebody looks for.
type STIXQuery struct {
	Text      string // words, a value or a STIX id
	Type      string // empty: all
	Agreement string // id, or own; empty: all
	Limit     int    // 0: DefaultSearchLimit
	Before    int64  // STIXResults.Next of the page before; 0: the newest
}

// MaxSTIXResults bounds a page of STIX objects.
const MaxSTIXResults = 1000

// STIXResults are STIX objects that meet a query, those of the newest record first.
type STIXResults struct {
	Results []STIXResult `json:"results"`
	Next    int64        `json:"next,omitempty" doc:"Give it as before to get the next page; absent: there is none"`
}

// STIXResult is one STIX object and where it stands.
type STIXResult struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Version   string          `json:"version,omitempty" doc:"modified, else created"`
	Log       string          `json:"log"`
	Index     int64           `json:"index" doc:"The record's place in the log"`
	Agreement string          `json:"agreement"`
	Author    string          `json:"author"`
	Mark      string          `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where its author or its agreement is invented"`
	TLP       string          `json:"tlp" doc:"The object's effective marking"`
	PAP       string          `json:"pap,omitempty"`
	Added     string          `json:"added" doc:"When it was added to the agreement's collection"`
	Object    json.RawMessage `json:"object"`
}

// SearchSTIX finds STIX objects, each decided on.
func (n *Node) SearchSTIX(ctx context.Context, v Viewer, q STIXQuery) (STIXResults, error) {
	text := strings.TrimSpace(q.Text)
	if text == "" {
		return STIXResults{}, fault.New(fault.Invalid, "give some words, an indicator or a STIX id", "searching for nothing")
	}
	if q.Limit <= 0 {
		q.Limit = DefaultSearchLimit
	}
	q.Limit = min(q.Limit, MaxSTIXResults)
	s := &stixSearch{node: n, viewer: v, query: q, words: arabic.ParseQuery(text, true), seen: map[string]*selection{}, makers: arabic.NewIndexer()}
	out := STIXResults{Results: []STIXResult{}}
	if isSTIXID(text) {
		return out, indexFault("searching", s.byID(ctx, text, &out))
	}
	return out, indexFault("searching", s.byWords(ctx, &out))
}

// stixSearch is one search under way.
type stixSearch struct {
	node   *Node
	viewer Viewer
	query  STIXQuery
	words  arabic.Query
	seen   map[string]*selection // by agreement
	makers *arabic.Indexer
}

// selection is what the viewer may have of an agreement's objects.
func (s *stixSearch) selection(ctx context.Context, agreement string) (*selection, error) {
	if known, ok := s.seen[agreement]; ok {
		return known, nil
	}
	q := taxii.Query{Filter: taxii.Filter{Versions: taxii.Versions{All: true}}}
	if s.query.Type != "" {
		q.Types = []string{s.query.Type}
	}
	made, err := s.node.queryAs(ctx, s.viewer, policy.ToSearch(), collection{agreement: agreement}, q)
	if err == nil {
		s.seen[agreement] = made
	}
	return made, err
}

func (s *stixSearch) byID(ctx context.Context, id string, out *STIXResults) error {
	placed, err := s.node.store.Index().PlacedSTIX(ctx, id)
	if err != nil {
		return err
	}
	for i := len(placed) - 1; i >= 0 && len(out.Results) < s.query.Limit; i-- {
		e, err := s.node.store.Index().ByNo(ctx, placed[i].No)
		if err != nil {
			return err
		}
		if err := s.add(ctx, out, e, placed[i], false); err != nil {
			return err
		}
	}
	return nil
}

func (s *stixSearch) byWords(ctx context.Context, out *STIXResults) error {
	must := []string{entry.KindTerm(string(record.KindIntel))}
	if s.query.Agreement != "" {
		must = append(must, entry.AgreementTerm(s.query.Agreement))
	}
	before := s.query.Before
	for range maxSearchSteps {
		const ask = 64
		matches, err := s.node.store.Index().Search(ctx, s.words, must, before, ask)
		if err != nil {
			return err
		}
		last := int64(0)
		for _, m := range matches {
			if m.No == last {
				continue
			}
			last = m.No
			if err := s.ofRecord(ctx, out, m.No); err != nil {
				return err
			}
			if len(out.Results) >= s.query.Limit {
				out.Next = m.No
				return nil
			}
		}
		if len(matches) < ask {
			return nil
		}
		before = last
	}
	out.Next = before
	return nil
}

// ofRecord adds the objects of a record in which all words are found.
func (s *stixSearch) ofRecord(ctx context.Context, out *STIXResults, no int64) error {
	e, err := s.node.store.Index().ByNo(ctx, no)
	if errors.Is(err, store.ErrNotFound) || err == nil && !listable(&e) {
		return nil
	}
	if err != nil {
		return err
	}
	placed, err := s.node.store.Index().PlacedOf(ctx, no)
	if err != nil {
		return err
	}
	for _, p := range placed {
		if len(out.Results) >= MaxSTIXResults {
			return nil
		}
		if err := s.add(ctx, out, e, p, true); err != nil {
			return err
		}
	}
	return nil
}

// add adds one object when the viewer may have it and, if asked, all words are in it.
func (s *stixSearch) add(ctx context.Context, out *STIXResults, e store.Indexed, p store.Placed, check bool) error {
	if s.query.Agreement != "" && e.Agreement != s.query.Agreement {
		return nil
	}
	sel, err := s.selection(ctx, e.Agreement)
	if err != nil || !sel.may(p.Run) {
		return err
	}
	if ok, err := sel.matches(ctx, p); err != nil || !ok {
		return err
	}
	raw, err := s.node.rawSTIX(ctx, p)
	if err != nil || raw == nil || check && !s.found(raw) {
		return err
	}
	log, err := s.node.logByNo(ctx, e.LogNo)
	if err != nil {
		return err
	}
	item := sel.items[p.Class]
	out.Results = append(out.Results, STIXResult{ID: p.ID, Type: p.Type, Version: p.Version, Log: log, Index: e.Index, Agreement: e.Agreement,
		Author: e.Author, Mark: s.node.markOfLog(ctx, log, e.Agreement), TLP: string(item.Marking.TLP), PAP: string(item.Marking.PAP), Added: taxii.FormatTime(microsUTC(p.Date)), Object: json.RawMessage(raw)})
	return nil
}

// found says whether every word is in an object's texts.
func (s *stixSearch) found(raw []byte) bool {
	v, err := stix.OpenValue(raw, stix.Limits{})
	if err != nil {
		return false
	}
	met := make([]bool, len(s.words.Clauses))
	left := len(met)
	for _, part := range entry.TextIn(v) {
		for _, seg := range part {
			_, here := s.makers.Mark(s.words, seg.Text, seg.Language)
			for i, yes := range here {
				if yes && i < len(met) && !met[i] {
					met[i] = true
					left--
				}
			}
		}
	}
	return left == 0
}
