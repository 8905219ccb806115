package ledger

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"runtime"
	"testing"
)

// An object of many megabytes goes from one node's disk to another's, in two parts as if the line had broken, and neither takes
// it into memory: all that both allocate is a fraction of it.
func TestALargeObjectIsServedAndTakenWithoutStandingInMemory(t *testing.T) {
	ctx := context.Background()
	const size = 24 << 20
	f, other := openFixture(t, t.TempDir()), openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-large", true)
	object := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(object)
	hash := sha256.Sum256(object)
	if _, err := f.Append(ctx, "l-large", Entry{Object: object}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(NewHandler(f.Ledger, newTestGate(t), slog.New(slog.DiscardHandler)))
	defer srv.Close()
	src, err := HTTPSourceWith(srv.URL+"/log/l-large", HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	half := true
	open := func(have int64) (io.ReadCloser, int64, error) {
		a, err := src.OpenObject(ctx, hash, have)
		if err != nil {
			return nil, 0, err
		}
		if half {
			return struct {
				io.Reader
				io.Closer
			}{io.MultiReader(io.LimitReader(a, size/2), failing{}), a}, a.From, nil
		}
		return a, a.From, nil
	}
	if _, err := other.TakeObject(hash, open); err == nil || other.Arrived(hash) != size/2 {
		t.Fatalf("%d bytes arrived: %v", other.Arrived(hash), err)
	}
	half = false
	if n, err := other.TakeObject(hash, open); err != nil || n != size {
		t.Fatalf("%d bytes: %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("%d bytes were allocated for an object of %d", took, size)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errFault }
