package ledger

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// MaxObject is the largest object in bytes.
const MaxObject = 48 << 20

// Store is what the ledger needs of *store.DB; tests put faults in between.
type Store interface {
	Dir() string
	Files() store.FS
	OneMachine() bool

	Logs(ctx context.Context) ([]store.Log, error)
	Log(ctx context.Context, id string) (store.Log, error)
	CreateLog(ctx context.Context, lease store.Lease, l store.Log, h store.Head) (store.Log, error)
	LogsNumbered(ctx context.Context, nos []int64) ([]store.Log, []store.Head, error)
	RetireLog(ctx context.Context, lease store.Lease, id string, at time.Time) error
	Head(ctx context.Context, logNo int64) (store.Head, error)
	Heads(ctx context.Context) (map[int64]store.Head, error)
	Commit(ctx context.Context, lease store.Lease, advances []store.Advance) ([]error, error)
	AddObjects(ctx context.Context, lease store.Lease, logNo int64, objects []store.Object) error

	CreateFollowed(ctx context.Context, lease store.Lease, l store.Log, source string, empty store.Head) (store.Log, error)
	Follow(ctx context.Context, logNo int64) (store.Follow, error)
	SetSource(ctx context.Context, lease store.Lease, logNo int64, source string) error
	Take(ctx context.Context, lease store.Lease, t store.Taking) error
	Absent(ctx context.Context, logNo, from int64, limit int) ([]store.AbsentObject, error)
	WantedWraps(ctx context.Context, logNo int64, limit int) ([]store.WantedWrap, error)
	Keyrings(ctx context.Context, logNo int64) ([]store.Keyring, error)
	SetCheckpoint(ctx context.Context, lease store.Lease, logNo, size int64, checkpoint []byte) error
	PutCosigned(ctx context.Context, lease store.Lease, from int64, c store.Cosigned) error

	Leaves(ctx context.Context, logNo, from, to int64) ([]byte, error)
	Tile(ctx context.Context, logNo int64, level int, n int64) ([]byte, error)
	TileRoots(ctx context.Context, logNo int64, level int, from, to int64) ([]byte, error)

	Known(ctx context.Context, want []store.InLog) (map[store.InLog]store.Known, error)
	Places(ctx context.Context, hash [32]byte) ([]store.Place, error)
	Object(ctx context.Context, hash [32]byte) ([]byte, error)
	StoredObject(ctx context.Context, hash [32]byte) (store.StoredObject, error)
	PutObjectFile(hash [32]byte, data []byte, unique string) error
	TakeObjectFile(hash [32]byte, limit int64, unique string, open store.From) (int64, error)
	Arrived(hash [32]byte) int64
	ObjectFile(hash [32]byte) (store.File, error)
	SweepOrphans(ctx context.Context) (int, error)
	EraseObject(ctx context.Context, lease store.Lease, ts store.Tombstone) error
	Tombstone(ctx context.Context, hash [32]byte) (store.Tombstone, error)

	TakeLease(ctx context.Context, holder string, ttl time.Duration, force bool) (store.Lease, error)
	RenewLease(ctx context.Context, l store.Lease, ttl time.Duration) error
	DropLease(ctx context.Context, l store.Lease) error
}

// Config says where a ledger lives and how it behaves. Store, Guard and Signer are required.
type Config struct {
	// Store holds the rows and the object files. The ledger does not close it.
	Store Store
	// Guard remembers outside the database what was published. The ledger does not close it.
	Guard Guard
	// Signer returns the signer of a log's checkpoints from the keyring with this serial on; its name must be the log's
	// origin. Serial 0 stands for the empty log, before its first keyring. It is called for every checkpoint.
	Signer func(logID string, serial uint64) (LogSigner, error)
	// Clock tells the time for creation dates and for the lease. Default: time.Now.
	Clock func() time.Time
	// Logger gets what an operator should know. Default: none.
	Logger *slog.Logger
	// Rand gives the holder's name. Default: crypto/rand.
	Rand io.Reader
	// Published is told of a log whose new head readers can see. It must not wait. Default: nobody is told.
	Published func(logID string)

	// LeaseTTL is how long a writer that fell silent keeps others waiting. On SQLite a file lock makes the next
	// writer start at once. Default: 15 s.
	LeaseTTL time.Duration
	// WaitLease makes Open wait while another writer holds the lease, until its context ends.
	WaitLease bool

	// QueueEntries and QueueBytes bound what waits and is under way, for all logs; LogEntries for one log. Append
	// waits for room. Defaults: 4096 entries, 128 MiB, 1024 entries.
	QueueEntries int64
	QueueBytes   int64
	LogEntries   int64
	// BatchEntries and BatchBytes bound one transaction. Defaults: 1024 entries, 16 MiB.
	BatchEntries int
	BatchBytes   int64
	// LoadedLogs is how many logs' right edges (a few KiB each) are kept in memory. Default: 256.
	LoadedLogs int
}

func (c Config) withDefaults() (Config, error) {
	if c.Store == nil || c.Guard == nil || c.Signer == nil {
		return c, errors.New("a ledger needs a store, a guard and a signer")
	}
	if c.Clock == nil {
		c.Clock = time.Now //nolint:forbidigo // the parameter's documented default
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	setDefault(&c.LeaseTTL, 15*time.Second)
	setDefault(&c.QueueEntries, 4096)
	setDefault(&c.QueueBytes, 128<<20)
	setDefault(&c.LogEntries, 1024)
	setDefault(&c.BatchEntries, 1024)
	setDefault(&c.BatchBytes, 16<<20)
	setDefault(&c.LoadedLogs, 256)
	if c.QueueBytes < MaxObject+4096 {
		return c, fmt.Errorf("QueueBytes must be over %d, the largest object", MaxObject)
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Ledger is the writer of a store's logs. Its methods are safe for concurrent use.
type Ledger struct {
	cfg     Config
	store   Store
	lease   store.Lease
	release func() error // the file lock; nil when there is none
	heads   *board
	reads

	// queue carries submissions and tasks to the one goroutine that writes.
	queue chan work
	room  *admission
	stop  chan struct{} // closed by Close
	done  chan struct{} // closed when both goroutines ended
	once  sync.Once

	lostMu sync.Mutex // guards lost and lostErr
	lostCh chan struct{}
	lostBy error

	// What follows belongs to the writing goroutine (run.go).
	state    State
	waiters  map[Ticket]chan<- reply
	ticket   Ticket
	bySeries map[int64]string // log ids by number
	// How many entries the last batch answered and how long it took: what gather goes by.
	answeredLast int
	lastTook     time.Duration
}

// Open takes the writer's lease, brings guard and database into step, replays erasures, and starts writing.
//
// A log whose database is older than its guard does not stop the others: its own methods return *ErrBehind.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	l := &Ledger{
		cfg: cfg, store: cfg.Store,
		queue: make(chan work, 256), room: newAdmission(cfg),
		stop: make(chan struct{}), done: make(chan struct{}), lostCh: make(chan struct{}),
		state:   NewState(Limits{cfg.BatchEntries, cfg.BatchBytes, cfg.LoadedLogs}),
		waiters: map[Ticket]chan<- reply{}, bySeries: map[int64]string{},
	}
	l.heads = newBoard(l.cfg.Published)
	l.reads = reads{store: cfg.Store, view: l.heads}
	asked, err := l.takeLease(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	if err := l.recover(ctx); err != nil {
		l.giveBack()
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	var both sync.WaitGroup
	both.Go(l.write)
	both.Go(func() { l.keepLease(asked) })
	go func() {
		both.Wait()
		close(l.done)
	}()
	return l, nil
}

// takeLease returns the time just before the lease was asked for.
func (l *Ledger) takeLease(ctx context.Context) (time.Time, error) {
	var name [8]byte
	if _, err := io.ReadFull(l.cfg.Rand, name[:]); err != nil {
		return time.Time{}, fmt.Errorf("naming the writer: %w", err)
	}
	for {
		asked := l.cfg.Clock()
		err := l.tryLease(ctx, hex.EncodeToString(name[:]))
		if err == nil {
			return asked, nil
		}
		if !l.cfg.WaitLease || !(errors.Is(err, store.ErrLocked) || errors.Is(err, store.ErrLeaseHeld)) {
			return asked, err
		}
		select {
		case <-ctx.Done():
			return asked, errors.Join(ctx.Err(), err)
		case <-time.After(l.cfg.LeaseTTL / 30):
		}
	}
}

func (l *Ledger) tryLease(ctx context.Context, holder string) (err error) {
	if l.store.OneMachine() {
		// The kernel frees this lock when a writer dies, so whoever holds it may take a lease that still runs.
		l.release, err = store.TryLock(filepath.Join(l.store.Dir(), "lock"))
		if errors.Is(err, store.ErrLocked) {
			return fmt.Errorf("%w: %w", store.ErrLeaseHeld, err)
		}
		if err != nil {
			return err
		}
	}
	l.lease, err = l.store.TakeLease(ctx, holder, l.cfg.LeaseTTL, l.release != nil)
	if err != nil && l.release != nil {
		_ = l.release()
		l.release = nil
	}
	return err
}

func (l *Ledger) giveBack() {
	_ = l.store.DropLease(context.Background(), l.lease)
	if l.release != nil {
		_ = l.release()
	}
}

// Lost is closed when the lease is lost and the ledger has stopped writing; LostErr then says why.
func (l *Ledger) Lost() <-chan struct{} { return l.lostCh }

// LostErr is nil until Lost is closed.
func (l *Ledger) LostErr() error {
	l.lostMu.Lock()
	defer l.lostMu.Unlock()
	return l.lostBy
}

func (l *Ledger) markLost(err error) {
	l.lostMu.Lock()
	defer l.lostMu.Unlock()
	if l.lostBy == nil {
		l.lostBy = err
		close(l.lostCh)
		l.cfg.Logger.Error("stopped writing: the lease is lost", "error", err)
	}
}

// Close lets entries that were accepted finish, stops, and gives the lease back.
func (l *Ledger) Close(ctx context.Context) error {
	l.once.Do(func() { close(l.stop) })
	select {
	case <-l.done:
	case <-ctx.Done():
		return fmt.Errorf("closing the ledger: %w", ctx.Err())
	}
	return nil
}

// keepLease renews the lease until the ledger closes. It stops only after the writing goroutine has.
func (l *Ledger) keepLease(asked time.Time) {
	s := LeaseState{TTL: l.cfg.LeaseTTL, Lease: l.lease, Until: asked.Add(l.cfg.LeaseTTL)}
	tick := time.NewTicker(l.cfg.LeaseTTL / 6)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		var do LeaseEffect
		if s, do = StepLease(s, LeaseTick{l.cfg.Clock()}); do == LeaseRenew {
			asked := l.cfg.Clock()
			err := l.store.RenewLease(context.Background(), s.Lease, s.TTL)
			ev := LeaseRenewed{Asked: asked, Now: l.cfg.Clock()}
			if errors.Is(err, store.ErrLeaseLost) {
				ev.Gone = err
			} else {
				ev.Failed = err
			}
			s, do = StepLease(s, ev)
		}
		if do == LeaseStop {
			l.markLost(s.Lost)
			return
		}
	}
}

// Done is closed when the ledger has stopped.
func (l *Ledger) Done() <-chan struct{} { return l.done }
