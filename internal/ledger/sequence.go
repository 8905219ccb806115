package ledger

import (
	"slices"
	"sort"

	"github.com/mithaq/mithaq/internal/store"
)

// The sequencer decides which entries become which leaves. It has no goroutine, clock or I/O: Step takes what happened
// and answers with what to do next, and the shell in run.go does it. One batch is under way at a time:
//
//	idle ── Go ──► preparing ── Prepared ──► signing ── Signed ──► committing ── Committed ──► guarding ── Guarded ──► idle
//
// Entries submitted meanwhile wait for the next batch. A batch is one transaction over all logs that have entries.
// What fails in one log (a conflict, a stale keyring, a signer) fails that log's entries alone.

// Ticket names a submitted entry in the replies.
type Ticket uint64

// Submission is an entry on its way into a log.
type Submission struct {
	Ticket      Ticket
	LogNo       int64
	Object      store.Object // Index is set by the sequencer
	Attachments []store.Object
	Under       uint64
	Sets        uint64
}

// Loaded is a log as read from the store: its newest committed head, which is guarded and published.
type Loaded struct {
	ID      string
	Edge    *edge
	Serial  uint64
	Head    SignedHead
	Retired bool
	Err     error // the log cannot take entries now, and why
}

// SignedHead is a head with the checkpoint that says so.
type SignedHead struct {
	Head
	Checkpoint []byte
}

// State is what the sequencer knows. It is owned by whoever calls Step, which may change it in place.
type State struct {
	limits  Limits
	logs    map[int64]*logState
	pending []Submission
	batch   *batch
	phase   phase
	round   uint64 // counts batches, for forgetting logs that were not used for long
	lost    error  // the lease is gone: everything is refused with this
}

// Limits bound a batch and what is remembered between batches.
type Limits struct {
	BatchEntries int
	BatchBytes   int64
	LoadedLogs   int
}

type phase int

const (
	idle phase = iota
	preparing
	signing
	committing
	guarding
)

type logState struct {
	Loaded
	used uint64
}

// batch is what is being committed.
type batch struct {
	entries []Submission
	logs    map[int64]*logBatch
	order   []int64 // keys of logs, ascending: the order of locks in the database
}

type logBatch struct {
	from    int64
	edge    *edge
	serial  uint64
	head    SignedHead
	advance store.Advance
	first   map[Hash]int64 // objects that became leaves in this batch
	placed  []placed
}

// placed is an entry that waits for its log's commit.
type placed struct {
	ticket    Ticket
	index     int64
	leaf      Hash
	duplicate bool
}

// Event is something that happened.
type Event interface{ event() }

type (
	// Submit brings an entry.
	Submit struct{ Submission }
	// Go starts a batch if none is under way and entries wait.
	Go struct{}
	// Prepared answers Prepare.
	Prepared struct {
		Logs  map[int64]Loaded
		Known map[store.InLog]store.Known
		Err   error // nothing could be read
	}
	// Signed answers Sign: a checkpoint or an error for each log.
	Signed struct {
		Checkpoints map[int64][]byte
		Errs        map[int64]error
	}
	// Committed answers Commit: by log, nil or a conflict; or an error after which nothing is known.
	Committed struct {
		Conflicts map[int64]error
		Err       error
	}
	// Guarded answers Protect.
	Guarded struct{ Err error }
	// Forget drops what is known of a log, because something else changed it.
	Forget struct{ LogNo int64 }
	// Lost says that the lease is gone.
	Lost struct{ Err error }
)

func (Submit) event()    {}
func (Go) event()        {}
func (Prepared) event()  {}
func (Signed) event()    {}
func (Committed) event() {}
func (Guarded) event()   {}
func (Forget) event()    {}
func (Lost) event()      {}

// Effect is something to do. All but Reply and Publish are answered with the event of the same phase.
type Effect interface{ effect() }

type (
	// Prepare asks to load logs and to look objects up.
	Prepare struct {
		Load   []int64
		Lookup []store.InLog
	}
	// Sign asks for checkpoints, each by the key that the keyring with the serial names.
	Sign struct {
		Heads   map[int64]Head
		Serials map[int64]uint64
	}
	// Commit asks for one transaction.
	Commit struct{ Advances []store.Advance }
	// Protect asks the guard to record heads.
	Protect struct{ Heads []Head }
	// Publish makes heads visible to readers.
	Publish struct{ Heads map[int64]SignedHead }
	// Reply answers an entry's submitter.
	Reply struct {
		Ticket  Ticket
		Receipt Receipt
		Err     error
	}
)

func (Prepare) effect() {}
func (Sign) effect()    {}
func (Commit) effect()  {}
func (Protect) effect() {}
func (Publish) effect() {}
func (Reply) effect()   {}

// NewState returns the state of a sequencer that knows nothing yet.
func NewState(l Limits) State {
	return State{limits: l, logs: map[int64]*logState{}}
}

// Waiting says whether entries wait for a batch.
func (s State) Waiting() bool { return len(s.pending) > 0 }

// Step takes one event and returns the next state and what to do. An event out of turn is ignored.
func Step(s State, ev Event) (State, []Effect) {
	switch ev := ev.(type) {
	case Submit:
		if s.lost != nil {
			return s, []Effect{Reply{Ticket: ev.Ticket, Err: s.lost}}
		}
		s.pending = append(s.pending, ev.Submission)
	case Go:
		if s.phase == idle && s.lost == nil && len(s.pending) > 0 {
			return s.begin()
		}
	case Prepared:
		if s.phase == preparing {
			return s.place(ev)
		}
	case Signed:
		if s.phase == signing {
			return s.signed(ev)
		}
	case Committed:
		if s.phase == committing {
			return s.committed(ev)
		}
	case Guarded:
		if s.phase == guarding {
			return s.guarded(ev)
		}
	case Forget:
		delete(s.logs, ev.LogNo)
	case Lost:
		s.lost = ev.Err
		var out []Effect
		for _, p := range s.pending {
			out = append(out, Reply{Ticket: p.Ticket, Err: s.lost})
		}
		s.pending = nil
		return s, out
	}
	return s, nil
}

// begin takes a batch off the waiting entries and asks for what is needed to place them.
func (s State) begin() (State, []Effect) {
	n, bytes := 0, int64(0)
	for n < len(s.pending) && n < s.limits.BatchEntries && (n == 0 || bytes+weight(s.pending[n]) <= s.limits.BatchBytes) {
		bytes += weight(s.pending[n])
		n++
	}
	b := &batch{entries: s.pending[:n:n], logs: map[int64]*logBatch{}}
	s.pending = slices.Clone(s.pending[n:])
	s.batch, s.phase = b, preparing
	s.round++
	var p Prepare
	asked := map[int64]bool{}
	for _, e := range b.entries {
		if s.logs[e.LogNo] == nil && !asked[e.LogNo] {
			asked[e.LogNo] = true
			p.Load = append(p.Load, e.LogNo)
		}
		p.Lookup = append(p.Lookup, store.InLog{LogNo: e.LogNo, Hash: e.Object.Hash})
		for _, a := range e.Attachments {
			p.Lookup = append(p.Lookup, store.InLog{LogNo: e.LogNo, Hash: a.Hash})
		}
	}
	slices.Sort(p.Load)
	return s, []Effect{p}
}

func weight(e Submission) int64 {
	n := int64(len(e.Object.Bytes)) + 512
	for _, a := range e.Attachments {
		n += int64(len(a.Bytes)) + 512
	}
	return n
}

// place gives each entry its index, or answers it at once.
func (s State) place(ev Prepared) (State, []Effect) {
	var out []Effect
	if ev.Err != nil {
		return s.abandon(ev.Err)
	}
	for no, l := range ev.Logs {
		if l.Err == nil {
			s.logs[no] = &logState{Loaded: l}
		}
	}
	for _, e := range s.batch.entries {
		l := s.logs[e.LogNo]
		if l == nil {
			err := ev.Logs[e.LogNo].Err
			if err == nil {
				err = ErrNotFound
			}
			out = append(out, Reply{Ticket: e.Ticket, Err: err})
			continue
		}
		l.used = s.round
		if r, answered := s.placeOne(l, e, ev.Known); answered {
			out = append(out, r)
		}
	}
	s.batch.entries = nil
	sign := Sign{Heads: map[int64]Head{}, Serials: map[int64]uint64{}}
	for no, lb := range s.batch.logs {
		if lb.edge.size == lb.from {
			delete(s.batch.logs, no)
			continue
		}
		lb.head.Head = Head{Origin: s.logs[no].Head.Origin, Size: lb.edge.size, Root: lb.edge.root()}
		sign.Heads[no], sign.Serials[no] = lb.head.Head, lb.serial
		s.batch.order = append(s.batch.order, no)
	}
	slices.Sort(s.batch.order)
	if len(s.batch.order) == 0 {
		return s.finish(out)
	}
	s.phase = signing
	return s, append(out, sign)
}

// placeOne places an entry in its log's part of the batch, or returns the reply that needs no commit.
func (s State) placeOne(l *logState, e Submission, known map[store.InLog]store.Known) (Reply, bool) {
	h := e.Object.Hash
	if k, ok := known[store.InLog{LogNo: e.LogNo, Hash: h}]; ok && k.Index >= 0 {
		r := receipt(l.ID, k.Index, leafHashOf(h), l.Head)
		r.Duplicate = true
		return Reply{Ticket: e.Ticket, Receipt: r}, true
	}
	if l.Retired {
		return Reply{Ticket: e.Ticket, Err: ErrRetired}, true
	}
	b := s.batch.logs[e.LogNo]
	if b == nil {
		b = &logBatch{from: l.Edge.size, edge: l.Edge.clone(), serial: l.Serial, first: map[Hash]int64{}}
		s.batch.logs[e.LogNo] = b
	}
	if i, ok := b.first[h]; ok {
		b.placed = append(b.placed, placed{ticket: e.Ticket, index: i, leaf: leafHashOf(h), duplicate: true})
		return Reply{}, false
	}
	if e.Under != b.serial {
		return Reply{Ticket: e.Ticket, Err: &ErrFence{LogID: l.ID, Have: b.serial, Under: e.Under}}, true
	}
	if e.Sets != 0 {
		b.serial = e.Sets
		b.advance.Keyrings = append(b.advance.Keyrings, store.Keyring{Serial: int64(e.Sets), Index: b.edge.size})
	}
	p := placed{ticket: e.Ticket, index: b.edge.size, leaf: leafHashOf(h)}
	b.first[h] = p.index
	b.placed = append(b.placed, p)
	b.edge.add(p.leaf, func(t store.Tile) { b.advance.Tiles = append(b.advance.Tiles, t) })
	e.Object.Index = p.index
	b.advance.Leaves = append(b.advance.Leaves, h)
	b.advance.Objects = append(b.advance.Objects, e.Object)
	for _, a := range e.Attachments {
		if _, have := known[store.InLog{LogNo: e.LogNo, Hash: a.Hash}]; have || b.holds(a.Hash) {
			continue
		}
		a.Index = -1
		b.advance.Objects = append(b.advance.Objects, a)
	}
	return Reply{}, false
}

// holds says whether an object is among those that this batch writes.
func (b *logBatch) holds(h Hash) bool {
	return slices.ContainsFunc(b.advance.Objects, func(o store.Object) bool { return o.Hash == h })
}

// signed puts the checkpoints beside their heads and asks for the commit.
func (s State) signed(ev Signed) (State, []Effect) {
	var out []Effect
	var c Commit
	for _, no := range slices.Clone(s.batch.order) {
		b := s.batch.logs[no]
		cp := ev.Checkpoints[no]
		if cp == nil {
			out = append(out, s.drop(no, ev.Errs[no])...)
			continue
		}
		b.head.Checkpoint = cp
		b.advance.LogNo, b.advance.From = no, b.from
		b.advance.Head = store.Head{Size: b.head.Size, Serial: int64(b.serial), Root: b.head.Root,
			Frontier: b.edge.packFrontier(), Checkpoint: cp}
		c.Advances = append(c.Advances, b.advance)
	}
	if len(c.Advances) == 0 {
		return s.finish(out)
	}
	s.phase = committing
	return s, append(out, c)
}

// committed drops the logs that conflicted and asks the guard to record the others.
func (s State) committed(ev Committed) (State, []Effect) {
	if ev.Err != nil {
		return s.abandon(ev.Err)
	}
	var out []Effect
	var p Protect
	for _, no := range slices.Clone(s.batch.order) {
		if err := ev.Conflicts[no]; err != nil {
			out = append(out, s.drop(no, err)...)
			continue
		}
		p.Heads = append(p.Heads, s.batch.logs[no].head.Head)
	}
	if len(p.Heads) == 0 {
		return s.finish(out)
	}
	s.phase = guarding
	return s, append(out, p)
}

// guarded publishes and acknowledges.
func (s State) guarded(ev Guarded) (State, []Effect) {
	if ev.Err != nil {
		return s.abandon(&notPublished{ev.Err})
	}
	pub := Publish{Heads: map[int64]SignedHead{}}
	var replies []Effect
	for _, no := range s.batch.order {
		b, l := s.batch.logs[no], s.logs[no]
		l.Edge, l.Serial, l.Head = b.edge, b.serial, b.head
		pub.Heads[no] = b.head
		for _, p := range b.placed {
			r := receipt(l.ID, p.index, p.leaf, b.head)
			r.Duplicate = p.duplicate
			replies = append(replies, Reply{Ticket: p.ticket, Receipt: r})
		}
	}
	return s.finish(append([]Effect{pub}, replies...))
}

// notPublished keeps the cause of a failing guard beside ErrNotPublished.
type notPublished struct{ cause error }

func (e *notPublished) Error() string   { return ErrNotPublished.Error() + ": " + e.cause.Error() }
func (e *notPublished) Unwrap() []error { return []error{ErrNotPublished, e.cause} }

// drop fails one log's entries and forgets the log, so that it is read again before its next entry.
func (s State) drop(no int64, err error) []Effect {
	var out []Effect
	if err == nil {
		err = ErrNotPublished
	}
	for _, p := range s.batch.logs[no].placed {
		out = append(out, Reply{Ticket: p.ticket, Err: err})
	}
	delete(s.batch.logs, no)
	delete(s.logs, no)
	s.batch.order = slices.DeleteFunc(s.batch.order, func(n int64) bool { return n == no })
	return out
}

// abandon fails the whole batch. Nothing is known of its logs any more: the store may hold the entries.
func (s State) abandon(err error) (State, []Effect) {
	var out []Effect
	for _, e := range s.batch.entries {
		out = append(out, Reply{Ticket: e.Ticket, Err: err})
	}
	for _, no := range slices.Clone(s.batch.order) {
		out = append(out, s.drop(no, err)...)
	}
	return s.finish(out)
}

// finish ends the batch and forgets the logs that were not used for longest beyond the limit.
func (s State) finish(out []Effect) (State, []Effect) {
	s.batch, s.phase = nil, idle
	if over := len(s.logs) - s.limits.LoadedLogs; over > 0 {
		nos := make([]int64, 0, len(s.logs))
		for no := range s.logs {
			nos = append(nos, no)
		}
		sort.Slice(nos, func(i, j int) bool {
			a, b := s.logs[nos[i]].used, s.logs[nos[j]].used
			return a < b || a == b && nos[i] < nos[j]
		})
		for _, no := range nos[:over] {
			delete(s.logs, no)
		}
	}
	return s, out
}

func receipt(id string, index int64, leaf Hash, h SignedHead) Receipt {
	return Receipt{LogID: id, Index: index, Size: h.Size, LeafHash: leaf, Root: h.Root, Checkpoint: h.Checkpoint}
}
