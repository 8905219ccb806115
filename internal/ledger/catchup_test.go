package ledger

import (
	"context"
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
