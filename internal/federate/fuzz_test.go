package federate_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/federate/simulate"
	"github.com/mithaq/mithaq/internal/ledger"
)

// spliced is b with the bytes from at on replaced, and the rest after them kept.
func spliced(b []byte, at uint16, drop uint8, put []byte) []byte {
	from := min(int(at), len(b))
	to := min(from+int(drop), len(b))
	return bytes.Join([][]byte{b[:from], put, b[to:]}, nil)
}

// FuzzLyingHost follows a log from a host that answers one kind of request with other bytes: whatever they are, what is kept
// is what the author signed, and the honest host is believed afterwards.
func FuzzLyingHost(f *testing.F) {
	const leaves = 300
	a := author(f, 1, leaves)
	other := author(f, 2, leaves)
	cp, err := a.Log.CheckpointAt(leaves)
	if err != nil {
		f.Fatal(err)
	}
	theirs, err := other.Log.CheckpointAt(leaves)
	if err != nil {
		f.Fatal(err)
	}
	size := uint16(bytes.Index(cp, []byte("\n300\n")) + 1) // #nosec G115 -- far below
	f.Add(uint8(0), size, uint8(3), []byte("301"))
	f.Add(uint8(0), uint16(len(cp)), uint8(0), theirs[bytes.Index(theirs, []byte("\n\n"))+2:]) // #nosec G115 -- far below
	f.Add(uint8(0), uint16(0), uint8(255), []byte("x\n-1\nAAAA\n\n— x AAAA\n"))
	f.Add(uint8(1), uint16(0), uint8(1), []byte(`[null,`))
	f.Add(uint8(1), uint16(60), uint8(9), []byte(`"`))
	f.Add(uint8(2), uint16(5), uint8(1), []byte{0xff})
	f.Add(uint8(2), uint16(32), uint8(32), []byte{})
	f.Add(uint8(3), uint16(0), uint8(35), bytes.Repeat([]byte{0, 33, 1}, 12))
	f.Add(uint8(3), uint16(0), uint8(2), []byte{0xff, 0xff})
	f.Add(uint8(4), uint16(0), uint8(1), []byte("age-encryption.org/v1\n"))
	f.Fuzz(func(t *testing.T, what uint8, at uint16, drop uint8, put []byte) {
		s := &source{Source: a.Log}
		switch what % 5 {
		case 0:
			s.checkpoint = func() ([]byte, error) { return spliced(cp, at, drop, put), nil }
		case 1:
			s.keyrings = func() ([]byte, error) {
				b, err := a.Log.Keyrings(context.Background())
				return spliced(b, at, drop, put), err
			}
		case 2:
			s.tile = func(_ int, _ int64, _ int, b []byte) ([]byte, error) { return spliced(b, at, drop, put), nil }
		case 3:
			s.entries = func(_ int64, b []byte) ([]byte, error) { return spliced(b, at, drop, put), nil }
		case 4:
			s.object = func(_ [32]byte, b []byte) ([]byte, error) { return spliced(b, at, drop, put), nil }
		}
		fl := newFollower(t, a, federate.Options{Objects: true, PieceLeaves: 100})
		fl.round(s)
		if size := fl.shelf.Head().Size; size != 0 && size != leaves {
			t.Fatalf("a tree of %d leaves was taken, which nobody signed", size)
		}
		if rest := fl.round(a.Log); rest.Err != nil {
			t.Fatal(rest.Err)
		}
		fl.has(a.Log, leaves)
	})
}

// FuzzCosignatureAnswer merges what a witness answers into a checkpoint: its text and its own signature stay, and it never grows
// by more than the witnesses that were asked.
func FuzzCosignatureAnswer(f *testing.F) {
	a := author(f, 1, 5)
	cp, err := a.Log.CheckpointAt(5)
	if err != nil {
		f.Fatal(err)
	}
	w := newWatcher("w")
	line, err := federate.Cosign(w.key, cp, start, func(m []byte) ([]byte, error) { return ed25519.Sign(w.private, m), nil })
	if err != nil {
		f.Fatal(err)
	}
	var by federate.Cosigners
	policy := federate.Policy{K: 1, Witnesses: []federate.Witness{{VKey: federate.WitnessKey(w.key)}}}
	vkey := federate.CheckpointKey(a.Keyring)
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(bytes.Repeat(line, 120))
	f.Add([]byte("— " + w.key.ID + " AAAA\n"))
	f.Add(append([]byte("\n\nmithaq/l-x\n9\nAAAA\n\n"), line...))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		merged := federate.MergeCosignatures(cp, append(bytes.Clone(cp), answer...), by.Of(policy.Witnesses))
		if !bytes.HasPrefix(merged, cp) || len(merged) > len(cp)+len(line) {
			t.Fatalf("%q became %q", cp, merged)
		}
		if _, err := ledger.OpenCheckpoint(merged, a.Log.Origin, verifier); err != nil {
			t.Fatalf("nobody can read it any more: %v", err)
		}
		if by.Enough(policy, merged) && !bytes.Contains(answer, bytes.TrimSpace(line)) {
			t.Fatal("co-signed by nobody")
		}
	})
}

// FuzzParseEvidence reads evidence files. What verifies speaks of the log whose key signed, whoever changed the file.
func FuzzParseEvidence(f *testing.F) {
	a := author(f, 7, 20)
	fork, err := a.Log.Fork(12)
	if err != nil {
		f.Fatal(err)
	}
	for range 9 {
		if err := fork.Append([]byte("another object")); err != nil {
			f.Fatal(err)
		}
	}
	file, err := contradiction(f, a, fork).Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte(strings.ReplaceAll(string(file), "m", "n")))
	f.Add(append(bytes.Clone(file), file...))
	f.Add([]byte(`{"format":"mithaq-evidence/1","origin":"mithaq/l-x","party":"p-x","keyrings":[],"first":"","second":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := federate.ParseEvidence(b)
		if err != nil {
			return
		}
		if c, err := e.Verify(); err == nil && (c.Party != a.Party || c.Origin != a.Log.Origin) {
			t.Fatalf("evidence out of nothing: %s", c)
		}
	})
}

// contradiction is what a follower keeps of an author that shows two histories.
func contradiction(t testing.TB, a *simulate.Author, fork *simulate.Log) *federate.Evidence {
	f := newFollower(t, a, federate.Options{Objects: true})
	f.round(a.Log)
	f.round(fork)
	n := f.told(federate.NoticeMismatch)
	if n == nil {
		t.Fatal("no contradiction was seen")
	}
	return n.Evidence
}
