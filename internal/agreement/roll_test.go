package agreement

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// pid and leafOf make ids of the right form from a name.
func pid(name string) string { return "p-" + strings.TrimPrefix(ID([]byte(name)), "a-") }

func leafOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// charter is a small agreement of parties named by their labels; the first keeps the roll.
func charter(version, extra string, founders ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format = %q\n[agreement]\nlabel = \"charter\"\ntype = \"call\"\nforce = \"voluntary\"\nversion = %q\nmode = \"depositary\"\nfictional = true\nname.en = \"Charter\"\ndepositary = %q\nfounders = [\"%s\"]\n",
		Format, version, founders[0], strings.Join(founders, `", "`))
	if !strings.Contains(extra, "[terms]") {
		b.WriteString("[terms]\nfounding = \"majority\"\namendment = \"two-thirds\"\naccession = \"open\"\nadmission = \"2\"\nremoval = \"majority\"\nsuccession = \"majority\"\n")
	}
	b.WriteString(extra)
	for _, f := range founders {
		fmt.Fprintf(&b, "[[party]]\nlabel = %q\nkind = \"cert\"\nid = %q\nname.en = %q\nfictional = true\n", f, pid(f), f)
	}
	b.WriteString("[[commitment]]\nlabel = \"1\"\nname.en = \"One\"\nkinds = [\"report\"]\n")
	return b.String()
}

// roll drives a state in tests: each entry gets a leaf and a time of its own.
type roll struct {
	t       testing.TB
	s       State
	n       int
	entries []Entry
}

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func begin(t testing.TB, definition string) *roll {
	return &roll{t: t, s: Begin(ID([]byte(definition)), Options{})}
}

func (r *roll) try(party string, act Act) error {
	r.n++
	at := start.Add(time.Duration(r.n) * time.Hour)
	if act.Date == "" {
		act.Date = at.Format(time.DateOnly)
	}
	e := Entry{Leaf: leafOf(fmt.Sprint("leaf", r.n)), Party: pid(party), Officers: []string{"k-1"}, Time: at, Act: act}
	return r.enter(e)
}

func (r *roll) enter(e Entry) error {
	before := r.s.Hash()
	e, next, err := Compose(r.s, e)
	if err != nil {
		if next.Hash() != before || next.computeHash() != before {
			r.t.Fatalf("a refused act changed the state: %v", err)
		}
		return err
	}
	if next.computeHash() != next.Hash() || next.Hash() == before {
		r.t.Fatal("the state's hash is not that of the state")
	}
	r.entries = append(r.entries, e)
	r.s = next
	return nil
}

func (r *roll) must(party string, act Act) string {
	r.t.Helper()
	if err := r.try(party, act); err != nil {
		r.t.Fatalf("%s %s: %v", party, act.Act, err)
	}
	return leafOf(fmt.Sprint("leaf", r.n))
}

func (r *roll) refused(code Code, party string, act Act) {
	r.t.Helper()
	err := r.try(party, act)
	if !errors.Is(err, &Refusal{Code: code}) {
		r.t.Fatalf("%s %s: got %v, want %s", party, act.Act, err, code)
	}
}

func founded(t testing.TB, founders ...string) *roll {
	definition := charter("1", "", founders...)
	r := begin(t, definition)
	first := r.must(founders[0], Act{Act: ActPropose, Definition: definition})
	for _, f := range founders[1:] {
		if r.s.Phase() == InForce {
			r.must(f, Act{Act: ActJoin})
			continue
		}
		parent := r.s.Basis().String()
		r.must(f, Act{Act: ActApprove, Parent: parent, Proposal: first})
	}
	return r
}

func TestLifeOfAnAgreement(t *testing.T) {
	r := founded(t, "a", "b", "c")
	if r.s.Phase() != InForce || r.s.Joined() != 3 || r.s.Depositary() != pid("a") {
		t.Fatalf("after founding: %s with %d", r.s.Phase(), r.s.Joined())
	}
	r.refused(OutOfTurn, "a", Act{Act: ActPropose, Definition: r.s.DefinitionBytes()})
	r.refused(NotEntitled, "stranger", Act{Act: ActAmend, Parent: r.s.Basis().String(), Definition: charter("2", "", "a", "b", "c")})
	r.must("us", Act{Act: ActDecline})
	if m, _ := r.s.Member(pid("us")); m.Membership != Declined || r.s.Connected(pid("us")) {
		t.Fatal("declining was not kept")
	}
	r.refused(Repeated, "us", Act{Act: ActDecline})
	joined := r.must("us", Act{Act: ActJoin, Text: &TextVersion{"1", r.s.Text().SHA256}, Reservations: []Reservation{{"1", Text{"en": "not abroad"}}}})
	r.refused(NoSuch, "d", Act{Act: ActJoin, Reservations: []Reservation{{"7", Text{"en": "x"}}}})
	r.refused(OutOfTurn, "us", Act{Act: ActJoin})
	r.refused(OutOfTurn, "us", Act{Act: ActDecline})
	r.must("b", Act{Act: ActObject, ObjectsTo: joined, Note: Text{"en": "the reservation empties the promise"}})
	r.refused(NoSuch, "b", Act{Act: ActObject, ObjectsTo: leafOf("nothing")})
	r.must("us", Act{Act: ActDeclare, Declarations: []Text{{"en": "we read it so"}}})
	r.must("us", Act{Act: ActReview})

	basis := r.s.Basis().String()
	p1 := r.must("b", Act{Act: ActAmend, Parent: basis, Definition: charter("2", "", "a", "b", "c")})
	r.must("b", Act{Act: ActApprove, Parent: basis, Proposal: p1})
	r.refused(Repeated, "b", Act{Act: ActApprove, Parent: basis, Proposal: p1})
	r.must("a", Act{Act: ActApprove, Parent: basis, Proposal: p1})
	if r.s.Text().Version != "1" {
		t.Fatal("two of four are not two thirds")
	}
	// A party that leaves does not stop the others: two of three are enough.
	r.must("us", Act{Act: ActWithdraw})
	if r.s.Connected(pid("us")) || r.s.Text().Version != "2" || r.s.Basis().String() == basis {
		t.Fatalf("withdrawal: connected %v, version %s", r.s.Connected(pid("us")), r.s.Text().Version)
	}
	r.refused(OutOfTurn, "c", Act{Act: ActApprove, Parent: basis, Proposal: p1})
	r.refused(WrongParent, "c", Act{Act: ActAmend, Parent: basis, Definition: charter("3", "", "a", "b", "c")})
	r.refused(WrongParent, "d", Act{Act: ActJoin, Text: &TextVersion{"1", leafOf("old")}})
	r.must("b", Act{Act: ActRemove, Party: pid("c")})
	if r.s.Connected(pid("c")) == false {
		t.Fatal("one of two is no majority")
	}
	r.must("a", Act{Act: ActRemove, Party: pid("c")})
	if r.s.Connected(pid("c")) {
		t.Fatal("the parties removed it")
	}
	r.refused(NotEntitled, "c", Act{Act: ActJoin})
	r.must("a", Act{Act: ActAdmit, Party: pid("c")})
	r.must("b", Act{Act: ActAdmit, Party: pid("c")})
	r.must("c", Act{Act: ActJoin})

	again, err := Fold(Begin(r.s.ID(), Options{}), r.entries)
	if err != nil || again.Hash() != r.s.Hash() {
		t.Fatalf("folding again: %v", err)
	}
	for _, who := range []string{"a", "b", "c"} {
		r.must(who, Act{Act: ActWithdraw})
	}
	if r.s.Phase() != Ended {
		t.Fatal("nobody is left")
	}
	r.refused(OutOfTurn, "a", Act{Act: ActJoin})
}

func TestDoubleApprovalIsProvableAndWaits(t *testing.T) {
	r := founded(t, "a", "b", "c", "d")
	basis := r.s.Basis().String()
	p1 := r.must("a", Act{Act: ActAmend, Parent: basis, Definition: charter("2", "", "a", "b", "c", "d")})
	p2 := r.must("b", Act{Act: ActAmend, Parent: basis, Definition: charter("2bis", "", "a", "b", "c", "d")})
	r.must("c", Act{Act: ActApprove, Parent: basis, Proposal: p1})
	err := r.try("c", Act{Act: ActApprove, Parent: basis, Proposal: p2})
	var m *MisconductError
	if !errors.As(err, &m) || !errors.Is(err, &Refusal{Code: DoubleAct}) || m.Misconduct.First.Child != p1 || m.Misconduct.Second.Child != p2 {
		t.Fatalf("got %v", err)
	}
	if got, ok := Compare(m.Misconduct.Second, m.Misconduct.First); !ok || got.Party != pid("c") {
		t.Fatal("the two acts do not prove it by themselves")
	}
	// It is found as well once one of the texts is in force.
	for _, who := range []string{"a", "b"} {
		r.must(who, Act{Act: ActApprove, Parent: basis, Proposal: p1})
	}
	if r.s.Text().Version != "2" {
		t.Fatal("three of four are two thirds")
	}
	r.refused(DoubleAct, "a", Act{Act: ActApprove, Parent: basis, Proposal: p2})

	var d Docket
	d = d.Keep(m.Misconduct, start).Keep(m.Misconduct, start)
	if len(d.Waiting()) != 1 || len(d.Published()) != 0 {
		t.Fatal("a proof waits, once")
	}
	if _, err := d.Decide(0, "", "", true, start); err == nil {
		t.Fatal("nobody decided")
	}
	d, err = d.Decide(0, "Rima Haddad", "confirmed by telephone", true, start)
	if err != nil || len(d.Waiting()) != 0 || len(d.Published()) != 1 {
		t.Fatalf("deciding: %v", err)
	}
}

// TestTextsThatCrossLapse has parties approve different texts at once, in every order: when none can have enough any more, the
// round ends, and the next one begins for everybody.
func TestTextsThatCrossLapse(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rule := rapid.SampledFrom([]string{"all", "two-thirds", "majority", "2"}).Draw(rt, "threshold")
		names := []string{"a", "b", "c", "d", "e"}[:rapid.IntRange(2, 5).Draw(rt, "parties")]
		terms := fmt.Sprintf("[terms]\nfounding = \"1\"\namendment = %q\naccession = \"open\"\nadmission = \"2\"\nremoval = \"majority\"\nsuccession = \"majority\"\n", rule)
		definition := charter("1", terms, names...)
		r := begin(t, definition)
		r.must("a", Act{Act: ActPropose, Definition: definition})
		for _, n := range names[1:] {
			r.must(n, Act{Act: ActJoin})
		}
		basis := r.s.Basis()
		amend := Act{Act: ActAmend, Parent: basis.String()}
		var texts []string
		for i := range rapid.IntRange(1, 3).Draw(rt, "texts") {
			amend.Definition = charter(fmt.Sprint(2+i), terms, names...)
			texts = append(texts, r.must(names[i%len(names)], amend))
		}
		for _, n := range rapid.Permutation(names).Draw(rt, "order") {
			if r.s.Basis() != basis {
				break
			}
			text := rapid.SampledFrom(texts).Draw(rt, n)
			r.must(n, Act{Act: ActApprove, Parent: basis.String(), Proposal: text})
		}
		if r.s.Basis() == basis {
			rt.Fatalf("everybody has approved, and the round of %s goes on", rule)
		}
		for _, leaf := range texts {
			if p, _ := r.s.Proposal(leaf); p.Status == Open {
				rt.Fatal("a proposal is open after the round")
			}
		}
		if r.s.Text().Version != "1" {
			return
		}
		// Nobody had enough: a late word for the old round is refused and is no misconduct, and the same text goes through now.
		before := r.s.Hash()
		amend.Parent = r.s.Basis().String()
		amend.Definition = charter("2", terms, names...)
		again := r.must("a", amend)
		for _, n := range names {
			if r.s.Text().Version == "1" {
				r.must(n, Act{Act: ActApprove, Parent: amend.Parent, Proposal: again})
			}
		}
		if r.s.Text().Version != "2" || r.s.Hash() == before {
			rt.Fatalf("the next round ends in version %s", r.s.Text().Version)
		}
	})
}

// TestCrossingIsNoVeto leaves a round alone while one text can still have enough, and where nobody else has said anything.
func TestCrossingIsNoVeto(t *testing.T) {
	r := founded(t, "a", "b", "c") // two thirds: 2
	basis := r.s.Basis().String()
	first := r.must("a", Act{Act: ActAmend, Parent: basis, Definition: charter("2", "", "a", "b", "c")})
	second := r.must("b", Act{Act: ActAmend, Parent: basis, Definition: charter("3", "", "a", "b", "c")})
	r.must("a", Act{Act: ActApprove, Parent: basis, Proposal: first})
	r.must("b", Act{Act: ActApprove, Parent: basis, Proposal: second})
	if r.s.Basis().String() != basis {
		t.Fatal("a third party could still have decided")
	}
	r.must("c", Act{Act: ActApprove, Parent: basis, Proposal: first})
	if r.s.Text().Version != "2" {
		t.Fatalf("version %s", r.s.Text().Version)
	}
	// A party that leaves may make the rest agree: that comes before the round is ended.
	basis = r.s.Basis().String()
	third := r.must("a", Act{Act: ActAmend, Parent: basis, Definition: charter("4", "", "a", "b", "c")})
	fourth := r.must("b", Act{Act: ActAmend, Parent: basis, Definition: charter("5", "", "a", "b", "c")})
	r.must("a", Act{Act: ActApprove, Parent: basis, Proposal: third})
	r.must("b", Act{Act: ActApprove, Parent: basis, Proposal: fourth})
	r.must("c", Act{Act: ActWithdraw})
	if r.s.Text().Version != "2" || r.s.Basis().String() == basis {
		t.Fatalf("two who want different things, and need both: version %s", r.s.Text().Version)
	}
	r.refused(Repeated, "a", Act{Act: ActApprove, Parent: basis, Proposal: third})
}

func TestSuccessorWhenTheDepositaryIsSilent(t *testing.T) {
	r := founded(t, "a", "b", "c", "d")
	base := r.s.Hash().String()
	vote := func(n int, who, whom, parent string, after time.Duration) error {
		return r.enter(Entry{Leaf: leafOf(fmt.Sprint("succeed", n)), Party: pid(who), Officers: []string{"k-1"}, Time: r.s.LastTime().Add(after),
			Act: Act{Act: ActSucceed, Date: "2026-03-01", Parent: parent, Party: pid(whom)}})
	}
	const month = 31 * 24 * time.Hour
	if err := vote(1, "b", "b", base, time.Hour); !errors.Is(err, &Refusal{Code: OutOfTurn}) {
		t.Fatalf("too early: %v", err)
	}
	if err := vote(2, "b", "b", leafOf("x"), month); !errors.Is(err, &Refusal{Code: WrongParent}) {
		t.Fatalf("other state: %v", err)
	}
	for n, who := range []string{"b", "c"} {
		if err := vote(10+n, who, "b", base, month); err != nil {
			t.Fatal(err)
		}
	}
	if r.s.Depositary() != pid("a") || r.s.Succession() != base {
		t.Fatal("two of four are no majority")
	}
	if err := vote(20, "c", "d", base, month); !errors.Is(err, &Refusal{Code: DoubleAct}) {
		t.Fatalf("two successors: %v", err)
	}
	if err := vote(21, "d", "b", base, month); err != nil {
		t.Fatal(err)
	}
	if r.s.Depositary() != pid("b") || r.s.Succession() != "" {
		t.Fatal("b keeps the roll now")
	}
	// An amendment that repeats the old depositary does not undo it.
	basis := r.s.Basis().String()
	p := r.must("c", Act{Act: ActAmend, Parent: basis, Definition: charter("2", "", "a", "b", "c", "d")})
	for _, who := range []string{"b", "c", "d"} {
		r.must(who, Act{Act: ActApprove, Parent: basis, Proposal: p})
	}
	if r.s.Depositary() != pid("b") || r.s.Text().Version != "2" {
		t.Fatal("the amendment moved the roll back")
	}
}

func TestInvitationAndApproval(t *testing.T) {
	terms := "[terms]\nfounding = \"all\"\naccession = \"%s\"\nadmission = \"all\"\n"
	definition := charter("1", fmt.Sprintf(terms, AccessionInvitation), "a")
	r := begin(t, definition)
	r.must("a", Act{Act: ActPropose, Definition: definition}) // alone: in force at once
	r.refused(NotEntitled, "x", Act{Act: ActJoin})
	r.must("a", Act{Act: ActInvite, Party: pid("x")})
	r.must("x", Act{Act: ActJoin})

	definition = charter("1", fmt.Sprintf(terms, AccessionApproval), "a")
	r = begin(t, definition)
	r.must("a", Act{Act: ActPropose, Definition: definition})
	r.must("x", Act{Act: ActJoin})
	if r.s.Connected(pid("x")) {
		t.Fatal("asking is not joining")
	}
	r.must("a", Act{Act: ActAdmit, Party: pid("x")})
	if !r.s.Connected(pid("x")) {
		t.Fatal("it was admitted")
	}
}

func TestOfficersAndMandate(t *testing.T) {
	definition := charter("1", "[[officers]]\nacts = [\"join\", \"withdraw\"]\nsignatures = 2\nmandate = true\n", "a")
	r := begin(t, definition)
	r.must("a", Act{Act: ActPropose, Definition: definition})
	r.refused(TooFew, "b", Act{Act: ActJoin})
	mandate := &Mandate{By: Text{"en": "Minister"}, Basis: Text{"en": "Decree 4"}}
	e := Entry{Leaf: leafOf("two"), Party: pid("b"), Officers: []string{"k-1", "k-1"}, Time: start.Add(time.Hour * 99), Act: Act{Act: ActJoin, Date: "2026-01-09", Mandate: mandate}}
	if err := r.enter(e); !errors.Is(err, &Refusal{Code: TooFew}) {
		t.Fatalf("one officer twice: %v", err)
	}
	e.Officers = []string{"k-1", "k-2"}
	if err := r.enter(e); err != nil {
		t.Fatal(err)
	}

	d, err := NewDraft(r.s.Definition(), []string{"k-1", "k-2", "k-3"}, "k-1", Act{Act: ActWithdraw, Date: "2026-02-01"}, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve("k-1", d.Digest()); !errors.Is(err, &Refusal{Code: TooFew}) {
		t.Fatalf("without a mandate: %v", err)
	}
	old := d.Digest()
	if d, err = d.Change("k-2", Act{Act: ActWithdraw, Date: "2026-02-01", Mandate: mandate}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve("k-1", old); !errors.Is(err, &Refusal{Code: WrongParent}) {
		t.Fatalf("approving what was changed: %v", err)
	}
	for _, k := range []string{"k-1", "k-3"} {
		if _, err := d.Sign(k, d.Digest()); err == nil {
			t.Fatal("signed before enough approved")
		}
		if d, err = d.Approve(k, d.Digest()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Sign("k-2", d.Digest()); err == nil {
		t.Fatal("signed without approving")
	}
	for _, k := range []string{"k-1", "k-3"} {
		if d.Complete() {
			t.Fatal("complete too early")
		}
		if d, err = d.Sign(k, d.Digest()); err != nil {
			t.Fatal(err)
		}
	}
	if !d.Complete() {
		t.Fatal("two of three have signed")
	}
}

// Random parties do random things; whatever is refused changes nothing, and what is accepted folds to the same state again.
func TestFoldIsDeterministicAndRefusalsChangeNothing(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e"}
	rapid.Check(t, func(rt *rapid.T) {
		r := founded(t, names[:3]...)
		leaves := []string{leafOf("leaf1")}
		bases := []string{r.s.Basis().String()}
		version := 1
		for range rapid.IntRange(1, 40).Draw(rt, "acts") {
			who := rapid.SampledFrom(names).Draw(rt, "who")
			act := Act{Act: rapid.SampledFrom(ActKinds()).Draw(rt, "act")}
			act.Party = pid(rapid.SampledFrom(names).Draw(rt, "whom"))
			switch act.Act {
			case ActAmend:
				version++
				act.Definition = charter(fmt.Sprint(version), "", names[:3]...)
				act.Parent = rapid.SampledFrom(bases).Draw(rt, "parent")
			case ActApprove:
				act.Parent = rapid.SampledFrom(bases).Draw(rt, "parent")
				act.Proposal = rapid.SampledFrom(leaves).Draw(rt, "proposal")
			case ActObject:
				act.ObjectsTo = rapid.SampledFrom(leaves).Draw(rt, "target")
			case ActSucceed:
				act.Parent = r.s.Hash().String()
			case ActDeclare:
				act.Declarations = []Text{{"en": "x"}}
			}
			joined := r.s.Joined()
			if r.try(who, act) != nil {
				continue
			}
			leaves = append(leaves, r.entries[len(r.entries)-1].Leaf)
			if b := r.s.Basis().String(); b != bases[len(bases)-1] {
				bases = append(bases, b)
			}
			if act.Act == ActWithdraw && (r.s.Connected(pid(who)) || r.s.Joined() > joined) {
				rt.Fatal("a withdrawal did not bind at once")
			}
			count := 0
			for _, m := range r.s.Members {
				if m.Membership == Joined {
					count++
				}
			}
			if count != r.s.Joined() {
				rt.Fatalf("%d have joined, %d are counted", count, r.s.Joined())
			}
		}
		again, err := Fold(Begin(r.s.ID(), Options{}), r.entries)
		if err != nil || again.Hash() != r.s.Hash() {
			rt.Fatalf("folding again: %v", err)
		}
		// Two entries that change places are refused, or the roll ends in another state.
		if n := len(r.entries); n > 4 {
			i := rapid.IntRange(1, n-2).Draw(rt, "swap")
			r.entries[i], r.entries[i+1] = r.entries[i+1], r.entries[i]
			if s, err := Fold(Begin(r.s.ID(), Options{}), r.entries); !errors.Is(err, &Refusal{Code: WrongParent}) || s.Size() != i {
				rt.Fatalf("entries %d and %d changed places: %v", i, i+1, err)
			}
		}
	})
}

func TestWrongResultIsRefused(t *testing.T) {
	r := founded(t, "a", "b")
	e := Entry{Leaf: leafOf("z"), Party: pid("x"), Time: start, Act: Act{Act: ActJoin, Date: "2026-01-01"}, Parent: r.s.Hash(), Result: r.s.Hash()}
	if _, err := Apply(r.s, e); !errors.Is(err, &Refusal{Code: WrongResult}) {
		t.Fatalf("got %v", err)
	}
}

func TestTrieDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.StringMatching(`[a-z]{1,6}`), rapid.ID[string]).Draw(t, "keys")
		var forward, backward trie[logged]
		for i, k := range keys {
			forward = forward.put(k, logged{seq: 1})
			forward = forward.put(k, logged{seq: i})
		}
		for i := len(keys) - 1; i >= 0; i-- {
			backward = backward.put(keys[i], logged{seq: i})
		}
		if forward.rootHash() != backward.rootHash() || forward.size != len(keys) || len(backward.all()) != len(keys) {
			t.Fatal("the shape depends on the order")
		}
		for i, k := range keys {
			if v, ok := backward.get(k); !ok || v.seq != i {
				t.Fatalf("%q is lost", k)
			}
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	f.Add([]byte{0x25, 0x81, 0x13, 0x07, 0x60, 0x44})
	names := []string{"a", "b", "c", "d"}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 200 {
			return
		}
		r := founded(t, "a", "b", "c")
		kinds := ActKinds()
		for i, c := range script {
			who := names[c&3]
			act := Act{Act: kinds[int(c>>2)%len(kinds)], Party: pid(names[i&3]), Parent: r.s.Basis().String(), Proposal: leafOf(fmt.Sprint("leaf", i)),
				ObjectsTo: leafOf("leaf1"), Declarations: []Text{{"en": string(rune('a' + c&7))}}}
			if act.Act == ActAmend {
				act.Definition = charter(fmt.Sprint("v", i), "", "a", "b", "c")
			}
			if act.Act == ActSucceed {
				act.Parent = r.s.Hash().String()
			}
			_ = r.try(who, act)
		}
		if again, err := Fold(Begin(r.s.ID(), Options{}), r.entries); err != nil || again.Hash() != r.s.Hash() {
			t.Fatalf("folding again: %v", err)
		}
	})
}

// manyActs is a roll of n acts by a thousand parties: joins, declarations, reviews, objections, amendments that pass.
func manyActs(tb testing.TB, n int) (string, []Entry) {
	r := founded(tb, "a", "b", "c")
	for i := 0; i < 1000 && r.n < n; i++ {
		r.must(fmt.Sprint("party", i), Act{Act: ActJoin})
	}
	for i := 0; r.n < n; i++ {
		who := fmt.Sprint("party", i%1000)
		switch i % 4 {
		case 0:
			r.must(who, Act{Act: ActReview})
		case 1:
			r.must(who, Act{Act: ActObject, ObjectsTo: leafOf("leaf1")})
		default:
			r.must(who, Act{Act: ActDeclare, Declarations: []Text{{"en": "as before", "ar": "كما سبق"}}})
		}
	}
	return r.s.ID(), r.entries
}

func BenchmarkFold10000(b *testing.B) {
	id, entries := manyActs(b, 10_000)
	for b.Loop() {
		if _, err := Fold(Begin(id, Options{}), entries); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFoldApprovals10000 is the worst case for votes: every act is an approval of one open proposal.
func BenchmarkFoldApprovals10000(b *testing.B) {
	definition := charter("1", "[terms]\nfounding = \"all\"\namendment = \"all\"\naccession = \"open\"\n", "a")
	r := begin(b, definition)
	r.must("a", Act{Act: ActPropose, Definition: definition})
	for i := range 4999 {
		r.must(fmt.Sprint("party", i), Act{Act: ActJoin})
	}
	basis := r.s.Basis().String()
	p := r.must("a", Act{Act: ActAmend, Parent: basis, Definition: strings.Replace(definition, `version = "1"`, `version = "2"`, 1)})
	for i := range 4999 {
		r.must(fmt.Sprint("party", i), Act{Act: ActApprove, Parent: basis, Proposal: p})
	}
	for b.Loop() {
		if _, err := Fold(Begin(r.s.ID(), Options{}), r.entries); err != nil {
			b.Fatal(err)
		}
	}
}

// The vector was computed a second time by a program written from docs/agreement-state.md alone.
func TestStateHashVector(t *testing.T) {
	r := vectorRoll(t)
	if got := r.s.Hash().String(); got != vectorHash {
		t.Fatalf("the state of the vector is %s, want %s", got, vectorHash)
	}
}

// vectorRoll passes through every map of a state.
func vectorRoll(t testing.TB) *roll {
	definition := vectorDefinition
	r := begin(t, definition)
	r.must("a", Act{Act: ActPropose, Definition: definition})
	joined := r.must("b", Act{Act: ActJoin, Reservations: []Reservation{{"1", Text{"en": "no", "ar": "لا"}}}, Log: &LogKey{"mithaq/l-x", "key"}})
	r.must("a", Act{Act: ActObject, ObjectsTo: joined, Note: Text{"fr": "pourquoi"}})
	r.must("b", Act{Act: ActDeclare, Declarations: []Text{{"en": "so"}}})
	r.must("a", Act{Act: ActReview})
	r.must("x", Act{Act: ActDecline})
	basis := r.s.Basis().String()
	r.must("a", Act{Act: ActAmend, Parent: basis, Definition: strings.Replace(definition, `version = "1"`, `version = "2"`, 1)})
	r.must("b", Act{Act: ActApprove, Parent: basis, Proposal: leafOf("leaf7")})
	r.must("a", Act{Act: ActAdmit, Party: pid("y")})
	return r
}

var vectorDefinition = charter("1", "[terms]\nfounding = \"all\"\namendment = \"all\"\naccession = \"open\"\nadmission = \"all\"\n", "a")

const vectorHash = "fcc904a1aaa0cff0b02df42444f864a01149ab70276ddcd2c43ec6c80d2e9bec"
