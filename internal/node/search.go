package node

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// SearchQuery is what somebody looks for.
type SearchQuery struct {
	Text      string // as one types: the last word may be a beginning
	Kind      string // empty: all
	Agreement string // id, or own; empty: all
	Limit     int    // 0: DefaultSearchLimit
	Before    int64  // SearchResults.Next of the page before; 0: the newest
}

// Limits of a page of results.
const (
	DefaultSearchLimit = 20
	MaxSearchLimit     = 100
	// maxSearchSteps bounds how many pages of the index are read for one page of results, when most may not be shown.
	maxSearchSteps = 16
)

// SearchResults are records that meet a query, newest arrival first.
type SearchResults struct {
	Results []SearchResult `json:"results"`
	Next    int64          `json:"next,omitempty" doc:"Give it as before to get the next page; absent: there is none"`
	Behind  int64          `json:"behind,omitempty" doc:"Leaves that are published and not indexed yet"`
	// Warnings say that what is looked for is on warning lists.
	Warnings []WarningView `json:"warnings,omitempty" doc:"Warning lists that the value looked for is on"`
}

// SearchResult is one record that meets a query.
type SearchResult struct {
	Log       string     `json:"log"`
	Index     int64      `json:"index"`
	Leaf      string     `json:"leaf" doc:"Leaf hash, hexadecimal"`
	ID        string     `json:"id" doc:"Record id"`
	Kind      string     `json:"kind"`
	Agreement string     `json:"agreement"`
	Author    string     `json:"author"`
	Time      time.Time  `json:"time"`
	TLP       string     `json:"tlp"`
	PAP       string     `json:"pap,omitempty"`
	Standing  string     `json:"standing" enum:"valid,not-vouched-for"`
	Mark      string     `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where its author or its agreement is invented"`
	Snippet   []Fragment `json:"snippet,omitempty" doc:"Text around what was found; joined, the fragments are the text. Absent where too much would have to be opened for it"`
}

// Fragment is a piece of a snippet.
type Fragment struct {
	Text  string `json:"text"`
	Found bool   `json:"found,omitempty" doc:"Whether this is what was looked for"`
}

// Search finds records by their words, or by a record id, a leaf hash or a STIX id. Each result was decided on.
func (n *Node) Search(ctx context.Context, q SearchQuery) (SearchResults, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultSearchLimit
	}
	q.Limit = min(q.Limit, MaxSearchLimit)
	if strings.TrimSpace(q.Text) == "" {
		return SearchResults{}, fault.New(fault.Invalid, "give some words, an indicator, a record id or a hash", "searching for nothing")
	}
	if q.Kind != "" {
		if _, err := record.LookupKind(record.Kind(q.Kind)); err != nil {
			return SearchResults{}, recordFault("searching", err)
		}
	}
	s := &searching{node: n, query: q, words: arabic.ParseQuery(q.Text, true), logs: map[int64]string{}}
	var err error
	if s.decide, err = n.decideFor(ctx, Viewer{Own: true}); err != nil {
		return SearchResults{}, err
	}
	state, err := n.IndexState(ctx)
	if err != nil {
		return SearchResults{}, err
	}
	out := SearchResults{Results: []SearchResult{}, Behind: state.Size - state.Indexed}
	if out.Warnings, err = n.warningsOn(q.Text); err != nil {
		return out, err
	}
	if q.Before == 0 {
		named, err := s.named(ctx)
		if err != nil {
			return out, indexFault("searching", err)
		}
		if err := s.take(ctx, &out, named, nil); err != nil || len(out.Results) > 0 {
			return out, err
		}
	}
	return out, indexFault("searching", s.page(ctx, &out))
}

// indexFault says what to do when there is no index.
func indexFault(what string, err error) error {
	if errors.Is(err, store.ErrNoIndex) {
		return &fault.Fault{Code: fault.Unavailable, What: what, Err: err, Remedy: "run 'mithaq reindex', or 'mithaq serve', which builds it"}
	}
	return err
}

// searching is one search under way.
type searching struct {
	node   *Node
	query  SearchQuery
	words  arabic.Query
	decide decision
	logs   map[int64]string // log ids by number
	opened int              // bytes of objects, for snippets
	makers map[int64]*entry.Maker
}

// named returns what the text names outright: a record id, a leaf hash, a STIX id.
func (s *searching) named(ctx context.Context) ([]store.Indexed, error) {
	index, text := s.node.store.Index(), strings.TrimSpace(s.query.Text)
	if record.IsID(text, record.PrefixRecord) {
		return index.ByID(ctx, text)
	}
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == 32 {
		return index.ByLeaf(ctx, [32]byte(raw))
	}
	if isSTIXID(text) {
		return index.WithSTIX(ctx, text, s.query.Limit)
	}
	return nil, nil
}

// page fills out with what the full text finds.
func (s *searching) page(ctx context.Context, out *SearchResults) error {
	var must []string
	if s.query.Kind != "" {
		must = append(must, entry.KindTerm(s.query.Kind))
	}
	if s.query.Agreement != "" {
		must = append(must, entry.AgreementTerm(s.query.Agreement))
	}
	before, ask := s.query.Before, s.query.Limit+s.query.Limit/2+2
	for range maxSearchSteps {
		matches, err := s.node.store.Index().Search(ctx, s.words, must, before, ask)
		if err != nil {
			return err
		}
		records, parts, err := s.records(ctx, matches)
		if err != nil {
			return err
		}
		if len(matches) == ask && len(records) > 1 {
			records = records[:len(records)-1] // its other parts may be on the next page
		}
		if err := s.take(ctx, out, records, parts); err != nil {
			return err
		}
		if out.Next != 0 || len(matches) < ask || len(records) == 0 {
			return nil
		}
		before = records[len(records)-1].No
	}
	out.Next = before
	return nil
}

// records reads the rows of matches, one for each record, and the matching parts of each.
func (s *searching) records(ctx context.Context, matches []store.Match) (out []store.Indexed, parts map[int64][]int, err error) {
	parts = map[int64][]int{}
	var nos []int64
	for _, m := range matches {
		if _, again := parts[m.No]; !again {
			nos = append(nos, m.No)
		}
		parts[m.No] = append(parts[m.No], m.Part)
	}
	out, err = s.node.store.Index().ByNos(ctx, nos)
	if err != nil {
		return nil, nil, err
	}
	return out, parts, nil
}

// take decides on each record and adds what may be shown, until the page is full; out.Next then says where to go on.
func (s *searching) take(ctx context.Context, out *SearchResults, records []store.Indexed, parts map[int64][]int) error {
	for i, e := range records {
		if e.Standing != StandingValid && e.Standing != StandingNotVouched ||
			s.query.Kind != "" && e.Kind != s.query.Kind || s.query.Agreement != "" && e.Agreement != s.query.Agreement {
			continue
		}
		shown, err := s.decide.listed(ctx, e)
		if err != nil {
			return err
		}
		if shown == nil {
			continue
		}
		result, err := s.result(ctx, *shown, parts[e.No])
		if err != nil {
			return err
		}
		out.Results = append(out.Results, result)
		if len(out.Results) >= s.query.Limit {
			if i+1 < len(records) || parts != nil {
				out.Next = e.No
			}
			return nil
		}
	}
	return nil
}

// result describes a record.
func (s *searching) result(ctx context.Context, e store.Indexed, parts []int) (r SearchResult, err error) {
	log, err := s.log(ctx, e.LogNo)
	if err != nil {
		return r, err
	}
	r = SearchResult{Log: log, Index: e.Index, Leaf: hex.EncodeToString(e.Leaf[:]), ID: e.ID, Kind: e.Kind, Agreement: e.Agreement,
		Author: e.Author, Time: e.Time, TLP: e.TLP, PAP: e.PAP, Standing: e.Standing, Mark: s.node.markOfLog(ctx, log, e.Agreement)}
	if len(parts) > 0 {
		r.Snippet, err = s.snippet(ctx, e, parts)
	}
	return r, err
}

func (s *searching) log(ctx context.Context, no int64) (string, error) {
	if len(s.logs) == 0 {
		rows, err := s.node.store.Logs(ctx)
		if err != nil {
			return "", fault.OfStore(err)
		}
		for _, row := range rows {
			s.logs[row.No] = row.ID
		}
	}
	return s.logs[no], nil
}
