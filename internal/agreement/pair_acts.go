package agreement

import (
	"errors"
	"fmt"
)

// errWaits is why an act cannot be judged: it rests on what is not known yet.
type errWaits struct{ *Refusal }

func isWaiting(err error) bool {
	var w errWaits
	return errors.As(err, &w)
}

func waits(code Code, format string, args ...any) error {
	return errWaits{&Refusal{Code: code, What: fmt.Sprintf(format, args...), Remedy: "wait until the other log is here as well"}}
}

// judge says whether an act can hold, by itself and by what it names: never by what happens to be in force when it is read,
// so that the answer is the same in whatever order the two logs become known.
func (p *PairState) judge(e Entry) error {
	switch {
	case !isHash(e.Leaf):
		return malformed("leaf", "%q is not a leaf hash", clip(e.Leaf))
	case !isParty(e.Party):
		return malformed("author", "a party id is missing")
	case len(e.Officers) > maxOfficers:
		return malformed("signatures", "more than %d", maxOfficers)
	case p.each[e.Party] >= MaxPairActs && e.Act.Act != ActWithdraw:
		return &Refusal{Code: TooMany, What: fmt.Sprintf("the party has made %d acts", MaxPairActs), Remedy: "propose a new agreement"}
	}
	if err := e.Act.Check(); err != nil {
		return err
	}
	if p.phase == Nothing && e.Act.Act != ActPropose {
		return waits(OutOfTurn, "no text has been proposed")
	}
	if p.phase != Nothing && !p.isParty(e.Party) {
		return notEntitled(e.Party+" is not one of the two parties", "")
	}
	switch e.Act.Act {
	case ActPropose:
		return p.judgePropose(e)
	case ActAmend:
		return p.judgeAmend(e)
	case ActApprove:
		return p.judgeApprove(e)
	case ActWithdraw, ActDeclare, ActObject, ActReview:
		return p.judgeOfficers(e)
	}
	return turn(fmt.Sprintf("%s has no place between two parties", e.Act.Act), "propose, amend, approve, declare, object, review or withdraw")
}

// MaxPairActs bounds the acts of one of the two.
const MaxPairActs = 1 << 12

// judgeOfficers holds signatures against the text on whose basis the act was made, or else against the founding text.
func (p *PairState) judgeOfficers(e Entry) error {
	parent := e.Act.Parent
	if parent == "" || e.Act.Act == ActPropose {
		parent = p.root
	}
	a, ok := p.bases[parent]
	if !ok && e.Act.Act == ActWithdraw {
		a, ok = p.bases[p.root] // it waits for nothing
	}
	if !ok {
		return waits(WrongParent, "no text of these two has the basis %.12s…", parent)
	}
	return checkAuthor(a, e)
}

func (p *PairState) judgePropose(e Entry) error {
	if id := ID([]byte(e.Act.Definition)); id != p.id {
		return &Refusal{Code: BadText, What: fmt.Sprintf("the proposal founds %s, these are the logs of %s", id, p.id)}
	}
	a, _, err := p.define(e.Act)
	if err != nil {
		return err
	}
	named := false
	for _, label := range a.Founders {
		founder, ok := a.Party(label)
		if !ok {
			return &Refusal{Code: BadText, What: fmt.Sprintf("founder %q is not declared in the definition itself", label)}
		}
		named = named || founder.ID == e.Party
	}
	if !named {
		return notEntitled(e.Party+" is not one of the two it names", "")
	}
	return checkAuthor(a, e)
}

func (p *PairState) define(act Act) (*Agreement, TextVersion, error) {
	s := State{opt: p.opt}
	a, text, err := s.define(act)
	if err == nil && a.Mode != Pair {
		err = &Refusal{Code: BadText, What: "the definition names a depositary", Remedy: "write mode = \"pair\""}
	}
	return a, text, err
}

func (p *PairState) judgeAmend(e Entry) error {
	if err := p.judgeOfficers(e); err != nil {
		return err
	}
	a, text, err := p.define(e.Act)
	if err != nil {
		return err
	}
	before := p.bases[e.Act.Parent]
	switch {
	case a.Label != before.Label || a.Fictional != before.Fictional:
		return &Refusal{Code: BadText, What: "an amendment keeps the agreement's label and nature", Remedy: "propose a new agreement instead"}
	case a.Version == before.Version:
		return &Refusal{Code: BadText, What: fmt.Sprintf("the proposed text %.12s… has the version %q of the one it amends", text.SHA256, a.Version), Remedy: "give it the next version"}
	}
	for _, label := range a.Founders {
		if f, ok := a.Party(label); !ok || !p.isParty(f.ID) {
			return &Refusal{Code: BadText, What: "an amendment keeps the two parties", Remedy: "propose a new agreement instead"}
		}
	}
	return nil
}

func (p *PairState) judgeApprove(e Entry) error {
	proposal, ok := p.proposals[e.Act.Proposal]
	switch {
	case !ok:
		return waits(NoSuch, "neither log holds proposal %.12s…", e.Act.Proposal)
	case proposal.Parent != e.Act.Parent:
		return &Refusal{Code: WrongParent, What: fmt.Sprintf("the proposal is a child of %.12s…, the approval names %.12s…", proposal.Parent, e.Act.Parent)}
	case e.Act.Text != nil && *e.Act.Text != proposal.Text:
		return &Refusal{Code: BadText, What: "the approval names another text than the proposal"}
	}
	if err := p.judgeOfficers(e); err != nil {
		return err
	}
	return checkReservations(proposal.Definition, e.Act)
}

// Check says whether an act that its author is about to sign would hold and mean something now: what FoldPair has to bear
// because logs cross on the way, nobody signs knowingly.
func (p PairState) Check(e Entry) error {
	if p.Phase() == Ended {
		return turn("the agreement has ended: one of the two has withdrawn", "propose a new agreement")
	}
	if _, said := p.said[e.Party+"/"+p.root]; e.Act.Act == ActPropose && said {
		return turn("there is a founding text already", "use amend")
	}
	if err := p.checkTaken(e); err != nil {
		return err
	}
	switch e.Act.Act {
	case ActAmend, ActApprove:
		if e.Act.Act == ActAmend && p.phase != InForce {
			return turn("the agreement is not in force", "wait until both have approved it")
		}
		if e.Act.Parent != p.basis.String() {
			return &Refusal{Code: WrongParent, What: fmt.Sprintf("the act names basis %.12s…, the text in force has %.12s…", e.Act.Parent, p.basis),
				Remedy: "the text has changed since: read it again and act on the new one"}
		}
		if word, ok := ApprovalOf(e); ok && p.said[e.Party+"/"+word.Parent].Child == word.Child {
			return &Refusal{Code: Repeated, What: "the party has approved this already"}
		}
		if open := p.open(); e.Act.Act == ActAmend && len(open) >= MaxOpenProposals {
			return &Refusal{Code: TooMany, What: fmt.Sprintf("%d proposals are open", len(open)), Remedy: "decide on those first"}
		}
	case ActObject:
		return p.checkObjection(e)
	}
	return nil
}

func (p PairState) checkObjection(e Entry) error {
	target, ok := p.acts[e.Act.ObjectsTo]
	switch {
	case !ok:
		return &Refusal{Code: NoSuch, What: fmt.Sprintf("neither log holds an act %.12s… to object to", e.Act.ObjectsTo)}
	case target.Party == e.Party:
		return notEntitled("a party does not object to its own act", "withdraw the act, or declare")
	}
	return nil
}

// CheckTaken says whether an act of the other may be taken into one's own log. Proof of misconduct is not: taking it in would
// give the second word the weight of the first.
func (p PairState) CheckTaken(e Entry) error {
	if p.holders[e.Leaf].other {
		return &Refusal{Code: Repeated, What: "this act is held already"}
	}
	return p.checkTaken(e)
}

func (p *PairState) checkTaken(e Entry) error {
	err := p.judge(e)
	var w errWaits
	if errors.As(err, &w) {
		return w.Refusal
	}
	if err != nil {
		return err
	}
	word, ok := p.wordOf(e)
	if !ok || e.Act.Act == ActPropose { // the agreement's id leaves one founding text
		return nil
	}
	key := word.Party + "/" + word.Parent
	for _, before := range []Approval{p.counted[key], p.said[key]} {
		if before.Child == "" || before.Child == word.Child {
			continue
		}
		if _, double := p.compare(before, word); double {
			return &MisconductError{Misconduct{Party: word.Party, Parent: word.Parent, First: before, Second: word}}
		}
	}
	return nil
}
