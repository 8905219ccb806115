package node

import (
	"context"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
)

// pairOfNodes are two parties who propose to have an agreement without a depositary; nothing was carried yet.
func pairOfNodes(t *testing.T) (a, b *Node, id string) {
	t.Helper()
	a, b = newTestNode(t), newTestNode(t)
	def := pairTextOf("1", a, b)
	id = agreement.ID([]byte(def))
	must(perform(t, a, id, ActRequest{Act: "propose", Definition: def}))(t)
	return a, b, id
}

func pairTextOf(version string, nodes ...*Node) string {
	s := strings.Replace(text(version, "promise of version "+version, nodes...), `mode = "depositary"`, `mode = "pair"`, 1)
	head, rest, _ := strings.Cut(s, "depositary = ")
	_, rest, _ = strings.Cut(rest, "\n")
	return head + rest
}

// carryAll carries what each knows of both logs to the other until nothing is new.
func carryAll(t *testing.T, id string, nodes ...*Node) {
	t.Helper()
	for range 4 {
		for _, from := range nodes {
			f := must(from.RollFileOf(context.Background(), id))(t)
			for _, to := range nodes {
				if to != from {
					must(carry(to, f))(t)
				}
			}
		}
	}
}

func TestAPairByHand(t *testing.T) {
	ctx := context.Background()
	a, b, id := pairOfNodes(t)
	if h := here(t, a, id); h.Phase != "proposed" || h.Pending != 1 || h.Depositary != "" || h.Keeps {
		t.Fatalf("%+v", h)
	}
	must(carry(b, must(a.RollFileOf(ctx, id))(t)))(t)
	if h := here(t, b, id); h.Phase != "proposed" || len(h.Proposals) != 1 {
		t.Fatalf("%+v", h)
	}
	out := must(perform(t, b, id, ActRequest{Act: "approve"}))(t)
	if out.Entered || out.Both == nil || out.Partner != a.Party().ID {
		t.Fatalf("%+v", out)
	}
	// The other one has only to import what comes back: it takes the approval in, and sees that its proposal is held.
	in := must(carry(a, out.Both))(t)
	if h := here(t, a, id); in.Phase != "in-force" || h.Phase != "in-force" || h.Joined != 2 || h.Pending != 0 {
		t.Fatalf("%+v %+v", in, h)
	}
	if h := here(t, b, id); h.Phase != "proposed" {
		t.Fatalf("%s at b before it knows that a's log holds its act", h.Phase)
	}
	carryAll(t, id, a, b)
	same := func() {
		t.Helper()
		if x, y := here(t, a, id), here(t, b, id); x.State != y.State || x.TextHash != y.TextHash || x.Basis != y.Basis {
			t.Fatalf("%+v\n%+v", x, y)
		}
	}
	same()
	if h := here(t, b, id); h.Phase != "in-force" || len(h.Acts) != 2 {
		t.Fatalf("%+v", h)
	}
	// An amendment: both must sign the same text.
	must(perform(t, b, id, ActRequest{Act: "amend", Definition: pairTextOf("2", a, b)}))(t)
	must(perform(t, b, id, ActRequest{Act: "approve"}))(t)
	carryAll(t, id, a, b)
	same()
	if v := must(a.Agreement(ctx, id))(t); v.Version != "1" || len(v.Here.Proposals) != 1 || v.Here.Proposals[0].Approvals != 1 {
		t.Fatalf("%s %+v", v.Version, v.Here.Proposals)
	}
	must(perform(t, a, id, ActRequest{Act: "approve"}))(t)
	carryAll(t, id, a, b)
	same()
	if v := must(b.Agreement(ctx, id))(t); v.Version != "2" {
		t.Fatalf("version %s", v.Version)
	}
	// Both read the same after a restart, from their logs and the copy of the file.
	b.mu.Lock()
	b.rolls = map[string]*roll{}
	b.mu.Unlock()
	same()
	// A withdrawal binds at once where it is signed, and there alone until it is carried.
	must(perform(t, a, id, ActRequest{Act: "withdraw"}))(t)
	if h := here(t, a, id); h.Phase != "ended" {
		t.Fatalf("%+v", h)
	}
	if _, err := perform(t, a, id, ActRequest{Act: "amend", Definition: pairTextOf("3", a, b)}); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("acting after the end: %v", err)
	}
	carryAll(t, id, a, b)
	same()
	if h := here(t, b, id); h.Phase != "ended" || h.Members[0].Membership == h.Members[1].Membership {
		t.Fatalf("%+v", h)
	}
}

func TestAThirdPartyHasNoPlaceInAPair(t *testing.T) {
	a, b, id := pairOfNodes(t)
	c := newTestNode(t)
	f := must(a.RollFileOf(context.Background(), id))(t)
	must(carry(c, f))(t) // who was handed the file can read it
	if _, err := perform(t, c, id, ActRequest{Act: "approve"}); fault.CodeOf(err) != fault.Forbidden {
		t.Fatalf("%v", err)
	}
	if _, err := perform(t, c, id, ActRequest{Act: "join"}); fault.CodeOf(err) != fault.Forbidden {
		t.Fatalf("%v", err)
	}
	must(carry(b, f))(t)
	if a.admits(context.Background(), id, c.Party().ID) || !a.admits(context.Background(), id, b.Party().ID) {
		t.Fatal("who may know of the pair is wrong")
	}
}

func TestAForgedPairFileChangesNothing(t *testing.T) {
	ctx := context.Background()
	a, b, id := pairOfNodes(t)
	f := must(a.RollFileOf(ctx, id))(t)
	must(carry(b, f))(t)
	out := must(perform(t, b, id, ActRequest{Act: "approve"}))(t)
	good := *out.Both
	before := here(t, a, id)
	for name, spoil := range map[string]func(*RollFile){
		"another log's entries": func(f *RollFile) {
			f.Entries[0].Log, f.Entries[len(f.Entries)-1].Log = f.Entries[len(f.Entries)-1].Log, f.Entries[0].Log
		},
		"another hash":   func(f *RollFile) { f.Entries[0].Hash = f.Entries[len(f.Entries)-1].Hash },
		"another proof":  func(f *RollFile) { f.Entries[0].Proof = f.Entries[len(f.Entries)-1].Proof },
		"an entry twice": func(f *RollFile) { f.Entries = append(f.Entries, f.Entries[len(f.Entries)-1]) },
		"no keyrings":    func(f *RollFile) { f.Logs[0].Keyrings = nil },
	} {
		bad := good
		bad.Logs, bad.Entries = append([]RollLog(nil), good.Logs...), append([]RollPlace(nil), good.Entries...)
		spoil(&bad)
		if _, err := carry(a, bad); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if after := here(t, a, id); after.State != before.State || after.Phase != "proposed" {
		t.Fatalf("%+v", after)
	}
	must(carry(a, good))(t)
	if h := here(t, a, id); h.Phase != string(agreement.InForce) {
		t.Fatalf("%+v", h)
	}
}

func TestASecondWordInAPairIsKeptForAPerson(t *testing.T) {
	ctx := context.Background()
	a, b, id := pairOfNodes(t)
	must(carry(b, must(a.RollFileOf(ctx, id))(t)))(t)
	must(perform(t, b, id, ActRequest{Act: "approve"}))(t)
	carryAll(t, id, a, b)
	must(perform(t, a, id, ActRequest{Act: "amend", Definition: pairTextOf("2", a, b)}))(t)
	must(perform(t, a, id, ActRequest{Act: "amend", Definition: pairTextOf("3", a, b)}))(t)
	open := here(t, a, id).Proposals
	must(perform(t, a, id, ActRequest{Act: "approve", Proposal: open[0].Leaf}))(t)
	if _, err := perform(t, a, id, ActRequest{Act: "approve", Proposal: open[1].Leaf}); err == nil || !strings.Contains(err.Error(), "misconduct") {
		t.Fatalf("a second word was signed: %v", err)
	}
	// Another installation of the party, which does not look, signs it all the same.
	a.mu.Lock()
	r := a.rolls[id]
	a.mu.Unlock()
	r.mu.Lock()
	l := must(a.resolveLog(ctx, id))(t)
	rec, _, err := a.composeAct(r, l, ActRequest{Act: "approve", Proposal: open[1].Leaf})
	if err != nil {
		t.Fatal(err)
	}
	k := must(a.keyring(l.ID))(t)
	officer, _ := k.Find(rec.Officer)
	must(a.append(ctx, l.ID, rec, officer, uint64(k.Serial), 0, nil))(t)
	r.mu.Unlock()
	carryAll(t, id, a, b)
	v := must(b.Agreement(ctx, id))(t)
	if len(v.Here.Cases) != 1 || v.Here.Cases[0].Party != a.Party().ID || v.Here.Cases[0].Decision != nil {
		t.Fatalf("%+v", v.Here.Cases)
	}
	c := must(b.readCase(v.Here.Cases[0].ID))(t)
	if _, err := c.Verify(); err != nil {
		t.Fatal(err)
	}
	// The first word stands: the two can still agree on it.
	must(perform(t, b, id, ActRequest{Act: "approve", Proposal: open[0].Leaf}))(t)
	carryAll(t, id, a, b)
	if x, y := must(a.Agreement(ctx, id))(t), must(b.Agreement(ctx, id))(t); x.Version != "2" || x.Here.State != y.Here.State {
		t.Fatalf("version %s; %s and %s", x.Version, x.Here.State, y.Here.State)
	}
}
