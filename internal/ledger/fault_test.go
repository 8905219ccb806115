package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/mithaq/mithaq/internal/store"
)

var errFault = errors.New("injected fault")

// faults counts operations and lets one of them fail, before or after it took effect.
type faults struct {
	mu       sync.Mutex
	n        int // operations so far
	at       int // the one that fails; 0: none
	persists bool
	name     string // of the one that failed
}

// do runs op, or fails it.
func (f *faults) do(name string, op func() error) error {
	f.mu.Lock()
	f.n++
	hit := f.n == f.at
	if hit {
		f.name = name
	}
	f.mu.Unlock()
	if !hit {
		return op()
	}
	if f.persists {
		if err := op(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", name, errFault)
}

type faultFS struct {
	store.FS
	f *faults
}

func (x faultFS) Create(name string) (file store.File, err error) {
	err = x.f.do("create", func() error { file, err = x.FS.Create(name); return err })
	return x.wrap(file, err)
}

func (x faultFS) Append(name string) (file store.File, err error) {
	err = x.f.do("append", func() error { file, err = x.FS.Append(name); return err })
	return x.wrap(file, err)
}

func (x faultFS) wrap(file store.File, err error) (store.File, error) {
	if err != nil {
		if file != nil {
			_ = file.Close()
		}
		return nil, err
	}
	return faultFile{file, x.f}, nil
}

func (x faultFS) Open(name string, write bool) (store.File, error) {
	f, err := x.FS.Open(name, write)
	if err != nil {
		return nil, err
	}
	return faultFile{f, x.f}, nil
}

func (x faultFS) Rename(a, b string) error {
	return x.f.do("rename", func() error { return x.FS.Rename(a, b) })
}
func (x faultFS) Remove(a string) error {
	return x.f.do("remove", func() error { return x.FS.Remove(a) })
}
func (x faultFS) SyncDir(d string) error {
	return x.f.do("syncdir", func() error { return x.FS.SyncDir(d) })
}
func (x faultFS) MkdirAll(d string) error {
	return x.f.do("mkdir", func() error { return x.FS.MkdirAll(d) })
}
func (x faultFS) ReadDir(d string) ([]fs.DirEntry, error) { return x.FS.ReadDir(d) }

type faultFile struct {
	store.File
	f *faults
}

// Write that fails without persisting tears: half of the bytes are there.
func (x faultFile) Write(b []byte) (n int, err error) {
	done := false
	err = x.f.do("write", func() error { done = true; n, err = x.File.Write(b); return err })
	if errors.Is(err, errFault) && !done {
		n, _ = x.File.Write(b[:len(b)/2])
	}
	return n, err
}

func (x faultFile) Sync() error { return x.f.do("sync", x.File.Sync) }

// faultDB fails whole transactions.
type faultDB struct {
	*store.DB
	f *faults
}

func (x faultDB) Commit(ctx context.Context, l store.Lease, a []store.Advance) (out []error, err error) {
	err = x.f.do("commit", func() error { out, err = x.DB.Commit(ctx, l, a); return err })
	return out, err
}

func (x faultDB) CreateLog(ctx context.Context, lease store.Lease, l store.Log, h store.Head) (out store.Log, err error) {
	err = x.f.do("create log", func() error { out, err = x.DB.CreateLog(ctx, lease, l, h); return err })
	return out, err
}

func (x faultDB) EraseObject(ctx context.Context, lease store.Lease, t store.Tombstone) error {
	return x.f.do("erase", func() error { return x.DB.EraseObject(ctx, lease, t) })
}

// faulty opens a ledger over doubles.
func faulty(dir string, f *faults) (*fixture, error) {
	ctx := context.Background()
	files := faultFS{store.OS(), f}
	db, err := store.OpenWith(ctx, "sqlite:"+filepath.Join(dir, "truth.db"), store.Options{FS: files})
	if err != nil {
		return nil, err
	}
	g, err := OpenFileGuard(files, filepath.Join(dir, "guard"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	l, err := Open(ctx, Config{Store: faultDB{db, f}, Guard: g, Signer: testSigner})
	if err != nil {
		return nil, errors.Join(err, g.Close(), db.Close())
	}
	return &fixture{dir: dir, db: db, guard: g, Ledger: l}, nil
}

// faultObject is small, or large enough for a file.
func faultObject(log string, i int) []byte {
	if i%5 == 3 {
		b := make([]byte, store.SmallObject+100)
		copy(b, fmt.Sprintf("large %d of %s", i, log))
		return b
	}
	return objectNo(log, i)
}

// scenario uses a ledger whatever fails, and returns what was acknowledged.
func scenario(l *Ledger) (acked map[string]map[int]Receipt, erased bool) {
	ctx := context.Background()
	acked = map[string]map[int]Receipt{"l-a": {}, "l-b": {}}
	for id := range acked {
		_ = l.Create(ctx, LogSpec{ID: id, Origin: "mithaq/" + id, Public: true})
		_ = l.Create(ctx, LogSpec{ID: id, Origin: "mithaq/" + id, Public: true})
	}
	for i := range 7 {
		for id := range acked {
			e := Entry{Object: faultObject(id, i)}
			if i == 4 {
				e.Attachments = [][]byte{[]byte("attachment of " + id)}
			}
			if r, err := l.Append(ctx, id, e); err == nil {
				acked[id][i] = r
			}
		}
	}
	erased = l.Erase(ctx, sha256.Sum256(faultObject("l-a", 3)), Tombstone{Reason: "test"}) == nil
	return acked, erased
}

// verifyAfter checks a reopened folder against what was acknowledged.
func verifyAfter(t *testing.T, dir string, acked map[string]map[int]Receipt, erased bool) {
	t.Helper()
	ctx := context.Background()
	f, err := tryFixture(dir)
	if err != nil {
		t.Fatalf("reopening: %v", err)
	}
	defer f.shut(t)
	for id, receipts := range acked {
		if _, err := f.Log(ctx, id); errors.Is(err, ErrNotFound) {
			if len(receipts) > 0 {
				t.Fatalf("log %s is lost", id)
			}
			mustCreate(t, f.Ledger, id, true)
		}
		for i := range 7 {
			r, err := f.Append(ctx, id, Entry{Object: faultObject(id, i)})
			if err != nil {
				t.Fatalf("repeating entry %d of %s: %v", i, id, err)
			}
			if want, ok := receipts[i]; ok && (r.Index != want.Index || !r.Duplicate) {
				t.Fatalf("entry %d of %s was acknowledged at %d and is now at %d", i, id, want.Index, r.Index)
			}
		}
		n := 0
		_, err := Audit(ctx, StoreSource(f.Ledger, id), AuditOptions{Origin: "mithaq/" + id, Verifier: testVerifier(t, "mithaq/"+id),
			Leaf: func(int64, []byte) error { n++; return nil }})
		if err != nil || n != 7 {
			t.Fatalf("auditing %s: %d leaves, %v", id, n, err)
		}
		for i := range 7 {
			h := sha256.Sum256(faultObject(id, i))
			_, err := f.Object(ctx, h)
			var gone *ErrErased
			if errors.As(err, &gone) && id == "l-a" && i == 3 {
				continue
			}
			if err != nil || erased && id == "l-a" && i == 3 {
				t.Fatalf("object %d of %s: %v", i, id, err)
			}
		}
	}
}

// memoryDir is a folder in memory where there is one: faults are injected above the disk, which only takes time.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ledger-fault-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestNothingAcknowledgedIsLostWhateverFails(t *testing.T) {
	for _, persists := range []bool{false, true} {
		t.Run(fmt.Sprintf("persists=%v", persists), func(t *testing.T) {
			t.Parallel()
			hits := map[string]int{}
			step := 1
			if testing.Short() {
				step = 13
			}
			for at := 1; ; at += step {
				dir := memoryDir(t)
				f := &faults{at: at, persists: persists}
				acked, erased := map[string]map[int]Receipt{"l-a": {}, "l-b": {}}, false
				x, err := faulty(dir, f)
				if err == nil {
					acked, erased = scenario(x.Ledger)
					_ = errors.Join(x.Close(context.Background()), x.guard.Close(), x.db.Close())
				} else if !errors.Is(err, errFault) {
					t.Fatal(err)
				}
				verifyAfter(t, dir, acked, erased)
				if t.Failed() {
					t.Fatalf("fault %d (%s)", at, f.name)
				}
				if f.name == "" {
					break // the scenario ended before the fault
				}
				hits[f.name]++
			}
			t.Logf("faults injected: %v", hits)
		})
	}
}
