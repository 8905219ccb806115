package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/mithaq/mithaq/internal/account"
)

// cookiesOf are the cookies that an answer set, as a browser sends them back.
func cookiesOf(list []*http.Cookie) string {
	var out []string
	for _, c := range list {
		if c.MaxAge >= 0 {
			out = append(out, c.Name+"="+c.Value)
		}
	}
	return strings.Join(out, "; ")
}

// addCodes gives amal codes, and returns the secret.
func addCodes(t *testing.T, h http.Handler, as func(*http.Request)) string {
	t.Helper()
	var offer account.CodesOffer
	w := ask(h, "POST", "/session/codes", "", as)
	if err := json.Unmarshal(w.Body.Bytes(), &offer); err != nil || w.Code != 200 || !strings.HasPrefix(offer.Image, "data:image/png;base64,") || !strings.HasPrefix(offer.URI, "otpauth://totp/Sahlan:amal") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(h, "POST", "/session/codes/confirm", `{"secret":"`+offer.Secret+`","code":"000000"}`, as); w.Code != 403 {
		t.Fatalf("a wrong code: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "POST", "/session/codes/confirm", `{"secret":"GEZDGNBV","code":"000000"}`, as); w.Code != 422 {
		t.Fatalf("a short secret: %d %s", w.Code, w.Body)
	}
	// The code of the period before: the present one is kept for signing in.
	code, err := totp.GenerateCode(offer.Secret, time.Now().Add(-30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	arabic := strings.Map(func(r rune) rune { return '٠' + r - '0' }, code)
	if w := ask(h, "POST", "/session/codes/confirm", `{"secret":"`+offer.Secret+`","code":"`+arabic[:6]+" "+arabic[6:]+`"}`, as); w.Code != 200 || !strings.Contains(w.Body.String(), `"kind":"totp"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return offer.Secret
}

func TestCodesAreAskedForAfterThePassword(t *testing.T) {
	s, h := stage(t, Options{})
	secret := addCodes(t, h, signIn(t, h))
	try := func(code string) (int, string) {
		w := ask(h, "POST", "/session", `{"name":"amal","password":"`+password+`","code":"`+code+`"}`)
		return w.Code, w.Body.String()
	}
	if code, body := try(""); code != 403 || !strings.Contains(body, `"code":"second"`) {
		t.Fatalf("without a code: %d %s", code, body)
	}
	if w := ask(h, "POST", "/session", `{"name":"amal","password":"another one, wrong"}`); w.Code != 403 || strings.Contains(w.Body.String(), "second") {
		t.Fatalf("a wrong password must not tell that codes are wanted: %d %s", w.Code, w.Body)
	}
	now, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if code, body := try(now); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := try(now); code != 403 {
		t.Fatalf("a code was taken twice: %d %s", code, body)
	}
	// Whoever lost the telephone is let in again by the administrator.
	if gone, err := s.node.ResetFactors(context.Background(), "amal"); err != nil || gone.Gone != 1 {
		t.Fatal(gone, err)
	}
	if p, err := s.node.SignIn(context.Background(), "amal", password, ""); err != nil || p.Name != "amal" {
		t.Fatal(p, err)
	}
}

func TestHowOneSignsInIsChangedByOneself(t *testing.T) {
	s, h := stage(t, Options{})
	for _, path := range []string{"GET /session/factors", "POST /session/codes", "POST /session/codes/confirm", "POST /session/passkeys", "POST /session/passkeys/confirm", "DELETE /session/factors/totp/codes"} {
		method, target, _ := strings.Cut(path, " ")
		if w := ask(h, method, target, ""); w.Code != 401 {
			t.Errorf("%s by nobody: %d", path, w.Code)
		}
	}
	as := signIn(t, h)
	addCodes(t, h, as)
	if w := ask(h, "GET", "/session/factors", "", as); w.Code != 200 || strings.Contains(w.Body.String(), "secret") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	// A session that was begun long ago may look, and change nothing.
	old := *s.sessions
	begin := func() func(*http.Request) {
		ctx, err := old.Load(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.node.Person(ctx, "amal")
		if err != nil {
			t.Fatal(err)
		}
		old.Put(ctx, nameKey, p.Name)
		old.Put(ctx, stampKey, p.Stamp)
		old.Put(ctx, begunKey, time.Now().Add(-time.Hour).Unix())
		token, _, err := old.Commit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return with("Cookie", s.sessions.Cookie.Name+"="+token)
	}
	stale := begin()
	if w := ask(h, "GET", "/session/factors", "", stale); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(h, "DELETE", "/session/factors/totp/codes", "", stale); w.Code != 401 || !strings.Contains(w.Body.String(), `"code":"stale"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(h, "DELETE", "/session/factors/totp/codes", "", as); w.Code != 200 || strings.TrimSpace(w.Body.String()) != "[]" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(h, "DELETE", "/session/factors/totp/codes", "", as); w.Code != 404 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func TestPasskeysThatProveNothingAreRefused(t *testing.T) {
	_, h := stage(t, Options{})
	as := signIn(t, h)
	w := ask(h, "POST", "/session/passkeys", "", as)
	var offer struct {
		PublicKey struct {
			Challenge string
			RP        struct{ ID string }
			User      struct{ ID, Name string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &offer); err != nil || w.Code != 200 || offer.PublicKey.RP.ID != "example.com" || offer.PublicKey.User.Name != "amal" || len(offer.PublicKey.Challenge) < 40 {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	kept := cookiesOf(w.Result().Cookies())
	both := func(r *http.Request) { as(r); r.Header.Set("Cookie", r.Header.Get("Cookie")+"; "+kept) }
	for range 2 { // the second time there is nothing left to answer
		if w := ask(h, "POST", "/session/passkeys/confirm", `{"id":"x"}`, both); w.Code != 403 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	w = ask(h, "POST", "/session/passkey", "")
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, cookie := range []string{"", cookiesOf(w.Result().Cookies())} {
		if w := ask(h, "POST", "/session/passkey/confirm", `{"id":"x","type":"public-key"}`, with("Cookie", cookie)); w.Code != 403 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
