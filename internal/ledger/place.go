package ledger

import (
	"slices"

	"github.com/mithaq/mithaq/internal/store"
)

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
