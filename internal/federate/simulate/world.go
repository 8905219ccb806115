package simulate

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// Times of a world.
const (
	trouble    = 60 * time.Minute  // while faults happen
	calm       = 150 * time.Minute // afterwards nothing fails any more, and everything must come right
	stillRight = 8 * time.Minute   // and stay so
	lookEvery  = time.Minute
	talkEvery  = 2 * time.Minute // how often two followers compare one log
	patience   = 30 * time.Second
)

// World is a federation under way.
type World struct {
	cfg     Config
	parts   parts
	dice    dice
	start   time.Time
	now     time.Duration
	events  eventQueue
	serial  int
	nodes   []*node // members first, the depositary the very first
	watches []*watch
	cut     map[[2]int]int // how many partitions keep two nodes apart
	slips   map[[32]byte]slip
	epochs  map[[32]byte]*record.EpochBody // that were read, by object
	text    string
	id      string
	healed  bool
	ended   bool
	failed  error // of the simulation itself, or of what a step promised

	rightSince time.Duration
}

// Run runs a world to its end and says what does not hold.
func Run(cfg Config) error { return run(cfg, own()) }

func run(cfg Config, p parts) error {
	w, err := newWorld(cfg, p)
	if err != nil {
		return fmt.Errorf("seed %d: making the world: %w", cfg.Seed, err)
	}
	w.plan()
	for w.failed == nil && w.step() {
	}
	if w.failed == nil {
		w.failed = w.check()
	}
	if w.failed != nil {
		return fmt.Errorf("seed %d: %w", cfg.Seed, w.failed)
	}
	return nil
}

// step lets the next thing happen; false: the world has ended.
func (w *World) step() bool {
	if len(w.events) == 0 || w.ended {
		return false
	}
	e := heap.Pop(&w.events).(event) //nolint:forcetypeassert // the queue holds nothing else
	if e.at > trouble+calm {
		return false
	}
	w.now = e.at
	e.do()
	return true
}

type event struct {
	at     time.Duration
	serial int
	do     func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].serial < q[j].serial
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) } //nolint:forcetypeassert // container/heap's own signature
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}

// in does something after a while.
func (w *World) in(after time.Duration, do func()) {
	w.serial++
	heap.Push(&w.events, event{w.now + after, w.serial, do})
}

// every does something again and again, not quite regularly.
func (w *World) every(interval time.Duration, do func()) {
	w.in(time.Duration(w.dice.Int64N(int64(interval))), func() {
		do()
		w.again(interval, do)
	})
}

func (w *World) again(interval time.Duration, do func()) {
	w.in(interval/2+time.Duration(w.dice.Int64N(int64(interval))), func() {
		do()
		w.again(interval, do)
	})
}

func (w *World) fail(err error) {
	if w.failed == nil && err != nil {
		w.failed = fmt.Errorf("after %s: %w", w.now, err)
	}
}

func newWorld(cfg Config, p parts) (*World, error) {
	w := &World{cfg: cfg, parts: p, dice: newDice(cfg.Seed ^ 0x5eed), start: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), cut: map[[2]int]int{},
		slips: map[[32]byte]slip{}, epochs: map[[32]byte]*record.EpochBody{}}
	for i := range cfg.Members + cfg.Outsiders {
		a, err := newParty(w.dice)
		if err != nil {
			return nil, err
		}
		n := &node{w: w, no: i, author: a, member: i < cfg.Members, follows: map[string]*following{}, offset: w.skew(), mirror: w.dice.chance(0.3),
			asked: make([]ledger.Head, witnesses)}
		w.nodes = append(w.nodes, n)
	}
	w.text = w.definition()
	w.id = agreement.ID([]byte(w.text))
	for i, n := range w.nodes {
		if err := n.author.open(fmt.Sprintf("Party %d", n.no), w.id, w.start); err != nil {
			return nil, err
		}
		writers := 1
		if i < cfg.Standbys {
			writers = 2
		}
		if err := n.begin(writers); err != nil {
			return nil, err
		}
	}
	for _, n := range w.nodes {
		for _, of := range w.nodes[:cfg.Members] {
			if of != n {
				n.follow(of)
			}
		}
		n.fold()
	}
	for range witnesses {
		w.watches = append(w.watches, &watch{last: map[string]federate.Witnessed{}, signed: map[string][]federate.Witnessed{}})
	}
	w.watches[0].refuses = cfg.RefusingWitness
	return w, nil
}

func (w *World) skew() time.Duration {
	if w.cfg.Skew <= 0 {
		return 0
	}
	return time.Duration(w.dice.Int64N(2*int64(w.cfg.Skew))) - w.cfg.Skew
}

// definition is an agreement that the first two parties found and anybody may join.
func (w *World) definition() string {
	party := func(i int) string {
		return fmt.Sprintf("\n[[party]]\nlabel = \"p%d\"\nkind = \"cert\"\nid = %q\nname.en = \"Party %d\"\nfictional = true\n", i, w.nodes[i].author.Party, i)
	}
	return "format = \"mithaq-agreement/1\"\n\n[agreement]\nlabel = \"memo\"\ntype = \"memorandum\"\nforce = \"political\"\nversion = \"1\"\nmode = \"depositary\"\nfictional = true\nname.en = \"Memo\"\ndepositary = \"p0\"\nfounders = [\"p0\", \"p1\"]\n\n[terms]\naccession = \"open\"\nsuccession = \"majority\"\nsilence = \"PT12H\"\n" +
		party(0) + party(1) + "\n[[commitment]]\nlabel = \"1\"\nname.en = \"One\"\nkinds = [\"report\"]\n"
}
