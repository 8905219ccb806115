package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/facts"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/federate/httpsig"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/notify"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Names of files in a node's directory.
const (
	dbName       = "mithaq.db"
	keysName     = "keys.age"
	rootName     = "root.age"
	guardName    = "guard"
	erasuresName = "erasures"
	// unsettledName marks a node that was restored and has not yet learnt how far its logs had grown.
	unsettledName = "unsettled"
	// addressName holds the address of the daemon that runs on the directory.
	addressName = "address"
)

// RootPath is where init leaves the root key.
func RootPath(dir string) string { return filepath.Join(dir, rootName) }

// OpenOptions say how a node is opened.
type OpenOptions struct {
	Secret   SecretSource
	Logger   *slog.Logger
	ReadOnly bool   // no lease, nothing is signed; without the keys sealed records stay sealed
	Listen   string // instead of the configured address; empty: the configured one
	// Clock tells the time. Default: time.Now.
	Clock func() time.Time
	// AskFollowers makes Open ask the configured followers for their newest checkpoint of each log.
	AskFollowers bool
}

// Node is an open node. Its methods are safe for concurrent use.
type Node struct {
	*account.Accounts // who may use it

	dir    string
	cfg    Config
	logger *slog.Logger
	rand   io.Reader
	now    func() time.Time

	store    *store.DB
	guard    *ledger.FileGuard // nil when read-only
	ledger   *ledger.Ledger    // nil when read-only
	reader   ledger.Reader
	keys     *keyset // nil when read-only and the keys could not be opened
	party    PartyView
	counts   counters
	refusals refusals // what other nodes sent that was refused
	lost     chan error
	invented map[string]bool              // of agreements that run here, by id; guarded by mu
	facts    func() (*facts.Facts, error) // what ships with the program, read once

	indexer  *indexer         // nil when read-only
	pace     pace             // of the indexer, beside posts
	room     gcRoom           // for garbage, while much is indexed or posted
	follower *federate.Runner // nil when read-only
	exits    exits

	feed       *federate.Feed // nil when read-only
	waiting    waiters        // requests that wait for a change
	ending     chan struct{}  // closed when the node closes
	closing    sync.Once
	callers    callers
	keyrings   keyrings // that were read
	cosigners  federate.Cosigners
	peerRows   peerRows
	acts       allowance         // of acts and cards that others send
	sent       map[string]string // guarded by mu: by agreement and object of an act, the state on which it was last sent
	outbound   *http.Client
	patience   time.Duration                 // with hosts of logs; 0: fetch.DefaultPatience
	peerNews   chan struct{}                 // peers were added, changed or removed, or a roll has changed
	indexNews  chan struct{}                 // something was indexed: there may be something to acknowledge
	signer     *httpsig.Signer               // guarded by mu: of this node's requests
	hostWakes  map[string]chan struct{}      // guarded by mu: by address, wakes the job of a host
	withheld   map[string]string             // guarded by mu: by log, the host to be asked again for objects that it withheld
	contacts   map[string]contact            // guarded by mu: by address
	purses     map[purseKey]*federate.Purse  // guarded by mu
	overdrafts map[string]federate.Overdraft // guarded by mu: by followed log, the last one
	toldHeld   map[string]time.Time          // guarded by mu: by log, the window for which its author was told
	heldBy     map[string]HeldView           // guarded by mu: by party and log of ours
	rollStates map[string]string             // guarded by mu: by agreement, the last state that the jobs saw
	saving     backups                       // asked for over the API
	hook       *notify.Hook                  // posts notices
	telling    sync.Mutex                    // serialises writing what became of notices
	bringing   sync.Mutex                    // serialises taking logs from bundles
	bundles    atomic.Uint64                 // counts the bundles that were opened
	bundled    sync.Map                      // the files of open bundles, by their source
	grown      atomic.Uint64                 // counts heads that were published and books that were read
	known      atomic.Uint64                 // counts changes of whose keys are known: peers, pins, own keyrings
	quiet      quietLogs                     // own logs that the program is writing to
	enough     enoughRows                    // what enough witnesses co-signed
	posted     map[string]Place              // how far each token has written to each log over TAXII; mu guards it

	backlog   backlog   // of own records that are not indexed yet
	deflaters sync.Pool // of *flate.Writer, for statuses of TAXII
	opened    payloads  // records that were opened for TAXII
	takenBack takenBack // recalls that are not indexed yet
	feeds     feeds
	harmless  warningLists

	audited      auditor    // what was decided at the exits
	lateReceipts latePlaces // of followed logs, for receipts
	lateActs     latePlaces // and for rolls
	besideRoll   besideRoll // records of own logs that no roll needs

	mu        sync.RWMutex // guards what follows up to ahead
	address   string
	books     map[string]*book             // keyring history by log id
	pending   map[string]record.Keyring    // keyrings that are just being appended
	rolls     map[string]*roll             // by agreement id; each has a lock of its own
	sealTerms map[string]sealTerms         // by agreement id: who may open what of before it came
	members   map[string][]record.Keyring  // by agreement id: the others who run it, for sealing
	newcomers map[string][]record.Keyring  // by agreement id: whose accession waits for witnesses
	notices   map[string]map[string]string // of followed logs, by log id and kind
	ahead     atomic.Bool                  // a follower is ahead of this node
	cosigner  *cosigner                    // guarded by mu; nil unless the node serves
	witnessAt map[string]int64             // guarded by mu: how many leaves a witness had, by its key and the log
	// witnessing serialises cosignatures, which must never contradict each other.
	witnessing sync.Mutex
	// sealing serialises taking an epoch, so that two records to one audience share it.
	sealing      sync.Mutex
	chains       map[string]map[string]*ownChain // guarded by sealing: of own logs, by log id and chain
	delivered    map[string]string               // guarded by sealing: by log id, the members' keys when all was delivered
	epochs       sync.Map                        // keys of epochs that were opened, by epochName
	epochsKept   atomic.Int64                    // counts keys of epochs that were kept
	released     releases                        // what opens the objects that others released to this party
	releasesTold atomic.Int64                    // counts releases that were indexed
	// erasing serialises erasures, each of which is one order and one deed.
	erasing sync.Mutex
	// ceremony serialises changes of keyrings, so that two ceremonies cannot both follow from one keyring.
	ceremony sync.Mutex
}

// Open opens the node in dir. Unless o.ReadOnly, it becomes the one writer of the node's logs, or fails.
func Open(ctx context.Context, dir string, o OpenOptions) (_ *Node, err error) {
	cfg, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	n := newNode(dir, cfg, o.Logger)
	if o.Listen != "" {
		n.ListenOn(o.Listen)
	}
	if o.Clock != nil {
		n.now = o.Clock
		n.callers.guard = httpsig.NewGuard(n.now)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close(context.WithoutCancel(ctx)))
		}
	}()
	if n.keys, err = openKeys(filepath.Join(dir, keysName), o.Secret, Within(dir, cfg.KeyFile)); err != nil && !o.ReadOnly {
		return nil, err
	}
	if err := n.openStore(ctx, o.ReadOnly); err != nil {
		return nil, err
	}
	if o.ReadOnly {
		n.reader = ledger.NewReader(n.store)
	} else if err := n.openLedger(ctx); err != nil {
		return nil, err
	}
	if err := n.loadBooks(ctx); err != nil {
		return nil, err
	}
	if err := n.finishErasure(ctx); err != nil {
		return nil, err
	}
	if o.AskFollowers && len(cfg.Followers) > 0 {
		n.askFollowers(ctx)
	}
	if !o.ReadOnly {
		if err := n.startIndexer(ctx); err != nil {
			return nil, fault.OfStore(err)
		}
	}
	if o.AskFollowers && !o.ReadOnly {
		if err := n.startCosigner(ctx); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func newNode(dir string, cfg Config, logger *slog.Logger) *Node {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{dir: dir, cfg: cfg, logger: logger, rand: rand.Reader, now: time.Now, lost: make(chan error, 1), books: map[string]*book{}, pending: map[string]record.Keyring{},
		rolls: map[string]*roll{}, invented: map[string]bool{}, members: map[string][]record.Keyring{}, newcomers: map[string][]record.Keyring{}, notices: map[string]map[string]string{}, witnessAt: map[string]int64{}, facts: sync.OnceValues(facts.Load), ending: make(chan struct{}), outbound: newOutbound(cfg.reachesPrivate()), peerNews: make(chan struct{}, 1), indexNews: make(chan struct{}, 1), saving: backups{asked: make(chan struct{}, 1)},
		sent: map[string]string{}, hostWakes: map[string]chan struct{}{}, withheld: map[string]string{}, contacts: map[string]contact{}, purses: map[purseKey]*federate.Purse{}, overdrafts: map[string]federate.Overdraft{}, toldHeld: map[string]time.Time{}, heldBy: map[string]HeldView{}, rollStates: map[string]string{},
		sealTerms: map[string]sealTerms{}, chains: map[string]map[string]*ownChain{}, delivered: map[string]string{},
		exits: exits{rules: map[string]*exitRules{}}, hook: notify.NewHook()}
	n.acts.burst, n.acts.interval = 60, time.Second
	n.callers.guard = httpsig.NewGuard(n.now)
	n.backlog = newBacklog()
	n.pace.now, n.room.of = time.Now, sync.OnceValue(roomHere) // not the node's clock: what is paced is work, which takes real time
	return n
}

// openStore opens the store, and the accounts in it.
func (n *Node) openStore(ctx context.Context, readOnly bool) (err error) {
	if n.store, err = store.OpenWith(ctx, n.cfg.storeDSN(n.dir), store.Options{Dir: n.dir, ReadOnly: readOnly}); err != nil {
		return fault.OfStore(err)
	}
	n.Accounts = account.New(account.Options{
		Store: n.store, Rand: n.rand, Now: func() time.Time { return n.now() }, Certificates: n.cfg.TAXIICertificates, Emails: n.cfg.OIDC.Claim == ClaimEmail,
		Party: func() (string, map[string]string) { return n.party.ID, n.party.Names },
	})
	return nil
}

// openLedger takes the writer's lease and begins to sequence.
func (n *Node) openLedger(ctx context.Context) (err error) {
	if n.guard, err = ledger.OpenFileGuard(n.store.Files(), filepath.Join(n.dir, guardName)); err != nil {
		return fault.OfStore(err)
	}
	session, err := record.NewID(n.rand, record.PrefixLog)
	if err != nil {
		return err
	}
	n.feed = federate.NewFeed(session)
	n.ledger, err = ledger.Open(ctx, ledger.Config{
		Store: n.store, Guard: n.guard, Signer: n.logSigner, Clock: n.now, Logger: n.logger, Rand: n.rand, Published: n.published,
	})
	if err != nil {
		return fault.OfStore(err)
	}
	n.reader = n.ledger
	n.startFollower()
	go func(l *ledger.Ledger) { // ends with the ledger
		select {
		case <-l.Lost():
			n.lost <- &fault.Fault{Code: fault.Unavailable, What: "this process is no longer the node's writer", Err: l.LostErr(),
				Remedy: "see which other process writes to the same store"}
		case <-l.Done():
		}
	}(n.ledger)
	return nil
}

// published notes that readers can see a new head of a log.
func (n *Node) published(logID string) {
	n.grown.Add(1)
	own := n.authorOf(logID) == n.party.ID
	urgent := own && !n.quiet.only(logID)
	n.feed.Note(logID, urgent)
	if n.cfg.OutboundOnly {
		n.peersChanged() // what nobody can fetch is brought
	}
	n.mu.RLock()
	c := n.cosigner
	n.mu.RUnlock()
	if c != nil && own {
		c.nudge(logID, urgent)
	}
}

// Close stops writing, gives the lease back and closes the store.
func (n *Node) Close(ctx context.Context) error {
	var errs []error
	n.EndWaiting()
	n.mu.RLock()
	cosigner := n.cosigner
	n.mu.RUnlock()
	cosigner.close()
	n.outbound.CloseIdleConnections()
	n.hook.Close()
	if n.ledger != nil {
		errs = append(errs, n.ledger.Close(ctx))
	}
	n.indexer.close()
	if n.ledger != nil && n.store != nil {
		if err := n.writeAudit(ctx, time.Time{}); err != nil {
			n.logger.Warn("the last seconds are not in the audit table", "error", err) // as after a kill
		}
	}
	if n.guard != nil {
		errs = append(errs, n.guard.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.ledger != nil {
		errs = append(errs, ignoreMissing(os.Remove(filepath.Join(n.dir, addressName))))
	}
	return errors.Join(errs...)
}

// EndWaiting answers at once whoever waits for a change, now and later: the node is about to stop.
func (n *Node) EndWaiting() { n.closing.Do(func() { close(n.ending) }) }

// Dir is the node's directory.
func (n *Node) Dir() string { return n.dir }

// Config is the configuration in use.
func (n *Node) Config() Config { return n.cfg }

// Party is the party that the node is.
func (n *Node) Party() PartyView { return n.party }

// Lost receives why this process had to stop being the writer.
func (n *Node) Lost() <-chan error { return n.lost }

// ListenOn replaces the configured address.
func (n *Node) ListenOn(listen string) { n.cfg.Listen = listen }

// Ready reports whether the node can append.
func (n *Node) Ready(ctx context.Context) error {
	if n.ledger == nil {
		return errors.New("read-only")
	}
	if err := n.ledger.LostErr(); err != nil {
		return err
	}
	_, err := n.store.Logs(ctx)
	return err
}

// SetAddress tells the node where it listens and returns its base URL. Other commands find it in the directory.
func (n *Node) SetAddress(addr net.Addr) string {
	cfg := n.cfg
	cfg.Listen = addr.String()
	base := cfg.BaseURL()
	n.mu.Lock()
	n.address = base
	n.mu.Unlock()
	if err := writeDurable(filepath.Join(n.dir, addressName), []byte(base+"\n"), 0o600); err != nil {
		n.logger.Warn("other commands will print the configured address", "error", err)
	}
	return base
}

// baseURL is where the node is reached: where it listens, where the daemon on its directory says, else as configured.
func (n *Node) baseURL() string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.address != "" {
		return n.address
	}
	if data, err := os.ReadFile(filepath.Join(n.dir, addressName)); err == nil && n.cfg.PublicURL == "" {
		return strings.TrimSpace(string(data))
	}
	return n.cfg.BaseURL()
}

// unsettled reports whether the node was restored, or a follower was found ahead of it, so that it may be behind its own
// published history. In doubt it is.
func (n *Node) unsettled() bool {
	if n.ahead.Load() {
		return true
	}
	_, err := os.Stat(filepath.Join(n.dir, unsettledName))
	return !errors.Is(err, os.ErrNotExist)
}

// Logs lists the node's logs.
func (n *Node) Logs(ctx context.Context) ([]LogView, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	out := make([]LogView, 0, len(infos))
	for _, l := range infos {
		if n.begun(l.ID) {
			out = append(out, n.viewLog(ctx, l))
		}
	}
	return out, nil
}

func (n *Node) viewLog(ctx context.Context, l ledger.LogInfo) LogView {
	v := LogView{
		ID: l.ID, Origin: l.Origin, Size: l.Size, Root: fmt.Sprintf("%x", l.Root), Agreement: l.Agreement,
		Mark: n.markOfLog(ctx, l.ID, l.Agreement), Generation: int(l.Generation), Public: l.Public, URL: n.baseURL() + "/log/" + l.ID + "/", Party: n.party.ID, State: "open",
		Cosigned: n.viewCosigners(ctx, l),
	}
	switch {
	case l.Followed():
		v.State, v.Party = "followed", l.Author
	case !l.Retired.IsZero():
		v.State = "retired"
	case l.Behind != nil || n.unsettled():
		v.State = "behind"
	}
	if b := n.book(l.ID); b != nil {
		v.VKey = b.vkey()
	}
	return v
}

// ownLogs lists the logs that this party writes, in order of creation.
func (n *Node) ownLogs(ctx context.Context) ([]ledger.LogInfo, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	return slices.DeleteFunc(infos, ledger.LogInfo.Followed), nil
}

// resolveLog finds a log by its id, or one of this party's own by its agreement; of several generations the open one.
func (n *Node) resolveLog(ctx context.Context, ref string) (ledger.LogInfo, error) {
	ids := []string{ref}
	if !strings.HasPrefix(ref, record.PrefixLog) {
		ids = n.ownLogsUnder(ref)
	}
	var found *ledger.LogInfo
	for _, id := range ids {
		l, err := n.reader.Log(ctx, id)
		if errors.Is(err, ledger.ErrNotFound) {
			continue
		}
		if err != nil {
			return ledger.LogInfo{}, fault.OfStore(err)
		}
		if found == nil || !found.Retired.IsZero() {
			found = &l
		}
	}
	if found == nil {
		return ledger.LogInfo{}, fault.New(fault.NotFound, "see 'mithaq log list'", "there is no log %q here", ref)
	}
	return *found, nil
}

// ownLogsUnder lists this party's begun logs under an agreement, in the order of their beginning. A node that follows a
// thousand logs asks for one of its own with every request.
func (n *Node) ownLogsUnder(agreement string) []string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var own []*book
	for _, b := range n.books {
		if _, begun := b.history.Last(); begun && b.log.Agreement == agreement && !b.log.Followed() {
			own = append(own, b)
		}
	}
	slices.SortFunc(own, func(a, b *book) int { return cmp.Compare(a.no, b.no) })
	ids := make([]string, len(own))
	for i, b := range own {
		ids[i] = b.log.ID
	}
	return ids
}

// Place is where a record stands.
type Place struct {
	Log   string `json:"log"`
	Index int64  `json:"index"`
	Size  int64  `json:"size,omitempty"`
}

// recordFault gives an error of the record package its code.
func recordFault(what string, err error) error {
	var bad *record.Error
	if errors.As(err, &bad) {
		return &fault.Fault{Code: fault.Invalid, What: what, Err: err}
	}
	return fmt.Errorf("%s: %w", what, err)
}
