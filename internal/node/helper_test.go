package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTestNode makes a node with a public log in a directory of its own.
func newTestNode(t testing.TB) *Node {
	t.Helper()
	n, err := Init(context.Background(), filepath.Join(t.TempDir(), "node"), InitOptions{Names: map[string]string{"en": "Sahlan"}, Public: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, n) })
	return n
}

// shut closes a node; a second time does nothing.
func shut(t testing.TB, n *Node) {
	t.Helper()
	if n.store == nil {
		return
	}
	if err := n.Close(context.Background()); err != nil {
		t.Error(err)
	}
	n.store, n.ledger, n.guard = nil, nil, nil
}

// again opens the node in dir once more.
func again(t testing.TB, dir string, o OpenOptions) *Node {
	t.Helper()
	n, err := Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, n) })
	return n
}

func reportDraft(text string) Draft {
	body, err := json.Marshal(map[string]any{"period": map[string]string{"from": "2026-10-01", "to": "2026-10-31"}, "summary": map[string]string{"en": text}})
	if err != nil {
		panic(err)
	}
	return Draft{Kind: "report", TLP: "CLEAR", Body: body}
}

func mustPublish(t testing.TB, n *Node, d Draft) Receipt {
	t.Helper()
	r, err := n.Publish(context.Background(), "own", d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ceremony proposes a change, signs it with the root key in the node's directory, and applies it.
func ceremony(n *Node, c KeyChange) ([]Receipt, error) {
	ctx := context.Background()
	p, err := n.ProposeKeyrings(ctx, c)
	if err != nil {
		return nil, err
	}
	signed, err := SignKeyrings(ctx, p, RootPath(n.dir), SecretSource{})
	if err != nil {
		return nil, err
	}
	return n.ApplyKeyrings(ctx, signed)
}

func mustChange(t *testing.T, n *Node, c KeyChange) []Receipt {
	t.Helper()
	receipts, err := ceremony(n, c)
	if err != nil {
		t.Fatal(err)
	}
	return receipts
}

// audited audits every log of a node in its directory, records too.
func audited(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	reports, err := AuditDir(context.Background(), dir, SecretSource{}, AuditOptions{Objects: true})
	if err != nil {
		t.Fatal(err)
	}
	total := map[string]int64{}
	for _, r := range reports {
		if !r.OK() {
			t.Fatalf("%s does not hold: %s %+v", r.Origin, r.Broken, r.Findings)
		}
		for standing, count := range r.Records {
			total[standing] += count
		}
	}
	return total
}

// host serves a node's logs over HTTP to everybody.
func host(t testing.TB, n *Node) string {
	t.Helper()
	srv := httptest.NewServer(n.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} }))
	t.Cleanup(srv.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return srv.URL
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("got %v (code %q), want code %q", err, fault.CodeOf(err), code)
	}
}

// otherParty makes the signed keyring of another party and the identity of its seal key.
func otherParty(t *testing.T, i int) (record.Keyring, *keyset) {
	t.Helper()
	n := newNode(t.TempDir(), DefaultConfig(), nil)
	if err := makeKeyFile(filepath.Join(n.dir, defaultKeyFile)); err != nil {
		t.Fatal(err)
	}
	l, err := keyFileLock(filepath.Join(n.dir, defaultKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	draft, root, err := n.makeParty(l, map[string]string{"en": fmt.Sprintf("Party %d", i)})
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := draft.Sign(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	k, err := record.ParseKeyring(envelope)
	if err != nil {
		t.Fatal(errors.Join(err))
	}
	return k, n.keys
}
