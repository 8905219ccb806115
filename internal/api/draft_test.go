package api

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/node"
)

// Whoever signed in with a key of their own acts with no other, and drafts are for those who speak for the party.
func TestPeopleActWithTheirOwnKeys(t *testing.T) {
	n := testNode(t)
	h := New(n, Options{})
	as := func(p account.PersonView, method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, As(r, p))
		return w
	}
	scopes := []string{ScopeRead, ScopePublish}
	basim := account.PersonView{Name: "basim", Roles: []string{account.RoleDiplomat}, Scopes: scopes, Officer: "k-mine"}
	for path, body := range map[string]string{
		"/api/v1/agreements/a-1/acts":         `{"act":"review","officer":"k-other"}`,
		"/api/v1/agreements/a-1/drafts":       `{"act":"review","officer":"k-other"}`,
		"/api/v1/drafts/sign?officer=k-other": `{}`,
		"/api/v1/drafts/d-1/sign":             `{"officer":"k-other"}`,
		"/api/v1/drafts/d-1/fix":              `{"officer":"k-other"}`,
	} {
		wantProblem(t, path, as(basim, "POST", path, body), 403)
	}
	wantProblem(t, "an analyst", as(account.PersonView{Name: "amal", Roles: []string{account.RoleAnalyst}, Scopes: scopes}, "GET", "/api/v1/drafts", ""), 403)
	w := as(basim, "POST", "/api/v1/drafts", `{"act":{"act":"propose","definition":"…"}}`)
	var d node.KeptDraft
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 201 || d.BegunBy != "basim" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
