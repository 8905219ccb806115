package node

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/stix"
)

// Correlations are the other records in which values of a record stand, as far as the viewer may find them.
type Correlations struct {
	Values  []Correlation `json:"values"`
	Omitted int           `json:"omitted,omitempty" doc:"Values of the record that were not looked for: it has too many"`
}

// Correlation is one value and where else it stands.
type Correlation struct {
	Value string `json:"value"`
	// Capped says that the value stands in so many records that it tells nothing; none of them is listed.
	Capped bool              `json:"capped,omitempty" doc:"It stands in more records than are listed: too common to tell anything"`
	Others []CorrelatedPlace `json:"others,omitempty" doc:"The newest first"`
}

// CorrelatedPlace is an object of another record.
type CorrelatedPlace struct {
	Place
	Object string `json:"object" doc:"STIX id"`
	Author string `json:"author"`
	// How says what the two share: the same value (fingerprints included), or a network around the address.
	How   string `json:"how" enum:"same,within,around" doc:"same: the same value; within: it lies in that network; around: it is a network that holds that address"`
	Value string `json:"value" doc:"What stands there"`
}

// Bounds on correlating one record.
const (
	maxCorrelated = 100 // values that are looked for
	maxRanges     = 20  // of these, addresses whose networks are looked for as well
	maxPlaces     = 20  // records of one value; one with more is capped
)

// Correlate finds other records with the values of a record. Each result is decided on like a search's.
func (n *Node) Correlate(ctx context.Context, v Viewer, ref string, index int64) (Correlations, error) {
	out := Correlations{Values: []Correlation{}}
	o, _, err := n.shownAt(ctx, v, ref, index)
	if err != nil || o.record.Kind != record.KindIntel {
		return out, err
	}
	body, ok := unwrapBundle(o.record.Body)
	if !ok {
		return out, nil
	}
	terms, objects := correlatable(body)
	out.Omitted = max(0, len(terms)-maxCorrelated)
	c := correlating{node: n, viewer: v, self: Place{Log: o.view.Log, Index: o.view.Index}, author: o.view.Author, objects: objects, ranges: maxRanges}
	for _, t := range terms[:min(len(terms), maxCorrelated)] {
		one, err := c.value(ctx, t)
		if err != nil {
			return out, err
		}
		if one.Capped || len(one.Others) > 0 {
			out.Values = append(out.Values, one)
		}
	}
	return out, nil
}

// correlatable are the values of a bundle's indicators and observables, each once, in the order of the bundle, and the bundle's objects.
func correlatable(bundle []byte) (out []exchange.Term, objects map[string]bool) {
	b, err := stix.Parse(bundle)
	if err != nil {
		return nil, nil
	}
	objects = map[string]bool{}
	seen := map[exchange.Term]bool{}
	for _, o := range b.Objects {
		objects[o.ID] = true
		for _, t := range valuesOf(o) {
			if !seen[t] {
				seen[t] = true
				out = append(out, t)
			}
		}
	}
	return out, objects
}

// valuesOf are the values of one object that can correlate: a port alone says nothing.
func valuesOf(o stix.Object) []exchange.Term {
	var all []exchange.Term
	v, err := o.Open()
	if err != nil {
		return nil
	}
	if o.Type == "indicator" {
		in, err := exchange.ReadIndicator(o, exchange.Origin{})
		if err != nil {
			return nil
		}
		all = slices.Concat(in.Alternatives...)
	} else {
		all = exchange.TermsOf(v, func(string) stix.Value { return stix.Value{} })
	}
	return slices.DeleteFunc(all, func(t exchange.Term) bool {
		kind := t.Kind()
		return kind == exchange.Port || kind == exchange.Protocol || len(t.Value) < 3
	})
}

// correlating is one correlation under way.
type correlating struct {
	node   *Node
	viewer Viewer
	self   Place
	// An author's objects of the same id in other records are other versions of the same statement.
	author  string
	objects map[string]bool

	ranges int // addresses whose networks may still be looked for
}

func (c *correlating) value(ctx context.Context, t exchange.Term) (Correlation, error) {
	out := Correlation{Value: t.Value}
	if err := c.find(ctx, t, t.Value, &out); err != nil || out.Capped || t.Kind() != exchange.Address || c.ranges == 0 {
		return out, err
	}
	c.ranges--
	p, ok := t.Prefix()
	if !ok {
		return out, nil
	}
	for _, bits := range networkBits(p.Addr()) {
		network, err := p.Addr().Prefix(bits)
		if err != nil {
			continue
		}
		if err := c.find(ctx, t, network.String(), &out); err != nil || out.Capped {
			return out, err
		}
	}
	return out, nil
}

// networkBits are the lengths of the networks that are looked for around an address: those that lists are made of.
func networkBits(a netip.Addr) []int {
	if a.Is4() {
		return []int{30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 8}
	}
	return []int{64, 56, 48, 44, 40, 36, 32, 29}
}

// find adds the objects of other records with a text that has to do with the value.
func (c *correlating) find(ctx context.Context, t exchange.Term, text string, out *Correlation) error {
	found, err := c.node.SearchSTIX(ctx, c.viewer, STIXQuery{Text: text, Limit: 4 * maxPlaces})
	if err != nil {
		return err
	}
	for _, r := range found.Results {
		place := Place{Log: r.Log, Index: r.Index}
		if place == c.self || slices.ContainsFunc(out.Others, func(o CorrelatedPlace) bool { return o.Place == place }) {
			continue
		}
		object, err := stix.ParseObject(r.Object)
		if err != nil || r.Author == c.author && c.objects[r.ID] {
			continue
		}
		for _, other := range valuesOf(object) {
			if how := relation(t, other); how != "" {
				out.Others = append(out.Others, CorrelatedPlace{Place: place, Object: r.ID, Author: r.Author, How: how, Value: other.Value})
				break
			}
		}
		if len(out.Others) > maxPlaces {
			out.Capped, out.Others = true, nil
			return nil
		}
	}
	return nil
}

// relation says what two values have to do with each other; empty: nothing.
func relation(a, b exchange.Term) string {
	x, y := a.Kind(), b.Kind()
	if x == y && strings.EqualFold(a.Value, b.Value) {
		return "same"
	}
	p, okA := a.Prefix()
	q, okB := b.Prefix()
	isHost := func(k exchange.Kind) bool { return k == exchange.Address || k == exchange.Network }
	switch {
	case !isHost(x) || !isHost(y) || !okA || !okB:
		return ""
	case p == q:
		return "same"
	case q.Bits() < p.Bits() && q.Contains(p.Addr()):
		return "within"
	case p.Bits() < q.Bits() && p.Contains(q.Addr()):
		return "around"
	}
	return ""
}
