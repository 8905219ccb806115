package account

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// newAccounts makes accounts on a fresh store.
func newAccounts(t *testing.T) *Accounts {
	t.Helper()
	dir := t.TempDir()
	db, err := store.OpenWith(context.Background(), "sqlite:"+filepath.Join(dir, "node.db"), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(Options{Store: db, Rand: rand.Reader, Now: time.Now, Party: func() (string, map[string]string) { return "p-own", map[string]string{"en": "Nadra"} }})
}

func TestPeopleSignIn(t *testing.T) {
	n := newAccounts(t)
	ctx := context.Background()
	const password = "كلمات كثيرة تكفي"
	made, err := n.PutPerson(ctx, PersonRequest{Name: "amal", Shown: "آمال", Roles: []string{RoleAnalyst, RoleAuditor}, Password: password})
	if err != nil || made.Password != "" || strings.Join(made.Scopes, " ") != "audit read publish" {
		t.Fatalf("%+v, %v", made, err)
	}
	if p, err := n.SignIn(ctx, "amal", password, ""); err != nil || p.Shown != "آمال" {
		t.Errorf("%+v, %v", p, err)
	}
	wrong := map[string]string{"amal": password + " ", "nobody": password, "Amal": password, "": ""}
	var said string
	for name, password := range wrong {
		_, err := n.SignIn(ctx, name, password, "")
		if fault.CodeOf(err) != fault.Forbidden || said != "" && err.Error() != said {
			t.Errorf("%q: %v", name, err)
			continue
		}
		said = err.Error()
	}
	again, err := n.PutPerson(ctx, PersonRequest{Name: "amal", Roles: []string{RoleAdministrator}})
	if err != nil || len(again.Password) < minPassword || again.Stamp == made.Stamp || !again.Created.Equal(made.Created) {
		t.Fatalf("%+v, %v", again, err)
	}
	if _, err := n.SignIn(ctx, "amal", password, ""); err == nil {
		t.Error("the password before still opens")
	}
	if err := n.EndPerson(ctx, "amal"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.SignIn(ctx, "amal", again.Password, ""); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("whose access ended: %v", err)
	}
	if _, err := n.Person(ctx, "amal"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("whose access ended: %v", err)
	}
	if err := n.EndPerson(ctx, "amal"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("ended twice: %v", err)
	}
	for _, bad := range []PersonRequest{
		{Name: "", Roles: []string{RoleAnalyst}}, {Name: "Amal", Roles: []string{RoleAnalyst}}, {Name: "a\n", Roles: []string{RoleAnalyst}},
		{Name: "a"}, {Name: "a", Roles: []string{"king"}}, {Name: "a", Roles: []string{RoleAnalyst}, Password: "short"},
		{Name: "a", Roles: []string{RoleAnalyst}, Officer: "me"}, {Name: "a", Roles: []string{RoleAnalyst}, Shown: strings.Repeat("x", 500)},
	} {
		if _, err := n.PutPerson(ctx, bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
