package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/store"
)

// testKey returns the checkpoint key of a log, the same in every process.
func testKey(origin string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("test key of " + origin))
	return ed25519.NewKeyFromSeed(seed[:])
}

func testSigner(logID string, _ uint64) (LogSigner, error) {
	origin := "mithaq/" + logID
	k := testKey(origin)
	return NewLogSigner(origin, k.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(k, m), nil }), nil
}

func testVerifier(t testing.TB, origin string) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(VKey(origin, testKey(origin).Public().(ed25519.PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// fixture is a ledger in a folder.
type fixture struct {
	dir   string
	db    *store.DB
	guard *FileGuard
	*Ledger
}

func openFixture(t testing.TB, dir string, change ...func(*Config)) *fixture {
	t.Helper()
	f, err := tryFixture(dir, change...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.shut(t) })
	return f
}

func tryFixture(dir string, change ...func(*Config)) (*fixture, error) {
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "truth.db"))
	if err != nil {
		return nil, err
	}
	g, err := OpenFileGuard(store.OS(), filepath.Join(dir, "guard"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	cfg := Config{Store: db, Guard: g, Signer: testSigner}
	for _, c := range change {
		c(&cfg)
	}
	l, err := Open(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, g.Close(), db.Close())
	}
	return &fixture{dir: dir, db: db, guard: g, Ledger: l}, nil
}

func (f *fixture) shut(t testing.TB) {
	t.Helper()
	if f.Ledger == nil {
		return
	}
	if err := errors.Join(f.Close(context.Background()), f.guard.Close(), f.db.Close()); err != nil {
		t.Error(err)
	}
	f.Ledger = nil
}

func mustCreate(t testing.TB, l *Ledger, id string, public bool) {
	t.Helper()
	if err := l.Create(context.Background(), LogSpec{ID: id, Origin: "mithaq/" + id, Agreement: "own", Public: public}); err != nil {
		t.Fatal(err)
	}
}

// objectNo makes distinct small objects.
func objectNo(log string, i int) []byte {
	b := make([]byte, 600)
	copy(b, fmt.Sprintf("object %d of %s", i, log))
	return b
}

func TestAppendSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	f := openFixture(t, dir)
	mustCreate(t, f.Ledger, "l-one", true)
	ctx := context.Background()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				r, err := f.Append(ctx, "l-one", Entry{Object: objectNo("l-one", g*100+i)})
				if err != nil {
					t.Error(err)
					return
				}
				h, err := OpenCheckpoint(r.Checkpoint, "mithaq/l-one", testVerifier(t, "mithaq/l-one"))
				if err != nil || h.Size != r.Size || h.Root != r.Root || r.Index >= r.Size {
					t.Errorf("receipt %+v does not fit its checkpoint: %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	f.shut(t)
	f = openFixture(t, dir)
	info, err := f.Log(ctx, "l-one")
	if err != nil || info.Size != 800 {
		t.Fatalf("after reopening: %+v, %v", info, err)
	}
	r, err := f.Append(ctx, "l-one", Entry{Object: objectNo("l-one", 17)})
	if err != nil || !r.Duplicate || r.Size != 800 {
		t.Fatalf("appending again: %+v, %v", r, err)
	}
	r, err = f.Append(ctx, "l-one", Entry{Object: objectNo("l-one", 800)})
	if err != nil || r.Index != 800 || r.Duplicate {
		t.Fatalf("appending a new one: %+v, %v", r, err)
	}
}
