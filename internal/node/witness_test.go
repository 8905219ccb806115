package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/store"
)

// witnessHost serves a node as a witness.
func witnessHost(t *testing.T, n *Node) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		line, err := n.AddCheckpoint(r.Context(), body)
		var refusal *federate.WitnessRefusal
		if errors.As(err, &refusal) {
			w.WriteHeader(refusal.Status)
			if refusal.Status == http.StatusConflict {
				_, _ = io.WriteString(w, strconv.FormatInt(refusal.Size, 10)+"\n")
			}
			return
		}
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(line)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAnOutsiderWitnessesWithoutKnowingWhat(t *testing.T) {
	ctx := context.Background()
	neutral := newTestNode(t)
	more := "\n[[party]]\nlabel = \"neutral\"\nkind = \"body\"\nid = \"" + neutral.Party().ID + "\"\nname.en = \"Neutral\"\n\n[witnesses]\nk = 1\nof = [\"neutral\"]\n"
	keeper, other, id := foundedWith(t, more)
	l := follows(t, other, keeper, id)

	card := must(neutral.Card(ctx))(t)
	card.URL = witnessHost(t, neutral)
	for _, n := range []*Node{keeper, other} {
		must(n.AddPeer(ctx, PeerRequest{Card: &card, Party: neutral.Party().ID}))(t)
		url := card.URL
		setPeerURL(t, n, neutral, url)
	}
	d := reportDraft("witnessed")
	d.TLP = "GREEN"
	r := must(keeper.Publish(ctx, id, d))(t)
	if v := must(keeper.Record(ctx, keeper.Owner(), l, r.Index))(t); v.Witnessed == nil || *v.Witnessed {
		t.Fatalf("before anybody was asked: %+v", v.Witnessed)
	}
	// The witness does not know the log: it says so and signs nothing.
	if size := must(keeper.GatherCosignatures(ctx, l))(t); size != 0 {
		t.Fatalf("%d leaves witnessed by nobody", size)
	}
	must(neutral.WitnessLog(ctx, keeper.book(l).vkey()))(t)
	if size := must(keeper.GatherCosignatures(ctx, l))(t); size != r.Size {
		t.Fatalf("%d of %d leaves witnessed", size, r.Size)
	}
	if v := must(keeper.Record(ctx, keeper.Owner(), l, r.Index))(t); v.Witnessed == nil || !*v.Witnessed {
		t.Fatalf("%+v", v.Witnessed)
	}
	// The follower sees it in the checkpoint that is served, and its own later growth too.
	syncOnce(t, other, l)
	if err := other.WaitIndexed(ctx, l, r.Size); err != nil {
		t.Fatal(err)
	}
	if v := must(other.Record(ctx, other.Owner(), l, r.Index))(t); v.Witnessed == nil || !*v.Witnessed {
		t.Fatalf("at the follower: %+v", v.Witnessed)
	}
	r = must(keeper.Publish(ctx, id, d))(t)
	syncOnce(t, other, l)
	if v := must(other.Record(ctx, other.Owner(), l, r.Index))(t); *v.Witnessed {
		t.Fatal("witnessed before the witness was asked")
	}
	must(keeper.GatherCosignatures(ctx, l))(t)
	syncOnce(t, other, l)
	if v := must(other.Record(ctx, other.Owner(), l, r.Index))(t); !*v.Witnessed {
		t.Fatal("the same tree with its cosignature was not taken")
	}
	// Both name the witness, and the follower only for a signature that holds.
	for _, logs := range [][]LogView{must(keeper.Logs(ctx))(t), {must(other.Followed(ctx, l))(t).LogView}} {
		for _, v := range logs {
			if v.ID == l && (len(v.Cosigned) != 1 || v.Cosigned[0].Party != neutral.Party().ID || !strings.HasPrefix(v.Cosigned[0].Key, "k-")) {
				t.Fatalf("%+v", v.Cosigned)
			}
		}
	}
	info := must(other.reader.Log(ctx, l))(t)
	at := bytes.LastIndexByte(bytes.TrimSpace(info.Checkpoint), ' ') + 40 // within the cosignature, behind its key hash and time
	info.Checkpoint = bytes.Clone(info.Checkpoint)
	if info.Checkpoint[at] == 'A' {
		info.Checkpoint[at] = 'B'
	} else {
		info.Checkpoint[at] = 'A'
	}
	if v := other.viewCosigners(ctx, info); len(v) != 1 || v[0].Party != "" {
		t.Fatalf("a forged cosignature is told as the witness's: %+v", v)
	}
	if v := must(neutral.Witness(ctx))(t); len(v.Logs) != 1 || v.Logs[0].Size != r.Size || v.Note == "" {
		t.Fatalf("%+v", v)
	}
	if p := must(keeper.WitnessPolicy(ctx, id))(t); !bytes.Contains([]byte(p), []byte("quorum enough")) {
		t.Fatal(p)
	}
	// The outsider holds a size and a hash, and nothing of what was said.
	if infos := must(neutral.reader.Logs(ctx))(t); len(infos) != 1 {
		t.Fatalf("%+v", infos)
	}
}

// setPeerURL gives a peer the address of a test server, which its card cannot know.
func setPeerURL(t *testing.T, n, peer *Node, url string) {
	t.Helper()
	rows := must(n.store.Peers(context.Background()))(t)
	for _, p := range rows {
		if p.Party == peer.Party().ID {
			p.URL = url
			if err := n.putPeer(context.Background(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// shownLog is what one node tells another of a log.
func shownLog(t *testing.T, n, to *Node, log string) ChangedLog {
	t.Helper()
	for _, l := range must(n.Changes(context.Background(), to.party.ID, ChangesQuery{}))(t).Logs {
		if l.Log == log {
			return l
		}
	}
	t.Fatalf("log %s is not shown", log)
	return ChangedLog{}
}

// TestABusyLogIsWitnessed lets a log grow each time before a witness answers: the tree that it was asked about counts all the same,
// here, at a follower, and in the roll that is shown to others.
func TestABusyLogIsWitnessed(t *testing.T) {
	ctx := context.Background()
	neutral := newTestNode(t)
	more := "\n[[party]]\nlabel = \"neutral\"\nkind = \"body\"\nid = \"" + neutral.Party().ID + "\"\nname.en = \"Neutral\"\n\n[witnesses]\nk = 1\nof = [\"neutral\"]\n"
	keeper, other, id := foundedWith(t, more)
	l := follows(t, other, keeper, id)
	inner := witnessHost(t, neutral)
	d := reportDraft("busy")
	d.TLP = "GREEN"
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := keeper.Publish(ctx, id, d); err != nil {
			t.Error(err)
		}
		resp, err := http.Post(inner+r.URL.Path, "text/plain", r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		w.WriteHeader(resp.StatusCode)
		if _, err := io.Copy(w, resp.Body); err != nil {
			t.Error(err)
		}
	}))
	defer busy.Close()
	card := must(neutral.Card(ctx))(t)
	card.URL = inner
	for _, n := range []*Node{keeper, other} {
		must(n.AddPeer(ctx, PeerRequest{Card: &card, Party: neutral.Party().ID}))(t)
		setPeerURL(t, n, neutral, busy.URL)
	}
	must(neutral.WitnessLog(ctx, keeper.book(l).vkey()))(t)
	if h := here(t, other, id); h.Phase != "proposed" {
		t.Fatalf("%s before anybody co-signed", h.Phase)
	}
	for round := range 3 {
		asked := must(keeper.reader.Log(ctx, l))(t).Size
		size := must(keeper.GatherCosignatures(ctx, l))(t)
		now := must(keeper.reader.Log(ctx, l))(t)
		if size != asked || now.Size <= asked {
			t.Fatalf("round %d: %d leaves witnessed of %d that were shown, and the log has %d", round, size, asked, now.Size)
		}
		syncOnce(t, other, l)
		shown := shownLog(t, keeper, other, l)
		if news, err := other.heardWitnessed(ctx, l, shown.Witnessed); err != nil || !news {
			t.Fatalf("the follower: %v, %v", news, err)
		}
		if got, _, err := other.WitnessedSize(ctx, must(other.reader.Log(ctx, l))(t)); err != nil || got != asked {
			t.Fatalf("at the follower %d of %d leaves are witnessed: %v", got, asked, err)
		}
		if news, err := other.heardWitnessed(ctx, l, shown.Witnessed); err != nil || news {
			t.Fatalf("the same again: %v, %v", news, err)
		}
	}
	for _, n := range []*Node{keeper, other} {
		if h := here(t, n, id); h.Phase != "in-force" || h.Joined != 2 {
			t.Fatalf("%+v", h)
		}
	}
	// Who follows nobody reads it out of the file alone.
	third := newTestNode(t)
	must(third.AddPeer(ctx, PeerRequest{Card: &card, Party: neutral.Party().ID}))(t)
	must(carry(third, must(keeper.RollFileOf(ctx, id))(t)))(t)
	if h := here(t, third, id); h.Phase != "in-force" {
		t.Fatalf("%s by the file", h.Phase)
	}
	// What a host makes up is not believed.
	good := shownLog(t, keeper, other, l)
	for what, bad := range map[string]string{
		"no checkpoint":   "x",
		"of another log":  strings.Replace(good.Witnessed, "mithaq/l-", "mithaq/l-a", 1),
		"of another tree": strings.Replace(good.Checkpoint, strings.Split(good.Checkpoint, "\n")[2], strings.Split(good.Witnessed, "\n")[2], 1),
	} {
		syncOnce(t, other, l)
		if news, err := other.heardWitnessed(ctx, l, bad); news || err == nil {
			t.Errorf("%s: %v, %v", what, news, err)
		}
	}
	syncOnce(t, other, l)
	if news, err := other.heardWitnessed(ctx, l, good.Checkpoint); news || err != nil {
		t.Errorf("co-signed by nobody: %v, %v", news, err)
	}
}

// A party that was met as a witness, and runs the agreement by now, is followed; an outsider that only co-signs is not.
func TestAWitnessThatJoinsIsFollowed(t *testing.T) {
	ctx := context.Background()
	keeper, other, _ := founded(t)
	outsider := newTestNode(t)
	for i, w := range []*Node{other, outsider} {
		k := must(w.Card(ctx))(t)
		url := []string{"http://member.example", "http://outsider.example"}[i]
		if err := keeper.putPeer(ctx, store.Peer{Party: w.Party().ID, URL: url, Keyring: k.Keyring, Cosigns: true, Updated: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	hosts := must(keeper.hosts(ctx))(t)
	if len(hosts) != 1 || hosts["http://member.example"] != other.Party().ID {
		t.Errorf("%v are followed", hosts)
	}
}
