package node

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
)

// rotatedAfter makes a node, a backup of it, and rotates keys that the backup then lacks.
func rotatedAfter(t *testing.T, roles ...string) (n *Node, o RestoreOptions) {
	t.Helper()
	n = newTestNode(t)
	mustPublish(t, n, reportDraft("before"))
	o = restoreOptions(n, backup(t, n.dir))
	for _, role := range roles {
		mustChange(t, n, KeyChange{Action: "rotate", Role: role})
	}
	mustPublish(t, n, reportDraft("after"))
	return n, o
}

// The tail comes back with keyrings whose keys died with the machine. The restore names them and the way to replace them; until
// then nothing is published, afterwards the log goes on.
func TestRestoreNamesKeysThatWereLost(t *testing.T) {
	ctx := context.Background()
	n, o := rotatedAfter(t, "log", "node", "officer", "seal")
	o.Ask = []string{host(t, n)}
	dir := filepath.Join(t.TempDir(), "node")
	outcome, err := Restore(ctx, dir, o)
	if err != nil || len(outcome) != 2 || !strings.Contains(outcome[0].What, "fetched back 5 leaves") {
		t.Fatalf("%+v, %v", outcome, err)
	}
	back := again(t, dir, OpenOptions{Secret: o.Secret})
	for _, words := range []string{"log", "node", "officer", "seal", "mithaq key rotate lost"} {
		if !strings.Contains(outcome[1].What, words) {
			t.Errorf("it does not say %s: %s", words, outcome[1].What)
		}
	}
	_, err = back.Publish(ctx, "own", reportDraft("too early"))
	wantCode(t, err, fault.Forbidden)
	p := must(back.ProposeKeyrings(ctx, KeyChange{Action: "rotate", Role: "lost"}))(t)
	must(back.ApplyKeyrings(ctx, must(SignKeyrings(ctx, p, o.Root, o.RootSecret))(t)))(t)
	_, err = back.ProposeKeyrings(ctx, KeyChange{Action: "rotate", Role: "lost"})
	wantCode(t, err, fault.NotFound)
	if lost := back.lostKeys(back.mustOwn(t)); lost != "" {
		t.Errorf("still lost: %s", lost)
	}
	amber := reportDraft("goes on")
	amber.TLP = "AMBER"
	r := mustPublish(t, back, amber)
	if got := must(back.Record(ctx, back.Owner(), "own", r.Index))(t); got.Standing != StandingValid || len(got.Body) == 0 {
		t.Errorf("%+v", got)
	}
	shut(t, back)
	reports := must(AuditDir(ctx, dir, o.Secret, AuditOptions{Objects: true}))(t)
	if !reports[0].OK() {
		t.Errorf("%+v", reports)
	}
}

// A successor of a log whose keys were lost names new ones, and can be published in at once.
func TestASuccessorHasOnlyKeysThatAreHere(t *testing.T) {
	ctx := context.Background()
	n, o := rotatedAfter(t, "log", "node", "officer", "http")
	o.Ask = []string{host(t, n), "http://127.0.0.1:1"} // who does not answer may have more: the log cannot go on
	o.Successor = true
	dir := filepath.Join(t.TempDir(), "node")
	outcome, err := Restore(ctx, dir, o)
	if err != nil || !strings.Contains(outcome[0].What, "its successor is") {
		t.Fatalf("%+v, %v", outcome, err)
	}
	back := again(t, dir, OpenOptions{Secret: o.Secret})
	heir := must(back.resolveLog(ctx, "own"))(t)
	if k := must(back.keyring(heir.ID))(t); heir.Generation != 1 || back.lostKeys(heir.ID) != "" || len(k.WithRole("officer")) != 1 {
		t.Errorf("generation %d: %s", heir.Generation, back.lostKeys(heir.ID))
	}
	mustPublish(t, back, reportDraft("in the successor"))
}

// A token goes to its own host and to no other, at the start as in a restore; who has none is asked with a signed request.
func TestATokenGoesToItsHostAlone(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	mustPublish(t, n, reportDraft("one"))
	o := restoreOptions(n, backup(t, n.dir))
	var mu sync.Mutex
	seen := map[string][]string{}
	follower := func(name string) string {
		logs := n.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} })
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			how := r.Header.Get("Authorization")
			if r.Header.Get("Signature") != "" {
				how += "signed"
			}
			seen[name] = append(seen[name], how)
			mu.Unlock()
			logs.ServeHTTP(w, r)
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	first, second, third := follower("first"), follower("second"), follower("third")
	check := func(when string) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		for name, want := range map[string]string{"first": "Bearer one", "second": "Bearer two", "third": "signed"} {
			if len(seen[name]) == 0 {
				t.Errorf("%s: the %s host was not asked", when, name)
			}
			for _, got := range seen[name] {
				if got != want {
					t.Errorf("%s: the %s host was sent %q, want %q", when, name, got, want)
				}
			}
		}
		clear(seen)
	}

	dir := filepath.Join(t.TempDir(), "node")
	o.Ask, o.Tokens = []string{first, second + "/", third}, map[string]string{first + "/": "one", second: "two"}
	if outcome, err := Restore(ctx, dir, o); err != nil {
		t.Fatalf("%+v, %v", outcome, err)
	}
	check("restore")

	path := filepath.Join(dir, ConfigName)
	text := must(os.ReadFile(path))(t)
	config := strings.Replace(string(text), "followers = []", `followers = ["`+first+`", "`+second+`/", "`+third+`"]`, 1)
	config = strings.Replace(config, "follower_tokens = {}", `follower_tokens = { "`+first+`/" = "1.token", "`+second+`" = "2.token" }`, 1)
	for name, data := range map[string]string{path: config, filepath.Join(dir, "1.token"): "one\n", filepath.Join(dir, "2.token"): "two"} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, again(t, dir, OpenOptions{Secret: o.Secret, AskFollowers: true}))
	check("start")

	o.Archive, o.Ask, o.Tokens = "", nil, nil // the configured followers with the configured tokens
	if outcome, err := Restore(ctx, dir, o); err != nil {
		t.Fatalf("%+v, %v", outcome, err)
	}
	check("settling")
	o.Tokens = map[string]string{"https://else.example": "x"}
	_, err := Restore(ctx, dir, o)
	wantCode(t, err, fault.Invalid)
}

// What is long shows how far it is: every piece of it goes from little to all.
func TestBackupAndRestoreTellHowFarTheyAre(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	for range 20 {
		mustPublish(t, n, reportDraft(strings.Repeat("a long report ", 200)))
	}
	var mu sync.Mutex
	seen := map[string][2]int64{}
	watch := func(what string) func(done, total int64) {
		return func(done, total int64) {
			mu.Lock()
			defer mu.Unlock()
			if last := seen[what]; done < last[0] && what != "backup" || done > total {
				t.Errorf("%s: %d of %d after %d", what, done, total, last[0])
			}
			seen[what] = [2]int64{done, total}
		}
	}
	out := filepath.Join(t.TempDir(), "node.mithaq")
	must(Backup(ctx, n.dir, out, watch("backup")))(t)
	mustPublish(t, n, reportDraft("newer"))
	o := restoreOptions(n, out)
	o.Ask, o.Progress = []string{host(t, n)}, watch
	must(Restore(ctx, filepath.Join(t.TempDir(), "node"), o))(t)
	for _, what := range []string{"backup", "unpacking", "fetching " + n.mustOwn(t)} {
		if last := seen[what]; last[0] != last[1] || last[1] == 0 {
			t.Errorf("%s ended at %d of %d", what, last[0], last[1])
		}
	}
}
