package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var errCut = errors.New("the line broke")

// broken gives so many bytes and breaks.
func broken(b []byte, n int) io.ReadCloser {
	if n >= len(b) {
		return io.NopCloser(bytes.NewReader(b))
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(b[:n]), cutOff{}))
}

type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, errCut }

// Wherever a line breaks, and whether the host gives parts or only the whole, the object comes once it was given often enough;
// with parts no byte is sent twice.
func TestObjectsArriveInPieces(t *testing.T) {
	dir := t.TempDir()
	d := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir)
	object := []byte(strings.Repeat("0123456789", 9000))
	hash := hashOf(string(object))
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.Bool().Draw(t, "parts")
		var sent int
		for try := 0; ; try++ {
			n := rapid.IntRange(0, 40_000).Draw(t, "bytes")
			if try > 12 {
				n = len(object)
			}
			size, err := d.TakeObjectFile(hash, 1<<20, "u", func(have int64) (io.ReadCloser, int64, error) {
				if !parts {
					have = 0
				}
				sent += min(n, len(object)-int(have))
				return broken(object[have:], n), have, nil
			})
			if err == nil {
				if size != int64(len(object)) {
					t.Fatalf("%d bytes", size)
				}
				break
			}
			if !errors.Is(err, errCut) || size != d.Arrived(hash) {
				t.Fatalf("%d bytes, %d kept, %v", size, d.Arrived(hash), err)
			}
		}
		if parts && sent != len(object) {
			t.Fatalf("%d bytes were sent for an object of %d", sent, len(object))
		}
		if b, err := os.ReadFile(d.objectFile(hash)); err != nil || !bytes.Equal(b, object) {
			t.Fatal("the file is not the object", err)
		}
		// It came and nobody was told: it is not fetched again.
		if _, err := d.TakeObjectFile(hash, 1<<20, "u", func(int64) (io.ReadCloser, int64, error) { return nil, 0, errCut }); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(d.objectFile(hash)); err != nil {
			t.Fatal(err)
		}
	})
}

// A host that gave another beginning does no harm to the one who gives the rest; one that gives other bytes is found out, and
// nothing of it is kept.
func TestALyingBeginningIsReplaced(t *testing.T) {
	dir := t.TempDir()
	d := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir)
	object := []byte(strings.Repeat("0123456789", 9000))
	hash := hashOf(string(object))
	lie := bytes.Repeat([]byte("x"), len(object))
	give := func(b []byte, n int) From {
		return func(have int64) (io.ReadCloser, int64, error) { return broken(b[have:], n), have, nil }
	}
	if _, err := d.TakeObjectFile(hash, 1<<20, "u", give(lie, 50_000)); !errors.Is(err, errCut) || d.Arrived(hash) != 50_000 {
		t.Fatal(d.Arrived(hash), err)
	}
	if _, err := d.TakeObjectFile(hash, 1<<20, "u", give(object, 1<<20)); err != nil {
		t.Fatal(err)
	}
	other := hashOf("another")
	if _, err := d.TakeObjectFile(other, 1<<20, "u", give(lie, 1<<20)); !errors.Is(err, ErrOtherBytes) || d.Arrived(other) != 0 {
		t.Fatal(d.Arrived(other), err)
	}
	if size, err := d.TakeObjectFile(other, 1000, "u", give(lie, 1<<20)); !errors.Is(err, ErrOtherBytes) || size > 1001 {
		t.Fatalf("%d bytes of 1000 were taken: %v", size, err)
	}
}

// What arrives is bounded, what nobody goes on with is swept, what was destroyed does not wait, and a file that no row names
// yet waits to be gone on with.
func TestArrivingIsSweptAndErased(t *testing.T) {
	dir := t.TempDir()
	d := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir)
	ctx := t.Context()
	lease, _ := writer(t, d)
	begin := func(name string) [32]byte {
		hash := hashOf(name)
		if _, err := d.TakeObjectFile(hash, 1<<20, "u", func(int64) (io.ReadCloser, int64, error) {
			return broken([]byte(strings.Repeat(name, 10)), len(name)), 0, nil
		}); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		return hash
	}
	old := begin("old")
	if err := os.Chtimes(d.arrivingFile(old), time.Time{}, time.Now().Add(-2*arrivingFor)); err != nil {
		t.Fatal(err)
	}
	for i := range maxArriving + 5 {
		begin("file " + string(rune('a'+i)))
	}
	if files, err := os.ReadDir(d.arrivingDir()); err != nil || len(files) > maxArriving+1 || d.Arrived(old) != 0 {
		t.Fatalf("%d files, %d bytes of the old one, %v", len(files), d.Arrived(old), err)
	}
	secret := begin("secret")
	if err := d.EraseObject(ctx, lease, Tombstone{Hash: secret, Issuer: "k", Reason: "order"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(d.arrivingDir(), filepath.Base(d.arrivingFile(secret)))); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("what was destroyed still arrives", err)
	}
	big := strings.Repeat("b", SmallObject+1)
	if err := d.PutObjectFile(hashOf(big), []byte(big), "u"); err != nil {
		t.Fatal(err)
	}
	if n, err := d.SweepOrphans(ctx); err != nil || n != 1 || d.Arrived(hashOf(big)) != int64(len(big)) {
		t.Fatal(n, d.Arrived(hashOf(big)), err)
	}
	if _, err := d.TakeObjectFile(hashOf(big), 1<<20, "u", func(int64) (io.ReadCloser, int64, error) { return nil, 0, errCut }); err != nil {
		t.Fatal("it was fetched again: ", err)
	}
}
