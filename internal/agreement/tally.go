package agreement

import (
	"slices"
	"strings"
	"time"
)

// Tally turns a stream of record summaries into the aggregates that [Promises] reads; the order in which they arrive does not
// matter. It says by counting everything what a node's index keeps counted. It is not safe for concurrent use.
type Tally struct {
	deadlines []Deadline // those that something starts
	sums      map[[2]string]*sum
	started   map[startKey]time.Time
	met       map[startKey]time.Time // the first answer to each record, also where it came before what it answers
}

type startKey struct{ deadline, leaf string }

type sum struct {
	count   int
	last    time.Time
	samples []Started // newest first
	months  map[string]int
}

// NewTally counts for one agreement.
func NewTally(a *Agreement) *Tally {
	t := &Tally{sums: map[[2]string]*sum{}, started: map[startKey]time.Time{}, met: map[startKey]time.Time{}}
	for _, d := range a.Deadlines {
		if d.Starts != "" {
			t.deadlines = append(t.deadlines, d)
		}
	}
	return t
}

// baseKind is the kind of "kind/stage".
func baseKind(s string) string {
	kind, _, _ := strings.Cut(s, "/")
	return kind
}

// is says whether a record is of a kind, or of a stage of it.
func (s Summary) is(kind string) bool {
	return s.Kind == kind || s.Stage != "" && kind == s.Kind+"/"+s.Stage
}

// Add counts one record. Adding a record twice counts it twice: the caller knows its leaves.
func (t *Tally) Add(s Summary) {
	for i, label := range s.Serves {
		if slices.Contains(s.Serves[:i], label) {
			continue
		}
		key := [2]string{label, s.Kind}
		g := t.sums[key]
		if g == nil {
			g = &sum{months: map[string]int{}}
			t.sums[key] = g
		}
		g.count++
		g.months[s.Time.UTC().Format("2006-01")]++
		if s.Time.After(g.last) {
			g.last = s.Time
		}
		g.sample(Started{s.Leaf, s.Time})
	}
	for _, d := range t.deadlines {
		if s.is(d.Due) {
			for _, leaf := range s.Answers {
				key := startKey{d.Label, leaf}
				if first, ok := t.met[key]; !ok || s.Time.Before(first) {
					t.met[key] = s.Time
				}
			}
		}
		// Where one kind both starts and meets (an update of an incident), only a record that answers nothing starts.
		if s.is(d.Starts) && (d.Starts != d.Due || len(s.Answers) == 0) {
			t.started[startKey{d.Label, s.Leaf}] = s.Time
		}
	}
}

func (g *sum) sample(s Started) {
	at, _ := slices.BinarySearchFunc(g.samples, s, func(a, b Started) int {
		if c := b.Time.Compare(a.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Leaf, b.Leaf)
	})
	if at >= MaxSamples {
		return
	}
	g.samples = slices.Insert(g.samples, at, s)
	if len(g.samples) > MaxSamples {
		g.samples = g.samples[:MaxSamples]
	}
}

// Aggregates lists what was counted, by commitment and kind.
func (t *Tally) Aggregates() []Aggregate {
	out := make([]Aggregate, 0, len(t.sums))
	for key, g := range t.sums {
		a := Aggregate{Commitment: key[0], Kind: key[1], Count: g.count, Last: g.last}
		for _, s := range g.samples {
			a.Samples = append(a.Samples, s.Leaf)
		}
		for m, n := range g.months {
			a.Months = append(a.Months, MonthCount{m, n})
		}
		slices.SortStableFunc(a.Months, func(x, y MonthCount) int { return strings.Compare(x.Month, y.Month) })
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(x, y Aggregate) int {
		if c := strings.Compare(x.Commitment, y.Commitment); c != 0 {
			return c
		}
		return strings.Compare(x.Kind, y.Kind)
	})
	return out
}

// Open says of each deadline how often it was met, in time or late, and which records still wait, oldest first.
func (t *Tally) Open() []OpenDeadline {
	out := make([]OpenDeadline, len(t.deadlines))
	at := map[string]int{}
	for i, d := range t.deadlines {
		out[i].Deadline = d.Label
		at[d.Label] = i
	}
	for key, start := range t.started {
		i := at[key.deadline]
		answer, ok := t.met[key]
		switch {
		case !ok:
			out[i].Starts = append(out[i].Starts, Started{key.leaf, start})
		case answer.After(t.deadlines[i].Within.After(start)):
			out[i].Late++
		default:
			out[i].Met++
		}
	}
	for _, o := range out {
		slices.SortStableFunc(o.Starts, func(a, b Started) int {
			if c := a.Time.Compare(b.Time); c != 0 {
				return c
			}
			return strings.Compare(a.Leaf, b.Leaf)
		})
	}
	return out
}
