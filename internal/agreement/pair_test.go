package agreement

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// pairText is the charter of two parties without a depositary.
func pairText(version string) string {
	s := strings.Replace(charter(version, "", "a", "b"), `mode = "depositary"`, `mode = "pair"`, 1)
	return strings.Replace(s, "depositary = \"a\"\n", "", 1)
}

// couple is two parties, each with its own log and as much of the other's as has arrived.
type couple struct {
	t    tester
	id   string
	logs [2][]PairEntry
	seen [2]int // how much of the other's log each has
	n    int
}

type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

var names = [2]string{"a", "b"}

func newCouple(t tester) *couple { return &couple{t: t, id: ID([]byte(pairText("1")))} }

// knows is what one of the two folds.
func (c *couple) knows(who int) PairState {
	return FoldPair(c.id, Options{}, slices.Concat(c.logs[who], c.logs[1-who][:c.seen[who]]))
}

// take writes what one knows of the other's acts and does not hold yet into its own log, in the order of the other's.
func (c *couple) take(who int) {
	for _, e := range c.logs[1-who][:c.seen[who]] {
		if e.Entry.Party == pid(names[1-who]) && c.knows(who).CheckTaken(e.Entry) == nil {
			c.logs[who] = append(c.logs[who], PairEntry{pid(names[who]), e.Entry})
		}
	}
}

// act signs an act if its author would: what it knows of the other's acts stands before it in its log.
func (c *couple) act(who int, act Act) (string, error) {
	c.take(who)
	c.n++
	act.Date = start.Add(time.Duration(c.n) * time.Hour).Format(time.DateOnly)
	e := Entry{Leaf: leafOf(fmt.Sprint(who, c.n)), Party: pid(names[who]), Officers: []string{"k-1"}, Time: start.Add(time.Duration(c.n) * time.Hour), Act: act}
	if err := c.knows(who).Check(e); err != nil {
		return "", err
	}
	c.logs[who] = append(c.logs[who], PairEntry{pid(names[who]), e})
	return e.Leaf, nil
}

func (c *couple) must(who int, act Act) string {
	c.t.Helper()
	leaf, err := c.act(who, act)
	if err != nil {
		c.t.Fatalf("%s: %s: %v", names[who], act.Act, err)
	}
	return leaf
}

func (c *couple) deliver(who int) { c.seen[who] = len(c.logs[1-who]) }

// exchange lets everything arrive and be taken in.
func (c *couple) exchange() {
	for range 3 {
		for who := range 2 {
			c.deliver(who)
			c.take(who)
		}
	}
	c.deliver(0)
	c.deliver(1)
}

func (c *couple) approve(who int, leaf string) Act {
	p := c.knows(who).proposals[leaf]
	return Act{Act: ActApprove, Parent: p.Parent, Proposal: leaf}
}

func (c *couple) amend(who int, version string) Act {
	return Act{Act: ActAmend, Parent: c.knows(who).Basis().String(), Definition: pairText(version)}
}

func foundedCouple(t tester) *couple {
	c := newCouple(t)
	leaf := c.must(0, Act{Act: ActPropose, Definition: pairText("1")})
	c.deliver(1)
	c.must(1, c.approve(1, leaf))
	c.exchange()
	return c
}

func TestAPairIsInForceWhenEachLogHoldsTheOthersAct(t *testing.T) {
	c := newCouple(t)
	leaf := c.must(0, Act{Act: ActPropose, Definition: pairText("1")})
	if _, err := c.act(1, Act{Act: ActApprove, Parent: c.knows(0).root, Proposal: leaf}); !errors.Is(err, &Refusal{Code: OutOfTurn}) {
		t.Fatalf("approved what had not arrived: %v", err)
	}
	c.deliver(1)
	c.must(1, c.approve(1, leaf))
	if got := c.knows(1).Phase(); got != Proposed {
		t.Fatalf("%s before the other's log holds the approval", got)
	}
	c.deliver(0)
	if got := c.knows(0).Phase(); got != Proposed {
		t.Fatalf("%s before the own log holds the other's act", got)
	}
	c.take(0)
	if got := c.knows(0).Phase(); got != InForce {
		t.Fatalf("%s with both acts in both logs", got)
	}
	c.deliver(1)
	s := c.knows(1).State()
	if s.Phase() != InForce || s.Joined() != 2 || !s.Connected(pid("a")) || s.Hash() != c.knows(0).Hash() || s.Depositary() != "" {
		t.Fatalf("%+v", s)
	}
	if got := c.knows(1).Other(pid("a")); got != pid("b") {
		t.Fatalf("the other of a is %s", got)
	}
}

func TestTwoWhoProposeTheSameTextNeedNoApproval(t *testing.T) {
	c := newCouple(t)
	c.must(0, Act{Act: ActPropose, Definition: pairText("1")})
	c.must(1, Act{Act: ActPropose, Definition: pairText("1")})
	c.exchange()
	if a, b := c.knows(0), c.knows(1); a.Phase() != InForce || a.Hash() != b.Hash() {
		t.Fatalf("%s, %s", a.Phase(), b.Phase())
	}
}

func TestAPairsTurns(t *testing.T) {
	c := foundedCouple(t)
	refuse := func(code Code, who int, act Act) {
		t.Helper()
		if _, err := c.act(who, act); !errors.Is(err, &Refusal{Code: code}) {
			t.Fatalf("%s: not refused as %s: %v", act.Act, code, err)
		}
	}
	old := c.knows(0).root
	refuse(OutOfTurn, 0, Act{Act: ActPropose, Definition: pairText("1")})
	refuse(OutOfTurn, 0, Act{Act: ActJoin})
	refuse(OutOfTurn, 0, Act{Act: ActSucceed, Parent: old, Party: pid("b")})
	refuse(WrongParent, 0, Act{Act: ActAmend, Parent: old, Definition: pairText("2")})
	refuse(WrongParent, 0, Act{Act: ActAmend, Parent: leafOf("never"), Definition: pairText("2")})
	refuse(NoSuch, 0, Act{Act: ActApprove, Parent: c.knows(0).Basis().String(), Proposal: leafOf("no")})
	refuse(BadText, 0, c.amend(0, "1"))
	refuse(BadText, 0, Act{Act: ActAmend, Parent: c.knows(0).Basis().String(), Definition: charter("2", "", "a", "b")})
	refuse(BadText, 0, Act{Act: ActAmend, Parent: c.knows(0).Basis().String(), Definition: strings.ReplaceAll(pairText("2"), pid("b"), pid("c"))})
	refuse(NoSuch, 0, Act{Act: ActObject, ObjectsTo: leafOf("no")})
	stranger := Entry{Leaf: leafOf("x"), Party: pid("x"), Time: start, Act: Act{Act: ActWithdraw, Date: "2026-01-01"}}
	if err := c.knows(0).Check(stranger); !errors.Is(err, &Refusal{Code: NotEntitled}) {
		t.Fatalf("a third party: %v", err)
	}
	c.must(0, Act{Act: ActWithdraw})
	if c.knows(0).Phase() != Ended {
		t.Fatal("a withdrawal binds its author at once")
	}
	refuse(OutOfTurn, 0, c.amend(0, "2"))
	c.exchange()
	if c.knows(1).Phase() != Ended {
		t.Fatal("a withdrawal ends a pair")
	}
}

func TestWordsThatCrossLeaveTheTextAndOpenANewRound(t *testing.T) {
	c := foundedCouple(t)
	mine, theirs := c.must(0, c.amend(0, "2")), c.must(1, c.amend(1, "3"))
	c.must(0, c.approve(0, mine))
	c.must(1, c.approve(1, theirs))
	before := c.knows(0).Basis()
	c.exchange()
	for who := range 2 {
		if s := c.knows(who); s.Basis() == before || s.Text().Version != "1" || len(s.State().OpenProposals()) != 0 || len(s.Doubles()) != 0 {
			t.Fatalf("%s: basis %s, version %s", names[who], s.Basis(), s.Text().Version)
		}
	}
	again := c.must(0, c.amend(0, "3"))
	c.must(0, c.approve(0, again))
	c.exchange()
	c.must(1, c.approve(1, again))
	c.exchange()
	if a, b := c.knows(0), c.knows(1); a.Text().Version != "3" || a.Hash() != b.Hash() {
		t.Fatalf("version %s", a.Text().Version)
	}
}

func TestASecondWordIsProvenAndCountsForNothing(t *testing.T) {
	c := foundedCouple(t)
	one, two := c.must(0, c.amend(0, "2")), c.must(0, c.amend(0, "3"))
	c.must(0, c.approve(0, one))
	double := Entry{Leaf: leafOf("double"), Party: pid("a"), Officers: []string{"k-1"}, Time: start, Act: c.approve(0, two)}
	double.Act.Date = "2026-01-01"
	var m *MisconductError
	if err := c.knows(0).Check(double); !errors.As(err, &m) {
		t.Fatalf("the author's own node: %v", err)
	}
	c.logs[0] = append(c.logs[0], PairEntry{pid("a"), double}) // another node of the party signs it all the same
	c.deliver(1)
	if err := c.knows(1).CheckTaken(double); !errors.As(err, &m) || m.Misconduct.First.Child != one {
		t.Fatalf("the other's node: %v", err)
	}
	c.exchange()
	for who := range 2 {
		if d := c.knows(who).Doubles(); len(d) != 1 || d[0].Party != pid("a") {
			t.Fatalf("%+v", d)
		}
	}
	c.must(1, c.approve(1, one))
	c.exchange()
	if a, b := c.knows(0), c.knows(1); a.Text().Version != "2" || a.Hash() != b.Hash() {
		t.Fatalf("version %s at one, %s at the other", a.Text().Version, b.Text().Version)
	}
}

// step does something that one of the two may want to do just then; most of it may be refused.
func (c *couple) step(t *rapid.T) {
	who := rapid.IntRange(0, 1).Draw(t, "who")
	open := c.knows(who).State().OpenProposals()
	switch what := rapid.IntRange(0, 19).Draw(t, "what"); {
	case what < 5:
		c.seen[who] = rapid.IntRange(c.seen[who], len(c.logs[1-who])).Draw(t, "seen")
	case what < 8:
		c.take(who)
	case what < 9:
		_, _ = c.act(who, Act{Act: ActPropose, Definition: pairText("1")})
	case what < 12:
		_, _ = c.act(who, c.amend(who, fmt.Sprint(rapid.IntRange(2, 4).Draw(t, "version"))))
	case what < 17 && len(open) > 0:
		p := rapid.SampledFrom(open).Draw(t, "proposal")
		_, _ = c.act(who, c.approve(who, p.Leaf))
	case what < 18:
		_, _ = c.act(who, Act{Act: ActReview})
	case what < 19:
		_, _ = c.act(who, Act{Act: ActDeclare, Declarations: []Text{{"en": "so be it"}}})
	case rapid.IntRange(0, 9).Draw(t, "leave") == 0:
		_, _ = c.act(who, Act{Act: ActWithdraw})
	}
}

// Whatever two honest parties do at the same time, and however slowly their logs arrive: what one sees in force stays so, and
// once each has all of both logs both have one state, in whatever order its entries are folded.
func TestAPairEndsInOneStateInEveryOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCouple(t)
		var bases [2]map[string]*Agreement
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			c.step(t)
			for who := range 2 {
				now := c.knows(who)
				for basis := range bases[who] {
					if _, still := now.bases[basis]; !still {
						t.Fatalf("%s took back the text on basis %.12s…", names[who], basis)
					}
				}
				bases[who] = now.bases
				if now.Waiting() > 0 {
					t.Fatalf("%s: %d entries of honest logs wait", names[who], now.Waiting())
				}
			}
		}
		c.exchange()
		a, b := c.knows(0), c.knows(1)
		if a.Hash() != b.Hash() || a.State().Hash() != b.State().Hash() || len(a.refused) > 0 || len(a.Doubles()) > 0 {
			t.Fatalf("%s %s and %s %s; refused: %v", a.Phase(), a.Text().Version, b.Phase(), b.Text().Version, a.refused)
		}
		mixed := make([]PairEntry, 0, len(c.logs[0])+len(c.logs[1]))
		for i, j := 0, 0; i < len(c.logs[0]) || j < len(c.logs[1]); {
			if j == len(c.logs[1]) || i < len(c.logs[0]) && rapid.Bool().Draw(t, "from a") {
				mixed, i = append(mixed, c.logs[0][i]), i+1
			} else {
				mixed, j = append(mixed, c.logs[1][j]), j+1
			}
		}
		if FoldPair(c.id, Options{}, mixed).Hash() != a.Hash() {
			t.Fatal("another order gives another state")
		}
	})
}
