package ledger

import (
	"slices"
	"sort"

	"github.com/mithaq/mithaq/internal/store"
)

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
