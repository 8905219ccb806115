package api

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate/httpsig"
	"github.com/mithaq/mithaq/internal/node"
)

// anonymous asks a served handler as a stranger.
func statusOf(t *testing.T, client *http.Client, url string) (int, http.Header, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var body [512]byte
	n, _ := resp.Body.Read(body[:])
	return resp.StatusCode, resp.Header, string(body[:n])
}

type strangersKey struct{ private ed25519.PrivateKey }

func (strangersKey) KeyID() string { return "k-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
func (k strangersKey) Sign(_ context.Context, msg []byte) ([]byte, error) {
	return ed25519.Sign(k.private, msg), nil
}

// TestOnlyMembersFetchARestrictedLog asks for a restricted log as a member, as a party that is known and no member, as
// somebody with a signature of nobody's, and without one. All but the member get what they would get for a log that is not.
func TestOnlyMembersFetchARestrictedLog(t *testing.T) {
	two := pairOfNodes(t)
	srv := httptest.NewServer(New(two.keeper, Options{Version: "test"}))
	defer srv.Close()
	clients := map[string]*http.Client{"a stranger": {}, "a member": two.member.SignedClient(), "a peer that is no member": two.outsider.SignedClient()}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := httpsig.NewSigner(strangersKey{private}, rand.Reader, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	clients["an unknown key"] = &http.Client{Transport: &httpsig.Transport{Signer: signer, Base: http.DefaultTransport}}

	there, missing := srv.URL+"/log/"+two.log+"/checkpoint", srv.URL+"/log/l-aaaaaaaaaaaaaaaaaaaaaaaaaa/checkpoint"
	object := srv.URL + "/object/" + two.object
	for who, client := range clients {
		for _, url := range []string{there, srv.URL + "/log/" + two.log + "/keyrings", srv.URL + "/log/" + two.log + "/tile/entries/000.p/1", object} {
			status, header, body := statusOf(t, client, url)
			if who == "a member" {
				if status != http.StatusOK {
					t.Errorf("%s asks for %s: %d", who, url, status)
				}
				continue
			}
			wantStatus, wantHeader, wantBody := statusOf(t, client, missing)
			header.Del("Date")
			wantHeader.Del("Date")
			if status != wantStatus || status != http.StatusNotFound {
				t.Errorf("%s asks for %s: %d, for a log that is not there: %d", who, url, status, wantStatus)
			}
			if url == there && (body != wantBody || len(header) != len(wantHeader)) {
				t.Errorf("%s can tell a log that is there from one that is not: %q %v, %q %v", who, body, header, wantBody, wantHeader)
			}
		}
		var changes node.Changes
		_, _, body := statusOf(t, client, srv.URL+"/changes")
		if err := json.Unmarshal([]byte(body), &changes); err != nil && who != "a member" {
			t.Errorf("%s asks for changes: %q", who, body)
		}
		if who != "a member" && len(changes.Logs) > 0 {
			t.Errorf("%s is told of %v", who, changes.Logs)
		}
	}
	if status, _, body := statusOf(t, clients["a member"], srv.URL+"/changes"); status != http.StatusOK || len(body) < 100 {
		t.Errorf("a member is not told of the log: %d %s", status, body)
	}
}

// TestChangesWait holds a request until a record is published.
func TestChangesWait(t *testing.T) {
	two := pairOfNodes(t)
	srv := httptest.NewServer(New(two.keeper, Options{Version: "test"}))
	defer srv.Close()
	client := two.member.SignedClient()
	ask := func(after string) node.Changes {
		resp, err := client.Get(srv.URL + "/changes?wait=30&after=" + after)
		if err != nil {
			t.Error(err)
			return node.Changes{}
		}
		defer func() { _ = resp.Body.Close() }()
		var c node.Changes
		if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
			t.Error(err)
		}
		return c
	}
	first := ask("")
	if len(first.Logs) != 1 || first.Logs[0].Log != two.log || first.Logs[0].Party != two.keeper.Party().ID {
		t.Fatalf("at first: %+v", first)
	}
	got := make(chan node.Changes)
	go func() { got <- ask(first.Cursor) }()
	if _, err := two.keeper.Publish(context.Background(), two.log, node.Draft{Kind: "report", Body: []byte(reportBody)}); err != nil {
		t.Fatal(err)
	}
	if c := <-got; len(c.Logs) != 1 || c.Logs[0].Size != first.Logs[0].Size+1 {
		t.Errorf("after a record: %+v, before: %+v", c, first)
	}
}

func TestCard(t *testing.T) {
	n := testNode(t)
	srv := httptest.NewServer(New(n, Options{Version: "test"}))
	defer srv.Close()
	other := testNode(t)
	seen, err := other.LookAtPeer(context.Background(), node.PeerRequest{URL: srv.URL})
	if err != nil || seen.ID != n.Party().ID || seen.Fingerprint != n.Party().Fingerprint || seen.URL != srv.URL {
		t.Fatalf("%+v, %v", seen, err)
	}
	if _, err := other.AddPeer(context.Background(), node.PeerRequest{URL: srv.URL, Party: other.Party().ID}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("another party than the one compared: %v", err)
	}
	if _, err := other.AddPeer(context.Background(), node.PeerRequest{URL: srv.URL, Party: n.Party().ID}); err != nil {
		t.Fatal(err)
	}
	peers, err := other.Peers(context.Background())
	if err != nil || len(peers) != 1 || !peers[0].Pinned {
		t.Errorf("peers: %+v, %v", peers, err)
	}
	if _, err := other.RemovePeer(context.Background(), n.Party().ID[:8]); err != nil {
		t.Error(err)
	}
}

// trio is an agreement between keeper and member, kept by the first; the outsider is a peer of the keeper and no member.
type trio struct {
	keeper, member, outsider *node.Node
	agreement, log, object   string
}

func pairOfNodes(t *testing.T) trio {
	t.Helper()
	ctx := context.Background()
	make := func(name string) *node.Node {
		n, err := node.Init(ctx, filepath.Join(t.TempDir(), name), node.InitOptions{Names: map[string]string{"en": name}, Listen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(ctx); err != nil {
				t.Error(err)
			}
		})
		return n
	}
	two := trio{keeper: make("keeper"), member: make("member"), outsider: make("outsider")}
	text := `format = "mithaq-agreement/1"
[agreement]
label = "two"
type = "memorandum"
force = "political"
version = "1"
mode = "depositary"
name.en = "Two"
date = "2026-02-01"
purpose.en = "To test."
depositary = "keeper"
founders = ["keeper"]
[terms]
accession = "open"
[[party]]
label = "keeper"
kind = "cert"
id = "` + two.keeper.Party().ID + `"
name.en = "Keeper"
[[commitment]]
label = "1"
name.en = "Share"
text.en = "Share."
kinds = ["report"]
`
	two.agreement = agreement.ID([]byte(text))
	open := func(n *node.Node) string {
		p, err := n.ProposeKeyrings(ctx, node.KeyChange{Action: "open", Agreement: two.agreement})
		if err != nil {
			t.Fatal(err)
		}
		signed, err := node.SignKeyrings(ctx, p, node.RootPath(n.Dir()), node.SecretSource{})
		if err != nil {
			t.Fatal(err)
		}
		receipts, err := n.ApplyKeyrings(ctx, signed)
		if err != nil {
			t.Fatal(err)
		}
		return receipts[0].Log
	}
	two.log = open(two.keeper)
	if _, err := two.keeper.Act(ctx, two.agreement, node.ActRequest{Act: "propose", Definition: text}); err != nil {
		t.Fatal(err)
	}
	roll, err := two.keeper.RollFileOf(ctx, two.agreement)
	if err != nil {
		t.Fatal(err)
	}
	carry := func(n *node.Node, v any) {
		t.Helper()
		data, err := json.Marshal(v)
		if err == nil {
			_, err = n.Import(ctx, "file", data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	carry(two.member, roll)
	open(two.member)
	joined, err := two.member.Act(ctx, two.agreement, node.ActRequest{Act: "join"})
	if err != nil {
		t.Fatal(err)
	}
	carry(two.keeper, joined.File)
	r, err := two.keeper.Publish(ctx, two.log, node.Draft{Kind: "report", Body: []byte(reportBody)})
	if err != nil {
		t.Fatal(err)
	}
	two.object = r.Object
	card, err := two.outsider.Card(ctx)
	if err == nil {
		_, err = two.keeper.AddPeer(ctx, node.PeerRequest{Card: &card, Party: two.outsider.Party().ID})
	}
	if err != nil {
		t.Fatal(err)
	}
	return two
}
