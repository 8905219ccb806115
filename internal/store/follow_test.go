package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

// followed begins to follow a log of another party.
func followed(t *testing.T, d *DB, lease Lease) Log {
	t.Helper()
	l, err := d.CreateFollowed(context.Background(), lease, Log{ID: "l-f" + t.Name(), Origin: "of-" + t.Name(), Author: "p-other", Agreement: "a-x"},
		"http://host.test", Head{Root: hashOf("")})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func taking(l Log, from int64, names ...string) Taking {
	a := advance(l, from, names...)
	return Taking{LogNo: l.No, From: from, Leaves: a.Leaves, Objects: a.Objects, Serial: 1}
}

func TestFollowing(t *testing.T) {
	ctx := context.Background()
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		t.Run("staged leaves are no history until a head covers them", func(t *testing.T) {
			d := open(t)
			lease, _ := writer(t, d)
			l := followed(t, d, lease)
			k := taking(l, 0, "a", "b", "c")
			k.Target, k.Seen = []byte("signed"), time.UnixMicro(7)
			if err := d.Take(ctx, lease, k); err != nil {
				t.Fatal(err)
			}
			if h, err := d.Head(ctx, l.No); err != nil || h.Size != 0 {
				t.Fatalf("head %+v, %v", h, err)
			}
			if err := d.Take(ctx, lease, k); !errors.Is(err, ErrConflict) {
				t.Fatalf("the same leaves again: %v", err)
			}
			k = taking(l, 3, "d")
			k.Head = &Head{Size: 4, Serial: 1, Root: hashOf("root"), Checkpoint: []byte("cp4")}
			if err := d.Take(ctx, lease, k); err != nil {
				t.Fatal(err)
			}
			f, err := d.Follow(ctx, l.No)
			if err != nil || f.Staged != 4 || string(f.Target) != "signed" || f.Seen.UnixMicro() != 7 || f.Source != "http://host.test" {
				t.Fatalf("%+v, %v", f, err)
			}
			if h, err := d.Head(ctx, l.No); err != nil || h.Size != 4 || string(h.Checkpoint) != "cp4" {
				t.Fatalf("head %+v, %v", h, err)
			}
			if b, err := d.Leaves(ctx, l.No, 0, 4); err != nil || len(b) != 128 {
				t.Fatalf("%d bytes of leaves, %v", len(b), err)
			}
			k = taking(l, 4, "e")
			k.Head = &Head{Size: 9}
			if err := d.Take(ctx, lease, k); err == nil {
				t.Error("a head beyond the leaves was taken")
			}
			back := Taking{LogNo: l.No, From: 4, Head: &Head{Size: 4, Root: hashOf("root"), Checkpoint: []byte("cp4 with cosignatures")}}
			if err := d.Take(ctx, lease, back); err != nil {
				t.Fatalf("a checkpoint with more signatures: %v", err)
			}
			if err := d.Take(ctx, lease, taking(l, 4, "e", "f")); err != nil {
				t.Fatal(err)
			}
			within := Taking{LogNo: l.No, From: 6, Head: &Head{Size: 5, Root: hashOf("root of 5"), Checkpoint: []byte("cp5")}}
			if err := d.Take(ctx, lease, within); err != nil {
				t.Fatalf("a head within what is staged: %v", err)
			}
			if f, err := d.Follow(ctx, l.No); err != nil || f.Staged != 6 {
				t.Fatalf("%+v, %v", f, err)
			}
			if h, err := d.Head(ctx, l.No); err != nil || h.Size != 5 {
				t.Fatalf("head %+v, %v", h, err)
			}
		})
		t.Run("an object that comes late is told to the index", func(t *testing.T) {
			d := open(t)
			lease, _ := writer(t, d)
			l := followed(t, d, lease)
			k := taking(l, 0, "a", "b")
			k.Objects, k.Absent = k.Objects[:1], []int64{1}
			if err := d.Take(ctx, lease, k); err != nil {
				t.Fatal(err)
			}
			if a, err := d.Absent(ctx, l.No, 0, 9); err != nil || len(a) != 1 || a[0].Index != 1 || a[0].Hash != hashOf("b") {
				t.Fatalf("%+v, %v", a, err)
			}
			err := d.Take(ctx, lease, Taking{LogNo: l.No, From: 2, Serial: 1, Late: []int64{1},
				Objects: []Object{{Hash: hashOf("b"), Index: 1, Size: 1, Bytes: []byte("b")}}})
			if err != nil {
				t.Fatal(err)
			}
			if a, err := d.Absent(ctx, l.No, 0, 9); err != nil || len(a) != 0 {
				t.Fatalf("%+v, %v", a, err)
			}
			late, err := d.Late(ctx, 9)
			if err != nil || len(late) != 1 || late[0] != (LateObject{l.No, 1}) {
				t.Fatalf("%+v, %v", late, err)
			}
			if err := d.ForgetLate(ctx, late); err != nil {
				t.Fatal(err)
			}
			if late, err := d.Late(ctx, 9); err != nil || len(late) != 0 {
				t.Fatalf("%+v, %v", late, err)
			}
		})
		t.Run("evidence is kept once and published by name", func(t *testing.T) {
			d := open(t)
			e := Evidence{ID: "e1" + t.Name(), LogID: "l-x", Party: "p-x", Found: time.UnixMicro(5), File: []byte("proof")}
			for i, want := range []bool{true, false} {
				if fresh, err := d.PutEvidence(ctx, e); err != nil || fresh != want {
					t.Fatalf("time %d: fresh %v, %v", i, fresh, err)
				}
			}
			if err := d.PublishEvidence(ctx, e.ID, time.UnixMicro(9)); err != nil {
				t.Fatal(err)
			}
			got, err := d.EvidenceByID(ctx, e.ID)
			if err != nil || got.Published.UnixMicro() != 9 || string(got.File) != "proof" {
				t.Fatalf("%+v, %v", got, err)
			}
			if err := d.PublishEvidence(ctx, "other", time.UnixMicro(9)); !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
		})
	})
}
