package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/mithaq/mithaq/internal/federate"
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
			if err := n.store.PutPeer(context.Background(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
}
