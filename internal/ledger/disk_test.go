package ledger

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/internal/store/disktest"
)

func TestAFullDiskSaysSoAndLosesNothing(t *testing.T) {
	dir, remount := disktest.Small(t, 3)
	ctx := context.Background()
	f := openFixture(t, dir)
	mustCreate(t, f.Ledger, "l-full", true)
	acked := map[int]int64{}
	var last error
	for i := 0; i < 20000 && last == nil; i++ {
		o := objectNo("l-full", i)
		if i%20 == 19 {
			o = append(make([]byte, store.SmallObject), o...)
		}
		var r Receipt
		if r, last = f.Append(ctx, "l-full", Entry{Object: o}); last == nil && i%20 != 19 {
			acked[i] = r.Index
		}
	}
	if !errors.Is(last, store.ErrFull) {
		t.Fatalf("a full disk says %v", last)
	}
	remount(0, "size=64m")
	for i := range 5 { // the same process goes on when there is room again
		r, err := f.Append(ctx, "l-full", Entry{Object: objectNo("after", i)})
		if err != nil {
			t.Fatalf("after making room: %v", err)
		}
		_ = r
	}
	f.shut(t)
	f = openFixture(t, dir)
	for i, want := range acked {
		r, err := f.Append(ctx, "l-full", Entry{Object: objectNo("l-full", i)})
		if err != nil || !r.Duplicate || r.Index != want {
			t.Fatalf("entry %d was acknowledged at %d: %+v, %v", i, want, r, err)
		}
	}
	if _, err := Audit(ctx, StoreSource(f.Ledger, "l-full"), AuditOptions{Origin: "mithaq/l-full", Verifier: testVerifier(t, "mithaq/l-full")}); err != nil {
		t.Fatal(err)
	}
}

func TestAReadOnlyFolderSaysSo(t *testing.T) {
	dir, remount := disktest.Small(t, 3)
	f := openFixture(t, dir)
	mustCreate(t, f.Ledger, "l-ro", true)
	f.shut(t)
	remount(syscall.MS_RDONLY, "")
	_, err := tryFixture(dir)
	if !errors.Is(err, store.ErrReadOnly) {
		t.Fatalf("got %v", err)
	}
	remount(0, "size=3m")
	openFixture(t, dir)
}
