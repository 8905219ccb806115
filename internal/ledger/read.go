package ledger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// LogInfo is a log as readers see it.
type LogInfo struct {
	ID         string
	Origin     string
	Author     string // party id of whose log it is, when it is followed; empty: this party's own
	Agreement  string
	Generation int64
	Public     bool
	Created    time.Time
	Retired    time.Time // zero while it takes entries
	Size       int64     // published
	Root       [32]byte
	Checkpoint []byte
	Behind     *ErrBehind // not nil: the log signs nothing until it is restored
}

// Followed says whether it is another party's log.
func (l LogInfo) Followed() bool { return l.Author != "" }

// Reader is what serving, proving and auditing need: a *Ledger, or NewReader over a store that another process writes.
type Reader interface {
	// Log returns one log, or ErrNotFound.
	Log(ctx context.Context, id string) (LogInfo, error)
	// Logs lists all logs in order of creation.
	Logs(ctx context.Context) ([]LogInfo, error)
	// Checkpoint returns the newest published checkpoint.
	Checkpoint(ctx context.Context, id string) ([]byte, error)
	// Tile returns width hashes, 1 to 256, of a tile; ErrNotFound beyond the published tree.
	Tile(ctx context.Context, id string, level int, n int64, width int) ([]byte, error)
	// Bundle returns width leaves, 1 to 256, as a C2SP tlog-tiles entry bundle.
	Bundle(ctx context.Context, id string, n int64, width int) ([]byte, error)
	// Object returns an object's bytes with the logs that hold it, ErrNotFound, or *ErrErased (with the logs).
	Object(ctx context.Context, hash [32]byte) (Object, error)
}

// Object is an object and the logs that vouch for it.
type Object struct {
	Hash  [32]byte
	Bytes []byte // nil of a large one
	// File opens a large one; nil of a small one.
	File func() (store.File, error)
	Logs []LogInfo
	// Attached is set for what came with an entry and is no leaf itself (a wrap of an epoch's key).
	Attached bool
}

// All returns the object's bytes, whatever their number.
func (o Object) All() ([]byte, error) {
	if o.File == nil {
		return o.Bytes, nil
	}
	f, err := o.File()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, MaxObject+1))
	if err == nil && sha256.Sum256(b) != o.Hash {
		err = o.damaged()
	}
	return b, err
}

func (o Object) damaged() error {
	return fmt.Errorf("object %x: its stored bytes are damaged", o.Hash[:8])
}

// Tombstone says that an object was destroyed: when, by whose order, and why.
type Tombstone struct {
	At     time.Time
	Issuer string
	Reason string
}

// ErrErased is returned for an object that was destroyed.
type ErrErased struct {
	Hash      [32]byte
	Tombstone Tombstone
}

func (e *ErrErased) Error() string {
	return fmt.Sprintf("object %x was erased on %s: %s", e.Hash[:], e.Tombstone.At.UTC().Format(time.RFC3339), e.Tombstone.Reason)
}

// headView tells what is published.
type headView interface {
	log(ctx context.Context, id string) (posted, error)
	// numbered returns those of the numbered logs that there are.
	numbered(ctx context.Context, nos []int64) ([]posted, error)
	logs(ctx context.Context) ([]posted, error)
}

// reads implements Reader over stored rows, up to what view says is published.
type reads struct {
	store   Store
	view    headView
	checked checkedFiles
}

// NewReader reads a store without the lease, while another process writes it. It sees a head from the moment that it
// is committed, an instant before the writer's own readers do.
func NewReader(s Store) Reader {
	return &reads{store: s, view: storeView{s}}
}

// storeView takes heads from the database.
type storeView struct{ store Store }

func (v storeView) log(ctx context.Context, id string) (posted, error) {
	row, err := v.store.Log(ctx, id)
	if err != nil {
		return posted{}, notFound(err)
	}
	h, err := v.store.Head(ctx, row.No)
	if err != nil {
		return posted{}, err
	}
	return posted{row: row, head: SignedHead{Head{row.Origin, h.Size, h.Root}, h.Checkpoint}}, nil
}

func (v storeView) logs(ctx context.Context) ([]posted, error) {
	rows, err := v.store.Logs(ctx)
	if err != nil {
		return nil, err
	}
	heads, err := v.store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]posted, 0, len(rows))
	for _, row := range rows {
		if h, ok := heads[row.No]; ok { // a log created between the two queries comes next time
			out = append(out, posted{row: row, head: SignedHead{Head{row.Origin, h.Size, h.Root}, h.Checkpoint}})
		}
	}
	return out, nil
}

func (v storeView) numbered(ctx context.Context, nos []int64) ([]posted, error) {
	rows, heads, err := v.store.LogsNumbered(ctx, nos)
	if err != nil {
		return nil, err
	}
	out := make([]posted, len(rows))
	for i, row := range rows {
		out[i] = posted{row: row, head: SignedHead{Head{row.Origin, heads[i].Size, heads[i].Root}, heads[i].Checkpoint}}
	}
	return out, nil
}

// notFound gives the store's error this package's name.
func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

func (p posted) info() LogInfo {
	return LogInfo{ID: p.row.ID, Origin: p.row.Origin, Author: p.row.Author, Agreement: p.row.Agreement, Generation: p.row.Generation,
		Public: p.row.Public, Created: p.row.Created, Retired: p.row.Retired,
		Size: p.head.Size, Root: p.head.Root, Checkpoint: p.head.Checkpoint, Behind: p.behind}
}

// Log implements Reader.
func (r *reads) Log(ctx context.Context, id string) (LogInfo, error) {
	p, err := r.view.log(ctx, id)
	if err != nil {
		return LogInfo{}, fmt.Errorf("reading a log: %w", err)
	}
	return p.info(), nil
}

// Logs implements Reader.
func (r *reads) Logs(ctx context.Context) ([]LogInfo, error) {
	all, err := r.view.logs(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing logs: %w", err)
	}
	slices.SortStableFunc(all, func(a, b posted) int { return cmp.Compare(a.row.No, b.row.No) })
	out := make([]LogInfo, len(all))
	for i, p := range all {
		out[i] = p.info()
	}
	return out, nil
}

// Checkpoint implements Reader. A log that is behind and was never published by this process has none.
func (r *reads) Checkpoint(ctx context.Context, id string) ([]byte, error) {
	p, err := r.view.log(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading a checkpoint: %w", err)
	}
	if len(p.head.Checkpoint) == 0 {
		if p.behind != nil {
			return nil, fmt.Errorf("reading a checkpoint: %w", p.behind)
		}
		return nil, fmt.Errorf("reading a checkpoint: log %s has none: %w", id, ErrNotFound)
	}
	return p.head.Checkpoint, nil
}

// Tile implements Reader.
func (r *reads) Tile(ctx context.Context, id string, level int, n int64, width int) ([]byte, error) {
	p, err := r.view.log(ctx, id)
	if err == nil {
		err = covered(p.head.Size, level, n, width)
	}
	if err != nil {
		return nil, fmt.Errorf("reading tile %d/%d of log %s: %w", level, n, id, err)
	}
	if tileExists(p.head.Size, level, n) {
		b, err := r.store.Tile(ctx, p.row.No, level, n)
		if err != nil {
			return nil, fmt.Errorf("log %s: %w", id, err)
		}
		return b[:width*hashSize], nil
	}
	first := n * tileWidth
	b, err := tileHashes(ctx, r.store, p.row.No, level, first, first+int64(width))
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", id, err)
	}
	return b, nil
}

// Bundle implements Reader.
func (r *reads) Bundle(ctx context.Context, id string, n int64, width int) ([]byte, error) {
	p, err := r.view.log(ctx, id)
	if err == nil {
		err = covered(p.head.Size, 0, n, width)
	}
	if err != nil {
		return nil, fmt.Errorf("reading bundle %d of log %s: %w", n, id, err)
	}
	first := n * tileWidth
	objects, err := r.store.Leaves(ctx, p.row.No, first, first+int64(width))
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", id, err)
	}
	b := make([]byte, 0, width*bundleEntry)
	for i := range width {
		b = append(b, 0, LeafSize, leafVersion)
		b = append(b, objects[i*hashSize:(i+1)*hashSize]...)
	}
	return b, nil
}

// covered returns ErrNotFound unless a tree of this size has the first width hashes of the tile.
func covered(size int64, level int, n int64, width int) error {
	if level < 0 || level > 63/tileHeight || n < 0 || width < 1 || width > tileWidth {
		return ErrNotFound
	}
	hashes := size >> (tileHeight * level)
	if n > hashes/tileWidth || n*tileWidth+int64(width) > hashes {
		return ErrNotFound
	}
	return nil
}

// tileExists says whether a tile is complete in a tree of this size.
func tileExists(size int64, level int, n int64) bool {
	return n < size>>(tileHeight*level)/tileWidth
}

// Object implements Reader. Bytes from the disk are checked against their name before they leave.
func (r *reads) Object(ctx context.Context, hash [32]byte) (Object, error) {
	o := Object{Hash: hash}
	places, err := r.store.Places(ctx, hash)
	if err != nil {
		return o, notFound(err)
	}
	first := map[int64]int64{} // by log, the lowest index
	var nos []int64
	for _, pl := range places {
		if at, ok := first[pl.LogNo]; !ok {
			nos = append(nos, pl.LogNo)
		} else if at <= pl.Index {
			continue
		}
		first[pl.LogNo] = pl.Index
	}
	logs, err := r.view.numbered(ctx, nos)
	if err != nil {
		return o, err
	}
	o.Attached = true
	for _, p := range logs {
		if at := first[p.row.No]; at < p.head.Size {
			o.Logs = append(o.Logs, p.info())
			o.Attached = o.Attached && at < 0
		}
	}
	if len(o.Logs) == 0 {
		return o, fmt.Errorf("object %x is not published: %w", hash[:8], ErrNotFound)
	}
	stored, err := r.store.StoredObject(ctx, hash)
	if errors.Is(err, store.ErrErased) {
		t, err := r.store.Tombstone(ctx, hash)
		if err != nil {
			return o, err
		}
		return o, &ErrErased{Hash: hash, Tombstone: Tombstone{At: t.At, Issuer: t.Issuer, Reason: t.Reason}}
	}
	if err != nil {
		return o, err
	}
	if stored.File {
		o.File = func() (store.File, error) { return r.store.ObjectFile(hash) }
		return o, r.checked.check(o)
	}
	if sha256.Sum256(stored.Bytes) != hash {
		return o, o.damaged()
	}
	o.Bytes = stored.Bytes
	return o, nil
}

// checkedFiles remembers which large objects this process has read to their end and found whole: one that is served in a hundred
// parts is not hashed a hundred times. What is damaged later the receiver finds out, who hashes it too.
type checkedFiles struct {
	mu    sync.Mutex // guards whole
	whole map[Hash]bool
}

// maxChecked is how many are remembered.
const maxChecked = 4096

func (c *checkedFiles) check(o Object) error {
	c.mu.Lock()
	whole := c.whole[o.Hash]
	c.mu.Unlock()
	if whole {
		return nil
	}
	f, err := o.File()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("object %x: %w", o.Hash[:8], err)
	}
	if Hash(sum.Sum(nil)) != o.Hash {
		return o.damaged()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.whole) >= maxChecked || c.whole == nil {
		c.whole = map[Hash]bool{}
	}
	c.whole[o.Hash] = true
	return nil
}
