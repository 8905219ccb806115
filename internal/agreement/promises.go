package agreement

import (
	"slices"
	"strings"
	"time"
)

// Summary is what kept promises need of one record.
type Summary struct {
	Kind    string
	Stage   string   // within its kind, where it has stages: early-warning, final
	Serves  []string // labels of commitments
	Time    time.Time
	Author  string
	Leaf    string
	Answers []string // leaves this record refers to: it meets the deadlines that they started
}

// Aggregate is what an index keeps of all records that serve one commitment with one kind.
type Aggregate struct {
	Commitment string
	Kind       string
	Count      int
	Last       time.Time
	Samples    []string     // leaves of the newest, newest first, up to [MaxSamples]
	Months     []MonthCount // oldest first
}

// MonthCount counts the records of one month.
type MonthCount struct {
	Month string // YYYY-MM
	Count int
}

// OpenDeadline is what became of a deadline each time a record started it.
type OpenDeadline struct {
	Deadline string
	Starts   []Started // not met, oldest first: all, or the oldest that passed and the first that has not
	Met      int       // met in time
	Late     int       // met, but late
	Passed   int       // not met, the time has passed; 0: count Starts
	Open     int       // not met, there is time; 0: count Starts
}

// Started is a record that started a deadline.
type Started struct {
	Leaf string
	Time time.Time
}

// MaxSamples is how many leaves an aggregate keeps as evidence.
const MaxSamples = 5

// Gap says what a commitment lacks.
type Gap string

// The gaps, the gravest first.
const (
	NoMechanism Gap = "no-mechanism" // nothing here puts it into practice
	Overdue     Gap = "overdue"      // a deadline has passed
	NoActivity  Gap = "no-activity"  // a mechanism, and no record yet
	Quiet       Gap = "quiet"        // nothing for the time after which silence is shown
	NoGap       Gap = ""
)

// Promise is the state of one commitment.
type Promise struct {
	Commitment Commitment
	Kinds      []KindActivity  // one for each kind of the mechanism, and for other kinds of records that serve it
	Deadlines  []DeadlineState // of the mechanism
	Last       time.Time       // last activity; zero for none
	Count      int
	Evidence   []string // leaves, newest first
	Gap        Gap
}

// KindActivity is what records of one kind did for a commitment.
type KindActivity struct {
	Kind      string
	Mechanism bool // the agreement names the kind
	Count     int
	Last      time.Time
	Months    []MonthCount
}

// DeadlineState is how a deadline of a commitment stands.
type DeadlineState struct {
	Deadline Deadline
	Open     int       // started and neither met nor passed
	Passed   int       // started, not met, and passed
	Overdue  []Started // the oldest of them, oldest first
	Met      int       // how often it was met in time
	Late     int       // how often it was met late
	Missing  int       // for a recurring one: how many records the period that ends now lacks
	Next     time.Time // when the next one passes; zero for none
}

// quietAfter is how long a commitment may be without activity before that is shown, when the caller names nothing else.
func quietAfter() Period { return Period{Months: 6} }

// Promises computes which commitments are kept. It looks at aggregates only, so its cost does not depend on the
// number of records; since is when the agreement came into force here (recurring deadlines count from then).
func Promises(a *Agreement, aggregates []Aggregate, open []OpenDeadline, since, now time.Time, quiet Period) []Promise {
	by := map[string][]Aggregate{}
	for _, g := range aggregates {
		by[g.Commitment] = append(by[g.Commitment], g)
	}
	started := map[string]OpenDeadline{}
	for _, o := range open {
		sum := started[o.Deadline]
		sum.Starts, sum.Met, sum.Late = append(sum.Starts, o.Starts...), sum.Met+o.Met, sum.Late+o.Late
		sum.Passed, sum.Open = sum.Passed+o.Passed, sum.Open+o.Open
		started[o.Deadline] = sum
	}
	out := make([]Promise, 0, len(a.Commitments))
	for _, c := range a.Commitments {
		p := Promise{Commitment: c}
		p.activity(by[c.Label])
		for _, label := range c.Deadlines {
			if d, ok := a.Deadline(label); ok {
				p.Deadlines = append(p.Deadlines, deadlineState(d, by[c.Label], started[label], since, now))
			}
		}
		p.Gap = p.gap(now, quiet)
		out = append(out, p)
	}
	return out
}

func (p *Promise) activity(aggregates []Aggregate) {
	for _, k := range p.Commitment.Kinds {
		p.Kinds = append(p.Kinds, KindActivity{Kind: k, Mechanism: true})
	}
	sorted := slices.Clone(aggregates)
	slices.SortStableFunc(sorted, func(a, b Aggregate) int {
		if c := b.Last.Compare(a.Last); c != 0 {
			return c
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	for _, g := range sorted {
		i := slices.IndexFunc(p.Kinds, func(k KindActivity) bool { return k.Kind == g.Kind })
		if i < 0 {
			p.Kinds = append(p.Kinds, KindActivity{Kind: g.Kind})
			i = len(p.Kinds) - 1
		}
		k := &p.Kinds[i]
		k.Count += g.Count
		k.Months = g.Months
		if g.Last.After(k.Last) {
			k.Last = g.Last
		}
		if g.Last.After(p.Last) {
			p.Last = g.Last
		}
		p.Count += g.Count
		for _, leaf := range g.Samples {
			if len(p.Evidence) < MaxSamples && !slices.Contains(p.Evidence, leaf) {
				p.Evidence = append(p.Evidence, leaf)
			}
		}
	}
}

func deadlineState(d Deadline, aggregates []Aggregate, started OpenDeadline, since, now time.Time) DeadlineState {
	s := DeadlineState{Deadline: d, Met: started.Met, Late: started.Late}
	if !d.Every.IsZero() {
		s.recurring(aggregates, since, now)
		return s
	}
	for _, st := range started.Starts {
		due := d.Within.After(st.Time)
		if now.After(due) {
			s.Overdue = append(s.Overdue, st)
			continue
		}
		s.Open++
		if s.Next.IsZero() || due.Before(s.Next) {
			s.Next = due
		}
	}
	slices.SortStableFunc(s.Overdue, func(a, b Started) int { return a.Time.Compare(b.Time) })
	s.Passed, s.Open = max(started.Passed, len(s.Overdue)), max(started.Open, s.Open)
	return s
}

// recurring counts the records of the period that ends now. With one record a period its last time decides to the
// second; with more, whole months are counted, the one in which the period begins included.
func (s *DeadlineState) recurring(aggregates []Aggregate, since, now time.Time) {
	d := s.Deadline
	var last time.Time
	months := map[string]int{}
	for _, g := range aggregates {
		if g.Kind != baseKind(d.Due) {
			continue
		}
		if g.Last.After(last) {
			last = g.Last
		}
		for _, m := range g.Months {
			months[m.Month] += m.Count
		}
	}
	if d.AtLeast <= 1 {
		from := since
		if last.After(from) {
			from = last
		}
		s.Next = d.Every.After(from)
		if now.After(s.Next) {
			s.Missing = 1
		}
		return
	}
	from := d.Every.Before(now)
	if from.Before(since) {
		// The first period is not over.
		s.Next = d.Every.After(since)
		return
	}
	count := 0
	for month, n := range months {
		if month >= from.Format("2006-01") {
			count += n
		}
	}
	s.Missing = max(0, d.AtLeast-count)
}

func (p *Promise) gap(now time.Time, quiet Period) Gap {
	if len(p.Commitment.Kinds) == 0 && len(p.Commitment.Deadlines) == 0 {
		return NoMechanism
	}
	for _, d := range p.Deadlines {
		if d.Passed > 0 || d.Missing > 0 {
			return Overdue
		}
	}
	if p.Count == 0 {
		return NoActivity
	}
	if quiet.IsZero() {
		quiet = quietAfter()
	}
	if now.After(quiet.After(p.Last)) {
		return Quiet
	}
	return NoGap
}
