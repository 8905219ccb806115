package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/policy"
)

// testGate decides by the shipped rules. The bearer of testToken is the author of all logs, anybody else a stranger. Objects
// are clear ones unless marking says otherwise.
type testGate struct {
	book    *policy.Book
	marking func(Hash) policy.TLP
	fault   error
}

func newTestGate(t testing.TB) *testGate {
	t.Helper()
	book, err := policy.NewBook(policy.NoRules("own"))
	if err != nil {
		t.Fatal(err)
	}
	return &testGate{book: book, marking: func(Hash) policy.TLP { return policy.TLPClear }}
}

func (g *testGate) ask(r *http.Request, exit policy.Exit, it policy.Item) (policy.Item, policy.Grant, error) {
	who := policy.Principal{}
	if r.Header.Get("Authorization") == "Bearer "+testToken {
		who.Party = it.Author
	}
	return it, g.book.Decide(policy.Request{Principal: who, Exit: exit, Item: it, Now: time.Unix(1, 0)}).Grant, g.fault
}

func (g *testGate) Log(r *http.Request, l LogInfo) (policy.Item, policy.Grant, error) {
	it := policy.Item{ID: l.ID, Agreement: "own", Author: "p-author", Kind: policy.KindLog, Marking: policy.Marking{TLP: policy.TLPGreen}}
	if l.Public {
		it.Marking.TLP = policy.TLPClear
	}
	return g.ask(r, policy.ToLog(), it)
}

func (g *testGate) Object(r *http.Request, o Object) (policy.Item, policy.Grant, error) {
	it := policy.Item{ID: string(o.Hash[:]), Agreement: "own", Author: "p-author", Kind: "report", Marking: policy.Marking{TLP: g.marking(o.Hash)}, Sealed: true}
	return g.ask(r, policy.ToObject(), it)
}

// ask sends one GET to a handler.
func ask(h http.Handler, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// What leaves is what the decision allows: nothing of a log that one may not have, of an object in a log that one may have that
// it is withheld, and the author has all of it.
func TestEveryAnswerWasDecided(t *testing.T) {
	f := openFixture(t, t.TempDir())
	hashes := map[string]string{}
	for _, id := range []string{"l-open", "l-shut"} {
		mustCreate(t, f.Ledger, id, id == "l-open")
		for i, what := range []string{"clear", "amber"} {
			object := objectNo(id, i)
			if _, err := f.Append(context.Background(), id, Entry{Object: object}); err != nil {
				t.Fatal(err)
			}
			h := sha256.Sum256(object)
			hashes[id+what] = hex.EncodeToString(h[:])
		}
	}
	gate := newTestGate(t)
	gate.marking = func(h Hash) policy.TLP {
		if d := hex.EncodeToString(h[:]); d == hashes["l-openamber"] || d == hashes["l-shutamber"] {
			return policy.TLPAmber
		}
		return policy.TLPClear
	}
	h := NewHandler(f.Ledger, gate, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		path             string
		stranger, author int
	}{
		{"/log/l-open/checkpoint", 200, 200}, {"/log/l-open/tile/0/000.p/2", 200, 200}, {"/log/l-open/tile/entries/000.p/2", 200, 200},
		{"/log/l-shut/checkpoint", 404, 200}, {"/log/l-shut/tile/0/000.p/2", 404, 200}, {"/log/l-shut/tile/entries/000.p/2", 404, 200},
		{"/log/l-none/checkpoint", 404, 404},
		{"/object/" + hashes["l-openclear"], 200, 200}, {"/object/" + hashes["l-openamber"], 403, 200},
		{"/object/" + hashes["l-shutclear"], 404, 200}, {"/object/" + hashes["l-shutamber"], 404, 200},
		{"/object/" + strings.Repeat("0", 64), 404, 404},
	} {
		for token, want := range map[string]int{"": c.stranger, testToken: c.author} {
			w := ask(h, c.path, token)
			if w.Code != want {
				t.Errorf("%s with token %q: %d, want %d", c.path, token, w.Code, want)
			}
			if w.Code != 200 && (w.Header().Get("ETag") != "" || w.Header().Get("Cache-Control") != "no-store" || w.Body.Len() > 200) {
				t.Errorf("%s: a refusal tells more than that: %v %s", c.path, w.Header(), w.Body)
			}
		}
	}
	if a, b := ask(h, "/log/l-shut/checkpoint", ""), ask(h, "/log/l-none/checkpoint", ""); a.Body.String() != b.Body.String() {
		t.Errorf("a log that one may not have answers %q, one that is not there %q", a.Body, b.Body)
	}

	// A source tells what is withheld from what is missing.
	s := httptest.NewServer(h)
	defer s.Close()
	src, err := HTTPSource(s.URL+"/log/l-open", "")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(hashes["l-openamber"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Object(context.Background(), Hash(raw)); !errors.Is(err, ErrWithheld) || !errors.Is(err, ErrNotFound) {
		t.Errorf("a withheld object: %v", err)
	}
	if _, err := src.Object(context.Background(), Hash{}); errors.Is(err, ErrWithheld) || !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing object: %v", err)
	}

	gate.fault = ErrUnsettled
	if w := ask(h, "/object/"+hashes["l-openclear"], ""); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("undecided: %d", w.Code)
	}
	gate.fault = errors.New("the index is broken")
	if w := ask(h, "/log/l-open/checkpoint", ""); w.Code != http.StatusInternalServerError {
		t.Errorf("no decision could be had: %d", w.Code)
	}
}

// Without the grant for it, bytes stay where they are: the compiler knows no other way out, and a grant for something else is
// none.
func TestOutgoingOpensWithItsOwnGrantOnly(t *testing.T) {
	gate := newTestGate(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	item, grant, err := gate.Log(r, LogInfo{ID: "l-a", Public: true})
	if err != nil {
		t.Fatal(err)
	}
	other := item
	other.ID = "l-b"
	for what, o := range map[string]outgoing{
		"no grant":         {policy.Guard(item, content{bytes: []byte("x")}), policy.ToLog(), policy.Grant{}},
		"of another log":   {policy.Guard(other, content{bytes: []byte("x")}), policy.ToLog(), grant},
		"for another exit": {policy.Guard(item, content{bytes: []byte("x")}), policy.ToObject(), grant},
	} {
		if b, err := o.open(); err == nil || b.bytes != nil {
			t.Errorf("%s: %q", what, b.bytes)
		}
	}
	if b, err := (outgoing{policy.Guard(item, content{bytes: []byte("x")}), policy.ToLog(), grant}).open(); err != nil || string(b.bytes) != "x" {
		t.Errorf("%q %v", b.bytes, err)
	}
}
