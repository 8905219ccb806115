package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/store"
)

// naiveRoot is a tree's root computed by golang.org/x/mod/sumdb/tlog from all leaves.
func naiveRoot(objects []Hash) Hash {
	if len(objects) == 0 {
		return sha256.Sum256(nil)
	}
	var stored []tlog.Hash
	r := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ix))
		for i, x := range ix {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, o := range objects {
		leaf := leafOf(o)
		hs, err := tlog.StoredHashes(int64(i), leaf[:], r)
		if err != nil {
			panic(err)
		}
		stored = append(stored, hs...)
	}
	h, err := tlog.TreeHash(int64(len(objects)), r)
	if err != nil {
		panic(err)
	}
	return Hash(h)
}

// world is the naive model that the sequencer's effects act on: lists of leaves, and what was promised about them.
type world struct {
	t         *rapid.T
	leaves    map[int64][]Hash
	serial    map[int64]uint64
	guard     map[int64]Head
	published map[int64]Head
	open      map[Ticket]Submission
	retired   map[int64]bool
}

func (w *world) head(no int64) Head {
	return Head{Origin: fmt.Sprint("o", no), Size: int64(len(w.leaves[no])), Root: naiveRoot(w.leaves[no])}
}

func (w *world) known(want []store.InLog) map[store.InLog]store.Known {
	out := map[store.InLog]store.Known{}
	for _, k := range want {
		if i := slices.Index(w.leaves[k.LogNo], k.Hash); i >= 0 {
			out[k] = store.Known{Index: int64(i)}
		}
	}
	return out
}

func (w *world) perform(e Effect) Event {
	fails := func(label string) bool { return rapid.IntRange(0, 9).Draw(w.t, label) == 0 }
	switch e := e.(type) {
	case Prepare:
		out := Prepared{Logs: map[int64]Loaded{}}
		if fails("lookup fails") {
			out.Err = errors.New("lookup")
			return out
		}
		for _, no := range e.Load {
			if fails("load fails") {
				out.Logs[no] = Loaded{Err: errors.New("load")}
				continue
			}
			ed := &edge{}
			for _, h := range w.leaves[no] {
				ed.add(leafHashOf(h), func(store.Tile) {})
			}
			w.guard[no] = w.head(no)
			w.publish(no, w.head(no))
			out.Logs[no] = Loaded{ID: fmt.Sprint(no), Edge: ed, Serial: w.serial[no], Head: SignedHead{w.head(no), []byte("cp")}, Retired: w.retired[no]}
		}
		out.Known = w.known(e.Lookup)
		return out
	case Sign:
		out := Signed{Checkpoints: map[int64][]byte{}, Errs: map[int64]error{}}
		for no := range e.Heads {
			if fails("sign fails") {
				out.Errs[no] = errors.New("sign")
			} else {
				out.Checkpoints[no] = []byte("cp")
			}
		}
		return out
	case Commit:
		outcome := rapid.IntRange(0, 9).Draw(w.t, "commit outcome")
		if outcome == 0 {
			return Committed{Err: errors.New("failed")}
		}
		out := Committed{Conflicts: map[int64]error{}}
		for _, a := range e.Advances {
			if a.From != int64(len(w.leaves[a.LogNo])) {
				w.t.Fatalf("log %d: commit from %d, the log has %d", a.LogNo, a.From, len(w.leaves[a.LogNo]))
			}
			if outcome != 1 && fails("conflict") {
				out.Conflicts[a.LogNo] = store.ErrConflict
				continue
			}
			w.leaves[a.LogNo] = append(w.leaves[a.LogNo], a.Leaves...)
			w.serial[a.LogNo] = uint64(a.Head.Serial)
			if got := w.head(a.LogNo); got.Size != a.Head.Size || got.Root != a.Head.Root {
				w.t.Fatalf("log %d: committed head %d %x, naive tree %d %x", a.LogNo, a.Head.Size, a.Head.Root, got.Size, got.Root)
			}
		}
		if outcome == 1 {
			return Committed{Err: errors.New("failed but persisted")}
		}
		return out
	case Protect:
		if fails("guard fails") {
			return Guarded{errors.New("guard")}
		}
		for _, h := range e.Heads {
			var no int64
			if _, err := fmt.Sscanf(h.Origin, "o%d", &no); err != nil {
				w.t.Fatal(err)
			}
			w.guard[no] = h
		}
		return Guarded{}
	case Publish:
		for no, h := range e.Heads {
			w.publish(no, h.Head)
		}
	case Reply:
		w.check(e)
	}
	return nil
}

// publish checks that what becomes visible is guarded, stored, and grown out of what was visible.
func (w *world) publish(no int64, h Head) {
	if w.guard[no] != h {
		w.t.Fatalf("log %d: published %d before it was guarded", no, h.Size)
	}
	if h.Size < w.published[no].Size || naiveRoot(w.leaves[no][:h.Size]) != h.Root {
		w.t.Fatalf("log %d: published size %d after %d, or another tree", no, h.Size, w.published[no].Size)
	}
	w.published[no] = h
}

func (w *world) check(r Reply) {
	s, ok := w.open[r.Ticket]
	if !ok {
		w.t.Fatalf("ticket %d answered twice or never given", r.Ticket)
	}
	delete(w.open, r.Ticket)
	if r.Err != nil {
		return
	}
	got := r.Receipt
	if first := slices.Index(w.leaves[s.LogNo], s.Object.Hash); int64(first) != got.Index {
		w.t.Fatalf("acknowledged at %d, first stored at %d", got.Index, first)
	}
	if got.Size > w.published[s.LogNo].Size || got.Index >= got.Size || naiveRoot(w.leaves[s.LogNo][:got.Size]) != got.Root {
		w.t.Fatalf("receipt %+v is not covered by what is published (%d)", got, w.published[s.LogNo].Size)
	}
}

func TestSequencerAgainstANaiveLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, leaves: map[int64][]Hash{}, serial: map[int64]uint64{}, guard: map[int64]Head{}, published: map[int64]Head{},
			open: map[Ticket]Submission{}, retired: map[int64]bool{3: true}}
		s := NewState(Limits{BatchEntries: 7, BatchBytes: 1 << 20, LoadedLogs: 2})
		run := func(ev Event) {
			for ev != nil {
				var effects []Effect
				s, effects = Step(s, ev)
				ev = nil
				for _, e := range effects {
					if next := w.perform(e); next != nil {
						ev = next
					}
				}
			}
		}
		ticket := Ticket(0)
		for range rapid.IntRange(1, 60).Draw(t, "turns") {
			for range rapid.IntRange(0, 9).Draw(t, "entries") {
				ticket++
				no := rapid.Int64Range(0, 3).Draw(t, "log")
				sub := Submission{Ticket: ticket, LogNo: no,
					Object: store.Object{Hash: sha256.Sum256([]byte{byte(rapid.IntRange(0, 60).Draw(t, "object"))}), Size: 1, Bytes: []byte{1}},
					Under:  w.serial[no]}
				if rapid.IntRange(0, 12).Draw(t, "keyring") == 0 {
					sub.Sets = sub.Under + 1
				}
				w.open[ticket] = sub
				run(Submit{sub})
			}
			if rapid.IntRange(0, 9).Draw(t, "forget") == 0 {
				run(Forget{rapid.Int64Range(0, 3).Draw(t, "log")})
			}
			run(Go{})
			if len(s.logs) > 2 {
				t.Fatalf("%d logs are remembered", len(s.logs))
			}
		}
		for s.Waiting() {
			run(Go{})
		}
		if len(w.open) > 0 {
			t.Fatalf("%d entries were never answered", len(w.open))
		}
		for no, l := range w.leaves {
			seen := map[Hash]bool{}
			for i, h := range l {
				if seen[h] {
					t.Fatalf("log %d: leaf %d is there twice", no, i)
				}
				seen[h] = true
			}
		}
		if len(w.leaves[3]) > 0 {
			t.Fatal("a retired log grew")
		}
	})
}

func TestStaleKeyringFailsThatEntryAlone(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-k", true)
	ctx := t.Context()
	if _, err := f.Append(ctx, "l-k", Entry{Object: []byte("keyring 1"), Sets: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := f.Append(ctx, "l-k", Entry{Object: []byte("old"), Under: 0})
	var fence *ErrFence
	if !errors.As(err, &fence) || fence.Have != 1 {
		t.Fatalf("got %v", err)
	}
	if r, err := f.Append(ctx, "l-k", Entry{Object: []byte("new"), Under: 1}); err != nil || r.Index != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err := f.Append(ctx, "l-k", Entry{Object: []byte("keyring 1"), Sets: 1}); err != nil || !r.Duplicate || r.Index != 0 {
		t.Fatalf("repeating an entry after the keyring changed: %+v, %v", r, err)
	}
}

func TestEdgeAgreesWithTlog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 1200).Draw(t, "size")
		var objects []Hash
		e := &edge{}
		tiles := 0
		for i := range n {
			h := sha256.Sum256([]byte(fmt.Sprint(i)))
			objects = append(objects, h)
			e.add(leafHashOf(h), func(x store.Tile) {
				tiles++
				if subtreeRoot(x.Hashes) != x.Root {
					t.Fatalf("tile %d/%d has another root", x.Level, x.N)
				}
			})
		}
		if e.root() != naiveRoot(objects) || tiles != n/256 {
			t.Fatalf("size %d: another root, or %d tiles", n, tiles)
		}
		c, err := edgeFrom(e.size, e.clone().tiles, e.root())
		if err != nil || !slices.Equal(c.frontier, e.frontier) {
			t.Fatalf("rebuilding: %v", err)
		}
	})
}
