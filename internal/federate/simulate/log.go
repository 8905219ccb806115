package simulate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/mithaq/mithaq/internal/ledger"
)

// Log is a log in memory that serves itself. It implements federate.Source.
type Log struct {
	ID     string
	Origin string

	key      ed25519.PrivateKey
	keyrings [][]byte
	leaves   [][32]byte
	objects  map[[32]byte][]byte // of leaves, and attachments
	index    map[[32]byte]int64  // first leaf of an object
	stored   []tlog.Hash
	notes    map[int64][]byte // signed checkpoints by size
	roots    map[int64][32]byte
}

func newLog(origin, id string, key ed25519.PrivateKey) *Log {
	return &Log{ID: id, Origin: origin, key: key, objects: map[[32]byte][]byte{}, index: map[[32]byte]int64{},
		notes: map[int64][]byte{}, roots: map[int64][32]byte{}}
}

// copied is the log as it is now, to grow by itself.
func (l *Log) copied() *Log {
	c := *l
	c.keyrings, c.leaves, c.stored = slices.Clone(l.keyrings), slices.Clone(l.leaves), slices.Clone(l.stored)
	c.objects, c.index, c.notes, c.roots = maps.Clone(l.objects), maps.Clone(l.index), maps.Clone(l.notes), maps.Clone(l.roots)
	return &c
}

// Fork returns a log that begins with the first size leaves and can then grow otherwise, under the same key.
func (l *Log) Fork(size int64) (*Log, error) {
	f := newLog(l.Origin, l.ID, l.key)
	f.keyrings = slices.Clone(l.keyrings)
	for _, h := range l.leaves[:size] {
		if err := f.add(h, l.objects[h]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Append adds an object.
func (l *Log) Append(object []byte) error { return l.add(sha256.Sum256(object), object) }

// AppendLeaf adds a leaf whose object nobody has.
func (l *Log) AppendLeaf(hash [32]byte) error { return l.add(hash, nil) }

// add appends a leaf; its object may be nil: it has not come.
func (l *Log) add(hash [32]byte, object []byte) error {
	hashes, err := tlog.StoredHashes(int64(len(l.leaves)), append([]byte{1}, hash[:]...), l.hashes())
	if err != nil {
		return err
	}
	if _, again := l.index[hash]; !again {
		l.index[hash] = int64(len(l.leaves))
	}
	l.stored = append(l.stored, hashes...)
	l.leaves = append(l.leaves, hash)
	if object != nil {
		l.objects[hash] = object
	}
	return nil
}

func (l *Log) hashes() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			if x >= int64(len(l.stored)) {
				return nil, errors.New("beyond the tree")
			}
			out[i] = l.stored[x]
		}
		return out, nil
	})
}

// Size is how many leaves it has.
func (l *Log) Size() int64 { return int64(len(l.leaves)) }

// HeadAt is its head when it had size leaves.
func (l *Log) HeadAt(size int64) (ledger.Head, error) {
	h := ledger.Head{Origin: l.Origin, Size: size, Root: sha256.Sum256(nil)}
	if root, known := l.roots[size]; known {
		h.Root = root
	} else if size > 0 {
		root, err := tlog.TreeHash(size, l.hashes())
		if err != nil {
			return h, err
		}
		h.Root = root
		l.roots[size] = h.Root
	}
	return h, nil
}

// holds says whether a head is of this log, at some size.
func (l *Log) holds(h ledger.Head) bool {
	if h.Size > l.Size() {
		return false
	}
	at, err := l.HeadAt(h.Size)
	return err == nil && at == h
}

// CheckpointAt signs its head at a size.
func (l *Log) CheckpointAt(size int64) ([]byte, error) {
	if cp := l.notes[size]; cp != nil {
		return cp, nil
	}
	h, err := l.HeadAt(size)
	if err != nil {
		return nil, err
	}
	cp, err := l.sign(h)
	l.notes[size] = cp
	return cp, err
}

// sign signs whatever head.
func (l *Log) sign(h ledger.Head) ([]byte, error) {
	s := ledger.NewLogSigner(l.Origin, l.key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(l.key, m), nil })
	return note.Sign(&note.Note{Text: h.Body()}, s)
}

// Checkpoint implements federate.Source.
func (l *Log) Checkpoint(context.Context) ([]byte, error) { return l.CheckpointAt(l.Size()) }

// Keyrings implements federate.Source.
func (l *Log) Keyrings(context.Context) ([]byte, error) {
	return append(append([]byte{'['}, bytes.Join(l.keyrings, []byte{','})...), ']'), nil
}

// Tile implements federate.Source.
func (l *Log) Tile(_ context.Context, level int, n int64, width int) ([]byte, error) {
	b, err := tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: n, W: width}, l.hashes())
	if err != nil {
		return nil, ledger.ErrNotFound
	}
	return b, nil
}

// Entries implements federate.Source.
func (l *Log) Entries(_ context.Context, n int64, width int) ([]byte, error) {
	first := n * 256
	if first < 0 || first+int64(width) > l.Size() {
		return nil, ledger.ErrNotFound
	}
	var b []byte
	for _, h := range l.leaves[first : first+int64(width)] {
		b = append(b, 0, ledger.LeafSize, 1)
		b = append(b, h[:]...)
	}
	return b, nil
}

// Object implements federate.Source.
func (l *Log) Object(_ context.Context, hash [32]byte) ([]byte, error) {
	b, ok := l.objects[hash]
	if !ok {
		return nil, ledger.ErrNotFound
	}
	return b, nil
}

// Prefix is the prefix proof of its tree of size leaves.
func (l *Log) Prefix(from, size int64) ([][32]byte, error) {
	return ledger.ProvePrefix(l.hashes(), from, size)
}

// inOrder are the objects of the first size leaves; nil where one has not come.
func (l *Log) inOrder(size int64) [][]byte {
	out := make([][]byte, size)
	for i, h := range l.leaves[:size] {
		out[i] = l.objects[h]
	}
	return out
}
