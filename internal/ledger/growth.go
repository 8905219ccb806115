package ledger

import (
	"slices"

	"github.com/mithaq/mithaq/internal/store"
)

// Growth is the right edge of a stored tree that verified leaves are added to, with the rows that they become. It does no
// I/O. The zero value is the empty tree.
type Growth struct {
	edge   edge
	from   int64 // what is stored
	leaves []Hash
	tiles  []store.Tile
}

// Size is how many leaves the tree has, those not stored yet included.
func (g *Growth) Size() int64 { return g.edge.size }

// Root is the tree's root.
func (g *Growth) Root() Hash { return g.edge.root() }

// Add appends the leaf that commits to an object.
func (g *Growth) Add(object Hash) {
	g.leaves = append(g.leaves, object)
	g.edge.add(leafHashOf(object), func(t store.Tile) { g.tiles = append(g.tiles, t) })
}

// Waiting is how many leaves were added since Cut.
func (g *Growth) Waiting() int { return len(g.leaves) }

// Cut returns what was added since the last Cut, to be stored from the returned place on.
func (g *Growth) Cut() (from int64, leaves []Hash, tiles []store.Tile) {
	from, leaves, tiles = g.from, g.leaves, g.tiles
	g.from, g.leaves, g.tiles = g.edge.size, nil, nil
	return from, leaves, tiles
}

// Frontier is the tree's edge as [store.Head] keeps it.
func (g *Growth) Frontier() []byte { return g.edge.packFrontier() }

// Loaded is a log with this tree as the sequencer takes it over.
func (g *Growth) Loaded(id string, serial uint64, head SignedHead) Loaded {
	return Loaded{ID: id, Edge: g.edge.clone(), Serial: serial, Head: head}
}

// Clone returns a copy that grows by itself.
func (g *Growth) Clone() *Growth {
	return &Growth{edge: *g.edge.clone(), from: g.from, leaves: slices.Clone(g.leaves), tiles: slices.Clone(g.tiles)}
}

// BundleLeaves checks an entry bundle's form and returns the objects that its leaves commit to, and their leaf hashes: a
// tile of level 0.
func BundleLeaves(b []byte, n int64, width int) (objects []Hash, tile []byte, err error) {
	if err := checkForm(b, n, width); err != nil {
		return nil, nil, err
	}
	objects, tile = make([]Hash, width), make([]byte, 0, width*hashSize)
	for i := range width {
		objects[i] = Hash(b[i*bundleEntry+3:])
		h := leafHashOf(objects[i])
		tile = append(tile, h[:]...)
	}
	return objects, tile, nil
}

// SubtreeRoot is the root over a power of two of hashes, such as a complete tile.
func SubtreeRoot(hashes []byte) Hash { return subtreeRoot(hashes) }
