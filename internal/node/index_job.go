package node

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/store"
)

// drainTime is how long a node that closes lets the index catch up with what was just appended.
const drainTime = 2 * time.Second

// indexer is the shell around stepIndex: one goroutine that builds the index from truth, in the order of each log. It
// never holds an append up: it reads what is published, when it is published.
type indexer struct {
	node  *Node
	index *store.Index

	wake chan struct{} // something was appended, or may be tried again
	stop context.CancelFunc
	done chan struct{}

	// writing orders index transactions against erasures. Whoever holds it while contents are destroyed raises erasures, and
	// what was read before that is thrown away unwritten.
	writing  sync.Mutex
	erasures uint64

	large sync.Mutex // held while an object in a file is open

	mu    sync.Mutex // guards what follows
	state indexState
	moved chan struct{} // closed and replaced when the state changes

	// What follows belongs to the goroutine.
	words []*arabic.Indexer
	keys  map[string]logKeys

	looked    time.Time // when the logs were looked at last
	published time.Time // what is being indexed came no earlier
}

// logKeys are what opens and judges the records of one log, and how many keyrings and epoch keys there were then.
type logKeys struct {
	*book
	ids      []age.Identity
	keyrings int
	epochs   int64
	seals    int
}

// startIndexer brings the index into step with the store and begins to follow it.
func (n *Node) startIndexer(ctx context.Context) error {
	x := &indexer{node: n, index: n.store.Index(), wake: make(chan struct{}, 1), done: make(chan struct{}), moved: make(chan struct{}), keys: map[string]logKeys{}}
	x.forgetWords()
	fits, err := x.fits(ctx)
	if err != nil {
		return err
	}
	if !fits {
		if err := x.index.Drop(ctx); err != nil {
			return err
		}
	}
	if err := x.index.SetVersion(ctx, entry.Version); err != nil {
		return err
	}
	if err := x.beginBacklog(ctx); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	x.stop = stop
	n.indexer = x
	go x.run(run)
	return nil
}

// forgetWords begins anew with what the readers know of words, of which many come together while an index is built.
func (x *indexer) forgetWords() {
	x.words = x.words[:0]
	for range max(1, min(runtime.GOMAXPROCS(0), 8)) {
		x.words = append(x.words, arabic.NewIndexer())
	}
}

// fits says whether the index can be continued: made by today's rules, not ahead of the logs, as after a restore, and
// without anything that was erased while it was not looking.
func (x *indexer) fits(ctx context.Context) (bool, error) {
	version, err := x.index.Version(ctx)
	if err != nil || version != entry.Version {
		return false, err
	}
	sizes, err := x.index.Sizes(ctx)
	if err != nil {
		return false, err
	}
	heads, err := x.node.store.Heads(ctx)
	if err != nil {
		return false, err
	}
	for no, size := range sizes {
		if size > heads[no].Size {
			return false, nil
		}
	}
	tombstones, err := x.node.store.Tombstones(ctx)
	if err != nil {
		return false, err
	}
	for _, t := range tombstones {
		places, err := x.node.store.Places(ctx, t.Hash)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		for _, p := range places {
			e, err := x.index.ByNo(ctx, p.Seq)
			if err == nil && e.Standing != StandingErased {
				return false, nil
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return false, err
			}
		}
	}
	return true, nil
}

// nudge tells the indexer that there may be something new. It never waits.
func (x *indexer) nudge() {
	if x == nil {
		return
	}
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// run is the goroutine: it carries out what the core says until there is nothing to do, then waits to be told of something.
func (x *indexer) run(ctx context.Context) {
	defer close(x.done)
	retry := time.NewTimer(0)
	defer retry.Stop()
	x.published = x.node.pace.now()
	effect := x.look(ctx)
	for ctx.Err() == nil {
		switch do := effect.(type) {
		case indexRange:
			effect = x.indexRange(ctx, do)
			continue
		case finishIndex:
			effect = x.finish(ctx)
			continue
		case retryAfter:
			retry.Reset(do.wait)
		}
		select {
		case <-x.wake: // while the last range was indexed
			x.published = x.looked
			effect = x.look(ctx)
			continue
		default:
		}
		select {
		case <-ctx.Done():
		case <-x.wake:
			x.published = x.node.pace.now()
			effect = x.look(ctx)
		case <-retry.C:
			effect = x.step(retryDue{})
		}
	}
}

// step takes an event in, wakes whoever waits for the index, and returns what to do.
func (x *indexer) step(event any) any {
	x.mu.Lock()
	defer x.mu.Unlock()
	var effect any
	x.state, effect = stepIndex(x.state, event)
	close(x.moved)
	x.moved = make(chan struct{})
	return effect
}

// tell is step for an event after which there is nothing to do yet.
func (x *indexer) tell(event any) { _ = x.step(event) }

// look tells the core how far the logs are.
func (x *indexer) look(ctx context.Context) any {
	x.looked = x.node.pace.now()
	logs, err := x.node.reader.Logs(ctx)
	if err != nil {
		return x.failed("listing logs", err)
	}
	if err := x.takeLate(ctx); err != nil {
		return x.failed("indexing what came late", err)
	}
	var sizes map[int64]int64
	for _, l := range logs {
		x.mu.Lock()
		known, ok := x.state.logs[l.ID]
		x.mu.Unlock()
		switch {
		case !ok:
			if sizes == nil {
				if sizes, err = x.index.Sizes(ctx); err != nil {
					return x.failed("reading how far the index is", err)
				}
			}
			row, err := x.node.store.Log(ctx, l.ID)
			if err != nil {
				return x.failed("reading log "+l.ID, err)
			}
			x.tell(logSeen{l.ID, l.Size, sizes[row.No]})
		case known.published < l.Size:
			x.tell(logGrew{l.ID, l.Size})
		}
	}
	return x.step(looked{})
}

// failed says that something did not work and what to do then.
func (x *indexer) failed(what string, err error) any {
	if !errors.Is(err, context.Canceled) {
		x.node.logger.Warn("the index is behind and will be tried again", "doing", what, "error", err)
	}
	return x.step(indexFailed{})
}

// finish makes the secondary indexes, once everything is indexed for the first time.
func (x *indexer) finish(ctx context.Context) any {
	x.writing.Lock() // the index must not be dropped between making and noting them
	defer x.writing.Unlock()
	if err := x.index.Finish(ctx); err != nil {
		return x.failed("finishing the index", err)
	}
	if err := x.complete(ctx); err != nil {
		return x.failed("going through recalls", err)
	}
	x.forgetWords()
	return x.step(indexBuilt{})
}

// indexRange carries an effect out. How far the log is then, the index itself says: it may have been dropped meanwhile.
func (x *indexer) indexRange(ctx context.Context, r indexRange) any {
	no, err := x.build(ctx, r)
	if err != nil && !errors.Is(err, errErasedMeanwhile) && !errors.Is(err, store.ErrBehindIndex) {
		return x.failed("indexing log "+r.log, err)
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	sizes, err := x.index.Sizes(ctx)
	if err != nil {
		return x.failed("reading how far the index is", err)
	}
	return x.step(rangeIndexed{r.log, sizes[no]})
}

// errErasedMeanwhile says that contents were destroyed after they were read: they are read again.
var errErasedMeanwhile = errors.New("contents were erased meanwhile")

// build indexes a range in pieces and returns the log's number.
func (x *indexer) build(ctx context.Context, r indexRange) (no int64, err error) {
	x.writing.Lock()
	erasures := x.erasures // before the keys are read: a key that comes later has this read again
	x.writing.Unlock()
	k, err := x.logKeys(ctx, r.log)
	if err != nil {
		return 0, err
	}
	if r.to-r.from >= indexMany {
		defer x.node.room.index()()
	}
	published := x.published
	ahead := x.read(ctx, k, r)
	defer ahead.close()
	for at := r.from; at < r.to; {
		x.node.room.adjust()
		b, err := ahead.next(ctx)
		if err != nil {
			return k.no, err
		}
		x.node.pace.work(ctx, &x.node.pace.writing, published, func() { err = x.write(ctx, r.log, k.no, at, b, erasures) })
		if err != nil {
			return k.no, err
		}
		at = b.to
	}
	return k.no, nil
}

func (x *indexer) write(ctx context.Context, log string, no, from int64, b batch, erasures uint64) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.erasures != erasures {
		return errErasedMeanwhile
	}
	placings, err := x.placings(ctx, b.ready.Entries())
	if err != nil {
		return err
	}
	if err := x.index.Write(ctx, no, from, b.to, b.ready, placings...); err != nil {
		return err
	}
	if distrusts(b.ready.Entries()) {
		if err := x.reconsider(ctx, no); err != nil {
			return err
		}
	}
	if err := x.noteReleases(ctx, b.ready.Entries()); err != nil {
		return err
	}
	x.progress(log, b.to)
	return nil
}

// progress shows how far a range has come before it is done.
func (x *indexer) progress(log string, at int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.state.logs[log]
	l.indexed = at
	x.state.logs[log] = l
	close(x.moved)
	x.moved = make(chan struct{})
	select {
	case x.node.indexNews <- struct{}{}:
	default:
	}
}

// logKeys returns what opens and judges a log's records, made anew only when a keyring or an epoch came.
func (x *indexer) logKeys(ctx context.Context, log string) (logKeys, error) {
	row, err := x.node.store.Log(ctx, log)
	if err != nil {
		return logKeys{}, err
	}
	keyrings, err := x.node.store.Keyrings(ctx, row.No)
	if err != nil {
		return logKeys{}, err
	}
	epochs := x.node.epochsKept.Load()
	seals := len(x.node.keys.sealIdentities())
	if k, ok := x.keys[log]; ok && k.keyrings == len(keyrings) && k.epochs == epochs && k.seals == seals {
		return k, nil
	}
	info, err := x.node.reader.Log(ctx, log)
	if err != nil {
		return logKeys{}, err
	}
	b, err := x.node.loadBook(ctx, info)
	if err != nil {
		return logKeys{}, fmt.Errorf("reading the keyrings: %w", err)
	}
	ids, err := x.node.identities(ctx, row.No)
	if err != nil {
		return logKeys{}, err
	}
	k := logKeys{book: b, ids: ids, keyrings: b.history.Len(), epochs: epochs, seals: seals}
	x.keys[log] = k
	return k, nil
}

// close lets the index catch up for a moment and stops.
func (x *indexer) close() {
	if x == nil {
		return
	}
	deadline := time.NewTimer(drainTime)
	defer deadline.Stop()
	x.nudge()
	for caughtUp := false; !caughtUp; {
		x.mu.Lock()
		moved := x.moved
		caughtUp = x.state.behind() == 0 && !x.state.busy || x.state.waiting
		x.mu.Unlock()
		if caughtUp {
			break
		}
		select {
		case <-moved:
		case <-x.done:
			caughtUp = true
		case <-deadline.C:
			caughtUp = true
		}
	}
	x.stop()
	<-x.done
}

// drop throws the index away between two transactions of the goroutine.
func (x *indexer) drop(ctx context.Context) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.erasures++ // what is being read belongs to the old index
	x.tell(indexDropped{})
	if err := x.beginBacklog(ctx); err != nil { // before it is gone: nobody is to think that nothing is here
		return err
	}
	if err := x.index.Drop(ctx); err != nil {
		return err
	}
	if err := x.index.SetVersion(ctx, entry.Version); err != nil {
		return err
	}
	x.nudge()
	return nil
}

// beginBacklog says how much there is of each log of which the index need not have all yet.
func (x *indexer) beginBacklog(ctx context.Context) error {
	logs, err := x.node.reader.Logs(ctx)
	if err != nil {
		return err
	}
	sizes := map[string]int64{}
	for _, l := range logs {
		sizes[l.ID] = l.Size
	}
	x.node.backlog.begin(x, sizes)
	return nil
}
