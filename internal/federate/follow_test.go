package federate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/federate/simulate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// author is a party with a log of so many leaves, its keyring included.
func author(t testing.TB, seed uint64, leaves int) *simulate.Author {
	t.Helper()
	a, err := simulate.NewAuthor(simulate.Dice(seed), "Sahlan", "a-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", start)
	if err != nil {
		t.Fatal(err)
	}
	grow(t, a.Log, leaves-1)
	return a
}

func grow(t testing.TB, l *simulate.Log, n int) {
	t.Helper()
	for range n {
		if err := l.Append(fmt.Appendf(nil, "object %d of %s", l.Size(), l.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

func logOf(a *simulate.Author) federate.Log {
	return federate.Log{ID: a.Log.ID, Origin: a.Log.Origin, Party: a.Party, Agreement: a.Keyring.Log.Agreement}
}

// follower runs rounds of one log against a source, one event after the other in an order that the dice choose.
type follower struct {
	t       testing.TB
	shelf   *simulate.Shelf
	state   *federate.State
	opts    federate.Options
	now     time.Time
	dice    *rand.Rand
	notices []federate.Notice
	stores  int
	fail    func() error // of the next transaction; nil: it works
}

func newFollower(t testing.TB, a *simulate.Author, o federate.Options) *follower {
	f := &follower{t: t, shelf: simulate.NewShelf(logOf(a)), opts: o, now: start, dice: rand.New(rand.NewPCG(1, 2))}
	f.restart()
	return f
}

func (f *follower) restart() {
	f.t.Helper()
	var err error
	if f.state, err = f.shelf.Follower(f.opts); err != nil {
		f.t.Fatal(err)
	}
}

// round looks once and returns how it ended.
func (f *follower) round(src federate.Source) federate.Rest {
	f.t.Helper()
	f.now = f.now.Add(time.Hour)
	return f.look(src, federate.Look{Now: f.now})
}

func (f *follower) look(src federate.Source, look federate.Look) federate.Rest {
	f.t.Helper()
	ctx := context.Background()
	todo := f.state.Step(look)
	var rest *federate.Rest
	for len(todo) > 0 || rest != nil {
		todo = slices.DeleteFunc(todo, func(e federate.Effect) bool {
			switch e := e.(type) {
			case federate.Notice:
				f.notices = append(f.notices, e)
			case federate.Rest:
				rest = &e
			default:
				_, fetch := e.(federate.Fetch)
				return fetch && rest != nil // nobody waits for it any more
			}
			return true
		})
		if len(todo) == 0 {
			break
		}
		i := f.dice.IntN(len(todo))
		e := todo[i]
		todo = append(todo[:i:i], todo[i+1:]...)
		switch e := e.(type) {
		case federate.Fetch:
			body, err := e.Request.Of(ctx, src)
			todo = append(todo, f.state.Step(federate.Came{Request: e.Request, Body: federate.Body{Bytes: body}, Err: err, Now: f.now})...)
		case federate.Store:
			f.stores++
			var err error
			if f.fail != nil {
				err = f.fail()
			}
			if err == nil {
				err = f.shelf.Take(e.Taking)
			}
			todo = append(todo, f.state.Step(federate.Stored{Err: err, Now: f.now})...)
		case federate.Edge:
			root, frontier := f.shelf.Edge(e.Size)
			todo = append(todo, f.state.Step(federate.Edged{Root: root, Frontier: frontier, Now: f.now})...)
		case federate.Prefix:
			proof, err := f.shelf.Prefix(e.Size)
			todo = append(todo, f.state.Step(federate.Prefixed{Proof: proof, Err: err, Now: f.now})...)
		}
	}
	if rest == nil {
		f.t.Fatal("the round never ended")
	}
	if rest.Spent {
		f.restart()
	}
	return *rest
}

// has checks that the follower holds what the log had at a size, no more and no less.
func (f *follower) has(l *simulate.Log, size int64) {
	f.t.Helper()
	want, err := l.HeadAt(size)
	if err != nil {
		f.t.Fatal(err)
	}
	if got := f.shelf.Head(); got != want {
		f.t.Fatalf("it holds %d leaves with root %x, want %d with %x", got.Size, got.Root[:4], want.Size, want.Root[:4])
	}
	for i, o := range f.shelf.Objects() {
		if o == nil {
			f.t.Fatalf("object %d is missing", i)
		}
	}
}

func (f *follower) told(kind federate.NoticeKind) *federate.Notice {
	for i := range f.notices {
		if f.notices[i].Kind == kind {
			return &f.notices[i]
		}
	}
	return nil
}

func TestFollowingTakesExactlyWhatWasSigned(t *testing.T) {
	a := author(t, 1, 1)
	f := newFollower(t, a, federate.Options{Objects: true, PieceLeaves: 300})
	for _, more := range []int{0, 1, 254, 1, 1, 600, 70000} {
		grow(t, a.Log, more)
		if rest := f.round(a.Log); rest.Err != nil {
			t.Fatal(rest.Err)
		}
		f.has(a.Log, a.Log.Size())
	}
	stores := f.stores
	if rest := f.round(a.Log); rest.Err != nil || f.stores != stores {
		t.Fatalf("nothing new was stored again: %v", rest.Err)
	}
	for _, n := range f.notices {
		if n.Kind != federate.NoticeGrew {
			t.Errorf("%+v", n)
		}
	}
}

// source lets a test change what a log serves.
type source struct {
	federate.Source
	checkpoint func() ([]byte, error)
	keyrings   func() ([]byte, error)
	tile       func(level int, n int64, width int, b []byte) ([]byte, error)
	entries    func(n int64, b []byte) ([]byte, error)
	object     func(hash [32]byte, b []byte) ([]byte, error)
}

func (s *source) Checkpoint(ctx context.Context) ([]byte, error) {
	if s.checkpoint != nil {
		return s.checkpoint()
	}
	return s.Source.Checkpoint(ctx)
}

func (s *source) Keyrings(ctx context.Context) ([]byte, error) {
	if s.keyrings != nil {
		return s.keyrings()
	}
	return s.Source.Keyrings(ctx)
}

func (s *source) Tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	b, err := s.Source.Tile(ctx, level, n, width)
	if s.tile != nil && err == nil {
		return s.tile(level, n, width, bytes.Clone(b))
	}
	return b, err
}

func (s *source) Entries(ctx context.Context, n int64, width int) ([]byte, error) {
	b, err := s.Source.Entries(ctx, n, width)
	if s.entries != nil && err == nil {
		return s.entries(n, bytes.Clone(b))
	}
	return b, err
}

func (s *source) Object(ctx context.Context, hash [32]byte) ([]byte, error) {
	b, err := s.Source.Object(ctx, hash)
	if s.object != nil {
		return s.object(hash, bytes.Clone(b))
	}
	return b, err
}

func TestALyingHostIsRefusedAndNothingIsKeptOfIt(t *testing.T) {
	other := author(t, 99, 700)
	for name, lie := range map[string]func(a *simulate.Author, s *source){
		"a checkpoint of another log": func(_ *simulate.Author, s *source) {
			s.checkpoint = func() ([]byte, error) { return other.Log.CheckpointAt(700) }
		},
		"a checkpoint with another size": func(a *simulate.Author, s *source) {
			s.checkpoint = func() ([]byte, error) {
				cp, err := a.Log.CheckpointAt(700)
				return bytes.Replace(cp, []byte("\n700\n"), []byte("\n701\n"), 1), err
			}
		},
		"no checkpoint": func(_ *simulate.Author, s *source) {
			s.checkpoint = func() ([]byte, error) { return []byte("gone"), nil }
		},
		"an endless checkpoint": func(_ *simulate.Author, s *source) {
			s.checkpoint = func() ([]byte, error) { return bytes.Repeat([]byte("x\n"), 1<<16), nil }
		},
		"a hundred signatures": func(a *simulate.Author, s *source) {
			s.checkpoint = func() ([]byte, error) {
				cp, err := other.Log.CheckpointAt(700)
				line := cp[bytes.Index(cp, []byte("\n\n"))+2:]
				own, err2 := a.Log.CheckpointAt(700)
				return append(own, bytes.Repeat(line, 100)...), errors.Join(err, err2)
			}
		},
		"keyrings of another log": func(_ *simulate.Author, s *source) {
			s.keyrings = func() ([]byte, error) { return other.Log.Keyrings(context.Background()) }
		},
		"keyrings that are none": func(_ *simulate.Author, s *source) {
			s.keyrings = func() ([]byte, error) { return []byte(`[{"a":1}]`), nil }
		},
		"a changed tile": func(_ *simulate.Author, s *source) {
			s.tile = func(_ int, _ int64, _ int, b []byte) ([]byte, error) { b[5] ^= 1; return b, nil }
		},
		"a tile of another width": func(_ *simulate.Author, s *source) {
			s.tile = func(_ int, _ int64, _ int, b []byte) ([]byte, error) { return b[:len(b)-32], nil }
		},
		"a changed bundle": func(_ *simulate.Author, s *source) {
			s.entries = func(_ int64, b []byte) ([]byte, error) { b[40] ^= 1; return b, nil }
		},
		"a bundle of other leaves": func(_ *simulate.Author, s *source) {
			s.entries = func(n int64, b []byte) ([]byte, error) { return other.Log.Entries(context.Background(), n, len(b)/35) }
		},
		"a short bundle": func(_ *simulate.Author, s *source) {
			s.entries = func(_ int64, b []byte) ([]byte, error) { return b[:len(b)-35], nil }
		},
		"leaf 0 without its keyring": func(a *simulate.Author, s *source) {
			s.object = func(hash [32]byte, b []byte) ([]byte, error) {
				if strings.HasPrefix(string(b), "object") {
					return b, nil
				}
				return nil, ledger.ErrNotFound
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := author(t, 1, 700)
			f := newFollower(t, a, federate.Options{Objects: true, PieceLeaves: 100})
			s := &source{Source: a.Log}
			lie(a, s)
			rest := f.round(s)
			if name == "a hundred signatures" {
				if rest.Err == nil || f.shelf.Head().Size > 0 {
					t.Fatalf("it was taken: %v", rest.Err)
				}
			} else if rest.Err == nil || f.told(federate.NoticeRefused) == nil || f.shelf.Head().Size > 0 {
				t.Fatalf("%v, %+v", rest.Err, f.notices)
			}
			// The honest host is believed afterwards, whatever was staged.
			if rest := f.round(a.Log); rest.Err != nil {
				t.Fatal(rest.Err)
			}
			f.has(a.Log, 700)
		})
	}
}

func TestAHostThatWithholdsObjectsHidesNoHistory(t *testing.T) {
	a := author(t, 1, 600)
	f := newFollower(t, a, federate.Options{Objects: true})
	hidden := sha256.Sum256([]byte("object 300 of " + a.Log.ID))
	s := &source{Source: a.Log, object: func(hash [32]byte, b []byte) ([]byte, error) {
		if hash == hidden {
			return []byte("something else"), nil
		}
		return b, nil
	}}
	if rest := f.round(s); rest.Err != nil || f.shelf.Head().Size != 600 || f.shelf.Objects()[300] != nil {
		t.Fatalf("%v, %d leaves", rest.Err, f.shelf.Head().Size)
	}
	f.restart()
	f.round(a.Log)
	f.has(a.Log, 600)
}

func TestAForkBecomesEvidenceThatVerifiesOffline(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.Int64Range(1, 600).Draw(rt, "fork at")
		ours := rapid.IntRange(0, 400).Draw(rt, "our leaves after")
		theirs := rapid.IntRange(1, 400).Draw(rt, "their leaves after")
		a := author(t, 7, int(at))
		fork, err := a.Log.Fork(at)
		if err != nil {
			rt.Fatal(err)
		}
		grow(t, a.Log, ours)
		if ours == 0 {
			return
		}
		for range theirs {
			if err := fork.Append(fmt.Appendf(nil, "another object %d", fork.Size())); err != nil {
				rt.Fatal(err)
			}
		}
		f := newFollower(t, a, federate.Options{Objects: true})
		f.round(a.Log)
		head := f.shelf.Head()
		f.round(fork)
		n := f.told(federate.NoticeMismatch)
		if n == nil {
			rt.Fatalf("a fork at %d, ours %d, theirs %d: %+v", at, a.Log.Size(), fork.Size(), f.notices)
		}
		if f.shelf.Head() != head {
			rt.Fatal("the other history was taken")
		}
		file, err := n.Evidence.Bytes()
		if err != nil {
			rt.Fatal(err)
		}
		e, err := federate.ParseEvidence(file)
		if err != nil {
			rt.Fatal(err)
		}
		if c, err := e.Verify(); err != nil || c.Party != a.Party {
			rt.Fatalf("%+v, %v", c, err)
		}
		if e.ID() != n.Evidence.ID() {
			rt.Fatal("the id changed on the way")
		}
		// What is forged proves nothing.
		honest, err := a.Log.CheckpointAt(at)
		if err != nil {
			rt.Fatal(err)
		}
		forged := *e
		forged.First = string(honest)
		if _, err := forged.Verify(); err == nil && at < a.Log.Size() && at < fork.Size() {
			rt.Fatal("an honest checkpoint was turned into evidence")
		}
		for i := range e.Prefix {
			forged := *e
			forged.Prefix = append([]string{}, e.Prefix...)
			forged.Prefix[i] = strings.Repeat("0", 64)
			if _, err := forged.Verify(); err == nil {
				rt.Fatal("a changed proof verifies")
			}
		}
		// And the history that is here goes on.
		grow(t, a.Log, 3)
		if rest := f.round(a.Log); rest.Err != nil {
			rt.Fatal(rest.Err)
		}
		f.has(a.Log, a.Log.Size())
	})
}

func TestAnOlderHistoryIsRefusedAndIsNoFork(t *testing.T) {
	a := author(t, 1, 500)
	f := newFollower(t, a, federate.Options{Objects: true})
	f.round(a.Log)
	old, err := a.Log.Fork(300)
	if err != nil {
		t.Fatal(err)
	}
	f.round(old)
	if f.told(federate.NoticeMismatch) != nil || f.told(federate.NoticeRollback) == nil {
		t.Fatalf("%+v", f.notices)
	}
	f.has(a.Log, 500)
}

func TestFollowingGoesOnWhereItWasInterrupted(t *testing.T) {
	a := author(t, 1, 3000)
	f := newFollower(t, a, federate.Options{Objects: true, PieceLeaves: 256})
	cut := errors.New("the cable")
	n := 0
	s := &source{Source: a.Log, entries: func(_ int64, b []byte) ([]byte, error) {
		if n++; n%4 == 0 {
			return nil, cut
		}
		return b, nil
	}}
	full := errors.New("disk full")
	writes := 0
	f.fail = func() error {
		if writes++; writes%3 == 0 {
			return full
		}
		return nil
	}
	rounds := 0
	for f.shelf.Head().Size < 3000 && rounds < 100 {
		f.round(s)
		if rounds++; rounds%2 == 0 {
			f.restart()
		}
		grown := f.state.Staged()
		if grown > 3000 {
			t.Fatal("it staged more than there is")
		}
	}
	f.has(a.Log, 3000)
	if f.told(federate.NoticeRefused) != nil || f.told(federate.NoticeMismatch) != nil {
		t.Fatalf("%+v", f.notices)
	}
}

// A round whose line breaks keeps what came before the gap, and the pause does not grow while rounds bring something.
func TestARoundKeepsWhatCameBeforeTheLineBroke(t *testing.T) {
	a := author(t, 1, 250) // less than a bundle
	f := newFollower(t, a, federate.Options{Objects: true, RetryFirst: time.Second})
	asked, staged := 0, int64(0)
	s := &source{Source: a.Log, object: func(_ [32]byte, b []byte) ([]byte, error) {
		if asked++; asked%60 == 0 {
			return nil, fetch.Refuse(fetch.BrokenOff, "the line broke")
		}
		return b, nil
	}}
	for rounds := 0; f.shelf.Head().Size < 250; rounds++ {
		rest := f.round(s)
		f.restart() // what is kept is kept over a restart
		now := f.state.Staged()
		if now < staged || rounds > 40 {
			t.Fatalf("round %d: %d leaves are here, %d were: %v", rounds, now, staged, rest.Err)
		}
		if now > staged && rest.Err != nil && rest.Until.Sub(f.now) != time.Second {
			t.Fatalf("the next round is only at %s, although this one brought something", rest.Until)
		}
		staged = now
	}
	f.has(a.Log, 250)
}

// A line that breaks while absent objects are asked for again does not lose those that came.
func TestAMendedRoundKeepsWhatCame(t *testing.T) {
	a := author(t, 1, 40)
	f := newFollower(t, a, federate.Options{Objects: true})
	withheld, asked := true, 0
	lacks := func() bool { return slices.ContainsFunc(f.shelf.Objects(), func(o []byte) bool { return o == nil }) }
	s := &source{Source: a.Log, object: func(_ [32]byte, b []byte) ([]byte, error) {
		if asked++; withheld && asked > 20 && bytes.HasPrefix(b, []byte("object ")) {
			return nil, ledger.ErrNotFound
		}
		if !withheld && asked%5 == 0 {
			return nil, fetch.Refuse(fetch.BrokenOff, "the line broke")
		}
		return b, nil
	}}
	f.round(s)
	if f.shelf.Head().Size != 40 || !lacks() {
		t.Fatal("objects that were withheld are here")
	}
	withheld, asked = false, 0
	for rounds := 0; lacks(); rounds++ {
		if f.round(s); rounds > 20 {
			t.Fatal("they never came")
		}
	}
	if asked > 40 {
		t.Fatalf("20 objects were asked for %d times", asked)
	}
}

func TestAFloodIsTakenInWindows(t *testing.T) {
	a := author(t, 1, 2000)
	f := newFollower(t, a, federate.Options{Objects: true, Quota: federate.Quota{Window: 24 * time.Hour, Leaves: 600}})
	f.round(a.Log)
	if n := f.told(federate.NoticeQuota); n == nil || f.shelf.Head().Size != 0 || f.state.Staged() > 600 {
		t.Fatalf("%+v, staged %d", f.notices, f.state.Staged())
	}
	for range 5 {
		f.now = f.now.Add(24 * time.Hour)
		f.round(a.Log)
	}
	f.has(a.Log, 2000)
}

func TestSilenceIsTold(t *testing.T) {
	a := author(t, 1, 5)
	f := newFollower(t, a, federate.Options{Objects: true, StaleAfter: 30 * time.Hour})
	f.round(a.Log)
	s := &source{Source: a.Log, checkpoint: func() ([]byte, error) { return nil, errors.New("unreachable") }}
	for range 29 {
		f.round(s)
	}
	if f.told(federate.NoticeStale) != nil {
		t.Fatal("too early")
	}
	f.round(s)
	f.round(s)
	if f.told(federate.NoticeStale) == nil {
		t.Fatal("nobody was told")
	}
	stale := len(f.notices)
	f.round(s)
	if len(f.notices) != stale {
		t.Fatal("it is told again and again")
	}
}
