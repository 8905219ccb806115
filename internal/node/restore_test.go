package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// backup writes a backup of a node into a file of its own.
func backup(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "node.mithaq")
	if _, err := Backup(context.Background(), dir, out, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

// restoreOptions open what is restored with the key file of the node it was made from.
func restoreOptions(n *Node, archive string) RestoreOptions {
	secret := SecretSource{KeyFile: filepath.Join(n.dir, defaultKeyFile)}
	return RestoreOptions{Archive: archive, Secret: secret, RootSecret: secret, Root: RootPath(n.dir)}
}

func TestRestoreAsksEverybody(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	mustPublish(t, n, reportDraft("one"))
	archive := backup(t, n.dir)
	behind := filepath.Join(t.TempDir(), "behind")
	o := restoreOptions(n, archive)
	_, err := Restore(ctx, behind, o)
	wantCode(t, err, fault.Behind)

	mustPublish(t, n, reportDraft("two"))
	mustChange(t, n, KeyChange{Action: "rotate", Role: "witness"})
	live := host(t, n)
	stale := again(t, behind, OpenOptions{Secret: o.Secret})
	staleHost := host(t, stale)
	_, err = stale.Publish(ctx, "own", reportDraft("a fork"))
	wantCode(t, err, fault.Behind)
	_, err = stale.ProposeKeyrings(ctx, KeyChange{Action: "rotate", Role: "officer"})
	wantCode(t, err, fault.Behind)
	_, err = stale.Erase(ctx, "own", 1, Erasure{Reason: "error"})
	wantCode(t, err, fault.Behind)

	// Somebody who has less answers, but the one who does not answer may have more.
	dir := filepath.Join(t.TempDir(), "node")
	o.Ask = []string{staleHost, "http://127.0.0.1:1"}
	_, err = Restore(ctx, dir, o)
	wantCode(t, err, fault.Behind)
	if err == nil || !strings.Contains(err.Error(), "not everybody") {
		t.Errorf("got %v", err)
	}
	o.Archive, o.Ask = "", []string{staleHost, live}
	outcome, err := Restore(ctx, dir, o)
	if err != nil || !strings.Contains(outcome[0].What, "fetched back 2 leaves, now 4") {
		t.Fatalf("%+v, %v", outcome, err)
	}
	back := again(t, dir, OpenOptions{Secret: o.Secret})
	if r := mustPublish(t, back, reportDraft("goes on")); r.Index != 4 {
		t.Errorf("it went on at %d", r.Index)
	}
}

func TestRestoreKeepsEvidenceOfAFork(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	archive := backup(t, n.dir)
	o := restoreOptions(n, archive)
	o.Successor = true
	// Somebody signed on from a copy of the directory, which nothing can prevent: both have two leaves now.
	copied := filepath.Join(t.TempDir(), "copy")
	if err := unpack(ctx, copied, o); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(copied, unsettledName)); err != nil {
		t.Fatal(err)
	}
	double := again(t, copied, OpenOptions{Secret: o.Secret})
	mustPublish(t, double, reportDraft("theirs"))
	theirs := host(t, double)
	mustPublish(t, n, reportDraft("ours"))
	archive = backup(t, n.dir)
	dir := filepath.Join(t.TempDir(), "node")
	o.Archive, o.Ask, o.Successor = archive, []string{theirs}, false
	_, err := Restore(ctx, dir, o)
	wantCode(t, err, fault.Behind)
	for _, side := range []string{".ours", ".theirs"} {
		if data, err := os.ReadFile(filepath.Join(dir, evidenceName, n.mustOwn(t)+side)); err != nil || !strings.HasPrefix(string(data), "mithaq/l-") {
			t.Errorf("evidence %s: %q, %v", side, data, err)
		}
	}
	o.Archive, o.Successor = "", true
	if outcome, err := Restore(ctx, dir, o); err != nil || !strings.Contains(outcome[0].What, "successor") {
		t.Errorf("%+v, %v", outcome, err)
	}
}

// A successor that an interrupted restore opened is taken, not opened twice.
func TestSuccessorIsOpenedOnce(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	mustPublish(t, n, reportDraft("one"))
	o := restoreOptions(n, backup(t, n.dir))
	o.Successor = true
	dir := filepath.Join(t.TempDir(), "node")
	if err := unpack(ctx, dir, o); err != nil {
		t.Fatal(err)
	}
	half := again(t, dir, OpenOptions{Secret: o.Secret})
	l, err := half.resolveLog(ctx, "own")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.openSuccessor(ctx, l, o); err != nil { // and killed before the old log is retired
		t.Fatal(err)
	}
	shut(t, half)
	o.Archive = ""
	if _, err := Restore(ctx, dir, o); err != nil {
		t.Fatal(err)
	}
	heir := again(t, dir, OpenOptions{Secret: o.Secret})
	logs, err := heir.Logs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for _, l := range logs {
		if l.State == "open" {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d open logs: %+v", open, logs)
	}
	mustPublish(t, heir, reportDraft("in the successor"))
	if _, err := heir.Erase(ctx, l.ID, 1, Erasure{Reason: "legal"}); err != nil { // of a retired log, ordered in its successor
		t.Errorf("erasing from a retired log: %v", err)
	}
	shut(t, heir)
	if got := audited(t, dir); got[StandingErased] != 1 {
		t.Errorf("records: %v", got)
	}
}

// The database alone was put back: the guard beside it knows better, and the node can still be opened and restored.
func TestAnOldDatabaseUnderANewGuard(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	mustPublish(t, n, reportDraft("one"))
	old := filepath.Join(t.TempDir(), "old")
	if err := store.Backup(ctx, n.store, old); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, n, reportDraft("two"))
	full := filepath.Join(t.TempDir(), "full")
	if err := unpack(ctx, full, restoreOptions(n, backup(t, n.dir))); err != nil {
		t.Fatal(err)
	}
	follower := host(t, again(t, full, OpenOptions{ReadOnly: true, Secret: restoreOptions(n, "").Secret}))
	shut(t, n)
	for _, name := range []string{dbName, "local.db"} {
		for _, tail := range []string{"", "-wal", "-shm"} {
			if err := ignoreMissing(os.Remove(filepath.Join(n.dir, name+tail))); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(filepath.Join(old, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(n.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n = again(t, n.dir, OpenOptions{})
	if logs, err := n.Logs(ctx); err != nil || len(logs) != 1 || logs[0].State != "behind" {
		t.Errorf("%+v, %v", logs, err)
	}
	_, err := n.Publish(ctx, "own", reportDraft("a fork"))
	wantCode(t, err, fault.Behind)
	shut(t, n)
	if outcome, err := Restore(ctx, n.dir, RestoreOptions{Ask: []string{follower}}); err != nil || !strings.Contains(outcome[0].What, "now 3") {
		t.Fatalf("%+v, %v", outcome, err)
	}
	n = again(t, n.dir, OpenOptions{})
	mustPublish(t, n, reportDraft("goes on"))
}

func TestRestoreReplaysTheJournalOfErasures(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	mustPublish(t, n, reportDraft("to be forgotten"))
	archive := backup(t, n.dir)
	if _, err := n.Erase(ctx, "own", 1, Erasure{Reason: "legal"}); err != nil {
		t.Fatal(err)
	}
	o := restoreOptions(n, archive)
	o.Erasures, o.Successor = filepath.Join(n.dir, erasuresName), true
	dir := filepath.Join(t.TempDir(), "node")
	if _, err := Restore(ctx, dir, o); err != nil {
		t.Fatal(err)
	}
	back := again(t, dir, OpenOptions{Secret: o.Secret})
	logs, err := back.Logs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := back.Record(ctx, back.Owner(), logs[0].ID, 1); err != nil || got.Standing != StandingErased {
		t.Errorf("%+v, %v", got, err)
	}
	o.Erasures = filepath.Join(t.TempDir(), "missing")
	if _, err := Restore(ctx, filepath.Join(t.TempDir(), "x"), o); err == nil {
		t.Error("a missing journal was not noticed")
	}
}

func TestRestoreTouchesNothingThatIsThere(t *testing.T) {
	n := newTestNode(t)
	o := restoreOptions(n, backup(t, n.dir))
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Restore(context.Background(), full, o)
	wantCode(t, err, fault.Conflict)
	_, err = Backup(context.Background(), n.dir, o.Archive, nil)
	wantCode(t, err, fault.Conflict)
	empty := filepath.Join(t.TempDir(), "empty")
	o.Archive = filepath.Join(full, "mine")
	_, err = Restore(context.Background(), empty, o)
	wantCode(t, err, fault.Invalid)
	entries, err := os.ReadDir(filepath.Dir(empty))
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// Backups made while records are published and keys rotate hold all that was acknowledged before they began, and the keys
// that their logs need.
func TestBackupWhilePublishing(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	for round := range 4 {
		r := mustPublish(t, n, reportDraft("acknowledged before"))
		over := publishing(t, n, round)
		o := restoreOptions(n, backup(t, n.dir))
		over()
		dir := filepath.Join(t.TempDir(), "node")
		if err := unpack(ctx, dir, o); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, unsettledName)); err != nil {
			t.Fatal(err)
		}
		back := again(t, dir, OpenOptions{Secret: o.Secret})
		if got, err := back.Record(ctx, back.Owner(), "own", r.Index); err != nil || got.ID != r.Record {
			t.Errorf("%+v, %v", got, err)
		}
		mustPublish(t, back, reportDraft("the copy has every key that it needs"))
		shut(t, back)
		reports, err := AuditDir(ctx, dir, o.Secret, AuditOptions{Objects: true})
		if err != nil || !reports[0].OK() || reports[0].Records[StandingSealed] > 0 {
			t.Errorf("%+v, %v", reports, err)
		}
	}
}

// publishing publishes and rotates keys, of another role first in every round, until it is stopped. A machine that is slow
// elsewhere is not given more to copy.
func publishing(t *testing.T, n *Node, round int) (stop func()) {
	t.Helper()
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-over:
				return
			default:
			}
			d := reportDraft(fmt.Sprint(i))
			d.TLP = "AMBER"
			if _, err := n.Publish(context.Background(), "own", d); err != nil {
				t.Error(err)
				return
			}
			if i%5 == 2 {
				if _, err := ceremony(n, KeyChange{Action: "rotate", Role: []string{"officer", "log", "node", "seal"}[(round+i/5)%4]}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	return func() {
		close(over)
		wg.Wait()
	}
}

// followed opens a node with these followers, as the daemon does.
func followed(t *testing.T, dir string, secret SecretSource, hosts ...string) *Node {
	t.Helper()
	path := filepath.Join(dir, ConfigName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Replace(string(text), "followers = []", fmt.Sprintf("followers = [\"%s\"]", strings.Join(hosts, "\", \"")), 1)
	if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return again(t, dir, OpenOptions{Secret: secret, AskFollowers: true})
}

func TestAFollowerThatIsAheadStopsSigning(t *testing.T) {
	ctx := context.Background()
	for _, change := range []string{"", "log"} {
		t.Run("rotated "+change, func(t *testing.T) {
			n := newTestNode(t)
			o := restoreOptions(n, backup(t, n.dir))
			dir := filepath.Join(t.TempDir(), "old")
			if err := unpack(ctx, dir, o); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, unsettledName)); err != nil { // an old copy of the directory, put back by hand
				t.Fatal(err)
			}
			if change != "" { // what is ahead is signed by a key that the old copy has never seen
				mustChange(t, n, KeyChange{Action: "rotate", Role: change})
			}
			mustPublish(t, n, reportDraft("newer"))
			old := followed(t, dir, o.Secret, "http://127.0.0.1:1", host(t, n))
			_, err := old.Publish(ctx, "own", reportDraft("a fork"))
			wantCode(t, err, fault.Behind)
			shut(t, old)
			old = again(t, dir, OpenOptions{Secret: o.Secret}) // and stays so
			_, err = old.Publish(ctx, "own", reportDraft("a fork"))
			wantCode(t, err, fault.Behind)
		})
	}
	t.Run("level", func(t *testing.T) {
		n := newTestNode(t)
		twin := filepath.Join(t.TempDir(), "twin")
		o := restoreOptions(n, backup(t, n.dir))
		if err := unpack(ctx, twin, o); err != nil {
			t.Fatal(err)
		}
		url := host(t, again(t, twin, OpenOptions{ReadOnly: true, Secret: o.Secret}))
		shut(t, n)
		mustPublish(t, followed(t, n.dir, SecretSource{}, url), reportDraft("nobody is ahead"))
	})
}
