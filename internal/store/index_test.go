package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/arabic"
)

// indexed is an entry of log 1 with some text.
func indexed(no int64, kind, id, text string, serves ...string) IndexEntry {
	return IndexEntry{
		Indexed: Indexed{No: no, LogNo: 1, Index: no - 1, Leaf: hashOf("leaf " + id), Object: hashOf("object " + id), Standing: StandingValid,
			ID: id, Kind: kind, Agreement: "own", Author: "p-a", Officer: "k-a", Time: time.UnixMicro(1_700_000_000_000_000 + no), TLP: "TLP:CLEAR"},
		Serves: serves, Text: textOf("zzk" + kind + " " + arabic.Index(text, arabic.Unknown)),
	}
}

// textOf is parts of text, each the terms of one joined by spaces.
func textOf(parts ...string) (out IndexText) {
	x := arabic.NewIndexer()
	for _, part := range parts {
		var numbers []uint32
		for term := range strings.FieldsSeq(part) {
			numbers = append(numbers, x.Verbatim(term))
		}
		out.Parts = append(out.Parts, numbers)
	}
	out.Vocabulary = x.Vocabulary()
	return out
}

func dumpOf(t *testing.T, x *Index) string {
	t.Helper()
	var b bytes.Buffer
	if err := x.Dump(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestIndexConformance(t *testing.T) {
	ctx := context.Background()
	found := func(t *testing.T, x *Index, text string, must ...string) (nos []int64) {
		t.Helper()
		matches, err := x.Search(ctx, arabic.ParseQuery(text, true), must, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range matches {
			nos = append(nos, m.No)
		}
		return nos
	}
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		d := open(t)
		x := d.Index()
		empty := dumpOf(t, x)
		a, b, c := indexed(1, "report", "r-a", "Ransomware against hospitals", "1", "2"), indexed(2, "intel", "r-b", "شبكات ومستشفيات 198.51.100.7", "1"), indexed(3, "report", "r-c", "Les hôpitaux visés; ransomware", "2")
		b.STIX = []IndexSTIX{{ID: "indicator--1", Type: "indicator", Version: "2026-01-01T00:00:00Z", Offset: 7, Length: 90}}
		c.Refs = []IndexRef{{Leaf: a.Leaf, Rel: "about"}, {Leaf: a.Leaf, Rel: "about"}}
		for _, step := range []struct {
			from, to int64
			entries  []IndexEntry
		}{{0, 1, []IndexEntry{a}}, {1, 3, []IndexEntry{b, c}}} {
			if err := x.Write(ctx, 1, step.from, step.to, Prepare(step.entries)); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Finish(ctx); err != nil {
			t.Fatal(err)
		}

		t.Run("a batch that does not follow is refused whole", func(t *testing.T) {
			before := dumpOf(t, x)
			if err := x.Write(ctx, 1, 1, 4, Prepare([]IndexEntry{indexed(9, "report", "r-z", "late")})); !errors.Is(err, ErrBehindIndex) {
				t.Errorf("writing twice: %v", err)
			}
			if dumpOf(t, x) != before {
				t.Error("a refused batch left something behind")
			}
			if sizes, err := x.Sizes(ctx); err != nil || sizes[1] != 3 {
				t.Errorf("sizes %v, %v", sizes, err)
			}
		})
		t.Run("words are found, newest first, with filters and pages", func(t *testing.T) {
			for _, want := range []struct {
				text string
				must []string
				nos  string
			}{
				{"ransomware", nil, "[3 1]"}, {"ransomware hosp", nil, "[1]"}, {"hopital", nil, "[3]"}, {"شبكة", nil, "[2]"}, {"مستشفى", nil, "[2]"},
				{"198.51.100.7", nil, "[2]"}, {"198.51.", nil, "[2]"}, {"ransomware", []string{"zzkintel"}, "[]"}, {"visés", []string{"zzkreport"}, "[3]"}, {"nothing", nil, "[]"},
				{`" OR * ) NEAR(`, nil, "[]"}, {"'&|!:*", nil, "[]"},
			} {
				if got := fmt.Sprint(found(t, x, want.text, want.must...)); got != want.nos {
					t.Errorf("%q %v: %v, want %v", want.text, want.must, got, want.nos)
				}
			}
			page, err := x.Search(ctx, arabic.ParseQuery("ransomware", true), nil, 3, 10)
			if err != nil || len(page) != 1 || page[0].No != 1 {
				t.Errorf("the page after 3: %v, %v", page, err)
			}
		})
		t.Run("records are looked up by what names them", func(t *testing.T) {
			if got, err := x.ByID(ctx, "r-b"); err != nil || len(got) != 1 || got[0].Leaf != b.Leaf || !got[0].Time.Equal(b.Time) {
				t.Errorf("by id: %+v, %v", got, err)
			}
			if got, err := x.ByLeaf(ctx, c.Leaf); err != nil || len(got) != 1 || got[0].ID != "r-c" {
				t.Errorf("by leaf: %+v, %v", got, err)
			}
			if got, err := x.WithSTIX(ctx, "indicator--1", 5); err != nil || len(got) != 1 || got[0].ID != "r-b" {
				t.Errorf("by STIX id: %+v, %v", got, err)
			}
			if nos, rels, err := x.ReferringTo(ctx, a.Leaf, 5); err != nil || fmt.Sprint(nos, rels) != "[3] [about]" {
				t.Errorf("referring: %v %v, %v", nos, rels, err)
			}
			if _, err := x.ByNo(ctx, 77); !errors.Is(err, ErrNotFound) {
				t.Errorf("by a number that is not there: %v", err)
			}
		})
		tallies := func(t *testing.T) string {
			t.Helper()
			a, err := x.Activity(ctx, "own", "p-a", nil, time.Now(), 1)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "%d records; ", a.Records)
			for _, one := range a.Served {
				fmt.Fprintf(&b, "%s/%s %d %s %v; ", one.Label, one.Kind, one.Count, one.Newest[0].ID, one.Months)
			}
			return b.String()
		}
		t.Run("commitments are counted", func(t *testing.T) {
			if got, want := tallies(t), "3 records; 1/intel 1 r-b [{2023-11 1}]; 1/report 1 r-a [{2023-11 1}]; 2/report 2 r-c [{2023-11 2}]; "; got != want {
				t.Errorf("tallies\n%s, want\n%s", got, want)
			}
		})
		t.Run("recalls stand by their target", func(t *testing.T) {
			r := indexed(4, "recall", "r-d", "")
			r.Change = &Change{Target: a.Leaf, Action: "narrow", TLP: "TLP:RED", Audience: true, Persons: []string{"k-1"}}
			if err := x.Write(ctx, 1, 3, 4, Prepare([]IndexEntry{r})); err != nil {
				t.Fatal(err)
			}
			got, err := x.ChangesOf(ctx, a.Leaf)
			if err != nil || len(got) != 1 || got[0].Action != "narrow" || got[0].By.ID != "r-d" || !got[0].Audience || got[0].Persons[0] != "k-1" {
				t.Errorf("changes: %+v, %v", got, err)
			}
		})
		t.Run("a revoked key takes the standing of what it signed", func(t *testing.T) {
			k := indexed(5, "keyring", "r-e", "")
			k.Keyring = &IndexKeyring{Party: "p-a", Names: `{"en":"A"}`, Keys: []IndexKey{{ID: "k-n", Role: "node", Revoked: -1}, {ID: "k-a", Revoked: 2, Distrusted: true}}}
			if err := x.Write(ctx, 1, 4, 5, Prepare([]IndexEntry{k})); err != nil {
				t.Fatal(err)
			}
			if got, err := x.ByID(ctx, "r-c"); err != nil || got[0].Standing != StandingNotVouched {
				t.Errorf("what was signed after: %+v, %v", got, err)
			}
			if got, err := x.ByID(ctx, "r-b"); err != nil || got[0].Standing != StandingValid {
				t.Errorf("what was signed before: %+v, %v", got, err)
			}
			if got, want := tallies(t), "2 records; 1/intel 1 r-b [{2023-11 1}]; 1/report 1 r-a [{2023-11 1}]; 2/report 1 r-a [{2023-11 1}]; "; got != want {
				t.Errorf("tallies\n%s, want\n%s", got, want)
			}
		})
		t.Run("of what is erased nothing is found, counted or left", func(t *testing.T) {
			if err := x.Erase(ctx, 2, textOf("too", "many")); err == nil {
				t.Error("erased with other words than those that were written")
			}
			for range 2 {
				if err := x.Erase(ctx, 2, b.Text); err != nil {
					t.Fatal(err)
				}
			}
			if err := x.Erase(ctx, 99, IndexText{}); err != nil {
				t.Errorf("erasing what is not indexed: %v", err)
			}
			if got := found(t, x, "شبكة"); len(got) > 0 {
				t.Errorf("found %v after it was erased", got)
			}
			if got, want := tallies(t), "1 records; 1/report 1 r-a [{2023-11 1}]; 2/report 1 r-a [{2023-11 1}]; "; got != want {
				t.Errorf("tallies\n%s, want\n%s", got, want)
			}
			if dump := dumpOf(t, x); bytes.Contains([]byte(dump), []byte("indicator--1")) || bytes.Contains([]byte(dump), []byte("مستشفي")) {
				t.Error("the dump still has what was erased")
			}
			if d.kind == sqlite {
				grepDir(t, d.Dir(), []byte("indicator--1"))
				grepDir(t, d.Dir(), []byte("مستشفي"))
				grepDir(t, d.Dir(), []byte("zd51zd100"))
			}
		})
		t.Run("dropped, it is as new", func(t *testing.T) {
			if err := x.Drop(ctx); err != nil {
				t.Fatal(err)
			}
			if got := dumpOf(t, x); got != empty {
				t.Errorf("left after dropping: %s", got)
			}
			if err := x.Write(ctx, 1, 0, 1, Prepare([]IndexEntry{a})); err != nil {
				t.Fatal(err)
			}
			if got := found(t, x, "ransom"); len(got) != 1 {
				t.Errorf("found %v", got)
			}
		})
	})
}

func TestReadersWithoutAnIndexAreTold(t *testing.T) {
	dir := t.TempDir()
	d := mustOpen(t, "sqlite:"+filepath.Join(dir, "truth.db"), dir)
	if err := d.Index().close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Files().Remove(filepath.Join(dir, indexFile)); err != nil {
		t.Fatal(err)
	}
	r, err := OpenWith(context.Background(), "sqlite:"+filepath.Join(dir, "truth.db"), Options{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := r.Index().ByNo(context.Background(), 1); !errors.Is(err, ErrNoIndex) {
		t.Errorf("reading no index: %v", err)
	}
	if err := r.Index().Drop(context.Background()); !errors.Is(err, ErrReadOnly) {
		t.Errorf("dropping read-only: %v", err)
	}
}

func TestArrivalsOfInterleavedLogs(t *testing.T) {
	ctx := context.Background()
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		d := open(t)
		lease, l := writer(t, d)
		m, err := d.CreateLog(ctx, lease, Log{ID: "l-m", Origin: "o-m", Agreement: "own", Created: time.UnixMicro(1)}, Head{Root: hashOf(""), Checkpoint: []byte("c")})
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(6) { // three of one log, then two of the other
			if _, err := d.Commit(ctx, lease, []Advance{advance(l, 3*i, fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i)), advance(m, 2*i, fmt.Sprint("a", i), fmt.Sprint("e", i))}); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.EraseObject(ctx, lease, Tombstone{Hash: hashOf("b2"), At: time.UnixMicro(1), Issuer: "i", Reason: "r"}); err != nil {
			t.Fatal(err)
		}
		last := int64(0)
		got, err := d.Arrivals(ctx, l.No, 1, 18)
		if err != nil || len(got) != 17 {
			t.Fatalf("%d arrivals, %v", len(got), err)
		}
		for i, a := range got {
			name := fmt.Sprint(string("abc"[(i+1)%3]), (i+1)/3)
			if a.Hash != hashOf(name) || a.Seq <= last || a.Erased != (name == "b2") || !a.Erased && string(a.Bytes) != name {
				t.Errorf("leaf %d: %+v, want %s after %d", i+1, a, name, last)
			}
			last = a.Seq
		}
	})
}
