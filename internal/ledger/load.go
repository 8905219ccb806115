package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/mithaq/mithaq/internal/store"
)

// load reads a log for the sequencer. If an earlier commit was stored but neither guarded nor published (a crash or
// an error in between), that is made up for here, before anything new is signed.
func (l *Ledger) load(ctx context.Context, no int64) Loaded {
	id := l.bySeries[no]
	out, err := l.loadLog(ctx, id, no)
	if err != nil {
		return Loaded{ID: id, Err: fmt.Errorf("log %s: %w", id, err)}
	}
	return out
}

func (l *Ledger) loadLog(ctx context.Context, id string, no int64) (Loaded, error) {
	row, err := l.store.Log(ctx, id)
	if err != nil {
		return Loaded{}, err
	}
	h, err := l.store.Head(ctx, no)
	if err != nil {
		return Loaded{}, err
	}
	head := Head{Origin: row.Origin, Size: h.Size, Root: h.Root}
	if err := l.compare(ctx, row, h, l.heads.guarded(id)); err != nil {
		return Loaded{}, err
	}
	e, err := loadEdge(ctx, l.store, no, h.Size, h.Root)
	if err != nil {
		return Loaded{}, err
	}
	signed := SignedHead{Head: head, Checkpoint: h.Checkpoint}
	if l.heads.guarded(id) != head {
		if err := l.cfg.Guard.Record(ctx, []Head{head}); err != nil {
			return Loaded{}, &notPublished{err}
		}
		l.heads.publish(id, signed)
	}
	return Loaded{ID: id, Edge: e, Serial: uint64(h.Serial), Head: signed, Retired: !row.Retired.IsZero()}, nil
}

// compare returns *ErrBehind unless the database's tree is what the guard remembers, or has grown out of it.
func (l *Ledger) compare(ctx context.Context, row store.Log, h store.Head, guard Head) error {
	return Compare(row.ID, Head{Origin: row.Origin, Size: h.Size, Root: h.Root}, guard, func(size int64) (Hash, error) {
		return rootAt(ctx, l.store, row.No, h.Size, size)
	})
}

// Compare returns *ErrBehind unless the tree that a database has is the one that the guard remembers, or has grown out of it.
// A zero guard remembers nothing. rootAt computes the root that the database's tree had at an earlier size.
func Compare(logID string, have, guard Head, rootAt func(size int64) (Hash, error)) error {
	if guard.Origin == "" || guard == have {
		return nil
	}
	if guard.Size < have.Size {
		root, err := rootAt(guard.Size)
		if err != nil {
			return err
		}
		if root == guard.Root {
			return nil
		}
	}
	return &ErrBehind{LogID: logID, Have: have, Guard: guard}
}

// loadEdge reads a log's right edge and checks it against the root.
func loadEdge(ctx context.Context, s Store, no, size int64, root Hash) (*edge, error) {
	tiles, err := edgeTiles(ctx, s, no, size)
	if err != nil {
		return nil, err
	}
	return edgeFrom(size, tiles, root)
}

// edgeTiles reads the incomplete tile of each level, from level 0.
func edgeTiles(ctx context.Context, s Store, no, size int64) ([][]byte, error) {
	tiles := make([][]byte, levelsOf(size))
	for level := range tiles {
		n := size >> (tileHeight * level)
		hashes, err := tileHashes(ctx, s, no, level, n-n%tileWidth, n)
		if err != nil {
			return nil, err
		}
		tiles[level] = hashes
	}
	return tiles, nil
}

// tileHashes returns the hashes [from, to) of a level of tiles, within one tile: leaf hashes at level 0, above it the
// roots of complete tiles one level down.
func tileHashes(ctx context.Context, s Store, no int64, level int, from, to int64) ([]byte, error) {
	if level > 0 {
		return s.TileRoots(ctx, no, level-1, from, to)
	}
	objects, err := s.Leaves(ctx, no, from, to)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(objects); i += hashSize {
		h := leafHashOf(Hash(objects[i:]))
		copy(objects[i:], h[:])
	}
	return objects, nil
}

// rootAt computes the root that a log had at an earlier size from its stored tiles.
func rootAt(ctx context.Context, s Store, no, size, at int64) (Hash, error) {
	if at == 0 {
		return (&edge{}).root(), nil
	}
	root, err := tlog.TreeHash(at, storedHashes(ctx, s, no, size))
	if err != nil {
		return Hash{}, fmt.Errorf("computing the root at size %d: %w", at, err)
	}
	return Hash(root), nil
}

// storedHashes reads inner hashes from stored rows, below size. It trusts the rows.
func storedHashes(ctx context.Context, s Store, no, size int64) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			t := tlog.TileForIndex(tileHeight, x)
			full := size >> (tileHeight * t.L)
			width := min(full-t.N*tileWidth, tileWidth)
			if width < int64(t.W) {
				return nil, errors.New("a hash beyond the tree was asked for")
			}
			t.W = int(width)
			data, err := tileHashes(ctx, s, no, t.L, t.N*tileWidth, t.N*tileWidth+width)
			if err != nil {
				return nil, err
			}
			if out[i], err = tlog.HashFromTile(t, data, x); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
}
