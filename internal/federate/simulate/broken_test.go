package simulate

import (
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// broken are parts that do what the program must not, each with a world in which it matters.
var broken = map[string]struct {
	world Config
	parts func(*parts)
}{
	"a witness co-signs whatever it is shown": {Config{Members: 4, LyingAuthor: true}, func(p *parts) {
		p.witness = func(_ federate.Witnessed, a federate.AddCheckpoint, origin string, keys []note.Verifier) (federate.Witnessed, *federate.WitnessRefusal) {
			h, err := ledger.OpenCheckpoint(a.Checkpoint, origin, keys[0])
			if err != nil {
				return federate.Witnessed{}, &federate.WitnessRefusal{}
			}
			return federate.Witnessed{Head: h, Checkpoint: a.Checkpoint}, nil
		}
	}},
	"followers see a fork and keep it to themselves": {Config{Members: 5, LyingAuthor: true}, func(p *parts) {
		p.follow = func(s *Shelf, o federate.Options) (follower, error) {
			state, err := s.Follower(o)
			return deaf{state}, err
		}
	}},
	"followers check no consistency": {Config{Members: 5, LyingAuthor: true}, func(p *parts) {
		p.follow = func(s *Shelf, _ federate.Options) (follower, error) { return &gullible{shelf: s}, nil }
	}},
	"a transaction that failed is taken for stored": {Config{Members: 3, Records: 20, FullDisks: 4, Restarts: 4}, func(p *parts) {
		p.sequence = func(s ledger.State, ev ledger.Event) (ledger.State, []ledger.Effect) {
			if c, ok := ev.(ledger.Committed); ok && c.Err != nil {
				ev = ledger.Committed{}
			}
			return ledger.Step(s, ev)
		}
	}},
	"a record is acknowledged before it is stored": {Config{Members: 3, Records: 20, FullDisks: 4, Restarts: 4}, func(p *parts) {
		p.sequence = func(s ledger.State, ev ledger.Event) (ledger.State, []ledger.Effect) {
			s, effects := ledger.Step(s, ev)
			if e, ok := ev.(ledger.Submit); ok {
				effects = append(effects, ledger.Reply{Ticket: e.Ticket, Receipt: ledger.Receipt{Index: 1}})
			}
			return s, effects
		}
	}},
	"the guard is not compared": {Config{Members: 3, Records: 30, Backups: 6}, func(p *parts) {
		p.compare = func(string, ledger.Head, ledger.Head, func(int64) (ledger.Hash, error)) error { return nil }
	}},
	"a restored node does not wait for all to answer": {Config{Members: 3, Records: 60, Backups: 3, Restarts: 12, Partitions: 3}, func(p *parts) {
		p.settle = func(int, int) bool { return true }
	}},
	"a leave does not change the key": {Config{Members: 4, Records: 60, Withdrawals: 2}, func(p *parts) {
		p.plan = func(have, want []string) (record.EpochMode, []string) {
			if mode, wraps := planEpoch(have, want); mode != record.EpochFresh || len(have) == 0 {
				return mode, wraps
			}
			return "", nil
		}
	}},
	"a join does not change the key": {Config{Members: 5, Records: 60}, func(p *parts) {
		p.plan = func(have, want []string) (record.EpochMode, []string) {
			if mode, wraps := planEpoch(have, want); mode != record.EpochRatchet {
				return mode, wraps
			}
			return "", nil
		}
	}},
	"strangers are served": {Config{Members: 3, Outsiders: 1}, func(p *parts) {
		p.serves = func(agreement.State, string) bool { return true }
	}},
	"anybody may write into the roll": {Config{Members: 5}, func(p *parts) {
		p.keeps = func(agreement.State, agreement.State, agreement.Entry, string) error { return nil }
	}},
}

// An assert that cannot fail asserts nothing: each broken part is found out within a few worlds.
func TestEachBrokenPartIsFoundOut(t *testing.T) {
	for name, b := range broken {
		t.Run(name, func(t *testing.T) {
			p := own()
			b.parts(&p)
			var found error
			seed := uint64(0)
			for ; seed < 40 && found == nil; seed++ {
				c := b.world
				c.Seed = seed
				found = run(c, p)
			}
			if found == nil {
				t.Fatalf("%d worlds noticed nothing", seed)
			}
			t.Log(found)
		})
	}
}

func TestShrinkingEndsAtWhatMatters(t *testing.T) {
	p := own()
	p.serves = func(agreement.State, string) bool { return true }
	c := Config{Seed: 3, Members: 7, Records: 9, Lose: 0.2, Repeat: 0.1, Partitions: 2, Restarts: 3, Backups: 2, FullDisks: 1, Withdrawals: 1, Standbys: 2,
		Pauses: 2, Skew: 1000, LyingAuthor: true, LyingMirror: true, RefusingWitness: true, SilentDepositary: true, Outsiders: 4}
	less := shrink(c, func(c Config) error { return run(c, p) })
	if less != (Config{Seed: 3, Members: 3, Outsiders: 1}) {
		t.Fatalf("what is left of it: %+v", less)
	}
}

// deaf is a follower that says nothing of a fork.
type deaf struct{ *federate.State }

func (d deaf) Step(ev federate.Event) []federate.Effect {
	var out []federate.Effect
	for _, e := range d.State.Step(ev) {
		if n, ok := e.(federate.Notice); !ok || n.Kind != federate.NoticeMismatch {
			out = append(out, e)
		}
	}
	return out
}

// gullible takes whatever a host shows beyond what it has.
type gullible struct {
	shelf *Shelf
	note  []byte
	take  store.Taking
	want  int
}

func (g *gullible) Step(ev federate.Event) []federate.Effect {
	switch ev := ev.(type) {
	case federate.Look:
		g.take, g.want = store.Taking{From: g.shelf.tree.Size()}, 0
		return []federate.Effect{federate.Fetch{Request: federate.Request{What: federate.ResourceCheckpoint}}}
	case federate.Came:
		return g.came(ev)
	}
	return []federate.Effect{federate.Notice{Kind: federate.NoticeGrew}, federate.Rest{}}
}

func (g *gullible) came(ev federate.Came) []federate.Effect {
	if ev.Err != nil && ev.Request.What != federate.ResourceObject {
		return []federate.Effect{federate.Rest{Err: ev.Err}}
	}
	switch ev.Request.What {
	case federate.ResourceCheckpoint:
		h, err := ledger.ParseCheckpoint(ev.Body.Bytes)
		if err != nil || h.Size <= g.shelf.tree.Size() || h.Size > 256 {
			return []federate.Effect{federate.Rest{Err: errors.Join(err)}}
		}
		g.note, g.take.Head = ev.Body.Bytes, &store.Head{Size: h.Size, Root: h.Root, Checkpoint: ev.Body.Bytes}
		return []federate.Effect{federate.Fetch{Request: federate.Request{What: federate.ResourceBundle, Width: int(h.Size)}}}
	case federate.ResourceBundle:
		objects, _, err := ledger.BundleLeaves(ev.Body.Bytes, 0, ev.Request.Width)
		if err != nil {
			return []federate.Effect{federate.Rest{Err: err}}
		}
		var out []federate.Effect
		for _, h := range objects[g.take.From:] {
			g.take.Leaves = append(g.take.Leaves, h)
			g.want++
			out = append(out, federate.Fetch{Request: federate.Request{What: federate.ResourceObject, Hash: h}})
		}
		return out
	}
	g.want--
	for i, h := range g.take.Leaves {
		if h == ev.Request.Hash && ev.Err == nil {
			g.take.Objects = append(g.take.Objects, store.Object{Hash: h, Index: g.take.From + int64(i), Bytes: ev.Body.Bytes})
		}
	}
	if g.want > 0 {
		return nil
	}
	return []federate.Effect{federate.Store{Taking: g.take}}
}
