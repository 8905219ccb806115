package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

// Wherever a carried file ends, what is before that is verified and kept, and the whole file goes on from there.
func TestABundleThatIsCutShortIsGoneOnWith(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	for i := range 30 {
		d := reportDraft(fmt.Sprintf("carried%d", i))
		d.TLP = "GREEN"
		must(keeper.Publish(ctx, id, d))(t)
	}
	must(keeper.Publish(ctx, id, largeDraft(9, 100_000, "large")))(t)
	l := logOf(t, keeper, id)
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.zip")
	must(keeper.WriteBundle(ctx, BundleRequest{Path: whole, To: other.party.ID}))(t)
	data := must(os.ReadFile(whole))(t)

	kept, staged := int64(0), int64(0)
	for part := range 8 {
		end := len(data) * (2*part + 1) / 16
		name := filepath.Join(dir, fmt.Sprintf("part%d.zip", part))
		if err := os.WriteFile(name, data[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := other.ReadBundle(ctx, BundleRequest{Path: name})
		if err != nil || r.Cut != int64(end) || r.Refused > 1 { // the own house is nobody else's
			t.Fatalf("cut at %d of %d: %+v, %v", end, len(data), r, err)
		}
		kept += r.Kept
		row := must(other.store.Log(ctx, l))(t)
		now := must(other.store.Follow(ctx, row.No))(t).Staged
		if now < staged {
			t.Fatalf("%d leaves are here, %d were", now, staged)
		}
		staged = now
	}
	size := must(keeper.reader.Log(ctx, l))(t).Size
	if kept == 0 || kept != staged || staged >= size {
		t.Fatalf("of %d leaves %d were kept and %d are here", size, kept, staged)
	}
	r := must(other.ReadBundle(ctx, BundleRequest{Path: whole}))(t)
	if here := must(other.reader.Log(ctx, l))(t); r.Cut != 0 || r.Kept != 0 || r.Leaves != size || here.Size != size {
		t.Fatalf("%+v, %d leaves of %d", r, here.Size, size)
	}
	if err := other.WaitIndexed(ctx, l, size); err != nil || len(found(t, other, "carried29")) != 1 || len(found(t, other, "large")) == 0 {
		t.Fatal("what was carried cannot be found", err)
	}
	if r := must(other.ReadBundle(ctx, BundleRequest{Path: whole}))(t); r.Leaves != 0 || r.Logs != 1 {
		t.Fatalf("once more: %+v", r)
	}
	if err := os.WriteFile(whole, data[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := other.ReadBundle(ctx, BundleRequest{Path: whole}); fault.CodeOf(err) != fault.Invalid {
		t.Fatal(err)
	}
}

// A large object goes into a bundle in pieces, and a file says how long it is before it begins.
func TestAFileOfABundleIsFoundWithoutTheListAtItsEnd(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	must(keeper.Publish(ctx, id, largeDraft(10, maxEpochObject+store.SmallObject, "whale")))(t)
	var b bytes.Buffer
	all := must(keeper.allChanges(ctx, other.party.ID))(t)
	out := must(keeper.bundle(ctx, &b, other.party.ID, all, func(string) int64 { return 0 }))(t)
	files := must(cutBundle(bytes.NewReader(b.Bytes()), int64(b.Len())))(t)
	total := int64(0)
	for _, f := range files.loose {
		total += f.Size()
	}
	if total != out.Bytes || total < maxEpochObject {
		t.Fatalf("the files have %d bytes, %d were written", total, out.Bytes)
	}
}

// A slow machine that is at a large object keeps a caller on the network waiting for a moment only, and the node's own work for as
// long as it takes.
func TestOwnWorkWaitsForTheIndex(t *testing.T) {
	ctx := context.Background()
	keeper, _, id := founded(t)
	keeper.indexer.large.Lock() // the index cannot go on
	must(keeper.Publish(ctx, id, largeDraft(11, 2*store.SmallObject, "whale")))(t)
	logs := []ledger.LogInfo{must(keeper.reader.Log(ctx, logOf(t, keeper, id)))(t)}
	for _, patience := range []int{0, 2} {
		if err := keeper.awaitRecalls(ctx, logs, time.Millisecond, patience); !errors.Is(err, ledger.ErrUnsettled) {
			t.Fatal(err)
		}
	}
	waited := make(chan error, 1)
	go func() { waited <- keeper.awaitRecalls(ctx, logs, time.Millisecond, math.MaxInt) }()
	keeper.indexer.large.Unlock()
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
}

func FuzzCutBundle(f *testing.F) {
	ctx := context.Background()
	keeper, other, _ := founded(f)
	var b bytes.Buffer
	all := must(keeper.allChanges(ctx, other.party.ID))(f)
	must(keeper.bundle(ctx, &b, other.party.ID, all, func(string) int64 { return 0 }))(f)
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()/2])
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := cutBundle(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		total := int64(0)
		for name, s := range files.loose {
			total += s.Size() + int64(len(name))
		}
		if total > int64(len(data)) {
			t.Fatalf("%d bytes of files in %d", total, len(data))
		}
	})
}
