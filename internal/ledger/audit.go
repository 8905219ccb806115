package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/note"
)

// AuditOptions say what is audited and how.
type AuditOptions struct {
	Origin   string
	Verifier note.Verifier
	// Workers is how many bundles are fetched at once. Default: 4 for each processor, at least 4.
	Workers int
	// Leaf is called for each leaf in order, after it was checked against the signed root. An error ends the audit.
	// The leaf's bytes are valid during the call only.
	Leaf func(index int64, leaf []byte) error
	// Progress is called now and then with the number of leaves done, and at the end.
	Progress func(done, size int64)
	// Checkpoint, when not nil, is audited instead of the newest one.
	Checkpoint []byte
}

// AuditReport says what an audit that succeeded has seen.
type AuditReport struct {
	Head       Head
	Checkpoint []byte
	Bundles    int64
	Tiles      int64
}

// AuditError is what an audit found wrong: the log's content, not the way to it.
type AuditError struct {
	Origin string
	Place  string
	Err    error
}

func (e *AuditError) Error() string { return fmt.Sprintf("log %s: %s: %v", e.Origin, e.Place, e.Err) }
func (e *AuditError) Unwrap() error { return e.Err }

// errMismatch is inside the errors for hashes that do not fit.
var errMismatch = errors.New("does not hash to what is signed")

// Audit fetches a whole log and checks that its leaves make every tile and the signed root.
//
// It works from the root down. The incomplete tiles of the right edge are fetched first; together they give the root,
// which must be the signed one. From then on each complete tile is checked against its entry in the tile above before
// it is used, and each bundle leaf by leaf against its tile. So nothing unverified is ever acted on, and memory holds
// one tile for each level and a few bundles for each worker, whatever the log's size.
func Audit(ctx context.Context, src Source, o AuditOptions) (AuditReport, error) {
	if o.Verifier == nil {
		return AuditReport{}, errors.New("auditing: a verifier is required")
	}
	if o.Workers <= 0 {
		o.Workers = 4 * runtime.GOMAXPROCS(0)
	}
	cp := o.Checkpoint
	if cp == nil {
		var err error
		if cp, err = src.Checkpoint(ctx); err != nil {
			return AuditReport{}, fmt.Errorf("auditing %s: fetching the checkpoint: %w", o.Origin, err)
		}
	}
	head, err := OpenCheckpoint(cp, o.Origin, o.Verifier)
	if err != nil {
		return AuditReport{}, fmt.Errorf("auditing %s: %w", o.Origin, err)
	}
	a := &auditor{src: src, o: o, head: head}
	if err := a.run(ctx); err != nil {
		return AuditReport{}, fmt.Errorf("auditing: %w", err)
	}
	return AuditReport{Head: head, Checkpoint: cp, Bundles: a.bundles, Tiles: a.upper + a.bundles}, nil
}

type auditor struct {
	src  Source
	o    AuditOptions
	head Head

	edges [][]byte // the incomplete tile of each level; empty where the level ends with a complete one
	// spine holds, for each level above 0, the tile that is being walked through.
	spine []spineTile

	upper   int64 // tiles above level 0; owned by plan
	bundles int64 // owned by walk
}

type spineTile struct {
	n      int64
	hashes []byte
}

func (a *auditor) fail(place string, err error) error {
	return &AuditError{Origin: a.o.Origin, Place: place, Err: err}
}

func (a *auditor) run(ctx context.Context) error {
	if err := a.fetchEdges(ctx); err != nil {
		return err
	}
	if err := a.walk(ctx); err != nil {
		return err
	}
	if a.o.Progress != nil {
		a.o.Progress(a.head.Size, a.head.Size)
	}
	return nil
}

// fetchEdges fetches the right edge and checks it against the signed root.
func (a *auditor) fetchEdges(ctx context.Context) error {
	a.edges = make([][]byte, levelsOf(a.head.Size))
	a.spine = make([]spineTile, len(a.edges))
	for level := range a.edges {
		count := a.head.Size >> (tileHeight * level)
		if width := int(count % tileWidth); width > 0 {
			b, err := a.fetchTile(ctx, level, count/tileWidth, width)
			if err != nil {
				return err
			}
			a.edges[level] = b
		}
		a.spine[level].n = -1
	}
	if _, err := edgeFrom(a.head.Size, a.edges, a.head.Root); err != nil {
		return a.fail(fmt.Sprintf("size %d", a.head.Size), errors.New("the tiles at the right edge do not make the signed root"))
	}
	return nil
}

func (a *auditor) fetchTile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	b, err := a.src.Tile(ctx, level, n, width)
	if err != nil {
		return nil, fmt.Errorf("log %s: fetching %s: %w", a.o.Origin, tilePath(level, n, width), err)
	}
	if len(b) != width*hashSize {
		return nil, a.fail(tilePath(level, n, width), fmt.Errorf("it has %d bytes, not %d", len(b), width*hashSize))
	}
	return b, nil
}

// authentic returns the hash that the tree has at a place in the level of tiles, from tiles checked up to the root.
// Places are asked for in growing order, so each tile above level 0 is fetched once.
func (a *auditor) authentic(ctx context.Context, level int, i int64) (Hash, error) {
	n := i / tileWidth
	count := a.head.Size >> (tileHeight * level)
	tile := a.edges[level]
	if n < count/tileWidth {
		s := &a.spine[level]
		if s.n != n {
			want, err := a.authentic(ctx, level+1, n)
			if err != nil {
				return Hash{}, err
			}
			b, err := a.fetchTile(ctx, level, n, tileWidth)
			if err != nil {
				return Hash{}, err
			}
			if subtreeRoot(b) != want {
				return Hash{}, a.fail(tilePath(level, n, tileWidth), errMismatch)
			}
			a.upper++
			s.n, s.hashes = n, b
		}
		tile = s.hashes
	}
	return Hash(tile[i%tileWidth*hashSize:]), nil
}

// job is one bundle on its way through a worker.
type job struct {
	n     int64
	width int
	root  Hash   // of the complete level-0 tile that the bundle must match
	tile  []byte // or the verified incomplete tile itself
	leafs []byte // the bundle, once verified
	err   error
	done  chan struct{}
}

// walk checks every bundle, several at once, and hands the leaves out in order.
func (a *auditor) walk(ctx context.Context) error {
	if a.head.Size == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	jobs := make(chan *job)
	ordered := make(chan *job, 2*a.o.Workers)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range a.o.Workers {
		wg.Go(func() {
			for j := range jobs {
				j.leafs, j.err = a.check(ctx, j)
				close(j.done)
			}
		})
	}
	var planErr error
	wg.Go(func() {
		defer close(ordered)
		defer close(jobs)
		planErr = a.plan(ctx, jobs, ordered)
	})
	for j := range ordered {
		select {
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if j.err != nil {
			return j.err
		}
		if err := a.deliver(j); err != nil {
			return err
		}
	}
	return planErr
}

// plan names every bundle with the hash that it must lead to.
func (a *auditor) plan(ctx context.Context, jobs, ordered chan<- *job) error {
	for n := int64(0); n*tileWidth < a.head.Size; n++ {
		j := &job{n: n, width: int(min(tileWidth, a.head.Size-n*tileWidth)), done: make(chan struct{})}
		if j.width < tileWidth {
			j.tile = a.edges[0]
		} else {
			var err error
			if j.root, err = a.authentic(ctx, 1, n); err != nil {
				return err
			}
		}
		for _, ch := range []chan<- *job{ordered, jobs} {
			select {
			case ch <- j:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// check fetches one bundle and its tile and returns the bundle when every leaf of it is in the signed tree.
func (a *auditor) check(ctx context.Context, j *job) ([]byte, error) {
	tile := j.tile
	if tile == nil {
		var err error
		if tile, err = a.fetchTile(ctx, 0, j.n, j.width); err != nil {
			return nil, err
		}
		if subtreeRoot(tile) != j.root {
			return nil, a.fail(tilePath(0, j.n, j.width), errMismatch)
		}
	}
	b, err := a.src.Entries(ctx, j.n, j.width)
	if err != nil {
		return nil, fmt.Errorf("log %s: fetching %s: %w", a.o.Origin, tilePath(-1, j.n, j.width), err)
	}
	if err := checkBundle(b, tile, j.n); err != nil {
		return nil, a.fail(fmt.Sprintf("bundle %d", j.n), err)
	}
	return b, nil
}

// checkBundle checks a bundle leaf by leaf against a verified tile of level 0.
func checkBundle(b, tile []byte, n int64) error {
	width := len(tile) / hashSize
	if err := checkForm(b, n, width); err != nil {
		return err
	}
	for i := range width {
		if leafHashOf(Hash(b[i*bundleEntry+3:])) != Hash(tile[i*hashSize:]) {
			return fmt.Errorf("leaf %d does not hash to its tile's entry", n*tileWidth+int64(i))
		}
	}
	return nil
}

// checkForm checks that a bundle has width leaves of the form that this program knows.
func checkForm(b []byte, n int64, width int) error {
	if len(b) != width*bundleEntry {
		return fmt.Errorf("it has %d bytes, not the %d of %d leaves", len(b), width*bundleEntry, width)
	}
	for i := range width {
		e := b[i*bundleEntry : (i+1)*bundleEntry]
		index := n*tileWidth + int64(i)
		if e[0] != 0 || e[1] != LeafSize {
			return fmt.Errorf("leaf %d has %d bytes, not %d", index, int(e[0])<<8|int(e[1]), LeafSize)
		}
		if e[2] != leafVersion {
			return fmt.Errorf("leaf %d is of version %d, which this program does not know", index, e[2])
		}
	}
	return nil
}

func (a *auditor) deliver(j *job) error {
	a.bundles++
	if a.o.Leaf != nil {
		for i := range j.width {
			index := j.n*tileWidth + int64(i)
			start := i*bundleEntry + 2
			if err := a.o.Leaf(index, j.leafs[start:start+LeafSize:start+LeafSize]); err != nil {
				return fmt.Errorf("leaf %d: %w", index, err)
			}
		}
	}
	if a.o.Progress != nil && j.n%64 == 63 {
		a.o.Progress((j.n+1)*tileWidth, a.head.Size)
	}
	return nil
}
