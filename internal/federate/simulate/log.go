package simulate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
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
	objects  map[[32]byte][]byte
	stored   []tlog.Hash
}

func newLog(origin, id string, key ed25519.PrivateKey) *Log {
	return &Log{ID: id, Origin: origin, key: key, objects: map[[32]byte][]byte{}}
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

func (l *Log) add(hash [32]byte, object []byte) error {
	leaf := append([]byte{1}, hash[:]...)
	hashes, err := tlog.StoredHashes(int64(len(l.leaves)), leaf, l.hashes())
	if err != nil {
		return err
	}
	l.stored = append(l.stored, hashes...)
	l.leaves = append(l.leaves, hash)
	l.objects[hash] = object
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
	if size > 0 {
		root, err := tlog.TreeHash(size, l.hashes())
		if err != nil {
			return h, err
		}
		h.Root = root
	}
	return h, nil
}

// CheckpointAt signs its head at a size.
func (l *Log) CheckpointAt(size int64) ([]byte, error) {
	h, err := l.HeadAt(size)
	if err != nil {
		return nil, err
	}
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
