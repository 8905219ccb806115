package simulate

import (
	"errors"
	"time"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

// leaseTime is how long a writer's lease lasts.
const leaseTime = 3 * time.Minute

// disk is what a party's database holds of its own log, and the guard beside it.
type disk struct {
	tree    *Log              // what was committed
	head    ledger.SignedHead // of it
	guard   ledger.Head
	fence   int64 // grows when another writer takes the lease
	expires time.Duration
	epochs  []madeEpoch
}

func (d *disk) copied() *disk {
	c := *d
	c.tree = d.tree.copied()
	c.epochs = append([]madeEpoch(nil), d.epochs...)
	return &c
}

// writer is one process that writes a party's log: the sequencer, and the lease that it holds or waits for.
type writer struct {
	n       *node
	name    int
	life    int           // counts starts: what was under way before one is lost
	until   time.Duration // paused so long: a machine that stands still and goes on as if nothing had been
	leads   bool
	lease   ledger.LeaseState
	state   ledger.State
	board   ledger.SignedHead // what it shows to readers
	ticket  ledger.Ticket
	waiting map[ledger.Ticket]*letter
}

// clock is the writer's own, in virtual time from the world's start.
func (w *writer) clock() time.Time { return w.n.clock() }

// later does something unless the writer was stopped meanwhile; a pause puts it off.
func (w *writer) later(after time.Duration, do func()) {
	life := w.life
	w.n.w.in(after, func() {
		if w.life != life {
			return
		}
		if pause := w.until - w.n.w.now; pause > 0 {
			w.later(pause, do)
			return
		}
		do()
	})
}

// start makes a process that knows only what is on the disk.
func (w *writer) start() {
	w.stop()
	d := w.n.disk
	if w.n.unsettled || w.n.down || d.expires > w.n.w.now && len(w.n.writers) > 1 {
		return // another one writes, or nobody may
	}
	d.fence++
	d.expires = w.n.w.now + leaseTime
	w.leads = true
	w.lease = ledger.LeaseState{TTL: leaseTime, Lease: store.Lease{Fence: d.fence}, Until: w.clock().Add(leaseTime)}
	w.state = ledger.NewState(ledger.Limits{BatchEntries: 4, BatchBytes: 1 << 20, LoadedLogs: 4})
	if w.n.w.parts.compare(d.tree.ID, d.head.Head, d.guard, w.rootAt) != nil {
		w.n.unsettled = true
		w.stop()
		return
	}
	d.guard, w.board = d.head.Head, d.head
}

func (w *writer) rootAt(size int64) (ledger.Hash, error) {
	h, err := w.n.disk.tree.HeadAt(size)
	return h.Root, err
}

func (w *writer) stop() {
	w.life++
	w.leads, w.waiting = false, map[ledger.Ticket]*letter{}
}

// tick keeps the lease, or takes it when nobody holds it. A party with one writer needs none.
func (w *writer) tick() {
	if w.until > w.n.w.now || w.n.unsettled {
		return
	}
	d := w.n.disk
	if !w.leads {
		if d.expires <= w.n.w.now {
			w.start()
		}
		return
	}
	var do ledger.LeaseEffect
	asked := w.clock()
	if w.lease, do = ledger.StepLease(w.lease, ledger.LeaseTick{Now: asked}); do == ledger.LeaseRenew {
		ev := ledger.LeaseRenewed{Asked: asked, Now: w.clock()}
		if d.fence == w.lease.Lease.Fence {
			d.expires = w.n.w.now + leaseTime
		} else {
			ev.Gone = store.ErrLeaseLost
		}
		w.lease, do = ledger.StepLease(w.lease, ev)
	}
	if do == ledger.LeaseStop {
		w.step(ledger.Lost{Err: w.lease.Lost})
		w.leads = false
	}
}

// submit brings a letter to the sequencer.
func (w *writer) submit(l *letter) {
	w.ticket++
	w.waiting[w.ticket] = l
	e := ledger.Submission{Ticket: w.ticket, LogNo: 1, Object: objectOf(l.object), Under: 1}
	for _, a := range l.attachments {
		e.Attachments = append(e.Attachments, objectOf(a))
	}
	w.step(ledger.Submit{Submission: e})
	w.later(time.Millisecond, func() { w.step(ledger.Go{}) })
}

// step runs the sequencer. Between two of its steps time passes, in which anything may happen.
func (w *writer) step(ev ledger.Event) {
	var effects []ledger.Effect
	w.state, effects = w.n.w.parts.sequence(w.state, ev)
	for _, e := range effects {
		if next := w.perform(e); next != nil {
			w.later(time.Duration(1+w.n.w.dice.IntN(40))*time.Millisecond, func() { w.step(next) })
		}
	}
	if !w.state.Waiting() {
		return
	}
	w.later(50*time.Millisecond, func() { w.step(ledger.Go{}) })
}

func (w *writer) perform(e ledger.Effect) ledger.Event {
	d := w.n.disk
	switch e := e.(type) {
	case ledger.Prepare:
		return w.prepare(e)
	case ledger.Sign:
		cp, err := d.tree.sign(e.Heads[1])
		return ledger.Signed{Checkpoints: map[int64][]byte{1: cp}, Errs: map[int64]error{1: err}}
	case ledger.Commit:
		return w.commit(e.Advances[0])
	case ledger.Protect:
		if e.Heads[0].Size >= d.guard.Size {
			d.guard = e.Heads[0]
		}
		return ledger.Guarded{}
	case ledger.Publish:
		w.board = e.Heads[1]
		w.n.shownUpTo(w.board)
	case ledger.Reply:
		l := w.waiting[e.Ticket]
		delete(w.waiting, e.Ticket)
		if l != nil {
			w.n.answered(l, e)
		}
	}
	return nil
}

func (w *writer) prepare(e ledger.Prepare) ledger.Event {
	d := w.n.disk
	out := ledger.Prepared{Logs: map[int64]ledger.Loaded{}, Known: map[store.InLog]store.Known{}}
	for _, no := range e.Load {
		if err := w.n.w.parts.compare(d.tree.ID, d.head.Head, d.guard, w.rootAt); err != nil {
			out.Logs[no] = ledger.Loaded{ID: d.tree.ID, Err: err}
			continue
		}
		if d.guard != d.head.Head {
			d.guard, w.board = d.head.Head, d.head
			w.n.shownUpTo(w.board)
		}
		g := &ledger.Growth{}
		for _, h := range d.tree.leaves {
			g.Add(h)
		}
		out.Logs[no] = g.Loaded(d.tree.ID, 1, d.head)
	}
	for _, k := range e.Lookup {
		if i, ok := d.tree.index[k.Hash]; ok {
			out.Known[k] = store.Known{Index: i}
		} else if d.tree.objects[k.Hash] != nil {
			out.Known[k] = store.Known{Index: -1}
		}
	}
	return out
}

var errDisk = errors.New("disk full")

// commit is the transaction. A full disk refuses it; now and then it says so although all was written.
func (w *writer) commit(a store.Advance) ledger.Event {
	d, world := w.n.disk, w.n.w
	if d.fence != w.lease.Lease.Fence {
		return ledger.Committed{Err: store.ErrLeaseLost}
	}
	if w.n.full && world.dice.chance(0.7) {
		return ledger.Committed{Err: errDisk}
	}
	if a.From != d.tree.Size() {
		return ledger.Committed{Conflicts: map[int64]error{1: store.ErrConflict}}
	}
	for _, h := range a.Leaves {
		world.fail(d.tree.add(h, nil))
	}
	for _, o := range a.Objects {
		d.tree.objects[o.Hash] = o.Bytes
	}
	d.head = ledger.SignedHead{Head: ledger.Head{Origin: d.tree.Origin, Size: a.Head.Size, Root: a.Head.Root}, Checkpoint: a.Head.Checkpoint}
	if w.n.full {
		return ledger.Committed{Err: errDisk}
	}
	return ledger.Committed{}
}
