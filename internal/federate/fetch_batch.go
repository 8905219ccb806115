package federate

import (
	"context"
	"crypto/sha256"

	"github.com/mithaq/mithaq/internal/ledger"
)

// gather takes the requests for objects that a host can answer together out of effects, starts them, and returns the others.
func (x *round) gather(ctx context.Context, effects []Effect) []Effect {
	src, ok := x.src.(Batcher)
	if !ok {
		return effects
	}
	var objects []Request
	rest := effects[:0:0]
	for _, e := range effects {
		if f, ok := e.(Fetch); ok && f.Request.What == ResourceObject {
			objects = append(objects, f.Request)
		} else {
			rest = append(rest, e)
		}
	}
	if len(objects) < 2 {
		return effects
	}
	for len(objects) > 0 {
		batch := objects[:min(len(objects), ledger.BatchObjects)]
		objects = objects[len(batch):]
		x.wg.Go(func() { x.fetchBatch(ctx, src, batch) })
	}
	return rest
}

// fetchBatch fetches objects with one request. What it did not bring, for whatever reason, is asked for one by one: a line over
// which a batch never comes whole still brings objects.
func (x *round) fetchBatch(ctx context.Context, src Batcher, batch []Request) {
	if err := x.slots.Acquire(ctx, 1); err != nil {
		return // the round is over
	}
	hashes := make([][32]byte, len(batch))
	for i, q := range batch {
		hashes[i] = q.Hash
	}
	came, err := src.Objects(ctx, hashes)
	x.slots.Release(1)
	x.refused(err)
	now := x.r.Clock()
	var evs []Event
	for i, q := range batch {
		if i >= len(came) || came[i] == nil {
			x.perform(ctx, Fetch{q})
			continue
		}
		if sha256.Sum256(came[i]) != q.Hash {
			x.refused(otherBytes(q.Hash)) // the state refuses it
		}
		evs = append(evs, Came{Request: q, Body: Body{Bytes: came[i]}, Now: now})
	}
	if len(evs) > 0 {
		x.tell(ctx, evs...)
	}
}
