package agreement

import (
	"fmt"
	"slices"
	"time"
)

// Entry is one place of a roll: a party's act, whose envelope, signatures and inclusion proof package record has
// checked, between the state it was entered on and the state it makes.
type Entry struct {
	Leaf     string    // leaf hash of the act's record in its author's log
	Party    string    // id of its author
	Officers []string  // key ids of the officers whose signatures were verified
	Time     time.Time // the record's time
	Invented bool      // the keyring under which it was signed says that its author is an invented party
	Act      Act
	Parent   Hash
	Result   Hash // zero while the entry is being composed
}

// Limits of one roll.
const (
	MaxOpenProposals = 64
	MaxEntries       = 1 << 20
	maxOfficers      = 16
)

// Apply folds one entry. On an error the state is the one given: nothing is half applied. The error is a [*Refusal],
// or a [*MisconductError] when the entry and an earlier one together prove what no honest party does.
func Apply(s State, e Entry) (State, error) {
	if e.Parent != s.hash {
		return s, &Refusal{Code: WrongParent, What: fmt.Sprintf("the entry was made on state %.12s…, the roll is at %.12s…", e.Parent, s.hash),
			Remedy: "fetch the roll again; if both states are signed, that is a history mismatch"}
	}
	next, err := s.step(e)
	if err != nil {
		return s, err
	}
	if !e.Result.IsZero() && e.Result != next.hash {
		return s, &Refusal{Code: WrongResult, What: fmt.Sprintf("the entry says it makes state %.12s…, it makes %.12s…", e.Result, next.hash),
			Remedy: "the depositary's program differs from this one: compare versions"}
	}
	return next, nil
}

// Compose completes an entry for the end of a roll: it fills in both hashes and returns the state that follows.
func Compose(s State, e Entry) (Entry, State, error) {
	e.Parent, e.Result = s.hash, Hash{}
	next, err := Apply(s, e)
	if err != nil {
		return e, s, err
	}
	e.Result = next.hash
	return e, next, nil
}

// MayKeep says whether a party may write an entry into the roll: the depositary may, the one that the founding text names
// from its first entry on, and a party that others name as successor for the acts that name it.
func MayKeep(before, after State, e Entry, keeper string) error {
	keepers := before.depositary
	if before.phase == Nothing {
		keepers = after.depositary
	}
	if keeper == keepers || e.Act.Act == ActSucceed && e.Act.Party == keeper {
		return nil
	}
	return fmt.Errorf("%s wrote the entry, the roll is kept by %s", keeper, keepers)
}

// Fold applies entries in order and stops at the first that is refused, with its number from 0.
func Fold(s State, entries []Entry) (State, error) {
	for i, e := range entries {
		next, err := Apply(s, e)
		if err != nil {
			return s, fmt.Errorf("entry %d: %w", i, err)
		}
		s = next
	}
	return s, nil
}

// step works on its own copy of the state.
func (s State) step(e Entry) (State, error) {
	if err := s.checkEntry(e); err != nil {
		return s, err
	}
	var err error
	switch e.Act.Act {
	case ActPropose:
		err = s.propose(e)
	case ActApprove:
		err = s.approve(e)
	case ActJoin:
		err = s.join(e)
	case ActDecline:
		err = s.decline(e)
	case ActInvite:
		err = s.invite(e)
	case ActAmend:
		err = s.amend(e)
	case ActWithdraw:
		err = s.withdraw(e)
	case ActReview:
		err = s.review(e)
	case ActObject:
		err = s.object(e)
	case ActDeclare:
		err = s.declare(e)
	case ActSucceed:
		err = s.succeed(e)
	case ActAdmit:
		err = s.admit(e)
	case ActRemove:
		err = s.remove(e)
	}
	if err != nil {
		return s, err
	}
	s.entries = s.entries.put(e.Leaf, logged{s.size, e.Party, e.Act.Act})
	s.size++
	if e.Time.After(s.last) {
		s.last = e.Time.UTC()
	}
	if e.Party == s.depositary && e.Act.Act != ActSucceed {
		// The depositary speaks again: there is nobody to succeed.
		s.succession = ""
	}
	s.hash = s.computeHash()
	return s, nil
}

// checkEntry checks what does not depend on the kind of act.
func (s *State) checkEntry(e Entry) error {
	switch {
	case !isHash(e.Leaf):
		return malformed("leaf", "%q is not a leaf hash", clip(e.Leaf))
	case !isParty(e.Party):
		return malformed("author", "%q is not a party id", clip(e.Party))
	case e.Time.IsZero() || e.Time.Year() < 1970 || e.Time.Year() > 9999:
		return malformed("time", "the record has no usable time")
	case len(e.Officers) > maxOfficers:
		return malformed("signatures", "more than %d", maxOfficers)
	case s.size >= MaxEntries:
		return &Refusal{Code: TooMany, What: fmt.Sprintf("the roll has %d entries", MaxEntries), Remedy: "open a successor roll"}
	}
	if err := e.Act.Check(); err != nil {
		return err
	}
	if _, ok := s.entries.get(e.Leaf); ok {
		return &Refusal{Code: Repeated, What: "this act is in the roll already"}
	}
	if s.phase == Nothing && e.Act.Act != ActPropose {
		return turn("the roll is empty", "a founding proposal comes first")
	}
	if s.phase == Ended {
		return turn("the agreement has ended: its last party has left", "propose a new agreement")
	}
	if s.definition != nil {
		return checkAuthor(s.definition, e)
	}
	return nil
}

func turn(what, remedy string) error { return &Refusal{Code: OutOfTurn, What: what, Remedy: remedy} }

func notEntitled(what, remedy string) error {
	return &Refusal{Code: NotEntitled, What: what, Remedy: remedy}
}

// checkNature keeps invented parties out of real agreements. One that is in all the same may leave.
func checkNature(a *Agreement, e Entry) error {
	if e.Invented && !a.Fictional && e.Act.Act != ActWithdraw && e.Act.Act != ActDecline {
		return notEntitled(fmt.Sprintf("%s is an invented party and the agreement is real", e.Party), "found one that says fictional = true, or act as a real party")
	}
	return nil
}

// checkAuthor holds an act against what the agreement asks of its author: that it is real where the agreement is, and its
// rules on signatures and mandates.
func checkAuthor(a *Agreement, e Entry) error {
	if err := checkNature(a, e); err != nil {
		return err
	}
	officers := slices.Clone(e.Officers)
	slices.Sort(officers)
	signed := len(slices.Compact(officers))
	for _, r := range a.Officers {
		if len(r.Acts) > 0 && !slices.Contains(r.Acts, e.Act.Act) {
			continue
		}
		if signed < r.Signatures {
			return &Refusal{Code: TooFew, What: fmt.Sprintf("%s needs the signatures of %d officers and has %d", e.Act.Act, r.Signatures, signed),
				Remedy: "let more officers approve and sign the draft"}
		}
		if r.Mandate && e.Act.Mandate == nil {
			return &Refusal{Code: TooFew, What: fmt.Sprintf("%s needs a mandate", e.Act.Act), Remedy: "say on whose authority the officers act"}
		}
	}
	return nil
}

func (s *State) mustBeJoined(e Entry) error {
	if s.phase != InForce {
		return turn("the agreement is not in force", "wait until its founders have approved it")
	}
	if !s.Connected(e.Party) {
		return notEntitled(fmt.Sprintf("%s is not a party, so it cannot %s", e.Party, e.Act.Act), "join first")
	}
	return nil
}

func (s *State) onBasis(parent string) error {
	if parent != "" && parent != s.basis.String() {
		return &Refusal{Code: WrongParent, What: fmt.Sprintf("the act names basis %.12s…, the text in force has %.12s…", parent, s.basis),
			Remedy: "the text has changed since: read it again and act on the new one"}
	}
	return nil
}
