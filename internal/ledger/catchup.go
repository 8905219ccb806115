package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/store"
)

// CatchUpOptions say how a log's tail is taken back.
type CatchUpOptions struct {
	// Verifier is of this log's own checkpoint key.
	Verifier note.Verifier
	// Serial says which keyring serial an object sets, 0 when it is no keyring. Nil: none does.
	Serial func(object []byte) uint64
	// Attachments names the attachments that came with an object. Nil: none has any.
	Attachments func(object []byte) [][32]byte
	// Also are others who may have what the source does not give: objects are asked for there too.
	Also []Source
	// Workers is how many bundles are fetched at once.
	Workers int
	// Progress is called now and then with the number of leaves that were checked or taken back, of twice the log's.
	Progress func(done, total int64)
}

// CatchUpReport says what was taken back.
type CatchUpReport struct {
	From, Size int64
	// Missing lists objects that nobody who was asked has or gives; their leaves are taken back all the same.
	Missing [][32]byte
}

// ForkError is evidence: two checkpoints by the same key over trees of which neither grew out of the other.
type ForkError struct {
	LogID  string
	Ours   []byte // signed checkpoint in the database
	Theirs []byte // signed checkpoint from the source
}

func (e *ForkError) Error() string {
	return fmt.Sprintf("log %s: our own history and the source's contradict each other, both signed by our key: the log stays as it is; open a successor log", e.LogID)
}

// ErrNothingNewer is returned when the source's checkpoint is not larger than ours.
var ErrNothingNewer = errors.New("the source has nothing that we lack")

// catchUpObjects is how many objects one transaction takes back.
const catchUpObjects = 256

// CatchUp takes a log's missing tail back from whoever followed it, after an old backup was restored. The source's
// checkpoint must be signed by our own key and its tree must have grown out of ours, recomputed from its leaves; else
// *ForkError. The same checkpoint is adopted: nothing is signed.
//
// The source is read beside the writing of other logs. Once its tree is verified the guard learns of it, so that this
// log signs nothing until all is taken back, even after a restart. Objects are stored in pieces, so that CatchUp can be
// interrupted and repeated; then all leaves, tiles and the head come in one transaction.
func (l *Ledger) CatchUp(ctx context.Context, logID string, src Source, o CatchUpOptions) (CatchUpReport, error) {
	report, err := l.catchUp(ctx, logID, src, o)
	if err != nil {
		return report, fmt.Errorf("catching up log %s: %w", logID, err)
	}
	return report, nil
}

func (l *Ledger) catchUp(ctx context.Context, logID string, src Source, o CatchUpOptions) (CatchUpReport, error) {
	p, err := l.heads.get(logID)
	if err != nil {
		return CatchUpReport{}, err
	}
	if p.row.Author != "" {
		return CatchUpReport{}, ErrFollowed
	}
	h, err := l.store.Head(ctx, p.row.No)
	if err != nil {
		return CatchUpReport{}, err
	}
	cp, err := src.Checkpoint(ctx)
	if err != nil {
		return CatchUpReport{}, fmt.Errorf("fetching the checkpoint: %w", err)
	}
	theirs, err := OpenCheckpoint(cp, p.row.Origin, o.Verifier)
	if err != nil {
		return CatchUpReport{}, err
	}
	fork := &ForkError{LogID: logID, Ours: h.Checkpoint, Theirs: cp}
	if theirs.Size <= h.Size {
		if theirs.Size == h.Size && theirs.Root != h.Root {
			return CatchUpReport{}, fork
		}
		return CatchUpReport{}, ErrNothingNewer
	}
	e, err := loadEdge(ctx, l.store, p.row.No, h.Size, h.Root)
	if err != nil {
		return CatchUpReport{}, err
	}
	c := &tail{l: l, no: p.row.No, src: src, o: o, growth: &Growth{edge: *e, from: h.Size}, serial: h.Serial,
		report:  CatchUpReport{From: h.Size, Size: theirs.Size},
		advance: store.Advance{LogNo: p.row.No, From: h.Size}}
	if err := c.fetch(ctx, p.row.Origin, cp, h); err != nil {
		if errors.Is(err, ErrContradicts) {
			return CatchUpReport{}, fork
		}
		return c.report, err
	}
	if p.guard.Size > theirs.Size || p.guard.Size == theirs.Size && p.guard.Root != theirs.Root {
		// The source is ahead of the database but behind the guard: more was published than it holds.
		return c.report, &ErrBehind{LogID: logID, Have: theirs, Guard: p.guard}
	}
	if c.growth.Root() != theirs.Root {
		return c.report, errDamaged
	}
	if err := l.between(ctx, func() error { return l.fallBehind(ctx, p.row, h, theirs) }); err != nil {
		return c.report, err
	}
	if err := c.storeObjects(ctx); err != nil {
		return c.report, err
	}
	return c.report, l.between(ctx, func() error { return c.adopt(ctx, logID, theirs, cp) })
}

// fallBehind stops a log from signing until it has taken back what our own key has signed, and tells the guard.
func (l *Ledger) fallBehind(ctx context.Context, row store.Log, h store.Head, theirs Head) error {
	now, err := l.store.Head(ctx, row.No)
	if err != nil {
		return err
	}
	if now.Size != h.Size || now.Root != h.Root {
		return store.ErrConflict // it grew meanwhile
	}
	l.heads.fallBehind(row.ID, &ErrBehind{LogID: row.ID, Have: Head{row.Origin, h.Size, h.Root}, Guard: theirs})
	l.step(Forget{row.No})
	if err := l.cfg.Guard.Record(ctx, []Head{theirs}); err != nil {
		return &notPublished{err}
	}
	return nil
}

// ErrContradicts says that a source's history is another one than ours.
var ErrContradicts = errors.New("the source's history contradicts ours")

// tail is what is being taken back.
type tail struct {
	l       *Ledger
	no      int64
	src     Source
	o       CatchUpOptions
	growth  *Growth
	serial  int64
	advance store.Advance
	report  CatchUpReport
}

// fetch audits the source's whole log, and gathers what follows our size.
func (c *tail) fetch(ctx context.Context, origin string, cp []byte, h store.Head) error {
	err := Extend(ctx, c.src, AuditOptions{Origin: origin, Verifier: c.o.Verifier, Checkpoint: cp, Workers: c.o.Workers, Progress: c.checked},
		Head{Origin: origin, Size: h.Size, Root: h.Root}, c.growth)
	_, c.advance.Leaves, c.advance.Tiles = c.growth.Cut()
	return err
}

// Extend audits a source's whole log and adds to g, which is have's tree, what follows it. Our own leaves must be the first
// ones: the root at our size is recomputed from what the source serves; else [ErrContradicts].
func Extend(ctx context.Context, src Source, o AuditOptions, have Head, g *Growth) error {
	prefix := &edge{}
	drop := func(store.Tile) {}
	o.Leaf = func(index int64, leaf []byte) error {
		object := Hash(leaf[1:])
		if index == have.Size && prefix.root() != have.Root {
			return ErrContradicts
		}
		if index < have.Size {
			prefix.add(leafHashOf(object), drop)
			return nil
		}
		g.Add(object)
		return nil
	}
	_, err := Audit(ctx, src, o)
	return err
}

// checked tells how far the audit is, which is the first half of the work; taken tells of the second.
func (c *tail) checked(done, size int64) {
	if c.o.Progress != nil {
		c.o.Progress(done, 2*size)
	}
}

func (c *tail) taken(done int) {
	if c.o.Progress != nil {
		c.o.Progress(c.report.Size+c.report.From+int64(done), 2*c.report.Size)
	}
}

// adopt stores the tail under the checkpoint that the source had. It runs on the writing goroutine.
func (c *tail) adopt(ctx context.Context, logID string, theirs Head, cp []byte) error {
	c.advance.Head = store.Head{Size: theirs.Size, Serial: c.serial, Root: theirs.Root, Frontier: c.growth.Frontier(), Checkpoint: cp}
	results, err := c.l.store.Commit(ctx, c.l.lease, []store.Advance{c.advance})
	if err == nil {
		err = results[0]
	}
	if err != nil {
		return err
	}
	if err := c.l.cfg.Guard.Record(ctx, []Head{theirs}); err != nil {
		return &notPublished{err}
	}
	c.l.step(Forget{c.no})
	c.l.heads.publish(logID, SignedHead{theirs, cp})
	return c.l.replayErasures(ctx)
}

// storeObjects fetches the objects of the tail that are not here yet.
func (c *tail) storeObjects(ctx context.Context) error {
	for start := 0; start < len(c.advance.Leaves); start += catchUpObjects {
		part := c.advance.Leaves[start:min(start+catchUpObjects, len(c.advance.Leaves))]
		want := make([]store.InLog, len(part))
		for i, h := range part {
			want[i] = store.InLog{LogNo: c.no, Hash: h}
		}
		known, err := c.known(ctx, want)
		if err != nil {
			return err
		}
		var rows []store.Object
		for i, h := range part {
			index := c.advance.From + int64(start+i)
			b, row, err := c.object(ctx, h, known[want[i]])
			if err != nil {
				return err
			}
			if row != nil {
				row.Index = index
				rows = append(rows, *row)
			}
			c.noteKeyring(index, b)
			attached, err := c.attachments(ctx, b)
			if err != nil {
				return err
			}
			rows = append(rows, attached...)
		}
		err = c.l.between(ctx, func() error { return c.l.store.AddObjects(ctx, c.l.lease, c.no, rows) })
		if err != nil {
			return err
		}
		c.taken(start + len(part))
	}
	return nil
}

// known looks up on the writing goroutine, which alone can rely on what is not there.
func (c *tail) known(ctx context.Context, want []store.InLog) (known map[store.InLog]store.Known, err error) {
	lookErr := c.l.between(ctx, func() error {
		known, err = c.l.store.Known(ctx, want)
		return err
	})
	return known, lookErr
}

// noteKeyring keeps the place of a keyring.
func (c *tail) noteKeyring(index int64, object []byte) {
	if c.o.Serial == nil || object == nil {
		return
	}
	if serial := c.o.Serial(object); serial != 0 {
		c.serial = int64(serial)
		c.advance.Keyrings = append(c.advance.Keyrings, store.Keyring{Serial: c.serial, Index: index})
	}
}

// attachments returns the rows of an object's attachments that are not here yet.
func (c *tail) attachments(ctx context.Context, object []byte) ([]store.Object, error) {
	if c.o.Attachments == nil || object == nil {
		return nil, nil
	}
	var rows []store.Object
	for _, h := range c.o.Attachments(object) {
		key := store.InLog{LogNo: c.no, Hash: h}
		known, err := c.known(ctx, []store.InLog{key})
		if err != nil {
			return nil, err
		}
		_, row, err := c.object(ctx, h, known[key])
		if err != nil {
			return nil, err
		}
		if row != nil {
			row.Index = -1
			rows = append(rows, *row)
		}
	}
	return rows, nil
}

// leftOut says whether a source answered that it does not give an object.
func leftOut(err error) bool {
	var erased *ErrErased
	var status *StatusError
	return errors.As(err, &erased) || errors.As(err, &status) || errors.Is(err, ErrNotFound)
}

// fetchObject asks the source for an object, and then the others. What is wrong with one of them does not end the catching up.
func (c *tail) fetchObject(ctx context.Context, h Hash) ([]byte, error) {
	b, err := c.src.Object(ctx, h)
	for i := 0; i < len(c.o.Also) && leftOut(err); i++ {
		if other, bad := c.o.Also[i].Object(ctx, h); bad == nil {
			return other, nil
		}
	}
	return b, err
}

// object returns an object's bytes, and the row to store for it; no row where it is here already, neither where the source
// no longer has it or does not give it.
func (c *tail) object(ctx context.Context, h Hash, known store.Known) ([]byte, *store.Object, error) {
	have := known != store.Known{}
	var b []byte
	var err error
	if have && !known.Erased {
		b, err = c.l.store.Object(ctx, h)
	} else if !have {
		b, err = c.fetchObject(ctx, h)
	}
	switch {
	case leftOut(err):
		c.report.Missing = append(c.report.Missing, h)
		return nil, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("object %x: %w", h[:8], err)
	}
	if have {
		return b, nil, nil
	}
	row, err := object(b)
	if err != nil {
		return nil, nil, err
	}
	if row.Bytes == nil {
		if err := c.l.store.PutObjectFile(row.Hash, b, rand.Text()); err != nil {
			return nil, nil, err
		}
	}
	return b, &row, nil
}
