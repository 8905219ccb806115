package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"

	"github.com/mithaq/mithaq/internal/store"
)

// growTo makes a log of n leaves without going through Append: one commit, signed and guarded as usual.
func growTo(t testing.TB, f *fixture, id string, n int) {
	t.Helper()
	row, err := f.db.Log(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	e, adv := &edge{}, store.Advance{LogNo: row.No}
	for i := range n {
		h := sha256.Sum256(objectNo(id, i))
		e.add(leafHashOf(h), func(x store.Tile) { adv.Tiles = append(adv.Tiles, x) })
		adv.Leaves = append(adv.Leaves, h)
	}
	head := Head{Origin: row.Origin, Size: int64(n), Root: e.root()}
	err = f.between(context.Background(), func() error {
		cp, err := f.checkpointFor(id, 0, head)
		if err != nil {
			return err
		}
		adv.Head = store.Head{Size: head.Size, Root: head.Root, Frontier: e.packFrontier(), Checkpoint: cp}
		res, err := f.db.Commit(context.Background(), f.lease, []store.Advance{adv})
		if err == nil {
			err = res[0]
		}
		if err != nil {
			return err
		}
		f.step(Forget{row.No})
		f.heads.publish(id, SignedHead{head, cp})
		return f.guard.Record(context.Background(), []Head{head})
	})
	if err != nil {
		t.Fatal(err)
	}
}

const testToken = "correct horse"

// serveLogs serves public logs to all and the others to who holds the token.
func serveLogs(t testing.TB, r Reader) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(NewHandler(r, newTestGate(t), slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	return s
}

// bundleHashes is how tessera's fsck reads our bundles.
func bundleHashes(b []byte) ([][]byte, error) {
	var out [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
			return nil, errors.New("short bundle")
		}
		n := int(b[0])<<8 + int(b[1])
		h := sha256.Sum256(append([]byte{0}, b[2:2+n]...))
		out = append(out, h[:])
		b = b[2+n:]
	}
	return out, nil
}

func runFsck(t testing.TB, base, id, token string) error {
	t.Helper()
	u, err := url.Parse(base + "/log/" + id + "/")
	if err != nil {
		t.Fatal(err)
	}
	f, err := client.NewHTTPFetcher(u, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		f.SetAuthorizationHeader("Bearer " + token)
	}
	return fsck.New("mithaq/"+id, testVerifier(t, "mithaq/"+id), f, bundleHashes, fsck.Opts{N: 4}).Check(context.Background())
}

func TestAnotherProgramAuditsEveryLog(t *testing.T) {
	f := openFixture(t, t.TempDir())
	s := serveLogs(t, f.Ledger)
	sizes := map[string]int{"l-0": 0, "l-1": 1, "l-255": 255, "l-256": 256, "l-257": 257, "l-511": 511, "l-65535": 65535, "l-65536": 65536, "l-65537": 65537, "l-70000": 70000}
	for id, n := range sizes {
		t.Run(id, func(t *testing.T) {
			if n > 1000 && testing.Short() {
				t.Skip("a third level of tiles takes long")
			}
			public := n%2 == 0
			mustCreate(t, f.Ledger, id, public)
			if n > 0 {
				growTo(t, f, id, n)
			}
			token := testToken
			if public {
				token = ""
			}
			if err := runFsck(t, s.URL, id, token); err != nil {
				t.Errorf("fsck: %v", err)
			}
			src, err := HTTPSource(s.URL+"/log/"+id, token)
			if err != nil {
				t.Fatal(err)
			}
			next := int64(0)
			rep, err := Audit(context.Background(), src, AuditOptions{Origin: "mithaq/" + id, Verifier: testVerifier(t, "mithaq/"+id),
				Leaf: func(i int64, leaf []byte) error {
					if i != next {
						t.Fatalf("leaf %d came when %d was due", i, next)
					}
					next++
					if want := leafOf(sha256.Sum256(objectNo(id, int(i)))); string(leaf) != string(want[:]) {
						t.Fatalf("leaf %d is %x", i, leaf)
					}
					return nil
				}})
			if err != nil || next != int64(n) || rep.Head.Size != int64(n) {
				t.Errorf("audit of %d leaves: %+v, %d seen, %v", n, rep, next, err)
			}
			if !public {
				src, _ := HTTPSource(s.URL+"/log/"+id, "")
				if _, err := src.Checkpoint(context.Background()); !errors.Is(err, ErrNotFound) {
					t.Errorf("without the token: %v, want not found", err)
				}
			}
		})
	}
}

// tamper changes what a source returns.
type tamper struct {
	Source
	tile    func(level int, n int64, b []byte) []byte
	entries func(n int64, b []byte) []byte
	cp      func([]byte) []byte
}

func (s tamper) Tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	b, err := s.Source.Tile(ctx, level, n, width)
	if err == nil && s.tile != nil {
		b = s.tile(level, n, append([]byte{}, b...))
	}
	return b, err
}

func (s tamper) Entries(ctx context.Context, n int64, width int) ([]byte, error) {
	b, err := s.Source.Entries(ctx, n, width)
	if err == nil && s.entries != nil {
		b = s.entries(n, append([]byte{}, b...))
	}
	return b, err
}

func (s tamper) Checkpoint(ctx context.Context) ([]byte, error) {
	b, err := s.Source.Checkpoint(ctx)
	if err == nil && s.cp != nil {
		b = s.cp(append([]byte{}, b...))
	}
	return b, err
}

func TestAuditNamesWhatWasForged(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-x", true)
	growTo(t, f, "l-x", 70000)
	src := StoreSource(f.Ledger, "l-x")
	flip := func(b []byte, at int) []byte { b[at] ^= 1; return b }
	cases := map[string]struct {
		s    tamper
		want string
	}{
		"a leaf": {tamper{entries: func(n int64, b []byte) []byte {
			if n == 17 {
				return flip(b, 48*bundleEntry+9)
			}
			return b
		}}, "bundle 17: leaf 4400 does not hash to its tile's entry"},
		"a leaf at the edge": {tamper{entries: func(n int64, b []byte) []byte {
			if n == 273 {
				return flip(b, len(b)-1)
			}
			return b
		}}, "bundle 273: leaf 69999 does not hash"},
		"a leaf's length": {tamper{entries: func(n int64, b []byte) []byte { return flip(b, 1) }}, "bundle 0: leaf 0 has 32 bytes"},
		"a short bundle":  {tamper{entries: func(n int64, b []byte) []byte { return b[:len(b)-1] }}, "bundle 0: it has 8959 bytes"},
		"a tile": {tamper{tile: func(l int, n int64, b []byte) []byte {
			if l == 0 && n == 3 {
				return flip(b, 100)
			}
			return b
		}}, "tile/0/003: does not hash"},
		"an upper tile": {tamper{tile: func(l int, n int64, b []byte) []byte {
			if l == 1 && n == 0 {
				return flip(b, 100)
			}
			return b
		}}, "tile/1/000: does not hash"},
		"the edge": {tamper{tile: func(l int, n int64, b []byte) []byte {
			if l == 2 {
				return flip(b, 1)
			}
			return b
		}}, "do not make the signed root"},
		"the checkpoint": {tamper{cp: func(b []byte) []byte { return []byte(strings.Replace(string(b), "\n70000\n", "\n70001\n", 1)) }}, "invalid signature"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.s.Source = src
			next := int64(0)
			_, err := Audit(context.Background(), c.s, AuditOptions{Origin: "mithaq/l-x", Verifier: testVerifier(t, "mithaq/l-x"),
				Leaf: func(i int64, leaf []byte) error {
					next++
					if want := leafOf(sha256.Sum256(objectNo("l-x", int(i)))); string(leaf) != string(want[:]) {
						t.Errorf("a forged leaf %d got through", i)
					}
					return nil
				}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestProofsHoldOffline(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-p", true)
	growTo(t, f, "l-p", 66000)
	ctx := context.Background()
	v := testVerifier(t, "mithaq/l-p")
	for _, i := range []int64{0, 1, 255, 256, 65535, 65536, 65999} {
		b, err := f.Proof(ctx, "l-p", i)
		if err != nil {
			t.Fatal(err)
		}
		leaf := leafOf(sha256.Sum256(objectNo("l-p", int(i))))
		got, head, err := VerifyProof(b, leaf[:], "mithaq/l-p", v)
		if err != nil || got != i || head.Size != 66000 {
			t.Fatalf("leaf %d: %d, %+v, %v", i, got, head, err)
		}
		leaf[5] ^= 1
		if _, _, err := VerifyProof(b, leaf[:], "mithaq/l-p", v); err == nil {
			t.Fatalf("leaf %d: another leaf passes", i)
		}
	}
	if _, err := f.Proof(ctx, "l-p", 66000); !errors.Is(err, ErrNotFound) {
		t.Fatalf("beyond the tree: %v", err)
	}
	info, err := f.Log(ctx, "l-p")
	if err != nil {
		t.Fatal(err)
	}
	row, _ := f.db.Log(ctx, "l-p")
	for _, n := range []int64{1, 255, 256, 65536, 65537, 66000} {
		root, err := rootAt(ctx, f.store, row.No, 66000, n)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.RootAt(ctx, "l-p", n); err != nil || got != root {
			t.Errorf("the root at %d: %x, %v", n, got, err)
		}
		p, err := f.Consistency(ctx, "l-p", n, 66000)
		if err != nil {
			t.Fatal(err)
		}
		older := Head{Origin: info.Origin, Size: n, Root: root}
		if err := CheckConsistency(p, older, Head{info.Origin, info.Size, info.Root}); err != nil {
			t.Errorf("from %d: %v", n, err)
		}
		// A proof to a tree that has grown since holds as well.
		if root, err := f.RootAt(ctx, "l-p", 65999); err != nil {
			t.Error(err)
		} else if n <= 65999 {
			p, err := f.Consistency(ctx, "l-p", n, 65999)
			if err == nil {
				err = CheckConsistency(p, older, Head{info.Origin, 65999, root})
			}
			if err != nil {
				t.Errorf("from %d to an earlier tree: %v", n, err)
			}
		}
		older.Root[0] ^= 1
		if CheckConsistency(p, older, Head{info.Origin, info.Size, info.Root}) == nil {
			t.Errorf("from %d: another root passes", n)
		}
	}
}
