package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
)

// slowSource waits at the first object until it is let go, then fails as often as it was told.
type slowSource struct {
	Source
	reached chan struct{}
	release chan struct{}
	fails   int
}

func (s *slowSource) Object(ctx context.Context, h [32]byte) ([]byte, error) {
	if s.reached != nil {
		close(s.reached)
		s.reached = nil
		<-s.release
	}
	if s.fails > 0 {
		s.fails--
		return nil, errFault
	}
	return s.Source.Object(ctx, h)
}

// TestCatchingUpHoldsUpNothingElse has a log that is not known to be behind: its guard was lost with the newest entries.
func TestCatchingUpHoldsUpNothingElse(t *testing.T) {
	ctx := context.Background()
	f, ahead := openFixture(t, t.TempDir()), openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-lost", true)
	mustCreate(t, f.Ledger, "l-busy", true)
	mustCreate(t, ahead.Ledger, "l-lost", true)
	appendRange(t, f.Ledger, "l-lost", 0, 3)
	appendRange(t, ahead.Ledger, "l-lost", 0, 9)
	src := &slowSource{Source: StoreSource(ahead.Ledger, "l-lost"), reached: make(chan struct{}), release: make(chan struct{}), fails: 1}
	reached, result := src.reached, make(chan error, 1)
	o := CatchUpOptions{Verifier: testVerifier(t, "mithaq/l-lost")}
	go func() {
		_, err := f.CatchUp(ctx, "l-lost", src, o)
		result <- err
	}()
	<-reached
	appendRange(t, f.Ledger, "l-busy", 0, 5)
	var behind *ErrBehind
	if _, err := f.Append(ctx, "l-lost", Entry{Object: []byte("would fork")}); !errors.As(err, &behind) || behind.Guard.Size != 9 {
		t.Fatalf("appending to the log that catches up: %v", err)
	}
	close(src.release)
	if err := <-result; !errors.Is(err, errFault) {
		t.Fatalf("the source failed: %v", err)
	}
	f.shut(t)
	f = openFixture(t, f.dir)
	if _, err := f.Append(ctx, "l-lost", Entry{Object: []byte("would fork")}); !errors.As(err, &behind) {
		t.Fatalf("after an interrupted catch-up and a restart: %v", err)
	}
	if r, err := f.CatchUp(ctx, "l-lost", src, o); err != nil || r.Size != 9 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err := f.Append(ctx, "l-lost", Entry{Object: objectNo("l-lost", 7)}); err != nil || !r.Duplicate || r.Index != 7 {
		t.Fatalf("an entry that was taken back: %+v, %v", r, err)
	}
	appendRange(t, f.Ledger, "l-lost", 9, 12)
}

// forgetful leaves objects out.
type forgetful struct {
	Source
	out map[[32]byte]bool
}

func (s forgetful) Object(ctx context.Context, h [32]byte) ([]byte, error) {
	if s.out[h] {
		return nil, ErrNotFound
	}
	return s.Source.Object(ctx, h)
}

// What the host that shows the newest head leaves out comes from another that has it.
func TestCatchingUpAsksOthersForWhatIsLeftOut(t *testing.T) {
	ctx := context.Background()
	f, ahead := openFixture(t, t.TempDir()), openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-lost", true)
	mustCreate(t, ahead.Ledger, "l-lost", true)
	appendRange(t, ahead.Ledger, "l-lost", 0, 9)
	whole := StoreSource(ahead.Ledger, "l-lost")
	hash := func(i int) [32]byte { return sha256.Sum256(objectNo("l-lost", i)) }
	first := forgetful{whole, map[[32]byte]bool{hash(3): true, hash(4): true, hash(6): true}}
	second := forgetful{whole, map[[32]byte]bool{hash(4): true, hash(6): true}}
	third := forgetful{whole, map[[32]byte]bool{hash(3): true, hash(6): true}}
	r, err := f.CatchUp(ctx, "l-lost", first, CatchUpOptions{Verifier: testVerifier(t, "mithaq/l-lost"), Also: []Source{second, third}})
	if err != nil || r.Size != 9 || len(r.Missing) != 1 || r.Missing[0] != hash(6) {
		t.Fatalf("%+v, %v", r, err)
	}
	for i := range 9 {
		if i == 5 {
			continue // a large one, with another name
		}
		if o, err := f.Object(ctx, hash(i)); (err == nil) != (i != 6) || err == nil && string(o.Bytes) != string(objectNo("l-lost", i)) {
			t.Errorf("object %d: %v", i, err)
		}
	}
}
