package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix"
)

// Sightings gathers matches for their indicators' authors. What it writes names no victim and no traffic, and its
// counts and times are in steps, so that somebody who shared an indicator as bait learns that it was seen, and little
// more: counts are rounded down to a power of two, times to the day (UTC).
type Sightings struct {
	seen map[index.ID]*sighting
}

type sighting struct {
	indicator   Indicator
	from        From
	count       int64
	first, last int64
	example     *Example // nil beyond maxExamples indicators
}

// NewSightings makes an empty Sightings.
func NewSightings() *Sightings { return &Sightings{seen: map[index.ID]*sighting{}} }

// Add takes a match. Those that are only context say nothing about the indicator and are left out.
func (s *Sightings) Add(m *Match) {
	if m.Level != Alert {
		return
	}
	g := s.seen[m.id]
	if g == nil {
		g = &sighting{indicator: m.Indicator, from: m.From, first: m.at, last: m.at}
		s.seen[m.id] = g
	}
	if g.example != nil || len(s.seen) <= maxExamples {
		g.note(m)
	}
	g.count++
	if m.at != 0 {
		g.last = max(g.last, m.at)
		if g.first == 0 || m.at < g.first {
			g.first = m.at
		}
	}
}

// Len is how many indicators were seen.
func (s *Sightings) Len() int { return len(s.seen) }

// Found is what was seen of one indicator, with its exact count: for a person's own node, not for anybody else.
type Found struct {
	Indicator Indicator
	From      From
	Count     int64
	First     time.Time // zero: not known
	Last      time.Time
	Example   *Example // the surest match; nil where so many indicators were seen that none was kept
}

// All lists what was seen, in the order of the indicators' identifiers.
func (s *Sightings) All() []Found {
	out := make([]Found, 0, len(s.seen))
	for _, g := range s.seen {
		f := Found{Indicator: g.indicator, From: g.from, Count: g.count, Example: g.example}
		if g.first != 0 {
			f.First, f.Last = time.Unix(0, g.first).UTC(), time.Unix(0, g.last).UTC()
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Found) int { return strings.Compare(a.Indicator.ID, b.Indicator.ID) })
	return out
}

// bucket rounds a count down to a power of two.
func bucket(n int64) int64 { return 1 << (bits.Len64(uint64(n)) - 1) }

// day rounds a time down to its day.
func day(nanos int64) time.Time { return time.Unix(0, nanos).UTC().Truncate(24 * time.Hour) }

type sightingObject struct {
	Type       string   `json:"type"`
	Spec       string   `json:"spec_version"`
	ID         string   `json:"id"`
	Created    string   `json:"created"`
	Modified   string   `json:"modified"`
	FirstSeen  string   `json:"first_seen,omitempty"`
	LastSeen   string   `json:"last_seen,omitempty"`
	Count      int64    `json:"count"`
	SightingOf string   `json:"sighting_of_ref"`
	Marking    []string `json:"object_marking_refs,omitempty"`
	Extensions any      `json:"extensions,omitempty"`
}

// Bundle writes a STIX bundle of the sightings, in the order of their indicators' identifiers, with the marking that
// the indicator carries. now is when they are created; its time of day is left out as well.
func (s *Sightings) Bundle(rand io.Reader, now time.Time) ([]byte, error) {
	objects := []any{}
	created := stix.FormatTimestamp(now.UTC().Truncate(24 * time.Hour))
	ids := make([]index.ID, 0, len(s.seen))
	for id := range s.seen {
		ids = append(ids, id)
	}
	slices.SortStableFunc(ids, func(a, b index.ID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range ids {
		g := s.seen[id]
		name, err := stix.NewID(rand, "sighting")
		if err != nil {
			return nil, fmt.Errorf("writing sightings: %w", err)
		}
		o := sightingObject{Type: "sighting", Spec: "2.1", ID: name, Created: created, Modified: created, Count: bucket(g.count), SightingOf: g.indicator.ID}
		if g.first != 0 {
			o.FirstSeen, o.LastSeen = stix.FormatTimestamp(day(g.first)), stix.FormatTimestamp(day(g.last))
		}
		if tlp, ok := stix.ParseTLP(g.from.Marking); ok {
			o.Marking = []string{tlp.MarkingID()}
		}
		if g.from.Agreement != "" {
			o.Extensions = map[string]any{stix.ExtensionID: map[string]any{"extension_type": "property-extension",
				"agreement": g.from.Agreement, "record": g.from.Record}}
		}
		objects = append(objects, o)
	}
	bundleID, err := stix.NewID(rand, "bundle")
	if err != nil {
		return nil, fmt.Errorf("writing sightings: %w", err)
	}
	out, err := json.MarshalIndent(map[string]any{"type": "bundle", "id": bundleID, "objects": objects}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing sightings: %w", err)
	}
	return append(out, '\n'), nil
}
