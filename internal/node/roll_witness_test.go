package node

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/policy"
)

// watched are two founders and three outsiders, of whom two must co-sign. Whoever is switched off refuses.
type watched struct {
	keeper, other *Node
	outsiders     []*Node
	id            string
	refuses       [3]atomic.Bool
}

// witnessSections name outsiders as witnesses.
func witnessSections(k int, outsiders ...*Node) string {
	var b strings.Builder
	var names []string
	for i, w := range outsiders {
		name := "outsider-" + string(rune('a'+i))
		names = append(names, `"`+name+`"`)
		b.WriteString("\n[[party]]\nlabel = \"" + name + "\"\nkind = \"body\"\nid = \"" + w.Party().ID + "\"\nname.en = \"" + name + "\"\n")
	}
	b.WriteString("\n[witnesses]\nk = " + string(rune('0'+k)) + "\nof = [" + strings.Join(names, ", ") + "]\n")
	return b.String()
}

// meetWitnesses makes nodes know where the outsiders co-sign.
func (w *watched) meetWitnesses(t *testing.T, nodes ...*Node) {
	t.Helper()
	ctx := context.Background()
	for i, o := range w.outsiders {
		inner := witnessHost(t, o)
		srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if w.refuses[i].Load() {
				rw.WriteHeader(http.StatusForbidden)
				return
			}
			http.Redirect(rw, r, inner+r.URL.Path, http.StatusTemporaryRedirect)
		}))
		t.Cleanup(srv.Close)
		card := must(o.Card(ctx))(t)
		card.URL = inner
		for _, n := range nodes {
			must(n.AddPeer(ctx, PeerRequest{Card: &card, Party: o.Party().ID}))(t)
			setPeerURL(t, n, o, inner)
		}
	}
}

// sign lets some of the outsiders co-sign what a node has of its own log.
func (w *watched) sign(t *testing.T, n *Node, who ...int) {
	t.Helper()
	ctx := context.Background()
	l := logOf(t, n, w.id)
	for _, i := range who {
		must(w.outsiders[i].WitnessLog(ctx, n.book(l).vkey()))(t)
	}
	must(n.GatherCosignatures(ctx, l))(t)
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	ctx := context.Background()
	w := &watched{keeper: newTestNode(t), other: newTestNode(t), outsiders: []*Node{newTestNode(t), newTestNode(t), newTestNode(t)}}
	w.meetWitnesses(t, w.keeper, w.other)
	def := textWith(witnessSections(2, w.outsiders...), "1", "Report", w.keeper, w.other)
	w.id = agreement.ID([]byte(def))
	must(perform(t, w.keeper, w.id, ActRequest{Act: "propose", Definition: def}))(t)
	must(carry(w.other, must(w.keeper.RollFileOf(ctx, w.id))(t)))(t)
	out := must(perform(t, w.other, w.id, ActRequest{Act: "approve"}))(t)
	must(carry(w.keeper, out.File))(t)
	return w
}

func (w *watched) show(t *testing.T) {
	t.Helper()
	must(carry(w.other, must(w.keeper.RollFileOf(context.Background(), w.id))(t)))(t)
}

func TestAccessionsAndTextsWaitForWitnessesAndWithdrawalsDoNot(t *testing.T) {
	ctx := context.Background()
	w := newWatched(t)
	w.show(t)
	// Founded by both, seen by nobody: nothing is in force yet, at either.
	for _, n := range []*Node{w.keeper, w.other} {
		h := here(t, n, w.id)
		if h.Phase != "proposed" || h.Joined != 0 || h.Witnesses == nil || h.Witnesses.K != 2 || h.Witnesses.Has != 0 || h.Witnesses.Waiting != 2 || !h.Acts[1].Waits {
			t.Fatalf("%+v %+v", h, h.Witnesses)
		}
		if m := must2(n.standingIn(ctx, w.id, w.other.Party().ID))(t); m != policy.NoMember {
			t.Fatalf("a waiting accession makes a %s", m)
		}
	}
	// One witness is not enough; a second one is, and the follower sees the same in the file that it is shown.
	w.sign(t, w.keeper, 0)
	if h := here(t, w.keeper, w.id); h.Phase != "proposed" || h.Witnesses.Has != 1 || !h.Witnesses.Of[0].Signed || h.Witnesses.Of[1].Signed {
		t.Fatalf("%+v", h.Witnesses)
	}
	w.sign(t, w.keeper, 1)
	if h := here(t, w.keeper, w.id); h.Phase != "in-force" || h.Joined != 2 || h.Witnesses.Waiting != 0 || h.Witnesses.Has != 2 {
		t.Fatalf("%+v %+v", h, h.Witnesses)
	}
	if h := here(t, w.other, w.id); h.Phase != "proposed" {
		t.Fatalf("%s at the other before it has seen the cosignatures", h.Phase)
	}
	w.show(t)
	if h := here(t, w.other, w.id); h.Phase != "in-force" || h.Joined != 2 || h.State != here(t, w.keeper, w.id).State {
		t.Fatalf("%+v", h)
	}
	// An amendment that all approved waits, its text beside the one in force; a withdrawal after it acts at once.
	def := textWith(witnessSections(2, w.outsiders...), "2", "Report", w.keeper, w.other)
	must(perform(t, w.keeper, w.id, ActRequest{Act: "amend", Definition: def}))(t)
	must(perform(t, w.keeper, w.id, ActRequest{Act: "approve"}))(t)
	w.show(t)
	out := must(perform(t, w.other, w.id, ActRequest{Act: "approve"}))(t)
	must(carry(w.keeper, out.File))(t)
	w.show(t)
	for _, n := range []*Node{w.keeper, w.other} {
		v := must(n.Agreement(ctx, w.id))(t)
		if v.Version != "1" || v.Here.Witnesses.Text != "2" || v.Here.Joined != 2 || v.Here.Witnesses.Waiting != 3 {
			t.Fatalf("version %s %+v", v.Version, v.Here.Witnesses)
		}
	}
	out = must(perform(t, w.other, w.id, ActRequest{Act: "withdraw"}))(t)
	must(carry(w.keeper, out.File))(t)
	v := must(w.keeper.Agreement(ctx, w.id))(t)
	if v.Here.Joined != 1 || v.Version != "1" || v.Here.Acts[5].Waits || v.Here.Acts[5].Seen == nil || *v.Here.Acts[5].Seen {
		t.Fatalf("version %s, %d joined, %+v", v.Version, v.Here.Joined, v.Here.Acts[5])
	}
	// The text that waited takes effect when enough have seen it: the same two, or others.
	w.sign(t, w.keeper, 1, 2)
	if v := must(w.keeper.Agreement(ctx, w.id))(t); v.Version != "2" || v.Here.Joined != 1 || v.Here.Witnesses.Waiting != 0 {
		t.Fatalf("version %s %+v", v.Version, v.Here.Witnesses)
	}
	// What was witnessed stays so after a restart, from what the node keeps.
	w.keeper.mu.Lock()
	w.keeper.rolls = map[string]*roll{}
	w.keeper.mu.Unlock()
	if v := must(w.keeper.Agreement(ctx, w.id))(t); v.Version != "2" || v.Here.Witnesses.Waiting != 0 {
		t.Fatalf("after a restart: version %s %+v", v.Version, v.Here.Witnesses)
	}
}

// Requests end early all the time. One that does, in the middle of asking what is witnessed, must not make the old answer stay.
func TestACallerThatHangsUpLeavesNoOldAnswer(t *testing.T) {
	w := newWatched(t)
	w.sign(t, w.keeper, 0, 1)
	gone, hangUp := context.WithCancel(context.Background())
	hangUp()
	_, _, _ = w.keeper.standingIn(gone, w.id, w.other.Party().ID)
	if h := here(t, w.keeper, w.id); h.Phase != "in-force" || h.Joined != 2 {
		t.Fatalf("%s, %d joined, %+v", h.Phase, h.Joined, h.Witnesses)
	}
}

func TestWitnessesOfAPairCoSignBothLogs(t *testing.T) {
	ctx := context.Background()
	a, b := newTestNode(t), newTestNode(t)
	w := &watched{keeper: a, other: b, outsiders: []*Node{newTestNode(t)}}
	w.meetWitnesses(t, a, b)
	def := pairTextOf("1", a, b) + witnessSections(1, w.outsiders...)
	w.id = agreement.ID([]byte(def))
	must(perform(t, a, w.id, ActRequest{Act: "propose", Definition: def}))(t)
	must(carry(b, must(a.RollFileOf(ctx, w.id))(t)))(t)
	must(perform(t, b, w.id, ActRequest{Act: "approve"}))(t)
	carryAll(t, w.id, a, b)
	both := func(phase string, has int) {
		t.Helper()
		for _, n := range []*Node{a, b} {
			if h := here(t, n, w.id); h.Phase != phase || h.Witnesses.Has != has {
				t.Fatalf("%s, %+v", h.Phase, h.Witnesses)
			}
		}
	}
	both("proposed", 0)
	w.sign(t, a, 0)
	carryAll(t, w.id, a, b)
	both("proposed", 0) // one of the two logs is not enough
	w.sign(t, b, 0)
	carryAll(t, w.id, a, b)
	both("in-force", 1)
	must(perform(t, b, w.id, ActRequest{Act: "withdraw"}))(t)
	carryAll(t, w.id, a, b)
	if h := here(t, a, w.id); h.Phase != "ended" {
		t.Fatalf("a withdrawal waits: %s", h.Phase)
	}
}

// must2 is must for two values, of which the second matters.
func must2[A, B any](_ A, v B, err error) func(tester) B { return must(v, err) }
