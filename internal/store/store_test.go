package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// backends lists how to open an empty store of each kind: SQLite always, PostgreSQL when MITHAQ_TEST_POSTGRES names
// one (tools/postgres.sh starts it). Opening twice with the same test and name gives the same store.
func backends(t *testing.T, suite func(t *testing.T, open func(t *testing.T) *DB)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		suite(t, func(t *testing.T) *DB { return mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir) })
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := os.Getenv("MITHAQ_TEST_POSTGRES")
		if dsn == "" {
			t.Skip("MITHAQ_TEST_POSTGRES is not set: run with tools/postgres.sh")
		}
		dir, fresh := t.TempDir(), freshPostgres(t, dsn)
		suite(t, func(t *testing.T) *DB { return mustOpen(t, fresh, dir) })
	})
}

var databases atomic.Int64

// freshPostgres makes an empty database in the cluster.
func freshPostgres(t *testing.T, dsn string) string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	name := fmt.Sprintf("store_%d_%d", os.Getpid(), databases.Add(1))
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

func mustOpen(t *testing.T, dsn, dir string) *DB {
	t.Helper()
	d, err := OpenWith(context.Background(), dsn, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func hashOf(s string) [32]byte { return sha256.Sum256([]byte(s)) }

// writer is an open store with a lease and one log.
func writer(t *testing.T, d *DB) (Lease, Log) {
	t.Helper()
	ctx := context.Background()
	lease, err := d.TakeLease(ctx, "a", time.Minute, true)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.CreateLog(ctx, lease, Log{ID: "l-" + t.Name(), Origin: "o-" + t.Name(), Agreement: "own", Public: true,
		Created: time.UnixMicro(1700000000123456)}, Head{Root: hashOf(""), Checkpoint: []byte("cp0")})
	if err != nil {
		t.Fatal(err)
	}
	return lease, l
}

func advance(l Log, from int64, names ...string) Advance {
	a := Advance{LogNo: l.No, From: from, Head: Head{Size: from + int64(len(names)), Serial: 1, Root: hashOf(fmt.Sprint(from, names)), Checkpoint: []byte("cp")}}
	for i, n := range names {
		a.Leaves = append(a.Leaves, hashOf(n))
		a.Objects = append(a.Objects, Object{Hash: hashOf(n), Index: from + int64(i), Size: int64(len(n)), Bytes: []byte(n)})
	}
	return a
}

func TestConformance(t *testing.T) {
	ctx := context.Background()
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		t.Run("a commit is all there after reopening", func(t *testing.T) {
			d := open(t)
			lease, l := writer(t, d)
			var names []string
			for i := range 700 {
				names = append(names, fmt.Sprint("object ", i))
			}
			for i := 0; i < len(names); { // uneven pieces, so that rows and bundles do not line up
				n := min(1+i*7%190, len(names)-i)
				a := advance(l, int64(i), names[i:i+n]...)
				if i == 0 {
					a.Tiles = []Tile{{Level: 0, N: 0, Root: hashOf("r"), Hashes: bytes.Repeat([]byte{7}, 256*32)}}
				}
				res, err := d.Commit(ctx, lease, []Advance{a})
				if err != nil || res[0] != nil {
					t.Fatal(res, err)
				}
				i += n
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			d = open(t)
			h, err := d.Head(ctx, l.No)
			if err != nil || h.Size != 700 || h.Serial != 1 || h.Fence != lease.Fence {
				t.Fatalf("head %+v, %v", h, err)
			}
			for _, r := range [][2]int64{{0, 256}, {0, 1}, {255, 256}, {256, 512}, {300, 301}, {512, 700}, {600, 600}} {
				b, err := d.Leaves(ctx, l.No, r[0], r[1])
				if err != nil || int64(len(b)) != (r[1]-r[0])*32 {
					t.Fatalf("leaves %v: %d bytes, %v", r, len(b), err)
				}
				for i := r[0]; i < r[1]; i++ {
					if want := hashOf(names[i]); !bytes.Equal(b[(i-r[0])*32:][:32], want[:]) {
						t.Fatalf("leaf %d is wrong", i)
					}
				}
			}
			if _, err := d.Leaves(ctx, l.No, 690, 701); err == nil {
				t.Error("leaves beyond the log were read")
			}
			if b, err := d.Tile(ctx, l.No, 0, 0); err != nil || len(b) != 256*32 {
				t.Errorf("tile: %d bytes, %v", len(b), err)
			}
			if _, err := d.Tile(ctx, l.No, 0, 1); !errors.Is(err, ErrNotFound) {
				t.Errorf("missing tile: %v", err)
			}
			if b, err := d.TileRoots(ctx, l.No, 0, 0, 1); err != nil || !bytes.Equal(b, sliceOf(hashOf("r"))) {
				t.Errorf("tile roots: %x, %v", b, err)
			}
			if b, err := d.Object(ctx, hashOf("object 699")); err != nil || string(b) != "object 699" {
				t.Errorf("object: %q, %v", b, err)
			}
			got, err := d.Log(ctx, l.ID)
			if err != nil || got.No != l.No || !got.Public || !got.Created.Equal(l.Created) || !got.Retired.IsZero() {
				t.Errorf("log %+v, %v", got, err)
			}
		})
		t.Run("a conflict in one log leaves the others", func(t *testing.T) {
			d := open(t)
			lease, l := writer(t, d)
			other, err := d.CreateLog(ctx, lease, Log{ID: "l-other", Origin: "o-other", Created: time.Now()}, Head{Root: hashOf(""), Checkpoint: []byte("cp")})
			if err != nil {
				t.Fatal(err)
			}
			res, err := d.Commit(ctx, lease, []Advance{advance(l, 5, "x"), advance(other, 0, "y")})
			if err != nil || !errors.Is(res[0], ErrConflict) || res[1] != nil {
				t.Fatal(res, err)
			}
			if h, _ := d.Head(ctx, l.No); h.Size != 0 {
				t.Error("the log in conflict moved")
			}
			if _, err := d.Object(ctx, hashOf("x")); !errors.Is(err, ErrNotFound) {
				t.Errorf("an object of the log in conflict: %v", err)
			}
			if h, _ := d.Head(ctx, other.No); h.Size != 1 {
				t.Error("the other log did not move")
			}
		})
		t.Run("a lost lease stops every write", func(t *testing.T) {
			d := open(t)
			lease, l := writer(t, d)
			if _, err := d.TakeLease(ctx, "b", time.Minute, false); !errors.Is(err, ErrLeaseHeld) {
				t.Fatalf("taking a lease that runs: %v", err)
			}
			if err := d.RenewLease(ctx, lease, time.Minute); err != nil {
				t.Fatal(err)
			}
			b, err := d.TakeLease(ctx, "b", time.Minute, true)
			if err != nil || b.Fence <= lease.Fence {
				t.Fatalf("taking by force: %+v, %v", b, err)
			}
			if _, err := d.Commit(ctx, lease, []Advance{advance(l, 0, "late")}); !errors.Is(err, ErrLeaseLost) {
				t.Errorf("commit: %v", err)
			}
			if err := d.RenewLease(ctx, lease, time.Minute); !errors.Is(err, ErrLeaseLost) {
				t.Errorf("renew: %v", err)
			}
			if err := d.RetireLog(ctx, lease, l.ID, time.Now()); !errors.Is(err, ErrLeaseLost) {
				t.Errorf("retire: %v", err)
			}
			if err := d.EraseObject(ctx, lease, Tombstone{Hash: hashOf("late")}); !errors.Is(err, ErrLeaseLost) {
				t.Errorf("erase: %v", err)
			}
			if err := d.DropLease(ctx, b); err != nil {
				t.Fatal(err)
			}
			if _, err := d.TakeLease(ctx, "c", time.Minute, false); err != nil {
				t.Errorf("taking a lease that was given back: %v", err)
			}
		})
		t.Run("an expired lease does not commit", func(t *testing.T) {
			d := open(t)
			_, l := writer(t, d)
			lease, err := d.TakeLease(ctx, "short", time.Microsecond, true)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Commit(ctx, lease, []Advance{advance(l, 0, "late")}); !errors.Is(err, ErrLeaseLost) {
				t.Errorf("commit: %v", err)
			}
			if err := d.RenewLease(ctx, lease, time.Minute); err != nil {
				t.Errorf("nobody took it, so it can be renewed: %v", err)
			}
		})
		t.Run("objects are known by log", func(t *testing.T) {
			d := open(t)
			lease, l := writer(t, d)
			a := advance(l, 0, "one", "two")
			a.Objects = append(a.Objects, Object{Hash: hashOf("attached"), Index: -1, Size: 3, Bytes: []byte("att")})
			if res, err := d.Commit(ctx, lease, []Advance{a}); err != nil || res[0] != nil {
				t.Fatal(res, err)
			}
			var want []InLog
			for _, n := range []string{"one", "two", "three", "attached"} {
				want = append(want, InLog{l.No, hashOf(n)}, InLog{l.No + 1000, hashOf(n)})
			}
			got, err := d.Known(ctx, want)
			if err != nil || len(got) != 3 || got[InLog{l.No, hashOf("two")}].Index != 1 || got[InLog{l.No, hashOf("attached")}].Index != -1 {
				t.Errorf("known: %+v, %v", got, err)
			}
			if p, err := d.Places(ctx, hashOf("two")); err != nil || len(p) != 1 || p[0].LogNo != l.No || p[0].Index != 1 || p[0].Seq == 0 {
				t.Errorf("places: %+v, %v", p, err)
			}
		})
		t.Run("large objects are files, orphans are swept", func(t *testing.T) {
			d := open(t)
			lease, l := writer(t, d)
			big := strings.Repeat("b", SmallObject+1)
			for _, name := range []string{big, big + "orphan"} {
				if err := d.PutObjectFile(hashOf(name), []byte(name), "u"); err != nil {
					t.Fatal(err)
				}
			}
			a := advance(l, 0, big)
			a.Objects[0].Bytes = nil
			if res, err := d.Commit(ctx, lease, []Advance{a}); err != nil || res[0] != nil {
				t.Fatal(res, err)
			}
			if n, err := d.SweepOrphans(ctx); err != nil || n != 1 {
				t.Errorf("swept %d, %v", n, err)
			}
			if b, err := d.Object(ctx, hashOf(big)); err != nil || string(b) != big {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		})
		t.Run("erased bytes are gone", func(t *testing.T) {
			d := open(t)
			lease, l := writer(t, d)
			small, big := "a secret that must go: "+t.Name(), strings.Repeat("big secret ", SmallObject/8)
			if err := d.PutObjectFile(hashOf(big), []byte(big), "u"); err != nil {
				t.Fatal(err)
			}
			a := advance(l, 0, small, big)
			a.Objects[1].Bytes = nil
			if res, err := d.Commit(ctx, lease, []Advance{a}); err != nil || res[0] != nil {
				t.Fatal(res, err)
			}
			at := time.UnixMicro(1700000000000001).UTC()
			for range 2 {
				for _, n := range []string{small, big} {
					if err := d.EraseObject(ctx, lease, Tombstone{Hash: hashOf(n), At: at, Issuer: "k-1", Reason: "court order"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, n := range []string{small, big} {
				if _, err := d.Object(ctx, hashOf(n)); !errors.Is(err, ErrErased) {
					t.Errorf("object: %v", err)
				}
				if ts, err := d.Tombstone(ctx, hashOf(n)); err != nil || !ts.At.Equal(at) || ts.Issuer != "k-1" || ts.Reason != "court order" {
					t.Errorf("tombstone %+v, %v", ts, err)
				}
			}
			if d.kind == sqlite {
				grepDir(t, d.dir, []byte(small))
			}
			grepDir(t, d.dir, []byte("big secret big secret"))
		})
		t.Run("epoch keys", func(t *testing.T) {
			d := open(t)
			_, l := writer(t, d)
			k := EpochKey{LogNo: l.No, Epoch: "e-1", Step: 2, Created: time.UnixMicro(5).UTC(), Sealed: []byte("sealed")}
			for range 2 {
				if err := d.PutEpochKey(ctx, k); err != nil {
					t.Fatal(err)
				}
			}
			got, err := d.EpochKeys(ctx, l.No)
			if err != nil || len(got) != 1 || string(got[0].Sealed) != "sealed" || got[0].Step != 2 {
				t.Errorf("%+v, %v", got, err)
			}
			if _, err := d.EpochKey(ctx, l.No, "e-1", 3); !errors.Is(err, ErrNotFound) {
				t.Errorf("another step: %v", err)
			}
			testEpochs(t, d, k)
		})
		t.Run("sightings", func(t *testing.T) { testSightings(t, open(t)) })
		t.Run("sensors", func(t *testing.T) { testSensors(t, open(t)) })
		t.Run("notices", func(t *testing.T) { testNotices(t, open(t)) })
		t.Run("drafts", func(t *testing.T) { testDrafts(t, open(t)) })
		t.Run("tokens and settings", func(t *testing.T) {
			d := open(t)
			tok := Token{ID: "t-1", Hash: hashOf("secret"), Name: "sensor", Scopes: []string{"log:read", "object:read"}, Created: time.UnixMicro(9).UTC()}
			if err := d.PutToken(ctx, tok); err != nil {
				t.Fatal(err)
			}
			got, err := d.TokenByHash(ctx, tok.Hash)
			if err != nil || got.ID != "t-1" || len(got.Scopes) != 2 || !got.Revoked.IsZero() {
				t.Fatalf("%+v, %v", got, err)
			}
			if err := d.RevokeToken(ctx, "t-1", time.UnixMicro(10)); err != nil {
				t.Fatal(err)
			}
			if err := d.RevokeToken(ctx, "t-1", time.UnixMicro(11)); !errors.Is(err, ErrNotFound) {
				t.Errorf("revoking again: %v", err)
			}
			if all, err := d.Tokens(ctx); err != nil || len(all) != 1 || all[0].Revoked.IsZero() {
				t.Errorf("%+v, %v", all, err)
			}
			if _, err := d.Setting(ctx, "s"); !errors.Is(err, ErrNotFound) {
				t.Errorf("no setting: %v", err)
			}
			for _, v := range []string{"1", "2"} {
				if err := d.SetSetting(ctx, "s", []byte(v)); err != nil {
					t.Fatal(err)
				}
			}
			if v, err := d.Setting(ctx, "s"); err != nil || string(v) != "2" {
				t.Errorf("%q, %v", v, err)
			}
		})
		t.Run("readers see whole commits while one writes", func(t *testing.T) {
			d := open(t)
			lease, l := writer(t, d)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						h, err := d.Head(ctx, l.No)
						if err != nil {
							t.Error(err)
							return
						}
						if _, err := d.Leaves(ctx, l.No, 0, h.Size); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for i := range int64(60) {
				if res, err := d.Commit(ctx, lease, []Advance{advance(l, i, fmt.Sprint("c", i))}); err != nil || res[0] != nil {
					t.Fatal(res, err)
				}
			}
			close(stop)
			wg.Wait()
		})
	})
}

func sliceOf(h [32]byte) []byte { return h[:] }

// grepDir fails when any file below dir holds needle.
func grepDir(t *testing.T, dir string, needle []byte) {
	t.Helper()
	err := filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if bytes.Contains(b, needle) {
			t.Errorf("%s still holds what was erased", filepath.Base(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyProcessesMayStartAtOnce(t *testing.T) {
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { open(t) })
		}
		wg.Wait()
	})
}

func TestBackupIsConsistentWhileWriting(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	d := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), "")
	lease, l := writer(t, d)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range int64(50) {
			if _, err := d.Commit(ctx, lease, []Advance{advance(l, i, fmt.Sprint("b", i))}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	to := filepath.Join(t.TempDir(), "copy")
	if err := Backup(ctx, d, to); err != nil {
		t.Fatal(err)
	}
	<-done
	if err := Backup(ctx, d, to); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("backing up over a backup: %v", err)
	}
	c := mustOpen(t, "sqlite:"+filepath.Join(to, "truth.db"), "")
	h, err := c.Head(ctx, l.No)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Leaves(ctx, l.No, 0, h.Size); err != nil {
		t.Error(err)
	}
}

func TestReadOnlyFolderSaysSo(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	_, err := Open(context.Background(), "sqlite:"+filepath.Join(dir, "truth.db"))
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
}
