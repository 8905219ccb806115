package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func built() fs.FS {
	return fstest.MapFS{
		"index.html":         {Data: []byte(`<!doctype html><html lang="en" dir="ltr"><script type="module" src="/assets/a-1.js"></script>`)},
		"assets/a-1.js.gz":   {Data: gzipped(strings.Repeat("export const long = 1;\n", 500))},
		"assets/p-400.woff2": {Data: []byte(strings.Repeat("font", 1000))},
		"favicon.svg":        {Data: []byte("<svg/>")},
	}
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

func TestFilesThatDoNotUnpackAreRefused(t *testing.T) {
	broken := built().(fstest.MapFS)
	whole := broken["assets/a-1.js.gz"].Data
	for _, data := range [][]byte{nil, []byte("plain"), whole[:len(whole)-6]} {
		broken["assets/a-1.js.gz"] = &fstest.MapFile{Data: data}
		if _, err := readFiles(broken); err == nil || !strings.Contains(err.Error(), "a-1.js.gz") {
			t.Errorf("%d bytes: %v", len(data), err)
		}
	}
}

const password = "a dozen words"

// stage is a node with its screens, and amal who may sign in.
func stage(t *testing.T, o Options) (*Screens, http.Handler) {
	t.Helper()
	ctx := context.Background()
	n, err := node.Init(ctx, filepath.Join(t.TempDir(), "node"), node.InitOptions{Names: map[string]string{"en": "Sahlan"}, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := n.PutPerson(ctx, account.PersonRequest{Name: "amal", Roles: []string{account.RoleAnalyst}, Password: password}); err != nil {
		t.Fatal(err)
	}
	o.Files, o.Logger = built(), slog.New(slog.DiscardHandler)
	s, err := New(n, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, s.Over(api.New(n, api.Options{Version: "test"}))
}

func ask(h http.Handler, method, target, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func signIn(t *testing.T, h http.Handler) func(*http.Request) {
	t.Helper()
	w := ask(h, "POST", "/session", `{"name":"amal","password":"`+password+`"}`)
	cookies := w.Result().Cookies()
	if w.Code != 200 || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("%d %s %+v", w.Code, w.Body, cookies)
	}
	return with("Cookie", cookies[0].Name+"="+cookies[0].Value)
}

func TestTheOnePageAtEachAddress(t *testing.T) {
	_, h := stage(t, Options{})
	for _, path := range []string{"/", "/promises", "/agreements/a-x/text", "/record/l-x/1"} {
		w := ask(h, "GET", path, "", with("Accept-Language", "ar-EG,en;q=0.5"))
		if w.Code != 200 || !strings.Contains(w.Body.String(), `<html lang="ar" dir="rtl">`) || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %.80s", path, w.Code, w.Body)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
	for _, c := range []struct{ accept, cookie, want string }{
		{"fr-CA", "", "fr"}, {"de, fr;q=0.3", "", "fr"}, {"ja", "", "en"}, {"", "", "en"}, {"ar", languageCookie + "=fr", "fr"},
		{"ar", languageCookie + `="><script>`, "ar"}, {"\x00;;q=9", "", "en"}, {strings.Repeat("ar,", 5000), "", "en"},
	} {
		w := ask(h, "GET", "/", "", with("Accept-Language", c.accept), with("Cookie", c.cookie))
		if !strings.Contains(w.Body.String(), `<html lang="`+c.want+`"`) || strings.Contains(w.Body.String(), `"><script>`) {
			t.Errorf("%.40q %q: %.60s", c.accept, c.cookie, w.Body)
		}
	}
	for _, path := range []string{"/nowhere", "/index.html", "/promisesx"} {
		if w := ask(h, "GET", path, ""); w.Code != 404 || strings.Contains(w.Body.String(), "<html") {
			t.Errorf("%s: %d %.80s", path, w.Code, w.Body)
		}
		// Who typed it is told by the page, in a language of theirs.
		if w := ask(h, "GET", path, "", with("Accept", "text/html,*/*;q=0.8"), with("Accept-Language", "ar")); w.Code != 404 || !strings.Contains(w.Body.String(), `lang="ar"`) {
			t.Errorf("%s for a person: %d %.80s", path, w.Code, w.Body)
		}
	}
	if w := ask(h, "GET", "/api/v1/nothing", "", with("Accept", "text/html")); w.Code == 200 {
		t.Errorf("the API: %d", w.Code)
	}
}

func TestAssetsNeverChangeUnderTheirNames(t *testing.T) {
	_, h := stage(t, Options{})
	plain, packed := ask(h, "GET", "/assets/a-1.js", ""), ask(h, "GET", "/assets/a-1.js", "", with("Accept-Encoding", "gzip"))
	if plain.Code != 200 || packed.Code != 200 || packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() >= plain.Body.Len()/2 {
		t.Errorf("%d bytes, %d packed", plain.Body.Len(), packed.Body.Len())
	}
	if !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(plain.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("%v", plain.Header())
	}
	if w := ask(h, "GET", "/assets/a-1.js", "", with("If-None-Match", plain.Header().Get("ETag"))); w.Code != 304 {
		t.Errorf("again: %d", w.Code)
	}
	if w := ask(h, "GET", "/assets/a-2.js", ""); w.Code != 404 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("an old name: %d", w.Code)
	}
	if _, err := New(nil, Options{Files: fstest.MapFS{}}); err == nil {
		t.Error("without a page")
	}
}

func TestASessionLendsTheRoleAndNoMore(t *testing.T) {
	s, h := stage(t, Options{})
	amal := signIn(t, h)
	if w := ask(h, "GET", "/session", "", amal); !strings.Contains(w.Body.String(), `"name":"amal"`) || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s", w.Body)
	}
	for path, status := range map[string]int{"/api/v1/logs/own/records": 200, "/api/v1/people": 403, "/api/v1/tokens": 403} {
		if w := ask(h, "GET", path, "", amal); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask(h, "POST", "/api/v1/agreements/paris-call/acts", `{"act":"join"}`, amal); w.Code != 403 || !strings.Contains(w.Body.String(), "diplomat") {
		t.Errorf("an analyst acts: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/v1/logs/own/records", "", amal, with("Authorization", "Bearer mithaq_none")); w.Code != 401 {
		t.Errorf("a wrong token beside a session: %d", w.Code)
	}
	if w := ask(h, "DELETE", "/session", "", amal); w.Code != 204 {
		t.Errorf("%d", w.Code)
	}
	if w := ask(h, "GET", "/api/v1/logs/own/records", "", amal); w.Code != 401 {
		t.Errorf("after signing out: %d", w.Code)
	}
	for name, end := range map[string]func() error{
		"a new password": func() error {
			_, err := s.node.PutPerson(context.Background(), account.PersonRequest{Name: "amal", Roles: []string{account.RoleAnalyst}, Password: password})
			return err
		},
		"the end": func() error { return s.node.EndPerson(context.Background(), "amal") },
	} {
		again := signIn(t, h)
		if err := end(); err != nil {
			t.Fatal(name, err)
		}
		if w := ask(h, "GET", "/api/v1/keys", "", again); w.Code != 401 {
			t.Errorf("after %s: %d", name, w.Code)
		}
		if _, err := s.node.PutPerson(context.Background(), account.PersonRequest{Name: "amal", Roles: []string{account.RoleAnalyst}, Password: password}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOtherSitesSendNothing(t *testing.T) {
	_, h := stage(t, Options{})
	amal := signIn(t, h)
	for _, site := range []string{"cross-site", "same-site"} {
		w := ask(h, "POST", "/api/v1/logs/own/records?kind=report", "{}", amal, with("Sec-Fetch-Site", site))
		if w.Code != 403 || !strings.Contains(w.Body.String(), "cross-site") {
			t.Errorf("%s: %d %s", site, w.Code, w.Body)
		}
	}
	if w := ask(h, "POST", "/session", "{}", with("Origin", "https://evil.example")); w.Code != 403 {
		t.Errorf("an old browser's: %d", w.Code)
	}
}

func TestGuessingWaits(t *testing.T) {
	_, h := stage(t, Options{})
	var last *httptest.ResponseRecorder
	for range tries + 1 {
		last = ask(h, "POST", "/session", `{"name":"nobody","password":"wrong"}`)
	}
	if last.Code != 429 || last.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", last.Code, last.Body)
	}
	for _, body := range []string{"", "[]", strings.Repeat("x", maxCredentials+1)} {
		if w := ask(h, "POST", "/session", body); w.Code != 400 {
			t.Errorf("%.20q: %d", body, w.Code)
		}
	}
	now := time.Unix(0, 0)
	l := newLimits(func() time.Time { return now })
	for i := range 3 * maxLimits {
		l.take(string(rune('a'+i%26))+time.Duration(i).String(), time.Duration(i).String())
	}
	if len(l.by) > maxLimits+1 {
		t.Errorf("%d are remembered", len(l.by))
	}
	now = now.Add(time.Hour)
	if wait := l.take("new", "new"); wait > 0 {
		t.Errorf("after an hour somebody new waits %s", wait)
	}
}

func TestTheDoorOfTheDemonstration(t *testing.T) {
	_, closed := stage(t, Options{})
	if w := ask(closed, "GET", "/enter/", ""); w.Code == 303 {
		t.Error("no door, and it opens")
	}
	_, h := stage(t, Options{Key: "k", Doors: func() []Door { return []Door{{Party: "p-1", URL: "http://127.0.0.1/enter/k"}} }})
	if w := ask(h, "GET", "/enter/x", ""); w.Code != 404 || len(w.Result().Cookies()) > 0 {
		t.Errorf("a wrong key: %d", w.Code)
	}
	w := ask(h, "GET", "/enter/k", "")
	if w.Code != 303 || w.Header().Get("Location") != "/" || len(w.Result().Cookies()) != 1 {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	c := w.Result().Cookies()[0]
	var who Whoami
	if err := json.Unmarshal(ask(h, "GET", "/session", "", with("Cookie", c.Name+"="+c.Value)).Body.Bytes(), &who); err != nil || !who.Demo || who.Person == nil || len(who.Doors) != 1 {
		t.Errorf("%+v, %v", who, err)
	}
}
