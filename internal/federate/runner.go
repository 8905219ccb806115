package federate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Source is where a log is fetched from. Nothing it returns is trusted.
type Source interface {
	ledger.Source
	// Keyrings returns the list of the log's keyrings, a JSON array of envelopes.
	Keyrings(ctx context.Context) ([]byte, error)
}

// Of asks a source for the resource, whole.
func (q Request) Of(ctx context.Context, src Source) ([]byte, error) {
	switch q.What {
	case ResourceCheckpoint:
		return src.Checkpoint(ctx)
	case ResourceKeyrings:
		return src.Keyrings(ctx)
	case ResourceTile:
		return src.Tile(ctx, q.Level, q.N, q.Width)
	case ResourceBundle:
		return src.Entries(ctx, q.N, q.Width)
	case ResourceObject:
		return src.Object(ctx, q.Hash)
	}
	return nil, errors.New("no such resource")
}

// Stream is a Source whose objects can be read as they come: a large one then never stands in memory whole.
type Stream interface {
	// OpenObject is Object from a place on, without the check of the hash.
	OpenObject(ctx context.Context, hash [32]byte, from int64) (*fetch.Answer, error)
}

// Batcher is a Source that gives several small objects at once.
type Batcher interface {
	// Objects returns up to [ledger.BatchObjects] objects; nil for one that is to be asked for by itself. Their hashes are not
	// checked.
	Objects(ctx context.Context, hashes [][32]byte) ([][]byte, error)
}

// Shelf is where followed logs are kept: *ledger.Ledger.
type Shelf interface {
	Stand(ctx context.Context, logID string) (ledger.Stand, error)
	Take(ctx context.Context, logID string, t store.Taking) error
	Edge(ctx context.Context, logID string, size int64) (root [32]byte, frontier []byte, err error)
	Prefix(ctx context.Context, logID string, size int64) ([][32]byte, error)
	TakeObject(hash [32]byte, open store.From) (size int64, err error)
	Arrived(hash [32]byte) int64
	TakenObject(hash [32]byte, most int64) ([]byte, error)
}

// Runner is the shell around the step function: it fetches, stores and tells. Its methods are safe for concurrent use.
type Runner struct {
	Shelf Shelf
	// Open returns the source of a log at the URL that it is followed from.
	Open func(l Log, source string) (Source, error)
	// Options of a log.
	Options func(Log) Options
	// Tell gets notices, in order for each log. Growth is told before the round's Sync returns.
	Tell func(ctx context.Context, l Log, n Notice)
	// Refused, when not nil, counts what a host answered and was refused: once for a round that failed by it, and for each object
	// of other bytes.
	Refused func(l Log, source string, err error)
	Clock   func() time.Time
	Logger  *slog.Logger
	// Workers is how many requests to one host are under way at once. Default: 16.
	Workers int

	mu   sync.Mutex // guards logs
	logs map[string]*followed
}

// followed is one log with its state, if a round has made one.
type followed struct {
	*turns // the rest belongs to whose turn it is

	state *State
	src   Source
	from  string
}

// Round is how a round ended.
type Round struct {
	Until time.Time // when to look again by itself
	Size  int64     // what is published here
	// Staged is how many leaves are here, with those that wait for the rest of the tree that was signed.
	Staged int64
	Err    error // why it ended early
	Mend   bool  // something is to be asked for again then, although nobody tells of news
}

// Failure is why a round that came with err did not get to its end; nil: it did.
func (r Round) Failure(err error) error { return cmp.Or(err, r.Err) }

// Sync runs one round of a log: when it returns without an error, everything is here that the host showed when it began. The
// error is of this node's own store; what was wrong at the host stands in the Round.
func (r *Runner) Sync(ctx context.Context, logID string) (Round, error) {
	return r.SyncShown(ctx, logID, nil)
}

// SyncShown is Sync at a host that has just shown its newest checkpoint by itself, which saves asking for it. A checkpoint of less
// than was seen before does not count: an answer may have been under way while more came.
func (r *Runner) SyncShown(ctx context.Context, logID string, checkpoint []byte) (Round, error) {
	f := r.log(logID)
	done, err := f.take(ctx)
	if err != nil {
		return Round{}, err
	}
	defer done()
	if err := r.prepare(ctx, logID, f); err != nil {
		return Round{}, err
	}
	run := &round{src: f.src, from: f.from}
	if h, err := ledger.ParseCheckpoint(checkpoint); err == nil && h.Size >= f.state.seen.Size {
		run.shown = checkpoint
	}
	return r.run(ctx, f, run, Look{})
}

// SyncBeside runs a round against another host than the one that the log is followed from. When the author shows two
// histories, two followers who compare so hold the proof. Where the log has not grown, that host is asked for the objects that are
// absent here from the leaf absent on; negative: for none. [ErrGaveWay]: it took too long for who follows the log.
func (r *Runner) SyncBeside(ctx context.Context, logID, source string, absent int64) (Round, error) {
	f := r.log(logID)
	turn, done, err := f.takeBeside(ctx)
	if err != nil {
		return Round{}, err
	}
	defer done()
	if err := r.prepare(turn, logID, f); err != nil {
		return Round{}, err
	}
	src, err := r.Open(f.state.log, source)
	if err != nil {
		return Round{}, fmt.Errorf("comparing log %s: %w", logID, err)
	}
	out, err := r.run(turn, f, &round{src: src, from: source}, Look{Beside: true, Absent: absent})
	if err != nil && ctx.Err() == nil {
		err = ErrGaveWay
	}
	return out, err
}

// run carries a round out. It is its turn, and the state is made.
func (r *Runner) run(ctx context.Context, f *followed, x *round, look Look) (Round, error) {
	f.state.Configure(r.Options(f.state.log))
	x.r, x.f, x.events, x.slots = r, f, make(chan []Event), semaphore.NewWeighted(int64(r.workers()))
	look.Now = r.Clock()
	rest := x.drive(ctx, look)
	x.refused(rest.Err)
	out := Round{Until: rest.Until, Size: f.state.Head().Size, Staged: f.state.Staged(), Err: rest.Err, Mend: rest.Mend}
	if rest.Spent {
		f.state = nil
	}
	return out, ctx.Err()
}

// Forget drops what is kept in memory of a log: it is read anew at its next round.
func (r *Runner) Forget(logID string) {
	f := r.log(logID)
	if done, err := f.take(context.Background()); err == nil {
		f.state = nil
		done()
	}
}

func (r *Runner) workers() int {
	if r.Workers > 0 {
		return r.Workers
	}
	return 16
}

func (r *Runner) log(id string) *followed {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logs == nil {
		r.logs = map[string]*followed{}
	}
	f := r.logs[id]
	if f == nil {
		f = &followed{turns: newTurns()}
		r.logs[id] = f
	}
	return f
}

// prepare makes the state out of what is stored, once.
func (r *Runner) prepare(ctx context.Context, logID string, f *followed) error {
	if f.state != nil {
		return nil
	}
	stand, err := r.Shelf.Stand(ctx, logID)
	if err != nil {
		return err
	}
	l := Log{ID: stand.Log.ID, Origin: stand.Log.Origin, Party: stand.Log.Author, Agreement: stand.Log.Agreement}
	history, err := historyOf(stand.Keyrings)
	if err != nil {
		return fmt.Errorf("reading the keyrings of log %s: %w", logID, err)
	}
	if f.src == nil || f.from != stand.Follow.Source {
		if f.src, err = r.Open(l, stand.Follow.Source); err != nil {
			return fmt.Errorf("following log %s: %w", logID, err)
		}
		f.from = stand.Follow.Source
	}
	f.state, err = New(Start{Log: l, Head: ledger.Head{Origin: l.Origin, Size: stand.Log.Size, Root: stand.Log.Root}, Checkpoint: stand.Log.Checkpoint,
		Target: stand.Follow.Target, Growth: stand.Growth, History: history, Absent: stand.Absent, Wanted: stand.Wanted, Seen: stand.Follow.Seen}, r.Options(l))
	return err
}

func historyOf(keyrings []ledger.PlacedObject) (*record.History, error) {
	h := new(record.History)
	for _, p := range keyrings {
		k, ok := carriedKeyring(p.Bytes)
		if !ok {
			return nil, fmt.Errorf("leaf %d is not a keyring: the database is damaged", p.Index)
		}
		if err := h.Add(p.Index, k); err != nil {
			return nil, fmt.Errorf("leaf %d: %w", p.Index, err)
		}
	}
	return h, nil
}

// round is one round under way.
type round struct {
	r      *Runner
	f      *followed
	src    Source
	from   string
	shown  []byte // the checkpoint that the host showed by itself; nil: it is asked for it
	events chan []Event
	slots  *semaphore.Weighted
	wg     sync.WaitGroup
}

// drive feeds the state with what happens until it rests.
func (x *round) drive(ctx context.Context, look Look) Rest {
	ctx, cancel := context.WithCancel(ctx)
	defer x.wg.Wait()
	defer cancel()
	effects := x.f.state.Step(look)
	for {
		for _, e := range x.gather(ctx, effects) {
			if rest, done := x.perform(ctx, e); done {
				return rest
			}
		}
		select {
		case evs := <-x.events:
			effects = x.step(evs)
		case <-ctx.Done():
			return Rest{Until: x.r.Clock(), Err: ctx.Err(), Spent: true}
		}
	}
}

// step takes events in, up to the one that ends the round.
func (x *round) step(evs []Event) (effects []Effect) {
	for _, ev := range evs {
		for _, e := range x.f.state.Step(ev) {
			effects = append(effects, e)
			if _, over := e.(Rest); over {
				return effects
			}
		}
	}
	return effects
}

func (x *round) perform(ctx context.Context, e Effect) (Rest, bool) {
	switch e := e.(type) {
	case Fetch:
		x.start(ctx, func() Event {
			if err := x.slots.Acquire(ctx, 1); err != nil {
				return Came{Request: e.Request, Err: err, Now: x.r.Clock()}
			}
			defer x.slots.Release(1)
			body, err := x.fetch(ctx, e.Request)
			return Came{Request: e.Request, Body: body, Err: err, Now: x.r.Clock()}
		})
	case Store:
		x.start(ctx, func() Event {
			return Stored{Err: x.r.Shelf.Take(context.WithoutCancel(ctx), x.f.state.log.ID, e.Taking), Now: x.r.Clock()}
		})
	case Edge:
		x.start(ctx, func() Event {
			root, frontier, err := x.r.Shelf.Edge(ctx, x.f.state.log.ID, e.Size)
			return Edged{Root: root, Frontier: frontier, Err: err, Now: x.r.Clock()}
		})
	case Prefix:
		x.start(ctx, func() Event {
			proof, err := x.r.Shelf.Prefix(ctx, x.f.state.log.ID, e.Size)
			return Prefixed{Proof: proof, Err: err, Now: x.r.Clock()}
		})
	case Notice:
		x.r.Tell(ctx, x.f.state.log, e)
	case Rest:
		return e, true
	}
	return Rest{}, false
}

// start does something beside the state and brings what came of it.
func (x *round) start(ctx context.Context, do func() Event) {
	x.wg.Go(func() { x.tell(ctx, do()) })
}

func (x *round) tell(ctx context.Context, evs ...Event) {
	select {
	case x.events <- evs:
	case <-ctx.Done():
	}
}

func (x *round) fetch(ctx context.Context, q Request) (Body, error) {
	switch {
	case q.What == ResourceCheckpoint && x.shown != nil:
		return Body{Bytes: x.shown}, nil
	case q.What == ResourceObject:
		return x.fetchObject(ctx, q.Hash)
	}
	b, err := q.Of(ctx, x.src)
	return Body{Bytes: b}, err
}
