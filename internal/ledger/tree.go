package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/mithaq/mithaq/internal/store"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	hashSize   = tlog.HashSize
	// LeafSize is the length of a leaf: a version byte and the object's SHA-256.
	LeafSize = 1 + sha256.Size
	// leafVersion is the first byte of every leaf.
	leafVersion = 0x01
	// bundleEntry is a leaf in an entry bundle: its length as a big-endian uint16, then the leaf (C2SP tlog-tiles).
	bundleEntry = 2 + LeafSize
)

// Hash is a SHA-256.
type Hash = [hashSize]byte

// leafOf returns the leaf that commits to an object.
func leafOf(object Hash) [LeafSize]byte {
	var l [LeafSize]byte
	l[0] = leafVersion
	copy(l[1:], object[:])
	return l
}

// leafHashOf returns the RFC 6962 hash of the leaf that commits to an object.
func leafHashOf(object Hash) Hash {
	var b [1 + LeafSize]byte // 0x00 ‖ leaf
	b[1] = leafVersion
	copy(b[2:], object[:])
	return sha256.Sum256(b[:])
}

// nodeHash returns the RFC 6962 hash of an inner node.
func nodeHash(left, right Hash) Hash {
	var b [1 + 2*hashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+hashSize:], right[:])
	return sha256.Sum256(b[:])
}

// edge is the right edge of a tree: all that appending needs.
type edge struct {
	size int64
	// frontier holds the roots of the maximal complete subtrees, largest first: one for each bit set in size.
	frontier []Hash
	// tiles[L] holds the hashes of the incomplete tile at level L, fewer than 256.
	tiles [][]byte
}

func (e *edge) clone() *edge {
	c := &edge{size: e.size, frontier: slices.Clone(e.frontier), tiles: make([][]byte, len(e.tiles))}
	for i, t := range e.tiles {
		c.tiles[i] = append(make([]byte, 0, tileWidth*hashSize), t...)
	}
	return c
}

// add appends one leaf hash and hands every tile that it completes to done.
func (e *edge) add(leaf Hash, done func(store.Tile)) {
	e.put(0, leaf)
	h := leaf
	for n, height := e.size, 1; n&1 == 1; n, height = n>>1, height+1 {
		last := len(e.frontier) - 1
		h = nodeHash(e.frontier[last], h)
		e.frontier = e.frontier[:last]
		if height%tileHeight == 0 {
			level := height/tileHeight - 1
			done(store.Tile{Level: level, N: e.size >> height, Root: h, Hashes: e.tiles[level]})
			e.tiles[level] = nil
			e.put(level+1, h)
		}
	}
	e.frontier = append(e.frontier, h)
	e.size++
}

func (e *edge) put(level int, h Hash) {
	for len(e.tiles) <= level {
		e.tiles = append(e.tiles, nil)
	}
	e.tiles[level] = append(e.tiles[level], h[:]...)
}

// root returns the tree's root; SHA-256 of nothing for the empty tree.
func (e *edge) root() Hash {
	if len(e.frontier) == 0 {
		return sha256.Sum256(nil)
	}
	h := e.frontier[len(e.frontier)-1]
	for i := len(e.frontier) - 2; i >= 0; i-- {
		h = nodeHash(e.frontier[i], h)
	}
	return h
}

func (e *edge) packFrontier() []byte {
	b := make([]byte, 0, len(e.frontier)*hashSize)
	for _, h := range e.frontier {
		b = append(b, h[:]...)
	}
	return b
}

var errDamaged = errors.New("stored rows do not make the signed tree: the database is damaged")

// edgeFrom rebuilds an edge from its incomplete tiles (level 0 first) and checks it against a root.
func edgeFrom(size int64, tiles [][]byte, root Hash) (*edge, error) {
	e, err := edgeOf(size, tiles)
	if err != nil {
		return nil, err
	}
	if e.root() != root {
		return nil, errDamaged
	}
	return e, nil
}

// edgeOf rebuilds an edge from its incomplete tiles, level 0 first.
func edgeOf(size int64, tiles [][]byte) (*edge, error) {
	e := &edge{size: size, tiles: tiles}
	for level := range tiles {
		want := int(size >> (tileHeight * level) & (tileWidth - 1))
		if len(tiles[level]) != want*hashSize {
			return nil, fmt.Errorf("tile at level %d has %d bytes: %w", level, len(tiles[level]), errDamaged)
		}
	}
	for level := len(tiles) - 1; level >= 0; level-- {
		rest := tiles[level]
		for len(rest) > 0 {
			n := 1 << (bits.Len(uint(len(rest)/hashSize)) - 1)
			e.frontier = append(e.frontier, subtreeRoot(rest[:n*hashSize]))
			rest = rest[n*hashSize:]
		}
	}
	return e, nil
}

// subtreeRoot returns the root of a complete subtree over a power of two of hashes.
func subtreeRoot(hashes []byte) Hash {
	var level [tileWidth]Hash
	n := len(hashes) / hashSize
	for i := range n {
		level[i] = Hash(hashes[i*hashSize:])
	}
	for ; n > 1; n /= 2 {
		for i := range n / 2 {
			level[i] = nodeHash(level[2*i], level[2*i+1])
		}
	}
	return level[0]
}

// levelsOf returns how many levels of tiles a tree has.
func levelsOf(size int64) int {
	n := 0
	for ; size > 0; size >>= tileHeight {
		n++
	}
	return n
}
