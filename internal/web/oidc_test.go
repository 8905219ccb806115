package web

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// idp is an OpenID provider that vouches for whatever its claims say.
type idp struct {
	*httptest.Server
	claims map[string]any // beside iss, aud, iat, exp and nonce, which they may replace
	nonce  string
	proof  string // the PKCE challenge of the last sign-in
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{}
	mux := http.NewServeMux()
	say := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		say(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		say(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code") != "the-code" || r.PostFormValue("code_verifier") == "" || p.proof == "" {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		claims := map[string]any{"iss": p.URL, "aud": "mithaq", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "nonce": p.nonce}
		for name, v := range p.claims {
			claims[name] = v
		}
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		say(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": token})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// come goes to the provider and back, and returns the answer to the way back.
func (p *idp) come(t *testing.T, h http.Handler, change func(url.Values)) *httptest.ResponseRecorder {
	t.Helper()
	w := ask(h, "GET", "/session/oidc", "")
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(to.String(), p.URL+"/auth?") {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	q := to.Query()
	p.nonce, p.proof = q.Get("nonce"), q.Get("code_challenge")
	if q.Get("redirect_uri") != "https://node.example/session/oidc/return" || q.Get("client_id") != "mithaq" || q.Get("code_challenge_method") != "S256" {
		t.Fatalf("asked for %v", q)
	}
	back := url.Values{"code": {"the-code"}, "state": {q.Get("state")}}
	if change != nil {
		change(back)
	}
	return ask(h, "GET", "/session/oidc/return?"+back.Encode(), "", with("Cookie", cookiesOf(w.Result().Cookies())))
}

// openIDStage is a node that knows a provider, with basma who has no password.
func openIDStage(t *testing.T, p *idp, claim string) (*Screens, http.Handler) {
	t.Helper()
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "node")
	made, err := node.Init(ctx, dir, node.InitOptions{Names: map[string]string{"en": "Sahlan"}, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Close(ctx); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "mithaq.toml")
	conf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(conf), "oidc = {}", `oidc = { issuer = "`+p.URL+`", client = "mithaq", claim = "`+claim+`", name = "Ministry" }`, 1)
	text = strings.Replace(text, `public_url = ""`, `public_url = "https://node.example"`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(ctx, dir, node.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := n.PutPerson(ctx, account.PersonRequest{Name: "basma", Roles: []string{account.RoleDiplomat}, NoPassword: true}); err != nil {
		t.Fatal(err)
	}
	s, err := New(n, Options{Files: built()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, s.Over(api.New(n, api.Options{Version: "test"}))
}

func TestSigningInByTheOpenIDProvider(t *testing.T) {
	p := newIDP(t)
	s, h := openIDStage(t, p, "email")
	n := s.node
	p.claims = map[string]any{"sub": "42", "email": "Basma@Ministry.example", "email_verified": true}
	refused := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in?refused=openid" {
			t.Errorf("%s: %d %s %s", what, w.Code, w.Header().Get("Location"), w.Body)
		}
	}
	refused("nobody is bound to the address", p.come(t, h, nil))
	if _, err := n.BindSubject(context.Background(), "basma", "basma@ministry.example"); err != nil {
		t.Fatal(err)
	}
	w := p.come(t, h, nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Location"))
	}
	if w := ask(h, "GET", "/session", "", with("Cookie", cookiesOf(w.Result().Cookies()))); !strings.Contains(w.Body.String(), `"name":"basma"`) || !strings.Contains(w.Body.String(), `"openid":"Ministry"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	refused("another state", p.come(t, h, func(q url.Values) { q.Set("state", "x") }))
	refused("another code", p.come(t, h, func(q url.Values) { q.Set("code", "x") }))
	refused("the provider's refusal", p.come(t, h, func(q url.Values) { q.Set("error", "access_denied") }))
	refused("no attempt", ask(h, "GET", "/session/oidc/return?code=the-code&state=x", ""))
	for name, v := range map[string]any{"nonce": "x", "aud": "another", "exp": time.Now().Add(-time.Hour).Unix(), "iss": "https://elsewhere.example", "email_verified": false} {
		before := p.claims[name]
		p.claims[name] = v
		s.limits = newLimits(time.Now) // nobody tries so often
		refused(name, p.come(t, h, nil))
		if p.claims[name] = before; before == nil {
			delete(p.claims, name)
		}
	}
	if w := ask(h, "POST", "/session", `{"name":"basma","password":""}`); w.Code != 403 {
		t.Fatalf("who has no password signed in by none: %d %s", w.Code, w.Body)
	}
	if err := n.EndPerson(context.Background(), "basma"); err != nil {
		t.Fatal(err)
	}
	refused("whose access has ended", p.come(t, h, nil))
}

func TestOneSubjectIsOnePerson(t *testing.T) {
	s, _ := openIDStage(t, newIDP(t), "sub")
	n := s.node
	ctx := context.Background()
	if _, err := n.PutPerson(ctx, account.PersonRequest{Name: "amal", Roles: []string{account.RoleAnalyst}, Password: password}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.BindSubject(ctx, "basma", "42"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.BindSubject(ctx, "amal", "42"); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("%v", err)
	}
	if _, err := n.BindSubject(ctx, "nobody", "43"); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("%v", err)
	}
}
