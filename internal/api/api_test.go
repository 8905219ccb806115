package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const reportBody = `{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":"Quiet."}}`

// testNode is a node with a restricted log and one sealed report at place 1.
func testNode(t *testing.T) *node.Node {
	t.Helper()
	n, err := node.Init(context.Background(), filepath.Join(t.TempDir(), "node"), node.InitOptions{Names: map[string]string{"en": "Sahlan"}, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := n.Publish(context.Background(), "own", node.Draft{Kind: "report", Body: []byte(reportBody)}); err != nil {
		t.Fatal(err)
	}
	return n
}

func token(t *testing.T, n *node.Node, scopes ...string) string {
	t.Helper()
	made, err := n.CreateToken(context.Background(), account.TokenRequest{Name: strings.Join(scopes, "+"), Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return made.Secret
}

// ask sends one request to a handler.
func ask(h http.Handler, method, target, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantProblem holds an answer against RFC 9457.
func wantProblem(t *testing.T, what string, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	var p struct {
		Status        int
		Title, Detail string
	}
	err := json.Unmarshal(w.Body.Bytes(), &p)
	if w.Code != status || err != nil || p.Status != status || p.Title == "" || p.Detail == "" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %s %.300s (%v), want the problem %d", what, w.Code, w.Header().Get("Content-Type"), w.Body, err, status)
	}
	if strings.Contains(p.Detail, "\n") {
		t.Errorf("%s: more than one line: %q", what, p.Detail)
	}
}

// route is one operation: the scope it needs and a request that it answers with status.
type route struct {
	method, path, scope, body string
	status                    int
}

func routes(leaf string) []route {
	return []route{
		{"GET", "/api/v1/party", ScopeAudit, "", 200},
		{"GET", "/api/v1/logs", "", "", 200},
		{"GET", "/api/v1/logs/own/records", ScopeRead, "", 200},
		{"POST", "/api/v1/logs/own/records?kind=report", ScopePublish, reportBody, 201},
		{"POST", "/api/v1/logs/own/preview?kind=report", ScopePublish, reportBody, 200},
		{"GET", "/api/v1/logs/own/records/1", ScopeRead, "", 200},
		{"GET", "/api/v1/logs/own/records/1/body", ScopeRead, "", 200},
		{"GET", "/api/v1/logs/own/records/1/object", ScopeAudit, "", 200},
		{"GET", "/api/v1/logs/own/records/1/correlations", ScopeRead, "", 200},
		{"GET", "/api/v1/logs/own/records/1/proof", ScopeAudit, "", 200},
		{"GET", "/api/v1/logs/own/records/1/why?party=p-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ScopeRead, "", 200},
		{"GET", "/api/v1/logs/own/records/1/receipts", ScopeRead, "", 200},
		{"POST", "/api/v1/logs/own/records/1/read", ScopePublish, "", 422},
		{"GET", "/api/v1/audit?since=2026-01-01T00:00:00Z&limit=5", ScopeAdmin, "", 200},
		{"GET", "/api/v1/audit/check", ScopeAdmin, "", 200},
		{"GET", "/api/v1/find/" + leaf, ScopeAudit, "", 200},
		{"GET", "/api/v1/search?q=Quiet", ScopeRead, "", 200},
		{"GET", "/api/v1/arrivals?after=0", ScopeRead, "", 200},
		{"GET", "/api/v1/index", ScopeRead, "", 200},
		{"GET", "/api/v1/objects/indicator--00000000-0000-4000-8000-000000000001", ScopeRead, "", 200},
		{"GET", "/api/v1/export?format=stix", ScopeRead, "", 200},
		{"GET", "/api/v1/stix?q=Quiet", ScopeRead, "", 200},
		{"GET", "/api/v1/feeds", ScopeRead, "", 200},
		{"POST", "/api/v1/feeds/none/run", ScopeAdmin, "", 404},
		{"GET", "/api/v1/backups", ScopeAdmin, "", 200},
		{"POST", "/api/v1/backups", ScopeAdmin, "", 503},
		{"GET", "/api/v1/matters", ScopeRead, "", 200},
		{"GET", "/api/v1/notifiers", ScopeAdmin, "", 200},
		{"POST", "/api/v1/notifiers", ScopeAdmin, `{"name":"chat","kind":"webhook","to":"https://chat.example/x"}`, 201},
		{"POST", "/api/v1/notifiers/none/test", ScopeAdmin, "", 404},
		{"DELETE", "/api/v1/notifiers/none", ScopeAdmin, "", 404},
		{"POST", "/api/v1/feeds/pull", ScopeAdmin, `{"url":"no address"}`, 422},
		{"POST", "/api/v1/reindex", ScopeAdmin, "", 202},
		{"GET", "/api/v1/indicators", ScopeSense, "", 200},
		{"POST", "/api/v1/sightings", ScopeSense, `[]`, 202},
		{"GET", "/api/v1/sightings", ScopeRead, "", 200},
		{"POST", "/api/v1/sensors", ScopeSense, `{"name":"north","events":1,"alerts":0,"context":0,"indicators":0,"waiting":0}`, 204},
		{"GET", "/api/v1/sensors", ScopeRead, "", 200},
		{"GET", "/api/v1/sightings/s-none", ScopeRead, "", 404},
		{"POST", "/api/v1/sightings/s-none/approve", ScopePublish, "", 404},
		{"POST", "/api/v1/sightings/s-none/refuse", ScopePublish, `{}`, 404},
		{"GET", "/api/v1/keys", ScopeRead, "", 200},
		{"GET", "/api/v1/logs/own/keyring", ScopeAudit, "", 200},
		{"POST", "/api/v1/pins", ScopeAdmin, "{}", 422},
		{"POST", "/api/v1/keys/proposals", ScopeAdmin, `{"action":"rotate","role":"officer"}`, 200},
		{"POST", "/api/v1/keys/keyrings", ScopeAdmin, `{"keyrings":[],"public":false}`, 422},
		{"GET", "/api/v1/follows", ScopeRead, "", 200},
		{"POST", "/api/v1/follows", ScopeAdmin, `{"url":"nowhere"}`, 422},
		{"POST", "/api/v1/follows/own/sync", ScopeAdmin, "", 404},
		{"GET", "/api/v1/evidence", ScopeRead, "", 200},
		{"GET", "/api/v1/witness", ScopeAudit, "", 200},
		{"POST", "/api/v1/witness/logs", ScopeAdmin, `{"vkey":"none"}`, 422},
		{"GET", "/api/v1/agreements/paris-call/witnesses", ScopeRead, "", 409},
		{"GET", "/api/v1/evidence/t-none", ScopeRead, "", 404},
		{"POST", "/api/v1/evidence/t-none/publish", ScopeAdmin, "", 404},
		{"GET", "/api/v1/tokens", ScopeAdmin, "", 200},
		{"POST", "/api/v1/tokens", ScopeAdmin, `{"name":"x","scopes":["read"]}`, 201},
		{"DELETE", "/api/v1/tokens/t-none", ScopeAdmin, "", 404},
		{"GET", "/api/v1/peers", ScopeRead, "", 200},
		{"GET", "/api/v1/peers/card", ScopeRead, "", 200},
		{"POST", "/api/v1/peers/look", ScopeAdmin, "{}", 422},
		{"POST", "/api/v1/peers", ScopeAdmin, "{}", 422},
		{"DELETE", "/api/v1/peers/p-none", ScopeAdmin, "", 404},
		{"POST", "/api/v1/logs/own/files/preview?name=a.txt&tlp=GREEN", ScopePublish, "evil.example\n", 200},
		{"POST", "/api/v1/logs/own/files?name=a.txt&tlp=GREEN", ScopePublish, "evil.example\n", 201},
		{"GET", "/api/v1/collections", ScopeRead, "", 200},
		{"GET", "/api/v1/people", ScopeAdmin, "", 200},
		{"POST", "/api/v1/people", ScopeAdmin, `{"name":"amal","roles":["analyst"],"password":"a dozen words"}`, 201},
		{"DELETE", "/api/v1/people/nobody", ScopeAdmin, "", 404},
		{"POST", "/api/v1/people/nobody/subject", ScopeAdmin, `{"subject":"amal@ministry.example"}`, 404},
		{"DELETE", "/api/v1/people/nobody/factors", ScopeAdmin, "", 404},
		{"POST", "/api/v1/bundles/out", ScopeAdmin, "{\"path\":\"x\"}", 403},
		{"POST", "/api/v1/bundles/in", ScopeAdmin, "{\"path\":\"x\"}", 403},
		{"GET", "/api/v1/rolls", ScopeAdmin, "", 200},
		{"POST", "/api/v1/rolls/none", ScopeAdmin, "", 404},
		{"GET", "/api/v1/agreements", ScopeRead, "", 200},
		{"GET", "/api/v1/agreements/paris-call", ScopeRead, "", 200},
		{"GET", "/api/v1/agreements/paris-call/status", ScopeRead, "", 409},
		{"GET", "/api/v1/agreements/paris-call/difference", ScopeRead, "", 409},
		{"GET", "/api/v1/agreements/paris-call/roll", ScopeRead, "", 409},
		{"GET", "/api/v1/agreements/paris-call/pending", ScopeRead, "", 409},
		{"GET", "/api/v1/agreements/paris-call/cases", ScopeRead, "", 409},
		{"GET", "/api/v1/agreements/paris-call/cases/c-none", ScopeRead, "", 409},
		{"POST", "/api/v1/agreements/paris-call/cases/c-none/decision", ScopeAdmin, `{"publish":true,"why":"It is so."}`, 409},
		{"GET", "/api/v1/map", ScopeRead, "", 404},
		{"GET", "/api/v1/parties", ScopeRead, "", 200},
		{"GET", "/api/v1/parties/us", ScopeRead, "", 200},
		{"POST", "/api/v1/logs/own/records/1/change", ScopePublish, `{"action":"mood"}`, 422},
		{"POST", "/api/v1/agreements/paris-call/acts", ScopePublish, `{"act":"join"}`, 409},
		{"POST", "/api/v1/agreements/paris-call/drafts", ScopePublish, `{"act":"join"}`, 409},
		{"POST", "/api/v1/drafts/sign", ScopePublish, `{}`, 422},
		{"POST", "/api/v1/drafts/submit", ScopePublish, `{}`, 422},
		{"GET", "/api/v1/drafts", ScopePublish, "", 200},
		{"POST", "/api/v1/drafts", ScopePublish, `{"agreement":"none","act":{"act":"review"}}`, 404},
		{"GET", "/api/v1/drafts/d-none", ScopePublish, "", 404},
		{"PUT", "/api/v1/drafts/d-none", ScopePublish, `{"act":{"act":"review"}}`, 404},
		{"DELETE", "/api/v1/drafts/d-none", ScopePublish, "", 404},
		{"POST", "/api/v1/drafts/d-none/fix", ScopePublish, `{}`, 404},
		{"POST", "/api/v1/drafts/d-none/reopen", ScopePublish, `{}`, 404},
		{"POST", "/api/v1/drafts/d-none/sign", ScopePublish, `{}`, 404},
		{"POST", "/api/v1/drafts/d-none/submit", ScopePublish, `{}`, 404},
		{"POST", "/api/v1/drafts/d-none/take", ScopePublish, `{}`, 404},
		{"POST", "/api/v1/agreements", ScopeAdmin, "nothing", 422},
		{"POST", "/api/v1/logs/own/records/1/erase", ScopeAdmin, `{"reason":"error"}`, 200},
	}
}

// implied are the scopes that let a caller do what scope is for.
func implied(scope string) []string {
	if scope == ScopeAudit {
		return []string{ScopeAudit, ScopeRead}
	}
	return []string{scope}
}

func TestEveryRouteAsksForItsScope(t *testing.T) {
	n := testNode(t)
	h := New(n, Options{Version: "test"})
	owner := New(n, Options{Version: "test", Owner: true})
	all := []string{ScopeAudit, ScopeRead, ScopePublish, ScopeMetrics, ScopeSense, ScopeAdmin}
	tokens := map[string]string{}
	for _, s := range all {
		tokens[s] = token(t, n, s)
	}
	var rec node.RecordView
	if err := json.Unmarshal(ask(owner, "GET", "/api/v1/logs/own/records/1", "", "").Body.Bytes(), &rec); err != nil {
		t.Fatal(err)
	}
	for _, r := range routes(rec.Leaf) {
		name := r.method + " " + r.path
		if r.scope != "" {
			w := ask(h, r.method, r.path, "", r.body)
			wantProblem(t, name+" without a token", w, 401)
			if w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: 401 without WWW-Authenticate", name)
			}
			wantProblem(t, name+" with an unknown token", ask(h, r.method, r.path, "mithaq_"+strings.Repeat("a", 52), r.body), 401)
			for _, s := range all {
				if !slices.Contains(implied(r.scope), s) {
					wantProblem(t, name+" with the scope "+s, ask(h, r.method, r.path, tokens[s], r.body), 403)
				}
			}
		}
		if w := ask(h, r.method, r.path, tokens[r.scope], r.body); w.Code != r.status {
			t.Errorf("%s with the right scope: %d %s, want %d", name, w.Code, w.Body, r.status)
		} else if r.status >= 400 {
			wantProblem(t, name, w, r.status)
		}
	}
	if w := ask(owner, "GET", "/api/v1/tokens", "", ""); w.Code != 200 || strings.Contains(w.Body.String(), "mithaq_") {
		t.Errorf("the owner, and no secrets: %d %s", w.Code, w.Body)
	}
}

// What an auditor's token fetches is sealed: nothing that it can reach opens a record.
func TestAnAuditorReadsNothing(t *testing.T) {
	n := testNode(t)
	h := New(n, Options{Version: "test"})
	auditor := token(t, n, ScopeAudit)
	for _, path := range []string{"", "/1", "/1/body"} {
		wantProblem(t, path, ask(h, "GET", "/api/v1/logs/own/records"+path, auditor, ""), 403)
	}
	if w := ask(h, "GET", "/api/v1/logs/own/records/1/object", auditor, ""); w.Code != 200 || !strings.Contains(w.Body.String(), "age-encryption.org") || strings.Contains(w.Body.String(), "Quiet") {
		t.Errorf("%d %.80q", w.Code, w.Body)
	}
}

// A restricted log is to a stranger as one that does not exist.
func TestStrangersLearnNothing(t *testing.T) {
	n := testNode(t)
	h := New(n, Options{Version: "test"})
	logs, err := n.Logs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := n.Record(context.Background(), n.Owner(), "own", 1)
	if err != nil {
		t.Fatal(err)
	}
	none := "l-" + strings.Repeat("a", 26)
	for _, c := range [][2]string{
		{"/log/" + logs[0].ID + "/checkpoint", "/log/" + none + "/checkpoint"},
		{"/log/" + logs[0].ID + "/keyrings", "/log/" + none + "/keyrings"},
		{"/log/" + logs[0].ID + "/tile/0/000.p/2", "/log/" + none + "/tile/0/000.p/2"},
		{"/log/" + logs[0].ID + "/tile/entries/000.p/2", "/log/" + none + "/tile/entries/000.p/2"},
		{"/object/" + rec.Object, "/object/" + strings.Repeat("0", 64)},
	} {
		is, isnt := ask(h, "GET", c[0], "", ""), ask(h, "GET", c[1], "", "")
		if is.Code != 404 || is.Code != isnt.Code || is.Body.String() != isnt.Body.String() || len(is.Header()) != len(isnt.Header()) {
			t.Errorf("%s: %d %q, and what does not exist: %d %q", c[0], is.Code, is.Body, isnt.Code, isnt.Body)
		}
		if w := ask(h, "GET", c[0], token(t, n, ScopeAudit), ""); w.Code != 200 {
			t.Errorf("%s with a token: %d", c[0], w.Code)
		}
		if w := ask(h, "GET", c[0], token(t, n, ScopePublish), ""); w.Code != 404 {
			t.Errorf("%s with a token for something else: %d", c[0], w.Code)
		}
	}
	if w := ask(h, "GET", "/api/v1/logs", "", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("the list shows %s", w.Body)
	}
	for _, path := range []string{"/log/..%2f..%2fetc/passwd", "/log/" + logs[0].ID + "%2fcheckpoint", "/object/../log", "/log/" + logs[0].ID + "/../keyrings", "/log//keyrings", "/keys.age", "/mithaq.toml"} {
		if w := ask(h, "GET", path, token(t, n, ScopeAudit), ""); w.Code == 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestTokensEnd(t *testing.T) {
	n := testNode(t)
	h := New(n, Options{Version: "test"})
	ctx := context.Background()
	var short account.NewToken
	var soon time.Time
	var err error
	// A token that has expired before it is made is refused: on a slow machine soon is later.
	for ahead := 50 * time.Millisecond; ; ahead *= 2 {
		soon = time.Now().Add(ahead)
		if short, err = n.CreateToken(ctx, account.TokenRequest{Name: "short", Scopes: []string{ScopeRead}, Expires: &soon}); err == nil {
			break
		}
		if fault.CodeOf(err) != fault.Invalid || ahead > patience {
			t.Fatal(err)
		}
	}
	revoked, err := n.CreateToken(ctx, account.TokenRequest{Name: "revoked", Scopes: []string{ScopeRead}})
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(h, "GET", "/api/v1/keys", revoked.Secret, ""); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
	if err := n.RevokeToken(ctx, revoked.ID); err != nil {
		t.Fatal(err)
	}
	if err := n.RevokeToken(ctx, revoked.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("revoked twice: %v", err)
	}
	for time.Now().Before(soon) {
		time.Sleep(time.Until(soon))
	}
	for _, secret := range []string{short.Secret, revoked.Secret, short.Secret + "x", strings.ToUpper(revoked.Secret), "mithaq_", strings.Repeat("x", 1000)} {
		wantProblem(t, secret, ask(h, "GET", "/api/v1/keys", secret, ""), 401)
	}
	past := time.Now().Add(-time.Hour)
	for _, r := range []account.TokenRequest{{Name: "x", Scopes: []string{"root"}}, {Name: "", Scopes: []string{ScopeRead}}, {Name: "x"}, {Name: "x", Scopes: []string{ScopeRead}, Expires: &past}} {
		if _, err := n.CreateToken(ctx, r); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	n := testNode(t)
	h := New(n, Options{Version: "test", Owner: true})
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/api/v1/nothing", "", 404},
		{"GET", "/api/v2/logs", "", 404},
		{"PUT", "/api/v1/logs", "{}", 405},
		{"DELETE", "/api/v1/keys/proposals", "", 405},
		{"GET", "/api/v1/logs?colour=red", "", 422},
		{"GET", "/api/v1/logs/own/records?limit=0", "", 422},
		{"GET", "/api/v1/logs/own/records?limit=1001", "", 422},
		{"GET", "/api/v1/logs/own/records?from=-1", "", 422},
		{"GET", "/api/v1/logs/own/records/-1", "", 422},
		{"GET", "/api/v1/logs/own/records/99999999999999999999", "", 422},
		{"GET", "/api/v1/logs/own/records/2", "", 404},
		{"GET", "/api/v1/logs/l-none/records", "", 404},
		{"GET", "/api/v1/find/xyz", "", 422},
		{"GET", "/api/v1/find/" + strings.Repeat("0", 64), "", 404},
		{"POST", "/api/v1/logs/own/records", reportBody, 422},
		{"POST", "/api/v1/logs/own/records?kind=weather", reportBody, 422},
		{"POST", "/api/v1/logs/own/records?kind=keyring", "{}", 403},
		{"POST", "/api/v1/logs/own/records?kind=report&tlp=PURPLE", reportBody, 422},
		{"POST", "/api/v1/logs/own/records?kind=report&expires=never", reportBody, 422},
		{"POST", "/api/v1/logs/own/records?kind=report", reportBody + "{}", 422},
		{"POST", "/api/v1/logs/own/records?kind=report", "", 400},
		{"POST", "/api/v1/logs/own/records?kind=report", `{"period":{"from":"` + strings.Repeat("x", maxUpload) + `"}}`, 413},
		{"POST", "/api/v1/logs/own/records/1/erase", `{"reason":"mood"}`, 422},
		{"POST", "/api/v1/logs/own/records/1/erase", `{"reason":"error","colour":"red"}`, 422},
		{"POST", "/api/v1/tokens", `{"name":"x","scopes":[]}`, 422},
		{"POST", "/api/v1/tokens", `not JSON`, 400},
		{"POST", "/api/v1/tokens", `{"name":"` + strings.Repeat("x", 2<<20) + `","scopes":["read"]}`, 413},
		{"POST", "/api/v1/keys/proposals", `{"action":"burn"}`, 422},
	} {
		wantProblem(t, c.method+" "+c.path, ask(h, c.method, c.path, "", c.body), c.status)
	}
	if logs, err := n.Logs(context.Background()); err != nil || logs[0].Size != 2 {
		t.Errorf("something was published: %+v, %v", logs, err)
	}
}

// Whoever has an administrator's token cannot make the node run a program.
func TestCommandsAreNamedOnTheNodesOwnMachine(t *testing.T) {
	n := testNode(t)
	mark := filepath.Join(t.TempDir(), "ran")
	body := `{"action":"rotate","role":"officer","command":["touch","` + mark + `"],"public_key":"` + strings.Repeat("A", 43) + `="}`
	wantProblem(t, "a command", ask(New(n, Options{}), "POST", "/api/v1/keys/proposals", token(t, n, ScopeAdmin), body), 403)
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it ran: %v", err)
	}
}

func TestAPanicIsOneRequestsOwn(t *testing.T) {
	n := testNode(t)
	s := &server{node: n, logger: discard()}
	w := ask(s.outer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })), "GET", "/", "", "")
	wantProblem(t, "a panic", w, 500)
	if strings.Contains(w.Body.String(), "boom") {
		t.Errorf("it tells: %s", w.Body)
	}
	srv := httptest.NewServer(s.outer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("half ", 10000))
		panic("boom")
	})))
	defer srv.Close()
	resp, err := srv.Client().Get(srv.URL)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks like a whole one")
	}
	srv.Client().CloseIdleConnections()
}
