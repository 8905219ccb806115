package simulate

import (
	"container/heap"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/federate"
)

// Times of a world.
const (
	trouble   = 60 * time.Minute // while faults happen
	calm      = 75 * time.Minute // afterwards nothing fails any more, and everything must come right
	lookEvery = time.Minute
	talkEvery = 2 * time.Minute // how often two followers compare one log
	patience  = 30 * time.Second
)

// Config says what a world has. The zero value of a fault: it does not happen.
type Config struct {
	Seed    uint64
	Members int // 3 to 30, the depositary among them
	Records int // that honest members publish, all together
	// Probabilities of one message.
	Lose, Repeat float64
	// How often things happen to somebody, on the whole.
	Partitions, Restarts, Backups, FullDisks, Withdrawals int
	Skew                                                  time.Duration // of clocks, at most
	LyingAuthor, LyingMirror, RefusingWitness             bool
	SilentDepositary                                      bool
	Outsiders                                             int
}

// ConfigOf draws a world from a seed.
func ConfigOf(seed uint64) Config {
	d := newDice(seed)
	members := 3 + d.IntN(5)
	if d.chance(0.05) {
		members = 8 + d.IntN(23)
	}
	return Config{Seed: seed, Members: members, Records: 5 + d.IntN(40), Lose: d.Float64() * 0.3, Repeat: d.Float64() * 0.2,
		Partitions: d.IntN(4), Restarts: d.IntN(5), Backups: d.IntN(3), FullDisks: d.IntN(3), Withdrawals: d.IntN(2),
		Skew: time.Duration(d.IntN(15)) * time.Minute, LyingAuthor: d.chance(0.5), LyingMirror: d.chance(0.4), RefusingWitness: d.chance(0.3),
		SilentDepositary: d.chance(0.2), Outsiders: d.IntN(3)}
}

// World is a federation under way.
type World struct {
	cfg     Config
	dice    dice
	start   time.Time
	now     time.Duration
	events  eventQueue
	serial  int
	nodes   []*node // members first, the depositary the very first
	watches []*watch
	cut     map[[2]int]int // how many partitions keep two nodes apart
	text    string
	id      string
	healed  bool
	failed  error // of the simulation itself, or of what a step promised
}

// Run runs a world to its end and says what does not hold.
func Run(cfg Config) error {
	w, err := newWorld(cfg)
	if err != nil {
		return fmt.Errorf("seed %d: making the world: %w", cfg.Seed, err)
	}
	w.run()
	if w.failed == nil {
		w.failed = w.check()
	}
	if w.failed != nil {
		return fmt.Errorf("seed %d: %w", cfg.Seed, w.failed)
	}
	return nil
}

// run lets everything happen.
func (w *World) run() {
	w.plan()
	for w.failed == nil && w.step() {
	}
}

// step lets the next thing happen; false: the world has ended.
func (w *World) step() bool {
	if len(w.events) == 0 {
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
		w.every(interval, do)
	})
}

func (w *World) fail(err error) {
	if w.failed == nil && err != nil {
		w.failed = fmt.Errorf("after %s: %w", w.now, err)
	}
}

func newWorld(cfg Config) (*World, error) {
	w := &World{cfg: cfg, dice: newDice(cfg.Seed ^ 0x5eed), start: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), cut: map[[2]int]int{}}
	for i := range cfg.Members + cfg.Outsiders {
		a, err := newParty(w.dice)
		if err != nil {
			return nil, err
		}
		n := &node{w: w, no: i, author: a, member: i < cfg.Members, follows: map[string]*following{}, offset: w.skew()}
		w.nodes = append(w.nodes, n)
	}
	w.text = w.definition()
	w.id = agreement.ID([]byte(w.text))
	for _, n := range w.nodes {
		if err := n.author.open(fmt.Sprintf("Party %d", n.no), w.id, w.start); err != nil {
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
	for range 3 {
		w.watches = append(w.watches, &watch{})
	}
	if cfg.RefusingWitness {
		w.watches[0].refuses = true
	}
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
	return "format = \"mithaq-agreement/1\"\n\n[agreement]\nlabel = \"memo\"\ntype = \"memorandum\"\nforce = \"political\"\nversion = \"1\"\nmode = \"depositary\"\nfictional = true\nname.en = \"Memo\"\ndepositary = \"p0\"\nfounders = [\"p0\", \"p1\"]\n\n[terms]\naccession = \"open\"\n" +
		party(0) + party(1) + "\n[[commitment]]\nlabel = \"1\"\nname.en = \"One\"\nkinds = [\"report\"]\n"
}

// watch is a witness: an outsider that knows origins and keys.
type watch struct {
	refuses bool
	last    map[string]federate.Witnessed
	signed  map[string][]federate.Witnessed
}

// cosign asks a witness for a head of a log, as its author would.
func (x *watch) cosign(l *Log, key note.Verifier) error {
	if x.refuses {
		return nil
	}
	if x.last == nil {
		x.last, x.signed = map[string]federate.Witnessed{}, map[string][]federate.Witnessed{}
	}
	last := x.last[l.Origin]
	cp, err := l.CheckpointAt(l.Size())
	if err != nil {
		return err
	}
	a := federate.AddCheckpoint{Old: min(last.Size, l.Size()), Checkpoint: cp}
	if a.Old > 0 && a.Old < l.Size() {
		if a.Proof, err = l.Prefix(a.Old, l.Size()); err != nil {
			return err
		}
		if a.Old&(a.Old-1) == 0 {
			a.Proof = a.Proof[1:]
		}
	}
	next, refusal := last.Judge(a, l.Origin, []note.Verifier{key})
	if refusal == nil {
		x.last[l.Origin] = next
		x.signed[l.Origin] = append(x.signed[l.Origin], next)
	}
	return nil
}

// options are how members follow.
func options() federate.Options {
	return federate.Options{Objects: true, Every: lookEvery, RetryFirst: 5 * time.Second, RetryMost: 3 * time.Minute, PieceLeaves: 8}
}

func rollOptions() agreement.Options { return agreement.Options{} }
