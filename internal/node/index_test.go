package node

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/fault"
)

// newNodeOn makes a node with a fresh store of its own, on SQLite or on PostgreSQL.
func newNodeOn(t *testing.T, postgres bool) *Node {
	t.Helper()
	o := InitOptions{Names: map[string]string{"en": "Sahlan", "ar": "سهلان"}, Public: true}
	if postgres {
		o.Store = freshDatabase(t)
	}
	n, err := Init(context.Background(), filepath.Join(t.TempDir(), "node"), o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func freshDatabase(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("MITHAQ_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("MITHAQ_TEST_POSTGRES is not set: run with tools/postgres.sh")
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	name := fmt.Sprintf("node_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func reopen(t *testing.T, dir string) *Node {
	t.Helper()
	n, err := Open(context.Background(), dir, OpenOptions{Secret: SecretSource{KeyFile: filepath.Join(dir, "unlock.key")}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// settledDump waits until everything is indexed and returns the index as text.
func settledDump(t testing.TB, n *Node) string {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	logs, err := n.Logs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		if err := n.WaitIndexed(ctx, l.ID, l.Size); err != nil {
			t.Fatalf("waiting for the index: %v", err)
		}
	}
	if behind, err := n.awaitIndex(ctx, time.Minute); err != nil || behind > 0 {
		t.Fatalf("%d leaves behind, %v", behind, err)
	}
	var b bytes.Buffer
	if err := n.store.Index().Dump(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const testBundle = `{"type":"bundle","id":"bundle--3b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5e","objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60","created":"2026-11-20T06:30:00.000Z","modified":"2026-11-20T06:30:00.000Z","name":"%s","pattern":"[domain-name:value = '%s.example']","pattern_type":"stix","valid_from":"2026-11-20T06:30:00Z"}]}`

func report(words string) []byte {
	return fmt.Appendf(nil, `{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":%q,"ar":"هجمات على الشبكات"}}`, words)
}

func publish(t testing.TB, n *Node, d Draft) Receipt {
	t.Helper()
	r, err := n.Publish(context.Background(), "own", d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fewer has a property checked on fewer cases, where each takes long: one in so many of those that are asked for.
func fewer(t *testing.T, by int) {
	t.Helper()
	asked := flag.Lookup("rapid.checks").Value.String()
	n, err := strconv.Atoi(asked)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", asked) })
	if err := flag.Set("rapid.checks", strconv.Itoa(max(1, n/by))); err != nil {
		t.Fatal(err)
	}
}

// TestReindexEqualsIncremental lets a node live: it publishes, recalls, widens, erases, rotates and revokes keys, in any
// order. What the index says must be the same when it is thrown away and built again.
func TestReindexEqualsIncremental(t *testing.T) {
	for _, postgres := range []bool{false, true} {
		t.Run(map[bool]string{false: "sqlite", true: "postgres"}[postgres], func(t *testing.T) {
			n := newNodeOn(t, postgres)
			defer func() { _ = n.Close(context.Background()) }()
			ctx := context.Background()
			var leaves []Receipt
			fewer(t, map[bool]int{false: 4, true: 10}[postgres || testing.Short()])
			rapid.Check(t, func(rt *rapid.T) {
				for range rapid.IntRange(1, 6).Draw(rt, "steps") {
					switch rapid.IntRange(0, 6).Draw(rt, "what") {
					case 0, 1:
						var refs []string
						if len(leaves) > 0 && rapid.Bool().Draw(rt, "answers") {
							refs = []string{"answers:" + rapid.SampledFrom(leaves).Draw(rt, "answered").Leaf}
						}
						leaves = append(leaves, publish(t, n, Draft{Kind: "report", Refs: refs, TLP: rapid.SampledFrom([]string{"CLEAR", "AMBER"}).Draw(rt, "tlp"), Serves: rapid.SampledFrom([][]string{nil, {"1"}, {"1", "2.b"}}).Draw(rt, "serves"),
							Body: report(rapid.StringMatching(`[a-z]{3,9}( [a-z]{3,9}){0,3}`).Draw(rt, "words"))}))
					case 2:
						leaves = append(leaves, publish(t, n, Draft{Kind: "intel", TLP: "GREEN", Serves: []string{"1"}, Body: fmt.Appendf(nil, testBundle, rapid.StringMatching(`[a-z]{3,9}`).Draw(rt, "name"), "evil")}))
					case 3:
						if len(leaves) > 0 {
							target := rapid.SampledFrom(leaves).Draw(rt, "target")
							publish(t, n, Draft{Kind: "recall", TLP: "AMBER", Refs: []string{"about:" + target.Leaf}, Body: fmt.Appendf(nil, `{"target":%q,"action":"withdraw","reason":"error"}`, target.Leaf)})
						}
					case 4:
						if len(leaves) > 0 {
							i := rapid.IntRange(0, len(leaves)-1).Draw(rt, "erased")
							if _, err := n.Erase(ctx, leaves[i].Log, leaves[i].Index, Erasure{Reason: "legal"}); err != nil {
								rt.Fatal(err)
							}
							leaves = append(leaves[:i:i], leaves[i+1:]...)
						}
					case 5:
						changeKey(t, n, KeyChange{Action: "rotate", Role: "officer"})
					case 6:
						publish(t, n, Draft{Kind: "act", TLP: "CLEAR", Body: []byte(`{"act":"declare","date":"2026-11-20","declarations":[{"fr":"Nous tenons parole."}]}`)})
					}
				}
				before := settledDump(t, n)
				if _, err := n.Reindex(ctx); err != nil {
					rt.Fatal(err)
				}
				if after := settledDump(t, n); after != before {
					rt.Fatalf("another index after it was built again:\n%s", difference(before, after))
				}
			})
			// Signed by the key that stands now, whichever were rotated away before.
			leaves = append(leaves, publish(t, n, Draft{Kind: "report", TLP: "CLEAR", Body: report("last")}))
			// A key that was stolen earlier takes standing back.
			keys, err := n.Keys(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				if k.Role == "officer" && k.Revoked == nil {
					size := leaves[len(leaves)-1].Index
					changeKey(t, n, KeyChange{Action: "revoke", Key: k.ID, Size: &size, Reason: "compromised"})
				}
			}
			before := settledDump(t, n)
			if !strings.Contains(before, StandingNotVouched) {
				t.Error("a revoked key took nothing back")
			}
			if _, err := n.Reindex(ctx); err != nil {
				t.Fatal(err)
			}
			if after := settledDump(t, n); after != before {
				t.Errorf("another index after a revocation:\n%s", difference(before, after))
			}
		})
	}
}

func changeKey(t testing.TB, n *Node, change KeyChange) {
	t.Helper()
	ctx := context.Background()
	proposal, err := n.ProposeKeyrings(ctx, change)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := SignKeyrings(ctx, proposal, RootPath(n.Dir()), SecretSource{KeyFile: filepath.Join(n.Dir(), "unlock.key")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.ApplyKeyrings(ctx, signed); err != nil {
		t.Fatal(err)
	}
}

// difference shows the lines that only one of two dumps has.
func difference(a, b string) string {
	var out strings.Builder
	for i, pair := range [][2]string{{a, b}, {b, a}} {
		for line := range strings.Lines(pair[0]) {
			if !strings.Contains(pair[1], line) {
				fmt.Fprintf(&out, "%c %s", "-+"[i], line)
			}
		}
	}
	return out.String()
}

// TestIndexCatchesUpAfterAKill puts older indexes beside the logs, which is what a kill between log and index, a power
// cut and a restored backup leave.
func TestIndexCatchesUpAfterAKill(t *testing.T) {
	n := newNodeOn(t, false)
	ctx := context.Background()
	kept := publish(t, n, Draft{Kind: "report", TLP: "AMBER", Body: report("first marker")})
	settledDump(t, n)
	dir := n.Dir()
	if err := n.Close(ctx); err != nil {
		t.Fatal(err)
	}
	older, err := os.ReadFile(filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	n = reopen(t, dir)
	many := 300
	if testing.Short() {
		many = 60
	}
	for i := range many {
		publish(t, n, Draft{Kind: "report", TLP: "CLEAR", Body: report(fmt.Sprint("number ", i))})
	}
	want := settledDump(t, n)
	put := func(t *testing.T, index []byte) {
		t.Helper()
		if err := n.Close(ctx); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := ignoreMissing(os.Remove(filepath.Join(dir, "index.db"+suffix))); err != nil {
				t.Fatal(err)
			}
		}
		if index != nil {
			if err := os.WriteFile(filepath.Join(dir, "index.db"), index, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		n = reopen(t, dir)
	}
	t.Run("an index that is behind catches up", func(t *testing.T) {
		put(t, older)
		if got := settledDump(t, n); got != want {
			t.Errorf("differs:\n%s", difference(want, got))
		}
	})
	t.Run("no index is built", func(t *testing.T) {
		put(t, nil)
		if got := settledDump(t, n); got != want {
			t.Errorf("differs:\n%s", difference(want, got))
		}
	})
	t.Run("an index that holds what was erased behind its back is built again", func(t *testing.T) {
		if _, err := n.Erase(ctx, kept.Log, kept.Index, Erasure{Reason: "legal"}); err != nil {
			t.Fatal(err)
		}
		want := settledDump(t, n)
		put(t, older)
		if got := settledDump(t, n); got != want || strings.Contains(got, "marker") {
			t.Errorf("differs:\n%s", difference(want, got))
		}
	})
	if err := n.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestSearchShowsWhatMayBeShown goes through what the decision takes away.
func TestSearchShowsWhatMayBeShown(t *testing.T) {
	n := newNodeOn(t, false)
	defer func() { _ = n.Close(context.Background()) }()
	ctx := context.Background()
	keys, err := n.Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var officer string
	for _, k := range keys {
		if k.Role == "officer" {
			officer = k.ID
		}
	}
	clear := publish(t, n, Draft{Kind: "report", TLP: "CLEAR", Body: report("sandglass open")})
	publish(t, n, Draft{Kind: "report", TLP: "RED", Persons: []string{officer}, Body: report("sandglass named")})
	strict := publish(t, n, Draft{Kind: "report", TLP: "AMBER+STRICT", Body: report("sandglass strict")})
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	publish(t, n, Draft{Kind: "report", TLP: "CLEAR", Expires: soon, Body: report("sandglass soon")})
	find := func() (found []string) {
		t.Helper()
		settledDump(t, n)
		r, err := n.Search(ctx, SearchQuery{Text: "sandgl"})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range r.Results {
			var text string
			for _, f := range one.Snippet {
				text += f.Text
			}
			found = append(found, text)
		}
		return found
	}
	if got, want := fmt.Sprint(find()), "[sandglass soon sandglass strict sandglass open]"; got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	n.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if got, want := fmt.Sprint(find()), "[sandglass strict sandglass open]"; got != want {
		t.Errorf("after it expired: found %s, want %s", got, want)
	}
	publish(t, n, Draft{Kind: "recall", TLP: "CLEAR", Body: fmt.Appendf(nil, `{"target":%q,"action":"withdraw","reason":"error"}`, clear.Leaf)})
	publish(t, n, Draft{Kind: "recall", TLP: "AMBER", Body: fmt.Appendf(nil, `{"target":%q,"action":"narrow","reason":"source","marking":{"tlp":"TLP:RED"},"audience":{"persons":[%q]}}`, strict.Leaf, officer)})
	if got := find(); len(got) > 0 {
		t.Errorf("after it was recalled: found %s", got)
	}
	publish(t, n, Draft{Kind: "release", TLP: "AMBER", Body: fmt.Appendf(nil, `{"target":%q,"reason":"agreed","marking":{"tlp":"TLP:AMBER"}}`, strict.Leaf)})
	narrower := Draft{Kind: "release", TLP: "AMBER", Body: fmt.Appendf(nil, `{"target":%q,"reason":"agreed","marking":{"tlp":"TLP:GREEN"}}`, clear.Leaf)}
	if _, err := n.Publish(ctx, "own", narrower); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a release that narrows: %v", err)
	}
	if got, want := fmt.Sprint(find()), "[sandglass strict]"; got != want {
		t.Errorf("after the releases: found %s, want %s: a withdrawal stays", got, want)
	}
	page, err := n.Search(ctx, SearchQuery{Text: "هجوم", Limit: 1})
	if err != nil || len(page.Results) != 1 {
		t.Fatalf("the Arabic text: %+v, %v", page, err)
	}
}
