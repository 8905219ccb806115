package engine

import (
	"slices"
	"time"
)

// Example is a match as it is shown to the person who decides on a sighting: what was seen, why it counts, where it can be
// looked up. It names people's machines, so it stays on the party's own node and is never sent on.
type Example struct {
	Time     *time.Time `json:"time,omitempty"`
	Sure     float64    `json:"sure" doc:"0 to 1: what the evidence adds up to"`
	Seen     Seen       `json:"seen"`
	Also     []Seen     `json:"also_seen,omitempty"`
	Where    Where      `json:"where"`
	Flow     *Flow      `json:"flow,omitempty"`
	Name     string     `json:"name,omitempty" doc:"Of the indicator"`
	Value    string     `json:"value,omitempty" doc:"The indicator's own"`
	Evidence []Term     `json:"evidence" doc:"What sure is made of: the weights add up to its log-odds"`
	Warnings []string   `json:"warnings,omitempty"`
	Together []Where    `json:"together,omitempty" doc:"Of a pattern over several events: all of them"`
	Rows     []Row      `json:"rows,omitempty" doc:"Where the newest matches were"`
}

// Row is where one match was.
type Row struct {
	Time  *time.Time `json:"time,omitempty"`
	Where Where      `json:"where"`
	Flow  *Flow      `json:"flow,omitempty"`
}

const (
	// maxRows bounds the rows of an example.
	maxRows = 12
	// maxExamples bounds the indicators of which examples are kept.
	maxExamples = 2000
)

func exampleOf(m *Match) *Example {
	e := &Example{Time: m.Time, Sure: m.Sure, Seen: m.Seen, Also: m.Also, Where: m.Where, Flow: m.Flow, Name: m.Indicator.Name, Value: m.Indicator.Value,
		Evidence: m.Evidence, Warnings: m.Warnings}
	e.Together = m.Together[:min(maxRows, len(m.Together))]
	return e
}

// note keeps the surest match as the example, and where the newest were.
func (g *sighting) note(m *Match) {
	rows := append(g.rows(), Row{Time: m.Time, Where: m.Where, Flow: m.Flow})
	if g.example == nil || m.Sure >= g.example.Sure {
		g.example = exampleOf(m)
	}
	g.example.Rows = rows[max(0, len(rows)-maxRows):]
}

func (g *sighting) rows() []Row {
	if g.example == nil {
		return nil
	}
	return g.example.Rows
}

// OwnHosts are the other ends of the connections in which the value was seen, each once: who may have been hit.
func (e *Example) OwnHosts() []string {
	var out []string
	add := func(f *Flow) {
		if f == nil {
			return
		}
		host := f.Src
		if host == e.Seen.Value {
			host = f.Dst
		}
		if host != "" && !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	add(e.Flow)
	for _, r := range e.Rows {
		add(r.Flow)
	}
	return out
}
