package engine

import (
	"bytes"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/evidence"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/internal/detect/warning"
	"github.com/mithaq/mithaq/stix/pattern"
)

// Options says how an engine judges. The zero value is good.
type Options struct {
	// Validity says at which time an indicator has to be valid.
	Validity Validity
	// Now is that time for ValidNow.
	Now time.Time
	// Warnings are the lists that matches are checked against; nil is none.
	Warnings *warning.Lists
	// Allowed decides, when a match is made, whether what comes from a source may fire; nil allows all. The reason is
	// counted.
	Allowed func(index.Source) (reason string, ok bool)
	// Shadow tells which sources are only on trial: what they find is told with what it would have been, alerts nobody and
	// makes no sighting. nil is none.
	Shadow func(index.Source) bool
	// Feedback gives what became of an indicator's earlier matches, here and at partners; nil knows nothing.
	Feedback func(index.ID) Feedback
	// History is shown every event, and asked what it knows of those that match; nil leaves such evidence out.
	History *evidence.History
	// Limits bounds patterns over several events.
	Limits plan.Limits
}

// Validity says which time counts for valid_from and valid_until.
type Validity uint8

// An indicator has to be valid at the time of the event, or now, or its times do not matter.
const (
	ValidAtEvent Validity = iota
	ValidNow
	ValidAlways
)

// Stats is what an engine counted.
type Stats struct {
	Events     int64            `json:"events"`
	Values     int64            `json:"values"`
	Matches    map[Level]int64  `json:"matches"`
	Indicators int              `json:"indicators_seen"` // distinct ones that matched, up to 100,000
	LeftOut    map[string]int64 `json:"left_out,omitempty"`
	Dropped    plan.Dropped     `json:"dropped"`
}

// Engine matches events, one after the other. It is for one goroutine; several may share a Store.
type Engine struct {
	store   *index.Store
	plans   atomic.Pointer[plans]
	stream  *plan.Stream
	options Options
	emit    func(*Match)
	stats   Stats
	seen    map[index.ID]struct{}

	// Room that events use one after the other.
	key   []byte
	hits  []index.Hit
	found []found
	asked []index.ID
	signs []evidence.Sign
}

type found struct {
	hit   index.Hit
	value int // place in the event's values; -1 for patterns that were woken by none
}

// maxSeen bounds the count of distinct indicators.
const maxSeen = 100_000

// New makes an Engine that calls emit for every match.
func New(store *index.Store, plans map[index.ID]*plan.Plan, options Options, emit func(*Match)) *Engine {
	e := &Engine{store: store, options: options, emit: emit, stream: plan.NewStream(options.Limits),
		stats: Stats{Matches: map[Level]int64{}, LeftOut: map[string]int64{}}, seen: map[index.ID]struct{}{}}
	e.SetPlans(plans)
	return e
}

// plans are the patterns of several parts.
type plans struct {
	all   map[index.ID]*plan.Plan
	scans []index.ID // to ask about every event: those about what logs and packets can show …
	rare  []index.ID // … and those that only observed data can satisfy
}

// SetPlans puts other patterns of several parts in place, which must not change from then on. Any goroutine may call it.
func (e *Engine) SetPlans(all map[index.ID]*plan.Plan) {
	p := &plans{all: all}
	for id, one := range all {
		switch {
		case !one.Scan:
		case slices.ContainsFunc(one.Types, event.Observable):
			p.scans = append(p.scans, id)
		default:
			p.rare = append(p.rare, id)
		}
	}
	for _, ids := range [][]index.ID{p.scans, p.rare} {
		slices.SortFunc(ids, func(a, b index.ID) int { return bytes.Compare(a[:], b[:]) })
	}
	e.plans.Store(p)
}

// Stats tells what was counted so far.
func (e *Engine) Stats() Stats {
	s := e.stats
	s.Indicators, s.Dropped = len(e.seen), e.stream.Dropped()
	return s
}

// Event matches one event. It allocates nothing when there is no match.
func (e *Engine) Event(ev *event.Event) {
	if e.options.History != nil {
		e.options.History.Observe(ev)
	}
	if len(ev.Values) == 0 && ev.Observed == nil && ev.Log == "flow-end" {
		return // its beginning was an event
	}
	set := e.store.Set()
	e.known(ev, set)
	e.stats.Events++
	e.stats.Values += int64(len(ev.Values))
	e.found = e.found[:0]
	for i := range ev.Values {
		e.hits = e.find(e.hits[:0], set, &ev.Values[i])
		for _, hit := range e.hits {
			hit.Key = bytes.Clone(hit.Key)
			e.found = append(e.found, found{hit, i})
		}
	}
	p := e.plans.Load()
	e.scan(set, p.scans)
	if ev.Observed != nil {
		e.scan(set, p.rare)
	}
	if len(e.found) > 0 {
		ev.Spread()
		e.judge(ev)
	}
}

// known leaves an event the groups of values of which it is known that nothing is found, and spreads the others.
func (e *Engine) known(ev *event.Event, set *index.Set) {
	for _, g := range ev.Groups {
		if !g.Without(set) && e.findsAny(set, g) {
			ev.Spread()
			return
		}
	}
	for _, g := range ev.Groups {
		e.stats.Values += int64(len(g.Values))
	}
}

func (e *Engine) findsAny(set *index.Set, g *event.Group) bool {
	for i := range g.Values {
		if e.hits = e.find(e.hits[:0], set, &g.Values[i]); len(e.hits) > 0 {
			return true
		}
	}
	g.NoneIn(set)
	return false
}

// scan adds the patterns that no value leads to.
func (e *Engine) scan(set *index.Set, ids []index.ID) {
	for _, id := range ids {
		e.key = index.ScanKey(e.key[:0], id)
		e.hits = set.Find(e.hits[:0], index.Other, e.key)
		for _, hit := range e.hits {
			e.found = append(e.found, found{hit, -1})
		}
	}
}

// find looks one value up. The keys of hits point into e.key.
func (e *Engine) find(hits []index.Hit, set *index.Set, v *event.Value) []index.Hit {
	if !set.Has(v.Kind) && !(v.Kind == index.Address && set.Has(index.Network)) && !(v.Kind == index.Domain && set.Has(index.Subdomain)) {
		return hits
	}
	switch v.Kind {
	case index.Address:
		if v.Addr.IsValid() {
			return set.FindAddress(hits, v.Addr)
		}
		if a, ok := index.ParseAddress(v.Text); ok {
			return set.FindAddress(hits, a)
		}
		return hits
	case index.Other:
		var ok bool
		e.key = append(append(e.key[:0], v.Path...), '=')
		if e.key, ok = index.AppendText(e.key, v.Text); ok {
			return set.Find(hits, index.Other, e.key)
		}
		return hits
	}
	key, ok := index.AppendKey(e.key[:0], v.Kind, v.Text)
	if cap(key) > cap(e.key) {
		e.key = key
	}
	switch {
	case !ok:
		return hits
	case v.Kind == index.Domain:
		return set.FindDomain(hits, key)
	case v.Kind == index.URL:
		return set.FindURL(hits, key)
	}
	return set.Find(hits, v.Kind, key)
}

// judge turns what was found in an event into matches.
func (e *Engine) judge(ev *event.Event) {
	e.asked = e.asked[:0]
	var observation pattern.Observation
	made := false
	for i, f := range e.found {
		id := f.hit.Indicator
		if slices.Contains(e.asked, id) {
			continue
		}
		e.asked = append(e.asked, id)
		if reason := e.barred(ev, &f.hit); reason != "" {
			if f.value >= 0 {
				e.stats.LeftOut[reason]++
			}
			continue
		}
		if !f.hit.Pattern {
			e.match(ev, e.found[i:], nil)
			continue
		}
		p := e.plans.Load().all[id]
		if p == nil {
			e.stats.LeftOut["pattern-unknown"]++
			continue
		}
		if !made {
			observation, made = ev.Observation(), true
			observation.ID = placeName(ev)
		}
		if together := e.stream.Event(id, p, correlationKey(ev), observation); together != nil {
			e.match(ev, e.found[i:], together)
		}
	}
}

// fileKey begins the correlation keys of events without addresses and of observed data.
const fileKey = "file\x00"

// correlationKey says which events a pattern over several of them takes together: those of the host that began the
// connection; for observed data all of a file.
func correlationKey(ev *event.Event) string {
	if ev.Observed == nil && ev.Src.IsValid() {
		return ev.Src.String()
	}
	return fileKey + ev.File
}

func (e *Engine) barred(ev *event.Event, hit *index.Hit) string {
	at := ev.Time / int64(time.Second)
	switch e.options.Validity {
	case ValidNow:
		at = e.options.Now.Unix()
	case ValidAlways:
		at = 0
	}
	if !hit.Holds(at) {
		return "not-valid-then"
	}
	if e.options.Allowed != nil {
		if reason, ok := e.options.Allowed(hit.Source()); !ok {
			return reason
		}
	}
	return ""
}

// match makes and emits the match of the first of found; the others may be of the same indicator.
func (e *Engine) match(ev *event.Event, all []found, together []pattern.Observation) {
	f := all[0]
	m := &Match{id: f.hit.Indicator, at: ev.Time, Where: whereOf(ev), Flow: flowOf(ev)}
	if ev.Time != 0 {
		at := time.Unix(0, ev.Time).UTC()
		m.Time = &at
	}
	m.Indicator, m.From = describe(&f.hit)
	lists, kind, field := []warning.List(nil), f.hit.Kind, "pattern"
	if f.value >= 0 {
		v := &ev.Values[f.value]
		m.Seen = seenOf(v)
		field = v.Field
		lists = e.warnings(v, &f.hit)
		for _, other := range all[1:] {
			if other.value >= 0 && other.value != f.value && other.hit.Indicator == m.id {
				m.Also = append(m.Also, seenOf(&ev.Values[other.value]))
			}
		}
	} else {
		m.Seen = Seen{Kind: "pattern", Field: field}
	}
	for _, l := range lists {
		m.Warnings = append(m.Warnings, l.Name)
	}
	if len(together) > 1 {
		for _, o := range together {
			m.Together = append(m.Together, placeOf(o.ID))
		}
	}
	m.Evidence = terms(kind, f.hit.Pattern, field, f.hit.Confidence, lists)
	m.Evidence[1].Rows = append([]Where{m.Where}, m.Together...)
	e.weigh(m, ev, kind.Context() && !e.needsMore(&f.hit))
	if e.options.Shadow != nil && e.options.Shadow(f.hit.Source()) {
		m.Would, m.Level = m.Level, Shadow
	}
	e.stats.Matches[m.Level]++
	if len(e.seen) < maxSeen {
		e.seen[m.id] = struct{}{}
	}
	e.emit(m)
}

// warnings gives the lists that the value is on, or the indicator's own.
func (e *Engine) warnings(v *event.Value, hit *index.Hit) []warning.List {
	if e.options.Warnings == nil {
		return nil
	}
	lists := e.options.Warnings.Check(hit.Kind, hit.Key)
	if hit.Kind == index.Network || hit.Kind == index.Subdomain {
		if key, ok := index.AppendKey(nil, v.Kind, v.Text); ok {
			for _, l := range e.options.Warnings.Check(v.Kind, key) {
				if !slices.ContainsFunc(lists, func(o warning.List) bool { return o.Name == l.Name }) {
					lists = append(lists, l)
				}
			}
		}
	}
	return lists
}

func seenOf(v *event.Value) Seen {
	return Seen{Kind: v.Kind.String(), Value: strings.ToValidUTF8(string(v.Text), "\uFFFD"), Field: v.Field}
}
