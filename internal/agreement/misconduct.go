package agreement

import (
	"fmt"
	"slices"
	"time"
)

// Misconduct is proof that a party gave its word for two children of one parent: two texts, or two successors.
// It is proof together with the two records its leaves name, which hold the party's signatures.
type Misconduct struct {
	Party  string
	Parent string
	First  Approval
	Second Approval
}

// MisconductError refuses an act that is proof of misconduct. The state is unchanged; keep the proof in a [Docket].
type MisconductError struct{ Misconduct Misconduct }

// Error says what was found, without a verdict.
func (e *MisconductError) Error() string {
	m := e.Misconduct
	return fmt.Sprintf("%s: %s approved both %.12s… and %.12s… on parent %.12s…: the proof is kept until a person decides on it",
		DoubleAct, m.Party, m.First.Child, m.Second.Child, m.Parent)
}

// Is matches a refusal with the code [DoubleAct].
func (e *MisconductError) Is(target error) bool {
	r, ok := target.(*Refusal)
	return ok && r.Code == DoubleAct
}

// Compare finds misconduct between two acts that did not come through one roll, as when a depositary shows different
// parties different rolls. It says nothing of acts that agree, or that rest on different parents.
func Compare(a, b Approval) (Misconduct, bool) {
	if a.Party == "" || a.Party != b.Party || a.Parent == "" || a.Parent != b.Parent || a.Child == b.Child {
		return Misconduct{}, false
	}
	// The same pair gives the same proof whichever was seen first.
	if b.Leaf < a.Leaf {
		a, b = b, a
	}
	return Misconduct{Party: a.Party, Parent: a.Parent, First: a, Second: b}, true
}

// ApprovalOf is the word an entry gives for one child of a parent. ok is false for entries that give none.
func ApprovalOf(e Entry) (Approval, bool) {
	switch e.Act.Act {
	case ActApprove:
		return Approval{Party: e.Party, Parent: e.Act.Parent, Child: e.Act.Proposal, Leaf: e.Leaf}, true
	case ActSucceed:
		return Approval{Party: e.Party, Parent: e.Act.Parent, Child: e.Act.Party, Leaf: e.Leaf}, true
	}
	return Approval{}, false
}

// Case is a proof that waits for a person, or what the person decided.
type Case struct {
	Misconduct Misconduct
	Found      time.Time
	Decided    time.Time // zero: it waits
	By         string    // the person
	Publish    bool
	Why        string
}

// Docket keeps proofs of misconduct. Nothing in it is published before a person has said so: a mistake, a bad restore
// or a stolen key is no crime. It is a value; its methods return another one.
type Docket struct{ Cases []Case }

// Keep adds a proof, once.
func (d Docket) Keep(m Misconduct, found time.Time) Docket {
	if slices.ContainsFunc(d.Cases, func(c Case) bool { return samePair(c.Misconduct, m) }) {
		return d
	}
	return Docket{append(slices.Clone(d.Cases), Case{Misconduct: m, Found: found})}
}

func samePair(a, b Misconduct) bool {
	return a.First.Leaf == b.First.Leaf && a.Second.Leaf == b.Second.Leaf || a.First.Leaf == b.Second.Leaf && a.Second.Leaf == b.First.Leaf
}

// Waiting lists the cases nobody has decided on.
func (d Docket) Waiting() []Case { return d.filter(func(c Case) bool { return c.Decided.IsZero() }) }

// Published lists the proofs that a person has released.
func (d Docket) Published() []Case { return d.filter(func(c Case) bool { return c.Publish }) }

func (d Docket) filter(keep func(Case) bool) []Case {
	var out []Case
	for _, c := range d.Cases {
		if keep(c) {
			out = append(out, c)
		}
	}
	return out
}

// Decide records what a person decided on the n-th case waiting, and why.
func (d Docket) Decide(n int, by, why string, publish bool, at time.Time) (Docket, error) {
	if by == "" || why == "" {
		return d, &Refusal{Code: TooFew, What: "a decision needs a person and a reason"}
	}
	cases := slices.Clone(d.Cases)
	for i := range cases {
		if !cases[i].Decided.IsZero() {
			continue
		}
		if n == 0 {
			cases[i].Decided, cases[i].By, cases[i].Why, cases[i].Publish = at, by, why, publish
			return Docket{cases}, nil
		}
		n--
	}
	return d, &Refusal{Code: NoSuch, What: "there is no such case waiting"}
}
