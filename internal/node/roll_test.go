package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// text is an agreement file between the parties of nodes, the first of which keeps the roll.
func text(version, promise string, nodes ...*Node) string {
	return textWith("", version, promise, nodes...)
}

// textWith is text with more sections at its end.
func textWith(more, version, promise string, nodes ...*Node) string {
	var b strings.Builder
	var founders []string
	for i := range nodes {
		founders = append(founders, fmt.Sprintf("%q", fmt.Sprintf("party-%d", i)))
	}
	fmt.Fprintf(&b, "format = \"mithaq-agreement/1\"\n\n[agreement]\nlabel = \"memo\"\ntype = \"memorandum\"\nforce = \"political\"\nversion = %q\nmode = \"depositary\"\nname.en = \"Memo\"\ndepositary = \"party-0\"\nfounders = [%s]\n\n[terms]\naccession = \"open\"\n", version, strings.Join(founders, ", "))
	for i, n := range nodes {
		fmt.Fprintf(&b, "\n[[party]]\nlabel = \"party-%d\"\nkind = \"cert\"\nid = %q\nname.en = \"Party %d\"\n", i, n.Party().ID, i)
	}
	fmt.Fprintf(&b, "\n[[commitment]]\nlabel = \"1\"\nname.en = %q\nkinds = [\"report\"]\n\n[[commitment]]\nlabel = \"2\"\nname.en = \"Nothing\"\n", promise)
	return b.String() + more
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(...any)
}

// perform makes an act, opening the party's log first if need be.
func perform(t tester, n *Node, id string, q ActRequest) (ActOutcome, error) {
	t.Helper()
	out, err := n.Act(context.Background(), id, q)
	if fault.CodeOf(err) != fault.NoLog {
		return out, err
	}
	if _, err := ceremony(n, KeyChange{Action: "open", Agreement: id}); err != nil {
		t.Fatal(err)
	}
	return n.Act(context.Background(), id, q)
}

func must[T any](v T, err error) func(tester) T {
	return func(t tester) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// carry hands something to another node.
func carry(n *Node, v any) (Imported, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return Imported{}, err
	}
	return n.Import(context.Background(), "carried", data)
}

// founded makes two nodes with an agreement in force between them.
func founded(t testing.TB) (keeper, other *Node, id string) {
	t.Helper()
	return foundedWith(t, "")
}

// foundedWith is founded with more sections in the agreement's text.
func foundedWith(t testing.TB, more string) (keeper, other *Node, id string) {
	t.Helper()
	ctx := context.Background()
	keeper, other = newTestNode(t), newTestNode(t)
	def := textWith(more, "1", "Report", keeper, other)
	id = agreement.ID([]byte(def))
	must(perform(t, keeper, id, ActRequest{Act: "propose", Definition: def}))(t)
	must(carry(other, must(keeper.RollFileOf(ctx, id))(t)))(t)
	out := must(perform(t, other, id, ActRequest{Act: "approve"}))(t)
	must(carry(keeper, out.File))(t)
	must(carry(other, must(keeper.RollFileOf(ctx, id))(t)))(t)
	return keeper, other, id
}

func here(t tester, n *Node, id string) HereView {
	t.Helper()
	return *must(n.Agreement(context.Background(), id))(t).Here
}

func leaves(t tester, n *Node) int64 {
	t.Helper()
	total := int64(0)
	for _, l := range must(n.Logs(context.Background()))(t) {
		total += l.Size
	}
	return total
}

func TestBothNodesFoldTheSameStateAndSoDoesARestart(t *testing.T) {
	keeper, other, id := founded(t)
	a, b := here(t, keeper, id), here(t, other, id)
	if a.State != b.State || a.Phase != "in-force" || a.Joined != 2 || b.Membership != "joined" {
		t.Fatalf("%+v\n%+v", a, b)
	}
	must(perform(t, keeper, id, ActRequest{Act: "review"}))(t)
	want := here(t, keeper, id)
	dir := keeper.Dir()
	shut(t, keeper)
	again := again(t, dir, OpenOptions{ReadOnly: true})
	if got := here(t, again, id); got.State != want.State || got.Entries != 3 {
		t.Fatalf("after a restart %s with %d entries, before it %s", got.State, got.Entries, want.State)
	}
}

func TestRecordsAreSealedToTheMembersThatTheRollIntroduced(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	d := reportDraft("for both")
	d.TLP, d.Serves = "AMBER", []string{"1"}
	r := must(keeper.Publish(ctx, "memo", d))(t)
	object := must(keeper.Object(ctx, Viewer{Own: true}, r.Log, r.Index))(t)
	if _, err := record.OpenObject(object, other.keys.sealIdentities()...); err != nil {
		t.Errorf("the other member cannot open it: %v", err)
	}
	stranger := newTestNode(t)
	if _, err := record.OpenObject(object, stranger.keys.sealIdentities()...); !errors.Is(err, record.ErrNotForUs) {
		t.Errorf("a stranger: %v", err)
	}
	status := must(keeper.Status(ctx, id, agreement.Period{}))(t)
	if p := status.Promises[0]; p.Gap != "" || len(p.Evidence) != 1 || p.Evidence[0].Index != r.Index || p.Evidence[0].Leaf != r.Leaf {
		t.Errorf("%+v", p)
	}
	if p := status.Promises[1]; p.Gap != "no-mechanism" || p.Mechanism {
		t.Errorf("%+v", p)
	}
}

// Two acts that reach the depositary at once: the second is judged on the state that the first one made, and both
// orders leave a roll that folds.
func TestTwoActsAtOnceAtTheDepositary(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	third := newTestNode(t)
	must(carry(third, must(keeper.RollFileOf(ctx, id))(t)))(t)
	join := must(perform(t, third, id, ActRequest{Act: "join"}))(t)
	declare := must(perform(t, other, id, ActRequest{Act: "declare", Declarations: []agreement.Text{{"en": "x"}}}))(t)
	var wg sync.WaitGroup
	files := []*SignedAct{join.File, declare.File, join.File, declare.File, join.File}
	errs := make([]error, len(files))
	for i, f := range files {
		wg.Go(func() { _, errs[i] = carry(keeper, f) })
	}
	wg.Wait()
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
			continue
		}
		wantCode(t, err, fault.Conflict)
	}
	h := here(t, keeper, id)
	if taken != 2 || h.Entries != 4 || h.Joined != 3 {
		t.Fatalf("%d taken, %d entries, %d joined: %v", taken, h.Entries, h.Joined, errs)
	}
	must(carry(third, must(keeper.RollFileOf(ctx, id))(t)))(t)
	if got := here(t, third, id); got.State != h.State {
		t.Errorf("the third party folds %s, the depositary %s", got.State, h.State)
	}
}

// A party that gives its word for two children of one basis: its own node refuses to sign the second; where it signed it
// nevertheless, the depositary refuses it, changes nothing, and keeps the proof for a person.
func TestApprovalOfTwoChildren(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	var proposals []string
	for _, promise := range []string{"Report often", "Report seldom"} {
		out := must(perform(t, keeper, id, ActRequest{Act: "amend", Definition: text("2 "+promise, promise, keeper, other)}))(t)
		proposals = append(proposals, out.Receipt.Leaf)
	}
	must(carry(other, must(keeper.RollFileOf(ctx, id))(t)))(t)
	first := must(perform(t, other, id, ActRequest{Act: "approve", Proposal: proposals[0]}))(t)
	_, err := perform(t, other, id, ActRequest{Act: "approve", Proposal: proposals[1]})
	wantCode(t, err, fault.Conflict)
	if !strings.Contains(err.Error(), "misconduct") {
		t.Error(err)
	}
	// The other party's node forgets what it signed.
	if err := other.withRoll(ctx, id, func(r *roll) error { r.own = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	second := must(perform(t, other, id, ActRequest{Act: "approve", Proposal: proposals[1]}))(t)
	must(carry(keeper, first.File))(t)
	before, size := here(t, keeper, id), leaves(t, keeper)
	_, err = carry(keeper, second.File)
	wantCode(t, err, fault.Conflict)
	after := here(t, keeper, id)
	if after.State != before.State || leaves(t, keeper) != size {
		t.Error("a refused act changed something")
	}
	if len(after.Cases) != 1 || after.Cases[0].Party != other.Party().ID || after.Cases[0].Decision != nil {
		t.Fatalf("cases %+v", after.Cases)
	}
	decideOn(t, keeper, other, id, second.File)
}

// decideOn decides on the one case: it proves what it says by itself, is published once and with a reason, as an allegation that
// the other party can read, and stays decided when the same act is offered again.
func decideOn(t *testing.T, keeper, other *Node, id string, again *SignedAct) {
	ctx := context.Background()
	c := must(keeper.Cases(ctx, id))(t)[0]
	file := must(keeper.CaseFile(ctx, id, c.ID[:8]))(t)
	data := must(json.Marshal(file))(t)
	if m, err := must(ParseCase(data))(t).Verify(); err != nil || m.Party != other.Party().ID {
		t.Errorf("%+v, %v", m, err)
	}
	for what, spoil := range map[string]func(*Case){
		"twice the same act":   func(c *Case) { c.Second = c.First },
		"another party":        func(c *Case) { c.Party = keeper.Party().ID },
		"another parent":       func(c *Case) { c.Parent = strings.Repeat("0", 64) },
		"a signature of none":  func(c *Case) { c.First.Act = c.Second.Act },
		"a proof of something": func(c *Case) { c.First.Proof = c.Second.Proof },
	} {
		bad := file
		spoil(&bad)
		if m, err := bad.Verify(); err == nil {
			t.Errorf("%s proves %+v", what, m)
		}
	}
	_, err := keeper.DecideCase(ctx, id, c.ID, CaseDecision{Publish: true, Why: " "})
	wantCode(t, err, fault.Invalid)
	_, err = keeper.DecideCase(ctx, id, c.ID, CaseDecision{Publish: true, Why: "x", By: "k-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
	wantCode(t, err, fault.Forbidden)
	_, err = keeper.DecideCase(ctx, id, "ffff", CaseDecision{Publish: true, Why: "x"})
	wantCode(t, err, fault.NotFound)
	size := leaves(t, keeper)
	v := must(keeper.DecideCase(ctx, id, c.ID, CaseDecision{Publish: true, Why: "It was asked and does not answer."}))(t)
	place := must(keeper.Find(ctx, v.Decision.Record))(t)
	r := must(keeper.Record(ctx, keeper.Owner(), place.Log, place.Index))(t)
	if r.Kind != "allegation" || len(r.Refs) != 2 || r.Refs[0].Rel != "evidence" || !strings.Contains(string(r.Body), "does not answer") || v.Decision.By == "" {
		t.Errorf("%+v\n%+v", v, r)
	}
	object := must(keeper.Object(ctx, Viewer{Party: other.Party().ID}, place.Log, place.Index))(t)
	if _, err := record.OpenObject(object, other.keys.sealIdentities()...); err != nil {
		t.Errorf("who is named cannot read it: %v", err)
	}
	_, err = keeper.DecideCase(ctx, id, c.ID, CaseDecision{Why: "second thoughts"})
	wantCode(t, err, fault.Conflict)
	_, err = carry(keeper, again)
	wantCode(t, err, fault.Conflict)
	if got := must(keeper.Cases(ctx, id))(t); len(got) != 1 || got[0].Decision == nil || leaves(t, keeper) != size+1 {
		t.Errorf("%+v, %d leaves after %d", got, leaves(t, keeper), size)
	}
}

func TestTamperedFilesAreRefusedAndChangeNothing(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	act := must(perform(t, other, id, ActRequest{Act: "review"}))(t).File
	rollFile := must(keeper.RollFileOf(ctx, id))(t)
	stranger := newTestNode(t)
	foreign := must(stranger.Keyring(ctx, "own"))(t)
	own := must(other.Keyring(ctx, "own"))(t)
	before, size := here(t, keeper, id), leaves(t, keeper)
	for name, change := range map[string]func(*SignedAct){
		"a proof of another leaf":   func(s *SignedAct) { s.Proof = rollFile.Entries[0].Proof },
		"no proof":                  func(s *SignedAct) { s.Proof = "" },
		"a stranger's keyring":      func(s *SignedAct) { s.Keyring = foreign },
		"a keyring for another log": func(s *SignedAct) { s.Keyring = own },
		"another object":            func(s *SignedAct) { s.Object = append([]byte{}, s.Object[:len(s.Object)-1]...) },
		"another object's hash":     func(s *SignedAct) { s.Object, s.Hash = nil, strings.Repeat("ab", 32) },
		"a changed act": func(s *SignedAct) {
			s.Act = json.RawMessage(strings.Replace(string(s.Act), `"payload":"ey`, `"payload":"eY`, 1))
		},
		"a roll record as the act":     func(s *SignedAct) { s.Act = rollFile.Entries[1].Record },
		"another agreement":            func(s *SignedAct) { s.Agreement = agreement.ID([]byte("x")) },
		"an agreement that is none":    func(s *SignedAct) { s.Agreement = "../../etc" },
		"an act that is in it already": nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := *act
			if change == nil {
				var e record.RollEntry
				r, err := record.OpenRecord(rollFile.Entries[1].Record, must(keeper.keyring(logOf(t, keeper, id)))(t))
				if err == nil {
					e, err = record.Parse[record.RollEntry](r)
				}
				if err != nil {
					t.Fatal(err)
				}
				s = SignedAct{Format: ActFormat, Agreement: id, Origin: e.Origin, Hash: e.Object, Act: json.RawMessage(e.Act), Keyring: json.RawMessage(e.Keyring), Proof: e.Proof}
			} else {
				change(&s)
			}
			if _, err := carry(keeper, s); fault.CodeOf(err) == "" {
				t.Errorf("taken, or refused without a code: %v", err)
			}
		})
	}
	for name, change := range map[string]func(*RollFile){
		"an entry left out":        func(f *RollFile) { f.Entries = f.Entries[1:] },
		"entries turned round":     func(f *RollFile) { f.Entries = []RollPlace{f.Entries[1], f.Entries[0]} },
		"a proof of another entry": func(f *RollFile) { f.Entries[0].Proof = f.Entries[1].Proof },
		"another hash":             func(f *RollFile) { f.Entries[0].Hash = f.Entries[1].Hash },
		"no such log":              func(f *RollFile) { f.Entries[0].Log = 7 },
		"no logs":                  func(f *RollFile) { f.Logs = nil },
		"another's keyring":        func(f *RollFile) { f.Logs[0].Keyrings[0].Keyring = foreign },
		"no keyring":               func(f *RollFile) { f.Logs[0].Keyrings = nil },
		"another origin":           func(f *RollFile) { f.Logs[0].Origin = "mithaq/l-aaaaaaaaaaaaaaaaaaaaaaaaaa" },
		"an act as the entry":      func(f *RollFile) { f.Entries[0].Record = act.Act },
	} {
		t.Run(name, func(t *testing.T) {
			var f RollFile
			if err := json.Unmarshal(must(json.Marshal(rollFile))(t), &f); err != nil {
				t.Fatal(err)
			}
			change(&f)
			fresh := stranger
			if _, err := carry(fresh, f); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("got %v", err)
			}
			if ids := must(fresh.rollIDs())(t); len(ids) != 0 {
				t.Errorf("something was kept: %v", ids)
			}
		})
	}
	if after := here(t, keeper, id); after.State != before.State || leaves(t, keeper) != size {
		t.Error("a refused file changed something")
	}
}

// logOf is the id of a node's log under an agreement.
func logOf(t tester, n *Node, id string) string {
	t.Helper()
	return must(n.resolveLog(context.Background(), id))(t).ID
}

// A depositary that shows two histories is found out by whoever holds one of them.
func TestTwoHistoriesAreNotMixed(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	must(perform(t, keeper, id, ActRequest{Act: "review"}))(t)
	must(carry(other, must(keeper.RollFileOf(ctx, id))(t)))(t)
	held := here(t, other, id)
	// The same roll with another third entry, as a restored backup of the depositary would write it.
	if err := keeper.withRoll(ctx, id, func(r *roll) error {
		entries := []agreement.Entry{r.places[0].entry, r.places[1].entry}
		state, err := agreement.Fold(agreement.Begin(id, definitionOptions()), entries)
		r.state, r.places = state, r.places[:2]
		return err
	}); err != nil {
		t.Fatal(err)
	}
	must(perform(t, keeper, id, ActRequest{Act: "declare", Declarations: []agreement.Text{{"en": "another history"}}}))(t)
	_, err := carry(other, must(keeper.RollFileOf(ctx, id))(t))
	wantCode(t, err, fault.Conflict)
	if err == nil || !strings.Contains(err.Error(), "history mismatch") {
		t.Error(err)
	}
	if got := here(t, other, id); got.State != held.State {
		t.Error("the roll that was held changed")
	}
}

// Whatever acts are tried in whatever order: one that is refused changes neither the state nor a log, and one that is
// taken leaves a roll which another node folds to the same state.
func TestRefusedActsChangeNothing(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	version := 1
	rapid.Check(t, func(t *rapid.T) {
		q := ActRequest{Act: rapid.SampledFrom([]string{"amend", "approve", "join", "decline", "invite", "review", "object", "declare", "succeed", "admit", "remove"}).Draw(t, "act")}
		n := rapid.SampledFrom([]*Node{keeper, other}).Draw(t, "node")
		if rapid.Bool().Draw(t, "with words") {
			q.Declarations = []agreement.Text{{"en": "words"}}
		}
		if rapid.Bool().Draw(t, "upon") {
			q.Party = rapid.SampledFrom([]string{keeper.Party().ID, other.Party().ID, "p-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}).Draw(t, "party")
		}
		if rapid.Bool().Draw(t, "with a text") {
			version++
			q.Definition = text(fmt.Sprint(version), "Report", keeper, other)
		}
		if rapid.Bool().Draw(t, "reserving") {
			q.Reservations = []agreement.Reservation{{Commitment: "9", Text: agreement.Text{"en": "no"}}}
		}
		if rapid.Bool().Draw(t, "objecting") {
			q.ObjectsTo = "0"
		}
		before, size := here(t, n, id), leaves(t, n)
		out, err := n.Act(ctx, id, q)
		after := here(t, n, id)
		if err != nil {
			if fault.CodeOf(err) == "" {
				t.Fatalf("refused without a code: %v", err)
			}
			if after.State != before.State || leaves(t, n) != size {
				t.Fatalf("%s was refused (%v) and changed something", q.Act, err)
			}
			return
		}
		if out.File != nil {
			if _, err := carry(keeper, out.File); err != nil {
				t.Fatalf("the depositary refuses what the other's node let it sign: %v", err)
			}
		}
		if _, err := carry(other, must(keeper.RollFileOf(ctx, id))(t)); err != nil {
			t.Fatal(err)
		}
		if a, b := here(t, keeper, id), here(t, other, id); a.State != b.State {
			t.Fatalf("%s and %s", a.State, b.State)
		}
	})
}

// A long log is not opened record by record for the few acts in it: the index says where they are, and what it does not know
// yet is opened.
func TestALongLogIsFoldedFromTheFewRecordsThatMatter(t *testing.T) {
	ctx := context.Background()
	keeper, _, id := founded(t)
	for range 2 {
		for range readWithoutIndex {
			must(keeper.Publish(ctx, "memo", reportDraft("much else")))(t)
		}
		must(perform(t, keeper, id, ActRequest{Act: "review"}))(t)
	}
	want := here(t, keeper, id)
	dir := keeper.Dir()
	shut(t, keeper)
	for _, index := range []string{"as it was left", "thrown away"} {
		if index == "thrown away" {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := ignoreMissing(os.Remove(filepath.Join(dir, "index.db"+suffix))); err != nil {
					t.Fatal(err)
				}
			}
		}
		node := again(t, dir, OpenOptions{})
		if got := here(t, node, id); got.State != want.State || got.Entries != want.Entries {
			t.Errorf("with the index %s: %s with %d entries, want %s with %d", index, got.State, got.Entries, want.State, want.Entries)
		}
		shut(t, node)
	}
}

// TestWhoApprovedWhatCrossedIsToldSo has two founders approve different texts: the second one's approval ends the round.
func TestWhoApprovedWhatCrossedIsToldSo(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	for _, v := range []string{"2", "3"} {
		must(perform(t, keeper, id, ActRequest{Act: "amend", Definition: text(v, "Report of "+v, keeper, other)}))(t)
	}
	open := here(t, keeper, id).Proposals
	if len(open) != 2 {
		t.Fatalf("%+v", open)
	}
	must(carry(other, must(keeper.RollFileOf(ctx, id))(t)))(t)
	out := must(perform(t, other, id, ActRequest{Act: "approve", Proposal: open[1].Leaf}))(t)
	if must(carry(keeper, out.File))(t); out.Crossed {
		t.Fatal("one approval crosses nothing")
	}
	if out := must(perform(t, keeper, id, ActRequest{Act: "approve", Proposal: open[0].Leaf}))(t); !out.Crossed {
		t.Fatalf("it is not said: %+v", out)
	}
	if h := here(t, keeper, id); len(h.Proposals) != 0 {
		t.Fatalf("%+v", h)
	}
	again := must(perform(t, keeper, id, ActRequest{Act: "amend", Definition: text("2", "Report of 2", keeper, other)}))(t)
	if !again.Entered {
		t.Fatalf("the next round does not begin: %+v", again)
	}

	// Both approve: what the second version changed is told of the act that proposed it, and of the first that it was the first.
	leaf := here(t, keeper, id).Proposals[0].Leaf
	proposed := must(keeper.Difference(ctx, id, leaf))(t)
	must(carry(other, must(keeper.RollFileOf(ctx, id))(t)))(t)
	out = must(perform(t, other, id, ActRequest{Act: "approve", Proposal: leaf}))(t)
	must(carry(keeper, out.File))(t)
	h := here(t, keeper, id)
	if len(h.Proposals) != 0 {
		must(perform(t, keeper, id, ActRequest{Act: "approve", Proposal: leaf}))(t)
		h = here(t, keeper, id)
	}
	var became []string
	for _, x := range h.Acts {
		if x.Version == "" {
			continue
		}
		became = append(became, x.Version+" "+x.Became)
		d := must(keeper.Difference(ctx, id, x.Leaf))(t)
		if first := len(became) == 1; first != (d.From == "") || first != (len(d.Changes) == 0) && x.Became == "enacted" {
			t.Errorf("%+v", d)
		}
		if x.Leaf == leaf && (d.From != "1" || !reflect.DeepEqual(d.Changes, proposed.Changes)) {
			t.Errorf("%+v, and proposed %+v", d, proposed)
		}
	}
	if !slices.Equal(became, []string{"1 enacted", "2 lapsed", "3 lapsed", "2 enacted"}) {
		t.Errorf("%q", became)
	}
}
