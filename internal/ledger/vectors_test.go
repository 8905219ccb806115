package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

var update = flag.Bool("update", false, "write the golden vectors anew")

// golden compares bytes with the vector of that name, or writes it with -update. A vector that changes is a change of
// version 1's formats, which other programs and old files rest on.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "vectors", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs: a format of version 1 changed. Now:\n%s", name, got)
	}
}

// vectorObject is the i-th object of the vectors' logs.
func vectorObject(i int) []byte { return fmt.Appendf(nil, "object %d", i) }

// vectorLog stores a log of so many leaves in one commit, its checkpoint signed by the test key of its name, whose
// seed is the SHA-256 of "test key of " and the origin.
func vectorLog(t *testing.T, size int) Reader {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "truth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	lease, err := db.TakeLease(ctx, "vectors", time.Hour, true)
	if err != nil {
		t.Fatal(err)
	}
	row, err := db.CreateLog(ctx, lease, store.Log{ID: "l-vec", Origin: "mithaq/l-vec", Public: true, Created: time.Unix(0, 0)},
		store.Head{Root: (&edge{}).root(), Checkpoint: []byte{}})
	if err != nil {
		t.Fatal(err)
	}
	a, e := store.Advance{LogNo: row.No}, &edge{}
	for i := range size {
		h := sha256.Sum256(vectorObject(i))
		a.Leaves = append(a.Leaves, h)
		e.add(leafHashOf(h), func(t store.Tile) { a.Tiles = append(a.Tiles, t) })
	}
	s, err := testSigner("l-vec", 1)
	if err != nil {
		t.Fatal(err)
	}
	head := Head{Origin: row.Origin, Size: e.size, Root: e.root()}
	cp, err := signCheckpoint(head, s)
	if err != nil {
		t.Fatal(err)
	}
	a.Head = store.Head{Size: e.size, Serial: 1, Root: head.Root, Frontier: e.packFrontier(), Checkpoint: cp}
	if res, err := db.Commit(ctx, lease, []store.Advance{a}); err != nil || res[0] != nil {
		t.Fatal(res, err)
	}
	return NewReader(db)
}

// fetch gets what a server answers.
func mustFetch(t *testing.T, r Reader, path string, want int) []byte {
	t.Helper()
	rec := httptest.NewRecorder()
	NewHandler(r, newTestGate(t), slog.New(slog.DiscardHandler)).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	b, err := io.ReadAll(rec.Result().Body)
	if err != nil || rec.Code != want {
		t.Fatalf("GET %s: %d, %v", path, rec.Code, err)
	}
	return b
}

func TestVectorLeaf(t *testing.T) {
	object := vectorObject(0)
	h := sha256.Sum256(object)
	leaf, hash := leafOf(h), leafHashOf(h)
	golden(t, "leaf.txt", fmt.Appendf(nil, "object %s\nleaf %x\nleaf-hash %x\n", object, leaf, hash))
}

// TestVectorTrees has the checkpoint of each tree, the first and the last two tiles of each level and of the bundles
// in hexadecimal for small ones and as SHA-256 for others, and a proof of the last leaf and of one in the middle.
func TestVectorTrees(t *testing.T) {
	for _, size := range []int{1, 256, 257, 65537} {
		if size > 1000 && testing.Short() {
			continue
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			r := vectorLog(t, size)
			golden(t, fmt.Sprintf("checkpoint-%d.txt", size), mustFetch(t, r, "/log/l-vec/checkpoint", http.StatusOK))
			var list strings.Builder
			for level := -1; level < levelsOf(int64(size)); level++ {
				hashes := int64(size) >> (tileHeight * max(level, 0))
				count := (hashes + tileWidth - 1) / tileWidth
				for n := range count {
					if n > 0 && n < count-2 {
						continue
					}
					path := "/log/l-vec/" + tilePath(level, n, int(min(hashes-n*tileWidth, tileWidth)))
					b := mustFetch(t, r, path, http.StatusOK)
					if len(b) <= 128 {
						fmt.Fprintf(&list, "%s %d bytes %x\n", path, len(b), b)
					} else {
						fmt.Fprintf(&list, "%s %d bytes sha256 %x\n", path, len(b), sha256.Sum256(b))
					}
				}
			}
			golden(t, fmt.Sprintf("tiles-%d.txt", size), []byte(list.String()))
			for _, index := range []int{size / 2, size - 1} {
				p, err := r.(Prover).Proof(t.Context(), "l-vec", int64(index))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, fmt.Sprintf("proof-%d-of-%d.txt", index, size), p)
				leaf := leafOf(sha256.Sum256(vectorObject(index)))
				if at, _, err := VerifyProof(p, leaf[:], "mithaq/l-vec", testVerifier(t, "mithaq/l-vec")); err != nil || at != int64(index) {
					t.Fatalf("proof of leaf %d: %d, %v", index, at, err)
				}
			}
		})
	}
}

func TestVectorGuard(t *testing.T) {
	dir := t.TempDir()
	g, err := OpenFileGuard(store.OS(), filepath.Join(dir, "guard"))
	if err != nil {
		t.Fatal(err)
	}
	for i, origin := range []string{"mithaq/l-vec", "mithaq/l-other", "mithaq/l-vec"} {
		if err := g.Record(t.Context(), []Head{{Origin: origin, Size: int64(100 * i), Root: sha256.Sum256([]byte{byte(i)})}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "guard"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "guard.txt", b)
	if heads, err := parseGuard(b); err != nil || heads["mithaq/l-vec"].Size != 200 || len(heads) != 2 {
		t.Errorf("read back: %v, %v", heads, err)
	}
}

func TestVectorErasure(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-vec", true)
	if _, err := f.Append(t.Context(), "l-vec", Entry{Object: vectorObject(0)}); err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(vectorObject(0))
	when := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 3600))
	if err := f.Erase(t.Context(), h, Tombstone{At: when, Issuer: "k-officer", Reason: "order 7/2026: a person's <data>"}); err != nil {
		t.Fatal(err)
	}
	journal, err := os.ReadFile(f.journalPath())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "erasures.txt", journal)
	golden(t, "tombstone.json", mustFetch(t, f.Ledger, "/object/"+hex.EncodeToString(h[:]), http.StatusGone))
}
