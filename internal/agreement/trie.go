package agreement

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// canonical is a value that a state holds and hashes.
type canonical interface{ encode(*encoder) }

// trie is a persistent map: put returns a new one that shares all but one path with the old. Its shape depends on its
// keys alone, never on the order in which they came, so its root hash names its contents.
// A key's path is the bits of its SHA-256; a subtree with one key is that key's leaf.
type trie[V canonical] struct {
	root *trieNode[V]
	size int
}

type trieNode[V canonical] struct {
	hash        Hash
	left, right *trieNode[V]
	leaf        *trieLeaf[V] // nil: an inner node
}

type trieLeaf[V canonical] struct {
	path  Hash
	key   string
	value V
}

func bit(path *Hash, depth int) bool { return path[depth>>3]>>(7-depth&7)&1 == 1 }

func (t trie[V]) get(key string) (V, bool) {
	path := Hash(sha256.Sum256([]byte(key)))
	n := t.root
	for depth := 0; n != nil; depth++ {
		if n.leaf != nil {
			if n.leaf.path == path {
				return n.leaf.value, true
			}
			break
		}
		if bit(&path, depth) {
			n = n.right
		} else {
			n = n.left
		}
	}
	var none V
	return none, false
}

func (t trie[V]) put(key string, value V) trie[V] {
	leaf := &trieLeaf[V]{path: Hash(sha256.Sum256([]byte(key))), key: key, value: value}
	e := newEncoder()
	e.hash(leaf.path)
	value.encode(&e)
	n := &trieNode[V]{leaf: leaf, hash: e.sum("mithaq/state/leaf/v1")}
	root, added := insert(t.root, n, 0)
	if added {
		t.size++
	}
	t.root = root
	return t
}

func insert[V canonical](at, n *trieNode[V], depth int) (node *trieNode[V], added bool) {
	switch {
	case at == nil:
		return n, true
	case at.leaf != nil && at.leaf.path == n.leaf.path:
		return n, false
	case at.leaf != nil:
		// Both go one level down; where their paths part, each becomes a leaf again.
		if bit(&at.leaf.path, depth) {
			at = &trieNode[V]{right: at}
		} else {
			at = &trieNode[V]{left: at}
		}
	}
	left, right := at.left, at.right
	if bit(&n.leaf.path, depth) {
		right, added = insert(right, n, depth+1)
	} else {
		left, added = insert(left, n, depth+1)
	}
	return &trieNode[V]{left: left, right: right, hash: nodeHash(hashOf(left), hashOf(right))}, added
}

// nodeHash is called a dozen times an act, so it allocates nothing.
func nodeHash(left, right Hash) Hash {
	const domain = "mithaq/state/node/v1\x00"
	var b [len(domain) + 2*sha256.Size]byte
	copy(b[:], domain)
	copy(b[len(domain):], left[:])
	copy(b[len(domain)+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

func hashOf[V canonical](n *trieNode[V]) Hash {
	if n == nil {
		return Hash{}
	}
	return n.hash
}

func (t trie[V]) rootHash() Hash { return hashOf(t.root) }

// keyed is a value with its key.
type keyed[V any] struct {
	key   string
	value V
}

// all lists the values in the order of their keys.
func (t trie[V]) all() []keyed[V] {
	out := make([]keyed[V], 0, t.size)
	var walk func(*trieNode[V])
	walk = func(n *trieNode[V]) {
		switch {
		case n == nil:
		case n.leaf != nil:
			out = append(out, keyed[V]{n.leaf.key, n.leaf.value})
		default:
			walk(n.left)
			walk(n.right)
		}
	}
	walk(t.root)
	slices.SortStableFunc(out, func(a, b keyed[V]) int { return strings.Compare(a.key, b.key) })
	return out
}
