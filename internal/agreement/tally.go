package agreement

import (
	"slices"
	"strings"
	"time"
)

// Tally turns a stream of record summaries into the aggregates that [Promises] reads. An index keeps one and adds to
// it as records arrive; the order in which they arrive does not matter. It is not safe for concurrent use.
type Tally struct {
	kinds   map[string][]string // kind of record → labels of deadlines it starts
	due     map[string]string   // label of a deadline → kind that meets it
	within  map[string]Period
	sums    map[[2]string]*sum
	started map[startKey]Started
	met     map[startKey]bool // answers seen, also before what they answer
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
	t := &Tally{kinds: map[string][]string{}, due: map[string]string{}, within: map[string]Period{}, sums: map[[2]string]*sum{},
		started: map[startKey]Started{}, met: map[startKey]bool{}}
	for _, d := range a.Deadlines {
		if d.Starts != "" {
			t.kinds[d.Starts] = append(t.kinds[d.Starts], d.Label)
			t.due[d.Label] = d.Due
			t.within[d.Label] = d.Within
		}
	}
	return t
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
	answered := false
	for deadline, due := range t.due {
		if due != s.Kind {
			continue
		}
		for _, leaf := range s.Answers {
			key := startKey{deadline, leaf}
			t.met[key] = true
			delete(t.started, key)
			answered = true
		}
	}
	// A record that answers another of its kind (an update of an incident) does not start the clock again.
	if answered && slices.ContainsFunc(t.kinds[s.Kind], func(d string) bool { return t.due[d] == s.Kind }) {
		return
	}
	for _, deadline := range t.kinds[s.Kind] {
		if key := (startKey{deadline, s.Leaf}); !t.met[key] {
			t.started[key] = Started{s.Leaf, s.Time}
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
		slices.SortFunc(a.Months, func(x, y MonthCount) int { return strings.Compare(x.Month, y.Month) })
		out = append(out, a)
	}
	slices.SortFunc(out, func(x, y Aggregate) int {
		if c := strings.Compare(x.Commitment, y.Commitment); c != 0 {
			return c
		}
		return strings.Compare(x.Kind, y.Kind)
	})
	return out
}

// Open lists the deadlines that were started and not met, oldest first.
func (t *Tally) Open() []OpenDeadline {
	by := map[string][]Started{}
	for key, s := range t.started {
		by[key.deadline] = append(by[key.deadline], s)
	}
	out := make([]OpenDeadline, 0, len(by))
	for deadline, starts := range by {
		slices.SortFunc(starts, func(a, b Started) int {
			if c := a.Time.Compare(b.Time); c != 0 {
				return c
			}
			return strings.Compare(a.Leaf, b.Leaf)
		})
		out = append(out, OpenDeadline{deadline, starts})
	}
	slices.SortFunc(out, func(a, b OpenDeadline) int { return strings.Compare(a.Deadline, b.Deadline) })
	return out
}
