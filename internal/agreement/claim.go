package agreement

import (
	"slices"
	"strings"
)

// Status says how far a statement was checked. Reported is never shown as verified.
type Status string

// The statuses.
const (
	Reported Status = "reported" // a text says so
	Verified Status = "verified" // an official source says so
)

// Confidence is how sure whoever entered the statement is of it.
type Confidence string

// The confidences.
const (
	Low      Confidence = "low"
	Moderate Confidence = "moderate"
	High     Confidence = "high"
)

// Source is where statements come from.
type Source struct {
	Label     string
	Kind      string // see [SourceKinds]
	Title     Text
	Publisher string
	URL       string
	Document  string // short name of a document at hand, as 004
	Language  string
	Date      FuzzyDate
	Protected bool // asked not to be named: no exit may print its title, publisher or address
}

// SourceKinds lists the kinds of sources. Only an official one can make a statement verified.
func SourceKinds() []string {
	return []string{"official", "press", "vendor", "research", "standard", "person", "own"}
}

// Reliable says whether the source can make a statement verified.
func (s Source) Reliable() bool { return s.Kind == "official" || s.Kind == "standard" }

// Shown is the source as an exit may print it: a protected one keeps its label, kind and language and nothing else.
func (s Source) Shown() Source {
	if !s.Protected {
		return s
	}
	return Source{Label: s.Label, Kind: s.Kind, Language: s.Language, Protected: true}
}

// Claim is a sourced statement, in our own words.
type Claim struct {
	Label      string
	About      string // a commitment or item, a party's label, or empty for the whole agreement
	Says       Text
	Kind       string // see [ClaimKinds]
	Status     Status
	Confidence Confidence
	Source     string // label
	Place      string // where in the source
	Language   string // in which the source says it
	SaidBy     Text   // who said it, as far as they may be named
	Protected  bool   // whoever said it asked not to be named: SaidBy holds only what may be said of them
	Date       FuzzyDate
	Count      *Count
	Against    []string // labels of claims which this one contradicts
	Refs       []string // facts, as 001-2
}

// ClaimKinds lists what a statement is. An accusation stays an accusation whatever its source.
func ClaimKinds() []string {
	return []string{"fact", "count", "accusation", "view", "plan", "context"}
}

// Count is a number somebody gave. Two counts stand side by side; neither replaces the other.
type Count struct {
	Of     string // what is counted: states, companies
	Number int
	Bound  string // "exactly", "over", "about"
}

// WorldAct is a formal act as a source reports it: a fact of the world, not an entry of a roll.
type WorldAct struct {
	Party      string
	Act        ActKind
	Date       FuzzyDate
	Government Text // the government of the day, where acts of one state differ by government
	By         Text // who acted, with the office
	Source     string
	Place      string
	Status     Status
	Confidence Confidence
	Note       Text
	Refs       []string
}

// Standing is where a party stands towards an agreement in the world: folded from acts, with the word they rest on.
// It says nothing of whether the party runs the agreement here: that is [State.Connected].
type Standing struct {
	Party   string
	Act     ActKind // the last act that changed it; empty when none is known
	Since   FuzzyDate
	Status  Status
	Source  string
	History []WorldAct // all acts of the party, oldest first
}

// Stands says that the last act made or kept the party one of those who agreed.
func (s Standing) Stands() bool {
	switch s.Act {
	case ActJoin, ActApprove, ActPropose, ActAdmit, ActAmend:
		return true
	}
	return false
}

// StandingOf folds the acts of one party in the order of their dates; acts whose dates cannot be told apart keep
// the order of the file, which is the editor's word.
func (a *Agreement) StandingOf(party string) Standing {
	s := Standing{Party: party}
	for _, act := range a.Acts {
		if act.Party == party {
			s.History = append(s.History, act)
		}
	}
	slices.SortStableFunc(s.History, func(x, y WorldAct) int {
		xs, okx := x.Date.Span()
		ys, oky := y.Date.Span()
		if !okx || !oky || xs.Overlaps(ys) {
			return 0
		}
		return xs.From.Compare(ys.From)
	})
	for _, act := range s.History {
		switch act.Act {
		case ActReview, ActDeclare, ActObject, ActSucceed:
			continue
		}
		s.Act, s.Since, s.Status, s.Source = act.Act, act.Date, act.Status, act.Source
	}
	return s
}

// Standings folds the acts of every party named in them, in the order of their labels.
func (a *Agreement) Standings() []Standing {
	var labels []string
	for _, act := range a.Acts {
		if !slices.Contains(labels, act.Party) {
			labels = append(labels, act.Party)
		}
	}
	slices.Sort(labels)
	out := make([]Standing, len(labels))
	for i, l := range labels {
		out[i] = a.StandingOf(l)
	}
	return out
}

// CountsOf lists the claims that count something, side by side, oldest first as far as their dates tell.
func (a *Agreement) CountsOf(what string) []Claim {
	var out []Claim
	for _, c := range a.Claims {
		if c.Count != nil && strings.EqualFold(c.Count.Of, what) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(x, y Claim) int {
		xs, okx := x.Date.Span()
		ys, oky := y.Date.Span()
		if !okx || !oky {
			return 0
		}
		return xs.From.Compare(ys.From)
	})
	return out
}
