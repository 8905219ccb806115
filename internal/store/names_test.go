package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// TestNamesAreFoundHoweverTheyAreFiled adds enough objects for several filings and looks for them as the writer, as
// another process that has watched from the beginning, and as one that comes late.
func TestNamesAreFoundHoweverTheyAreFiled(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "truth.db")
	d := mustOpen(t, dsn, dir)
	const every = 300
	d.names.every = every
	lease, l := writer(t, d)
	other, err := OpenWith(ctx, dsn, Options{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	other.names.every = every
	const batch = 70
	total := 3*every + 3*batch
	name := func(i int) string { return fmt.Sprint("object ", i) }
	check := func(d *DB, i int) {
		t.Helper()
		if b, err := d.Object(ctx, hashOf(name(i))); err != nil || string(b) != name(i) {
			t.Fatalf("object %d: %q, %v", i, b, err)
		}
	}
	for from := 0; from < total; from += batch {
		var names []string
		want := []InLog{{l.No, hashOf("absent")}}
		for i := range batch {
			names = append(names, name(from+i))
			want = append(want, InLog{l.No, hashOf(name(from + i))})
		}
		for i := 0; i < from; i += 97 {
			want = append(want, InLog{l.No, hashOf(name(i))})
		}
		known, err := d.Known(ctx, want)
		if err != nil || len(known) != len(want)-batch-1 {
			t.Fatalf("at %d: %d of %d are known, %v", from, len(known), len(want), err)
		}
		if res, err := d.Commit(ctx, lease, []Advance{advance(l, int64(from), names...)}); err != nil || res[0] != nil {
			t.Fatal(res, err)
		}
		check(other, from)
		check(d, from/2)
	}
	late := mustOpen(t, dsn, dir)
	for i := 0; i < total; i += 13 {
		check(d, i)
		check(other, i)
		check(late, i)
	}
	var filed, rows int
	if err := queryRow(ctx, late.truth, `SELECT (SELECT count(*) FROM object_name), (SELECT upto FROM object_filed)`, nil, &rows, &filed); err != nil {
		t.Fatal(err)
	}
	if rows != filed || filed < 2*every || filed == total {
		t.Errorf("%d names are filed, up to row %d", rows, filed)
	}
}

// TestNamesAreFiledThoughNobodyLooksAnyUp adds as a follower does that takes a long log in: one commit after the other.
func TestNamesAreFiledThoughNobodyLooksAnyUp(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	d := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir)
	const every, batch, total = 30, 7, 30 * 7
	d.names.every = every
	lease, l := writer(t, d)
	if _, err := d.Known(ctx, []InLog{{l.No, hashOf("absent")}}); err != nil {
		t.Fatal(err)
	}
	name := func(i int) string { return fmt.Sprint("object ", i) }
	for from := 0; from < total; from += batch {
		var names []string
		for i := range batch {
			names = append(names, name(from+i))
		}
		if res, err := d.Commit(ctx, lease, []Advance{advance(l, int64(from), names...)}); err != nil || res[0] != nil {
			t.Fatalf("at %d: %v %v", from, res, err)
		}
	}
	if n := len(d.names.recent); n > every+batch {
		t.Errorf("%d names are kept in memory", n)
	}
	for i := range total {
		if b, err := d.Object(ctx, hashOf(name(i))); err != nil || string(b) != name(i) {
			t.Fatalf("object %d: %q, %v", i, b, err)
		}
	}
}

func TestFilterNeverMissesANumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &filter{}
		in := rapid.SliceOf(rapid.Int64()).Draw(t, "numbers")
		for _, x := range in {
			f.add(x)
		}
		for _, x := range in {
			if !f.mayHold(x) {
				t.Fatalf("%d is missing", x)
			}
		}
	})
}

func TestFilterExcludesMostOthers(t *testing.T) {
	f := &filter{}
	for i := range 100_000 {
		f.add(prefix(hashOf(fmt.Sprint("in ", i))))
	}
	wrong := 0
	for i := range 5_000 {
		if f.mayHold(prefix(hashOf(fmt.Sprint("out ", i)))) {
			wrong++
		}
	}
	if wrong > 100 {
		t.Errorf("%d of 5,000 absent numbers are not excluded", wrong)
	}
}
