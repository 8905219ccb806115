package ledger

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// memoryHashes are the stored hashes of a tree over made-up leaves.
func memoryHashes(t *rapid.T, size int64, change int64) (tlog.HashReader, []*Growth) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	g := &Growth{}
	grown := []*Growth{g.Clone()}
	for i := range size {
		object := Hash{byte(i), byte(i >> 8)}
		if i == change {
			object[31] = 1
		}
		hashes, err := tlog.StoredHashesForRecordHash(i, tlog.Hash(leafHashOf(object)), reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		g.Add(object)
		grown = append(grown, g.Clone())
	}
	return reader, grown
}

func TestPrefixProofShowsWhatATreeBeganWith(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(2, 700).Draw(t, "size")
		from := rapid.Int64Range(1, size-1).Draw(t, "from")
		hashes, grown := memoryHashes(t, size, -1)
		p, err := ProvePrefix(hashes, from, size)
		if err != nil {
			t.Fatal(err)
		}
		first, all, err := PrefixRoots(p, from, size)
		if err != nil || first != grown[from].Root() || all != grown[size].Root() {
			t.Fatalf("from %d of %d: roots do not follow, %v", from, size, err)
		}
		at := rapid.IntRange(0, len(p)-1).Draw(t, "changed hash")
		p[at][3] ^= 1
		if _, all, err := PrefixRoots(p, from, size); err == nil && all == grown[size].Root() {
			t.Fatal("a proof with a changed hash leads to the same root")
		}
		p[at][3] ^= 1
		if _, _, err := PrefixRoots(p[:len(p)-1], from, size); err == nil {
			t.Fatal("a shortened proof was read")
		}
		if _, _, err := PrefixRoots(append(p, Hash{}), from, size); err == nil {
			t.Fatal("a lengthened proof was read")
		}
	})
}
