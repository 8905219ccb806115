package ledger

import (
	"context"
	"crypto/sha256"
	"strings"
	"testing"
)

// FuzzVerifyProof reads offline proof files: one that verifies shows the leaf where it is, and nothing else does.
func FuzzVerifyProof(f *testing.F) {
	const leaves, index = 300, 270
	x := openFixture(f, f.TempDir())
	mustCreate(f, x.Ledger, "l-p", true)
	growTo(f, x, "l-p", leaves)
	good, err := x.Proof(context.Background(), "l-p", index)
	if err != nil {
		f.Fatal(err)
	}
	verifier := testVerifier(f, "mithaq/l-p")
	leaf := leafOf(sha256.Sum256(objectNo("l-p", index)))
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), "index 270", "index 18446744073709551615", 1)))
	f.Add([]byte(strings.Replace(string(good), "index 270", "index -1", 1)))
	f.Add([]byte(strings.Replace(string(good), "\n300\n", "\n9223372036854775807\n", 1)))
	f.Add([]byte(strings.Repeat(string(good), 3)))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		at, head, err := VerifyProof(b, leaf[:], "mithaq/l-p", verifier)
		if err == nil && (at != index || head.Size != leaves) {
			t.Fatalf("it shows the leaf at %d of %d", at, head.Size)
		}
		if err == nil {
			if cp, err := ProofCheckpoint(b); err != nil || len(cp) > len(b) {
				t.Fatalf("the checkpoint of a proof that verifies: %v", err)
			}
		}
		if other := leafOf([32]byte{1}); err == nil {
			if _, _, err := VerifyProof(b, other[:], "mithaq/l-p", verifier); err == nil {
				t.Fatal("another leaf passes too")
			}
		}
	})
}
