package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// copyDB copies a store's database as an old backup would, without the guard and the journal beside it.
func copyDB(t *testing.T, db *store.DB) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "backup")
	if err := store.Backup(context.Background(), db, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// putBack replaces a folder's database by a backup. Guard and journal stay.
func putBack(t *testing.T, dir, backup string) {
	t.Helper()
	for _, n := range []string{"truth.db", "truth.db-wal", "truth.db-shm", "local.db", "local.db-wal", "local.db-shm"} {
		_ = os.Remove(filepath.Join(dir, n))
	}
	for _, n := range []string{"truth.db", "local.db"} {
		b, err := os.ReadFile(filepath.Join(backup, n))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, n), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func appendRange(t *testing.T, l *Ledger, id string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		o := objectNo(id, i)
		if i%40 == 5 {
			o = append(make([]byte, store.SmallObject), o...)
		}
		if _, err := l.Append(context.Background(), id, Entry{Object: o}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnOldBackupNeverForks(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	f := openFixture(t, dir)
	mustCreate(t, f.Ledger, "l-r", true)
	mustCreate(t, f.Ledger, "l-quiet", true)
	appendRange(t, f.Ledger, "l-r", 0, 300)
	appendRange(t, f.Ledger, "l-quiet", 0, 3)
	backup := copyDB(t, f.db)
	appendRange(t, f.Ledger, "l-r", 300, 620)
	secret := sha256.Sum256(objectNo("l-r", 10))
	if err := f.Erase(ctx, secret, Tombstone{Issuer: "k-x", Reason: "law"}); err != nil {
		t.Fatal(err)
	}
	// A follower has everything: a full copy, served over HTTP.
	follower := openFixture(t, copyDB(t, f.db))
	src, err := HTTPSource(serveLogs(t, follower.Ledger).URL+"/log/l-r", "")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := f.Log(ctx, "l-r")
	f.shut(t)

	putBack(t, dir, backup)
	f = openFixture(t, dir)
	_, err = f.Append(ctx, "l-r", Entry{Object: []byte("after the restore")})
	var behind *ErrBehind
	if !errors.As(err, &behind) || behind.Have.Size != 300 || behind.Guard.Size != 620 {
		t.Fatalf("appending to a log that is behind: %v", err)
	}
	if _, err := f.Checkpoint(ctx, "l-r"); !errors.As(err, &behind) {
		t.Errorf("an old checkpoint is served: %v", err)
	}
	appendRange(t, f.Ledger, "l-quiet", 0, 5)
	var gone *ErrErased
	v := testVerifier(t, "mithaq/l-r")
	report, err := f.CatchUp(ctx, "l-r", src, CatchUpOptions{Verifier: v})
	if err != nil || report.From != 300 || report.Size != 620 || len(report.Missing) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	got, err := f.Log(ctx, "l-r")
	if err != nil || got.Size != 620 || got.Root != want.Root || string(got.Checkpoint) != string(want.Checkpoint) {
		t.Fatalf("after catching up: %+v, %v", got, err)
	}
	if _, err := f.Object(ctx, secret); !errors.As(err, &gone) || gone.Tombstone.Reason != "law" {
		t.Errorf("the erased object came back: %v", err)
	}
	appendRange(t, f.Ledger, "l-r", 0, 620) // all known already
	appendRange(t, f.Ledger, "l-r", 620, 630)
	if got, _ := f.Log(ctx, "l-r"); got.Size != 630 {
		t.Errorf("size %d", got.Size)
	}
	if _, err := f.CatchUp(ctx, "l-r", src, CatchUpOptions{Verifier: v}); !errors.Is(err, ErrNothingNewer) {
		t.Errorf("catching up from who is behind: %v", err)
	}
	f.shut(t)
	f = openFixture(t, dir)
	if got, _ := f.Log(ctx, "l-r"); got.Size != 630 || got.Behind != nil {
		t.Errorf("after reopening: %+v", got)
	}
}

func TestCatchingUpRefusesAContradiction(t *testing.T) {
	ctx := context.Background()
	f, other := openFixture(t, t.TempDir()), openFixture(t, t.TempDir())
	for _, l := range []*Ledger{f.Ledger, other.Ledger} {
		mustCreate(t, l, "l-c", true)
	}
	appendRange(t, f.Ledger, "l-c", 0, 10)
	appendRange(t, other.Ledger, "l-c", 100, 120)
	_, err := f.CatchUp(ctx, "l-c", StoreSource(other.Ledger, "l-c"), CatchUpOptions{Verifier: testVerifier(t, "mithaq/l-c")})
	var fork *ForkError
	if !errors.As(err, &fork) {
		t.Fatalf("got %v", err)
	}
	for _, cp := range [][]byte{fork.Ours, fork.Theirs} {
		if _, err := OpenCheckpoint(cp, "mithaq/l-c", testVerifier(t, "mithaq/l-c")); err != nil {
			t.Errorf("the evidence does not verify: %v", err)
		}
	}
	if got, _ := f.Log(ctx, "l-c"); got.Size != 10 {
		t.Errorf("the log changed: %+v", got)
	}
}

func TestRetiredLogsRefuse(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-old", true)
	appendRange(t, f.Ledger, "l-old", 0, 2)
	if err := f.Retire(context.Background(), "l-old"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Append(context.Background(), "l-old", Entry{Object: []byte("late")}); !errors.Is(err, ErrRetired) {
		t.Errorf("got %v", err)
	}
	if r, err := f.Append(context.Background(), "l-old", Entry{Object: objectNo("l-old", 1)}); err != nil || !r.Duplicate {
		t.Errorf("repeating an entry: %+v, %v", r, err)
	}
}

func TestALostLeaseStopsWritingAtOnce(t *testing.T) {
	ctx := context.Background()
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-lease", true)
	if _, err := tryFixture(f.dir); !errors.Is(err, store.ErrLeaseHeld) {
		t.Fatalf("a second writer: %v", err)
	}
	if _, err := f.db.TakeLease(ctx, "thief", time.Minute, true); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := f.Append(ctx, "l-lease", Entry{Object: []byte("too late")}); !errors.Is(err, store.ErrLeaseLost) {
			t.Fatalf("got %v", err)
		}
	}
	select {
	case <-f.Lost():
	case <-time.After(2 * time.Minute):
		t.Fatal("nobody was told")
	}
	if err := f.Create(ctx, LogSpec{ID: "l-new", Origin: "mithaq/l-new"}); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("creating: %v", err)
	}
}

func TestLeaseSteps(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	s := LeaseState{TTL: 15 * time.Second, Until: at(15)}
	var do LeaseEffect
	if s, do = StepLease(s, LeaseTick{at(2)}); do != LeaseWait {
		t.Error("renewed too early")
	}
	if s, do = StepLease(s, LeaseTick{at(6)}); do != LeaseRenew {
		t.Error("not renewed")
	}
	if s, do = StepLease(s, LeaseRenewed{Asked: at(6), Now: at(7), Failed: errFault}); do != LeaseWait {
		t.Error("one failure while the lease runs stops the writer")
	}
	if s, do = StepLease(s, LeaseRenewed{Asked: at(8), Now: at(9)}); do != LeaseWait || !s.Until.Equal(at(23)) {
		t.Errorf("until %v", s.Until)
	}
	gone := errors.New("taken")
	if lost, do := StepLease(s, LeaseRenewed{Asked: at(9), Now: at(9), Gone: gone}); do != LeaseStop || !errors.Is(lost.Lost, gone) {
		t.Error("a taken lease does not stop the writer")
	}
	if s, do = StepLease(s, LeaseRenewed{Asked: at(23), Now: at(24), Failed: errFault}); do != LeaseStop {
		t.Error("an expired lease that cannot be renewed does not stop the writer")
	}
	if _, do = StepLease(s, LeaseTick{at(25)}); do != LeaseStop {
		t.Error("a lost lease came back")
	}
}

func TestServing(t *testing.T) {
	ctx := context.Background()
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-open", true)
	mustCreate(t, f.Ledger, "l-shut", false)
	for _, id := range []string{"l-open", "l-shut"} {
		growTo(t, f, id, 300)
		if _, err := f.Append(ctx, id, Entry{Object: []byte("object of " + id), Attachments: [][]byte{[]byte("attached to " + id)}}); err != nil {
			t.Fatal(err)
		}
	}
	erased := sha256.Sum256([]byte("attached to l-open"))
	if err := f.Erase(ctx, erased, Tombstone{Issuer: "k-1", Reason: "law"}); err != nil {
		t.Fatal(err)
	}
	for name, reader := range map[string]Reader{"writer": f.Ledger, "another process": NewReader(f.db)} {
		t.Run(name, func(t *testing.T) {
			base := serveLogs(t, reader).URL
			get := func(method, path string, header ...string) *http.Response {
				t.Helper()
				req, err := http.NewRequest(method, base+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; i+1 < len(header); i += 2 {
					req.Header.Set(header[i], header[i+1])
				}
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = resp.Body.Close() })
				return resp
			}
			token := []string{"Authorization", "Bearer " + testToken}
			objectPath := func(s string) string { h := sha256.Sum256([]byte(s)); return "/object/" + hexOf(h) }
			for _, c := range []struct {
				method, path string
				header       []string
				status       int
			}{
				{"GET", "/log/l-open/checkpoint", nil, 200},
				{"HEAD", "/log/l-open/checkpoint", nil, 200},
				{"GET", "/log/l-open/tile/0/000", nil, 200},
				{"GET", "/log/l-open/tile/0/001.p/45", nil, 200},
				{"GET", "/log/l-open/tile/0/001.p/1", nil, 200},
				{"GET", "/log/l-open/tile/0/000.p/17", nil, 200},
				{"GET", "/log/l-open/tile/0/001.p/46", nil, 404},
				{"GET", "/log/l-open/tile/0/001", nil, 404},
				{"GET", "/log/l-open/tile/0/002", nil, 404},
				{"GET", "/log/l-open/tile/1/000.p/1", nil, 200},
				{"GET", "/log/l-open/tile/1/000.p/2", nil, 404},
				{"GET", "/log/l-open/tile/entries/000", nil, 200},
				{"GET", "/log/l-open/tile/entries/001.p/45", nil, 200},
				{"GET", "/log/l-open/tile/0/1", nil, 404},
				{"GET", "/log/l-open/tile/00/000", nil, 404},
				{"GET", "/log/l-open/tile/0/000.p/0", nil, 404},
				{"GET", "/log/l-open/tile/0/000.p/256", nil, 404},
				{"GET", "/log/l-open/tile/0/x000/000", nil, 404},
				{"GET", "/log/l-open/tile/0/%30%30%30", nil, 404},
				{"GET", "/log//l-open/checkpoint", nil, 404},
				{"GET", "/log/l-open/checkpoint/", nil, 404},
				{"GET", "/log/l-none/checkpoint", nil, 404},
				{"GET", "/log/l-shut/checkpoint", nil, 404},
				{"GET", "/log/l-shut/checkpoint", token, 200},
				{"GET", "/log/l-shut/tile/0/000", nil, 404},
				{"GET", "/log/l-shut/tile/0/000", token, 200},
				{"GET", objectPath("object of l-open"), nil, 200},
				{"GET", objectPath("object of l-shut"), nil, 404},
				{"GET", objectPath("object of l-shut"), token, 200},
				{"GET", objectPath("attached to l-shut"), token, 200},
				{"GET", objectPath("attached to l-open"), nil, 410},
				{"GET", objectPath("nothing"), nil, 404},
				{"GET", "/object/ABC", nil, 404},
				{"POST", "/log/l-open/checkpoint", nil, 405},
			} {
				resp := get(c.method, c.path, c.header...)
				if resp.StatusCode != c.status {
					t.Errorf("%s %s: %d, want %d", c.method, c.path, resp.StatusCode, c.status)
				}
				if resp.Header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s: may be sniffed", c.path)
				}
				if tag := resp.Header.Get("ETag"); c.status == 200 {
					if again := get("GET", c.path, append([]string{"If-None-Match", tag}, c.header...)...); tag == "" || again.StatusCode != http.StatusNotModified {
						t.Errorf("%s: conditional request with %q gives %d", c.path, tag, again.StatusCode)
					}
				}
			}
			if a, b := get("GET", "/log/l-shut/checkpoint"), get("GET", "/log/l-none/checkpoint"); len(a.Header) != len(b.Header) || a.ContentLength != b.ContentLength {
				t.Error("a hidden log can be told from one that does not exist")
			}
			if cc := get("GET", "/log/l-open/tile/0/000").Header.Get("Cache-Control"); cc != immutablePublic {
				t.Errorf("tile: Cache-Control %q", cc)
			}
			var tomb map[string]string
			resp := get("GET", objectPath("attached to l-open"))
			if err := json.NewDecoder(resp.Body).Decode(&tomb); err != nil || tomb["reason"] != "law" || tomb["object"] != hexOf(erased) {
				t.Errorf("tombstone %v, %v", tomb, err)
			}
			src, err := HTTPSource(base+"/log/l-open", "")
			if err != nil {
				t.Fatal(err)
			}
			var gone *ErrErased
			if _, err := src.Object(ctx, erased); !errors.As(err, &gone) || gone.Tombstone.Reason != "law" {
				t.Errorf("over HTTP: %v", err)
			}
		})
	}
}
