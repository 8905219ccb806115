package node

import (
	"context"
	"encoding/json"

	"github.com/mithaq/mithaq/internal/store"
)

// ArrivalQuery asks what has arrived.
type ArrivalQuery struct {
	After, Before           int64 // numbers of arrivals, both excluded; Before 0: up to the newest
	Kind, Agreement, Author string
	Limit                   int
}

// Arrivals are records in the order in which they arrived here, newest first.
type Arrivals struct {
	Newest  int64     `json:"newest" doc:"Number of the newest arrival: give it as after to learn what came since"`
	Results []Arrival `json:"results"`
	Next    int64     `json:"next,omitempty" doc:"Give it as before to get the next page; absent: there is none"`
}

// Arrival is one record with its number in the order of arrival.
type Arrival struct {
	No int64 `json:"no"`
	SearchResult
	Names []string `json:"names,omitempty" doc:"What its STIX objects are called, a few of them"`
	Act   string   `json:"act,omitempty" doc:"Of an act, which one"`
}

// How many names of STIX objects an arrival shows, and up to how many bytes a bundle is read for them.
const (
	maxNames = 3
	maxNamed = 256 << 10
)

// Arrivals lists what the viewer may see of what has arrived.
func (n *Node) Arrivals(ctx context.Context, v Viewer, q ArrivalQuery) (Arrivals, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultSearchLimit
	}
	q.Limit = min(q.Limit, MaxSearchLimit)
	d, err := n.decideFor(ctx, v)
	if err != nil {
		return Arrivals{}, err
	}
	index := n.store.Index()
	out := Arrivals{Results: []Arrival{}}
	if out.Newest, err = index.Newest(ctx); err != nil {
		return out, indexFault("listing arrivals", err)
	}
	s := &searching{node: n, query: SearchQuery{Kind: q.Kind, Agreement: q.Agreement, Limit: q.Limit}, decide: d, logs: map[int64]string{}}
	before := q.Before
	for range maxSearchSteps {
		rows, err := index.Arrived(ctx, q.After, before, 2*q.Limit)
		if err != nil {
			return out, indexFault("listing arrivals", err)
		}
		for _, e := range rows {
			before = e.No
			if err := s.arrived(ctx, e, q, &out); err != nil {
				return out, err
			}
			if len(out.Results) == q.Limit {
				out.Next = e.No
				return out, nil
			}
		}
		if len(rows) < 2*q.Limit {
			return out, nil
		}
	}
	out.Next = before
	return out, nil
}

// arrived adds one record, when it is asked for and may be listed.
func (s *searching) arrived(ctx context.Context, e store.Indexed, q ArrivalQuery, out *Arrivals) error {
	if e.Standing != StandingValid || q.Kind != "" && e.Kind != q.Kind || q.Agreement != "" && e.Agreement != q.Agreement || q.Author != "" && e.Author != q.Author {
		return nil
	}
	shown, err := s.decide.listed(ctx, e)
	if err != nil || shown == nil {
		return err
	}
	result, err := s.result(ctx, *shown, nil)
	if err != nil {
		return err
	}
	a := Arrival{No: e.No, SearchResult: result}
	switch e.Kind {
	case "intel":
		o, _, err := s.node.openAt(ctx, result.Log, result.Index)
		if err == nil && len(o.record.Body) <= maxNamed { // what cannot be opened now is listed without names
			a.Names = stixNames(o.record.Body)
		}
	case "act":
		_, acts, err := s.node.store.Index().Acts(ctx, e.Agreement, e.No-1, 1)
		if err != nil {
			return err
		}
		if len(acts) > 0 {
			a.Act = acts[0].Act
		}
	}
	out.Results = append(out.Results, a)
	return nil
}

// stixNames returns what a few of a bundle's objects are called.
func stixNames(body []byte) (names []string) {
	if bundle, ok := unwrapBundle(body); ok {
		body = bundle
	}
	var bundle struct {
		Objects []struct {
			Type string `json:"type"`
			Name string `json:"name"`
		} `json:"objects"`
	}
	if err := json.Unmarshal(body, &bundle); err != nil {
		return nil // a record that was valid when it was published names nothing that can be shown
	}
	for _, o := range bundle.Objects {
		if o.Name != "" && o.Type != "marking-definition" && o.Type != "identity" && len(names) < maxNames {
			names = append(names, clip(o.Name, 200))
		}
	}
	return names
}

// NewestArrival is the number of the newest record in the index; 0: there is none.
func (n *Node) NewestArrival(ctx context.Context) (int64, error) {
	no, err := n.store.Index().Newest(ctx)
	return no, indexFault("listing arrivals", err)
}

// clip shortens a text to a number of letters.
func clip(s string, letters int) string {
	for i := range s {
		if letters == 0 {
			return s[:i] + "…"
		}
		letters--
	}
	return s
}
