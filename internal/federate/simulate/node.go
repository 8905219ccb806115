package simulate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
)

// node is one machine: a member's, or an outsider's who would like to know.
type node struct {
	w       *World
	no      int
	author  *Author
	face    *Log // what a lying author shows to every second one; nil: it is honest
	liar    bool // as a mirror
	member  bool // is to become one
	down    bool
	full    bool // its disk
	left    bool // has withdrawn
	life    int  // counts restarts: what was under way before one is lost
	offset  time.Duration
	follows map[string]*following
	order   []*following

	roll    agreement.State // folded from the depositary's log as it is here
	folded  int
	entered map[string]bool // depositary: acts that are in the roll, by leaf
	acted   bool
}

// following is one log that a node follows.
type following struct {
	of       *node
	shelf    *Shelf
	backup   *Shelf
	state    *federate.State
	source   *node
	round    int
	busy     bool
	evidence map[string]bool
	troubles int
}

func (n *node) follow(of *node) {
	l := federate.Log{ID: of.author.Log.ID, Origin: of.author.Log.Origin, Party: of.author.Party, Agreement: n.w.id}
	f := &following{of: of, shelf: NewShelf(l), source: of, evidence: map[string]bool{}}
	n.follows[l.ID] = f
	n.order = append(n.order, f)
}

func (n *node) honest() bool { return n.face == nil && !n.liar }

func (n *node) clock() time.Time { return n.w.start.Add(n.w.now + n.offset) }

// look begins a round of a log, at its source or beside it.
func (n *node) look(f *following, host *node, beside bool) {
	if n.down || f.busy || host == n {
		return
	}
	if f.state == nil {
		state, err := f.shelf.Follower(options())
		if err != nil {
			n.w.fail(fmt.Errorf("node %d cannot read its own disk: %w", n.no, err))
			return
		}
		f.state = state
	}
	f.busy = true
	f.round++
	n.do(f, host, f.round, f.state.Step(federate.Look{Now: n.clock(), Beside: beside}))
}

// do carries out effects. What belongs to an earlier life or round of the node is lost.
func (n *node) do(f *following, host *node, round int, effects []federate.Effect) {
	life := n.life
	deliver := func(after time.Duration, ev func() federate.Event) {
		n.w.in(after, func() {
			if n.life != life || f.round != round || n.down || f.state == nil {
				return
			}
			n.do(f, host, round, f.state.Step(ev()))
		})
	}
	for _, e := range effects {
		switch e := e.(type) {
		case federate.Fetch:
			n.fetch(f, host, e.Request, deliver)
		case federate.Store:
			var err error
			if n.full {
				err = errors.New("disk full")
			} else {
				err = f.shelf.Take(e.Taking)
			}
			deliver(time.Millisecond, func() federate.Event { return federate.Stored{Err: err, Now: n.clock()} })
		case federate.Prefix:
			proof, err := f.shelf.Prefix(e.Size)
			deliver(time.Millisecond, func() federate.Event { return federate.Prefixed{Proof: proof, Err: err, Now: n.clock()} })
		case federate.Notice:
			n.hear(f, e)
		case federate.Rest:
			f.busy = false
			if e.Spent {
				f.state = nil
			}
			n.rested(f, e)
		}
	}
}

func (n *node) hear(f *following, e federate.Notice) {
	switch e.Kind {
	case federate.NoticeMismatch:
		if c, err := e.Evidence.Verify(); err != nil || c.Party != f.of.author.Party {
			n.w.fail(fmt.Errorf("node %d holds evidence that does not verify: %w", n.no, err))
		}
		if f.of.face == nil {
			n.w.fail(fmt.Errorf("node %d accuses the honest node %d: %s", n.no, f.of.no, e.Text))
		}
		f.evidence[e.Evidence.ID()] = true
	case federate.NoticeGrew:
		n.fold()
	}
}

// rested gives up a source that does not work, for the author or for somebody who mirrors.
func (n *node) rested(f *following, e federate.Rest) {
	if e.Err == nil {
		f.troubles = 0
		if n.w.dice.chance(0.3) {
			f.source = f.of // a mirror of mirrors may never hear of anything new
		}
		return
	}
	if f.troubles++; f.troubles%3 == 0 {
		if f.source != f.of {
			f.source = f.of
		} else {
			f.source = n.w.nodes[n.w.dice.IntN(n.w.cfg.Members)]
		}
	}
}

// fetch sends a request over the network and brings what comes of it.
func (n *node) fetch(f *following, host *node, r federate.Request, deliver func(time.Duration, func() federate.Event)) {
	w := n.w
	lost := func() bool {
		return !w.healed && w.dice.chance(w.cfg.Lose)
	}
	answerAt := time.Duration(1+w.dice.IntN(400)) * time.Millisecond
	if lost() || w.apart(n, host) || host.down {
		deliver(patience, func() federate.Event {
			return federate.Came{Request: r, Err: errors.New("no answer"), Now: n.clock()}
		})
		return
	}
	came := func() federate.Event {
		b, err := host.answer(n, f.of, r)
		return federate.Came{Request: r, Body: federate.Body{Bytes: b}, Err: err, Now: n.clock()}
	}
	deliver(answerAt, came)
	if !w.healed && w.dice.chance(w.cfg.Repeat) {
		deliver(answerAt+time.Duration(w.dice.IntN(900))*time.Millisecond, came)
	}
}

// answer serves a resource of somebody's log to whom this node believes to be a member.
func (n *node) answer(to, of *node, r federate.Request) ([]byte, error) {
	if !n.serves(to) {
		return nil, ledger.ErrNotFound
	}
	var src federate.Source
	if n == of {
		src = n.shown(to)
	} else {
		shelf := n.follows[of.author.Log.ID].shelf
		if shelf.Head().Size == 0 {
			return nil, ledger.ErrNotFound
		}
		src = mirrored{shelf, of.author.Log.keyrings}
	}
	b, err := serve(src, r)
	if err == nil && n.liar && n != of && n.w.dice.chance(0.3) && len(b) > 0 {
		b = append([]byte{}, b...)
		b[n.w.dice.IntN(len(b))] ^= 1
	}
	return b, err
}

// shown is the log that an author shows to somebody: a lying one has two.
func (n *node) shown(to *node) *Log {
	if n.face != nil && to.no%2 == 1 {
		return n.face
	}
	return n.author.Log
}

// serves is the decision: members by this node's own roll, and those whom the founding text names.
func (n *node) serves(to *node) bool {
	if n.author.Party == to.author.Party || to.no < 2 {
		return true
	}
	return n.roll.Connected(to.author.Party)
}

func serve(src federate.Source, r federate.Request) ([]byte, error) {
	ctx := context.Background()
	switch r.What {
	case federate.ResourceCheckpoint:
		return src.Checkpoint(ctx)
	case federate.ResourceKeyrings:
		return src.Keyrings(ctx)
	case federate.ResourceTile:
		return src.Tile(ctx, r.Level, r.N, r.Width)
	case federate.ResourceBundle:
		return src.Entries(ctx, r.N, r.Width)
	}
	return src.Object(ctx, r.Hash)
}

// mirrored is a followed log as its follower re-serves it.
type mirrored struct {
	*Shelf
	keyrings [][]byte
}

func (m mirrored) Checkpoint(context.Context) ([]byte, error) { return m.note, nil }
func (m mirrored) Keyrings(context.Context) ([]byte, error) {
	return []byte("[" + string(m.keyrings[0]) + "]"), nil
}
func (m mirrored) Tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	return m.tree.Tile(ctx, level, n, width)
}
func (m mirrored) Entries(ctx context.Context, n int64, width int) ([]byte, error) {
	return m.tree.Entries(ctx, n, width)
}
func (m mirrored) Object(ctx context.Context, hash [32]byte) ([]byte, error) {
	return m.tree.Object(ctx, hash)
}

// An entry of the roll, and an act, as they stand in logs here. internal/node wraps them into signed records with proofs;
// what is simulated is who learns of them, in which order, and what state they lead to.
type carriedAct struct {
	Party string        `json:"party"`
	Time  time.Time     `json:"time"`
	Act   agreement.Act `json:"act"`
}

type carriedEntry struct {
	carriedAct
	Leaf   string `json:"leaf"`
	Parent string `json:"parent"`
	Result string `json:"result"`
}

const (
	actPrefix  = "act:"
	rollPrefix = "roll:"
)

// fold makes the agreement's state out of the depositary's log as it is here.
func (n *node) fold() {
	if n.folded == 0 {
		n.roll = agreement.Begin(n.w.id, rollOptions())
	}
	var objects [][]byte
	if n.no == 0 {
		l := n.author.Log
		for _, h := range l.leaves {
			objects = append(objects, l.objects[h])
		}
	} else {
		objects = n.follows[n.w.nodes[0].author.Log.ID].shelf.Objects()
	}
	for ; n.folded < len(objects); n.folded++ {
		o := objects[n.folded]
		if o == nil {
			return // it has not come: what follows waits for it
		}
		text, ok := strings.CutPrefix(string(o), rollPrefix)
		if !ok {
			continue
		}
		if err := n.foldEntry(text); err != nil {
			n.w.fail(fmt.Errorf("node %d folds another roll: %w", n.no, err))
			return
		}
	}
}

func (n *node) foldEntry(text string) error {
	var c carriedEntry
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	e := agreement.Entry{Leaf: c.Leaf, Party: c.Party, Officers: []string{"k-1"}, Time: c.Time, Act: c.Act}
	var err error
	if e.Parent, err = agreement.ParseHash(c.Parent); err != nil {
		return err
	}
	if e.Result, err = agreement.ParseHash(c.Result); err != nil {
		return err
	}
	next, err := agreement.Apply(n.roll, e)
	if err == nil {
		n.roll = next
	}
	return err
}

// act writes an act into the party's own log.
func (n *node) act(a agreement.Act) {
	a.Date = n.w.start.Add(n.w.now).Format(time.DateOnly)
	b, err := json.Marshal(carriedAct{n.author.Party, n.w.start.Add(n.w.now).Truncate(time.Microsecond), a})
	if err == nil {
		err = n.author.Log.Append(append([]byte(actPrefix), b...))
	}
	n.w.fail(err)
}

// enter is the depositary's work: it enters the acts that it finds in members' logs. An act that the roll does not take, it
// leaves.
func (n *node) enter() {
	if n.down {
		return
	}
	n.enterFrom(n.author.Log.objectsInOrder())
	for _, f := range n.order {
		n.enterFrom(f.shelf.Objects())
	}
}

func (n *node) enterFrom(objects [][]byte) {
	for _, o := range objects {
		text, ok := strings.CutPrefix(string(o), actPrefix)
		sum := sha256.Sum256(o)
		leaf := hex.EncodeToString(sum[:])
		if !ok || n.entered[leaf] {
			continue
		}
		var c carriedAct
		if json.Unmarshal([]byte(text), &c) != nil {
			continue
		}
		e, next, err := agreement.Compose(n.roll, agreement.Entry{Leaf: leaf, Party: c.Party, Officers: []string{"k-1"}, Time: c.Time, Act: c.Act})
		if err != nil {
			continue
		}
		b, err := json.Marshal(carriedEntry{c, leaf, e.Parent.String(), e.Result.String()})
		if err == nil {
			err = n.author.Log.Append(append([]byte(rollPrefix), b...))
		}
		if err != nil {
			n.w.fail(err)
			return
		}
		n.entered[leaf] = true
		n.roll, n.folded = next, len(n.author.Log.leaves)
	}
}

func (l *Log) objectsInOrder() [][]byte {
	out := make([][]byte, len(l.leaves))
	for i, h := range l.leaves {
		out[i] = l.objects[h]
	}
	return out
}

// restart ends what was under way; what was not on the disk is forgotten.
func (n *node) restart() {
	n.life++
	for _, f := range n.order {
		f.state, f.busy = nil, false
	}
}

// key verifies the checkpoints of a node's log.
func (n *node) key() (note.Verifier, error) {
	return note.NewVerifier(federate.CheckpointKey(n.author.Keyring))
}
