package simulate

import (
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// node is one machine: a member's, or an outsider's who would like to know.
type node struct {
	w      *World
	no     int
	author *Author
	member bool // is to become one
	liar   bool // as a mirror
	mirror bool // keeps the slips of others too
	face   *Log // another history of its log: what a lying author shows to every second one, or what a bad restore lost
	lost   bool // the other history comes of a restore that lost a tail which nobody had: it is no liar
	down   bool
	dead   bool // down for good
	full   bool // its disk
	left   bool // has withdrawn
	offset time.Duration
	life   int // counts restarts: what was under way before one is lost

	disk      *disk
	backup    *disk
	writers   []*writer
	letters   []*letter
	restored  bool // its log was taken back
	unsettled bool // signs nothing until its followers said how far its log had grown
	longest   *Log // of which readers were shown most
	shownHead ledger.Head

	follows map[string]*following
	order   []*following

	roll    agreement.State // folded from the logs as they are here
	read    map[*Log]int64  // by log: how far it was read for the roll; nil: nothing is folded
	waiting []carriedEntry  // that do not follow from the state, yet
	entered map[string]bool // acts that are in the roll here, by leaf
	found   []foundAct
	acted   bool
	votedOn string        // the last state on which it named a successor
	got     bool          // was given something
	asked   []ledger.Head // by witness: the last head that it was asked to co-sign
}

// following is one log that a node follows.
type following struct {
	of       *node
	shelf    *Shelf
	backup   *Shelf
	state    follower
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

// honest says whether a node's own log has one history and it serves others as it got it.
func (n *node) honest() bool { return n.face == nil && !n.liar }

func (n *node) clock() time.Time { return n.w.start.Add(n.w.now + n.offset) }

// options are how a node follows.
func (n *node) options() federate.Options {
	return federate.Options{Objects: true, Every: lookEvery, RetryFirst: 5 * time.Second, RetryMost: 3 * time.Minute, PieceLeaves: 8,
		Wraps: func(w record.WrapRef) bool { return true }}
}

// begin puts the party's log on its disk and starts a writer.
func (n *node) begin(writers int) error {
	tree := n.author.Log
	cp, err := tree.CheckpointAt(1)
	if err != nil {
		return err
	}
	head, err := tree.HeadAt(1)
	if err != nil {
		return err
	}
	n.disk = &disk{tree: tree, head: ledger.SignedHead{Head: head, Checkpoint: cp}, guard: head}
	for i := range writers {
		n.writers = append(n.writers, &writer{n: n, name: i, waiting: map[ledger.Ticket]*letter{}})
	}
	n.writers[0].start()
	n.shownUpTo(n.writers[0].board)
	return nil
}

// shownUpTo notes how much of the log readers have been shown, ever.
func (n *node) shownUpTo(h ledger.SignedHead) {
	if n.longest == nil || h.Size > n.shownHead.Size {
		n.longest, n.shownHead = n.disk.tree, h.Head
	}
}

// restart ends what was under way; what was not on the disk is forgotten.
func (n *node) restart() {
	n.life++
	for _, f := range n.order {
		f.state, f.busy = nil, false
	}
	for _, w := range n.writers {
		w.stop()
	}
	for _, l := range n.letters {
		l.flying = false
	}
	n.letters = slices.DeleteFunc(n.letters, func(l *letter) bool { return l.entry && !l.done })
}

// up starts what a machine runs.
func (n *node) up() {
	n.down = n.dead
	if n.down || n.unsettled {
		return
	}
	n.disk.expires = 0 // one machine holds no lease against itself
	n.writers[0].start()
}

// key verifies the checkpoints of a node's log.
func (n *node) key() (note.Verifier, error) {
	return note.NewVerifier(federate.CheckpointKey(n.author.Keyring))
}
