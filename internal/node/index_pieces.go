package node

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// batchEntries is how many entries one transaction of the index has at most; batchBytes how much memory.
const (
	batchEntries = 8192
	batchBytes   = 32 << 20
)

// pieces is a range of leaves that is being read and opened by several goroutines, and made ready by one, ahead of the one
// that writes.
type pieces struct {
	cancel  context.CancelFunc
	queue   chan chan piece
	batches chan batch
	workers sync.WaitGroup

	// What follows is of the goroutine that makes batches.
	run  chan piece // of the leaves that come next
	held *piece     // read, but did not fit into the last batch

	ahead atomic.Int64  // bytes of entries that were read and not taken
	taken chan struct{} // told when some were
}

// cutBytes is about how much memory one piece has at most, but for its last entry: a bundle of leaves with a thousand STIX
// objects each comes in several.
const cutBytes = batchBytes / 4

// piece is what became of some leaves in a row.
type piece struct {
	to      int64
	entries []store.IndexEntry
	bytes   int
	err     error
}

// batch is what one transaction writes: the leaves before to that were not written yet.
type batch struct {
	to    int64
	ready *store.Batch
	err   error
}

type pieceJob struct {
	from, to int64
	out      chan piece
}

// read starts to read a range: one batch is made ready while another waits for the writer, who takes long for some of them, and
// up to batchBytes of entries are read ahead of that.
func (x *indexer) read(ctx context.Context, k logKeys, r indexRange) *pieces {
	ctx, cancel := context.WithCancel(ctx)
	p := &pieces{cancel: cancel, queue: make(chan chan piece, 2*len(x.words)+batchEntries/store.BundleWidth), taken: make(chan struct{}, 1), batches: make(chan batch, 1)}
	jobs := make(chan pieceJob)
	published := x.published
	p.workers.Go(func() {
		defer close(jobs)
		defer close(p.queue)
		for from := r.from; from < r.to; {
			to := min(r.to, from-from%store.BundleWidth+store.BundleWidth)
			out := make(chan piece, 1)
			for p.ahead.Load() > batchBytes {
				select {
				case <-p.taken:
				case <-ctx.Done():
					return
				}
			}
			select {
			case p.queue <- out:
			case <-ctx.Done():
				return
			}
			select {
			case jobs <- pieceJob{from, to, out}:
			case <-ctx.Done():
				return
			}
			from = to
		}
	})
	for _, words := range x.words {
		p.workers.Go(func() {
			m := entry.Maker{Words: words, LogNo: k.no, History: k.history, IDs: k.ids, Foreign: k.log.Followed()}
			for job := range jobs {
				x.readRun(ctx, &m, job.from, job.to, published, func(one piece) bool {
					p.ahead.Add(int64(one.bytes))
					select {
					case job.out <- one:
						return one.err == nil
					case <-ctx.Done():
						return false
					}
				})
				close(job.out)
			}
		})
	}
	p.workers.Go(func() {
		for {
			entries, to, err := p.gather(ctx)
			b := batch{to: to, err: err}
			if err == nil {
				b.ready = store.Prepare(entries)
			}
			select {
			case p.batches <- b:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	})
	return p
}

// next returns the next batch.
func (p *pieces) next(ctx context.Context) (batch, error) {
	select {
	case b := <-p.batches:
		return b, b.err
	case <-ctx.Done():
		return batch{}, ctx.Err()
	}
}

// readRun reads and opens the leaves [from, to), and gives them away piece by piece as long as they are taken.
func (x *indexer) readRun(ctx context.Context, m *entry.Maker, from, to int64, published time.Time, give func(piece) bool) {
	arrivals, err := x.node.store.Arrivals(ctx, m.LogNo, from, to)
	p := piece{entries: make([]store.IndexEntry, 0, len(arrivals))}
	cut := func(end int64) bool {
		p.to = end
		vocabulary := m.Words.Vocabulary()
		for i := range p.entries {
			p.entries[i].Text.Vocabulary = vocabulary
		}
		return give(p)
	}
	for i := range arrivals {
		index := from + int64(i)
		if err = ctx.Err(); err != nil {
			break
		}
		if p.bytes >= cutBytes {
			if !cut(index) {
				return
			}
			p = piece{}
		}
		var e store.IndexEntry
		var ok bool
		x.node.pace.work(ctx, &x.node.pace.reading, published, func() { e, ok, err = x.readEntry(m, index, &arrivals[i]) })
		if err != nil {
			break
		}
		if ok {
			p.entries = append(p.entries, e)
			p.bytes += entrySize(&e)
		}
		arrivals[i].Bytes = nil
	}
	p.err = err
	cut(to)
}

// largeEnvelope is from how many bytes on, decompressed, a record is opened alone although its object is small.
const largeEnvelope = 4 << 20

// readEntry makes the entry of one leaf. Objects in files are read when their turn comes, and one at a time in the whole
// process, as are small ones that state a large content: opened, the largest takes some hundreds of megabytes.
func (x *indexer) readEntry(m *entry.Maker, index int64, a *store.Arrival) (store.IndexEntry, bool, error) {
	size, err := record.EnvelopeSize(a.Bytes)
	if a.File || err == nil && size > largeEnvelope {
		x.large.Lock()
		defer x.large.Unlock()
		if err := x.node.store.Load(a); err != nil {
			return store.IndexEntry{}, false, err
		}
	}
	e, ok := m.Entry(index, *a)
	return e, ok, nil
}

// entrySize is about how many bytes an entry takes.
func entrySize(e *store.IndexEntry) int {
	size := 1024 + 768*len(e.STIX) // with the rows that are made of it
	for _, numbers := range e.Text.Parts {
		size += 32 * len(numbers)
	}
	return size
}

// gather returns the entries of a batch and the leaf after the last.
func (p *pieces) gather(ctx context.Context) (entries []store.IndexEntry, to int64, err error) {
	size := 0
	for {
		got := p.held
		p.held = nil
		if got == nil {
			if p.run == nil {
				run, ok := <-p.queue
				if !ok {
					if to == 0 {
						err = context.Cause(ctx)
						if err == nil {
							err = context.Canceled
						}
					}
					return entries, to, err
				}
				p.run = run
			}
			select {
			case one, ok := <-p.run:
				if !ok {
					p.run = nil
					continue
				}
				got = &one
				p.ahead.Add(-int64(one.bytes))
				select {
				case p.taken <- struct{}{}:
				default:
				}
			case <-ctx.Done():
				return nil, 0, ctx.Err()
			}
		}
		if got.err != nil {
			if to > 0 { // what came before is good
				p.held = got
				return entries, to, nil
			}
			return nil, 0, got.err
		}
		if to > 0 && (len(entries)+len(got.entries) > batchEntries || size+got.bytes > batchBytes) {
			p.held = got
			return entries, to, nil
		}
		if entries == nil {
			entries = got.entries
		} else {
			if cap(entries) < batchEntries {
				entries = slices.Grow(entries, batchEntries-len(entries)) // once for a batch of more than one piece
			}
			entries = append(entries, got.entries...)
		}
		to, size = got.to, size+got.bytes
	}
}

// close stops the goroutines and waits for them.
func (p *pieces) close() {
	p.cancel()
	p.workers.Wait()
}
