package federate_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"testing"

	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
)

// watcher is a witness with a key from a name.
type watcher struct {
	key     record.Key
	private ed25519.PrivateKey
	last    federate.Witnessed
}

func newWatcher(name string) *watcher {
	seed := sha256.Sum256([]byte(name))
	private := ed25519.NewKeyFromSeed(seed[:])
	return &watcher{private: private, key: record.NewKey(record.RoleWitness, record.PublicKey{Alg: record.Ed25519, Bytes: private.Public().(ed25519.PublicKey)})}
}

// ask asks to co-sign as an author does, over the wire's form.
func (w *watcher) ask(t *testing.T, a federate.AddCheckpoint, origin string, keys ...note.Verifier) ([]byte, *federate.WitnessRefusal) {
	t.Helper()
	got, err := federate.ParseAddCheckpoint(a.Body())
	if err != nil {
		t.Fatal(err)
	}
	next, refusal := w.last.Judge(got, origin, keys)
	if refusal != nil {
		return nil, refusal
	}
	w.last = next
	line, err := federate.Cosign(w.key, got.Checkpoint, start, func(m []byte) ([]byte, error) { return ed25519.Sign(w.private, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	return line, nil
}

func TestAWitnessSignsOnlyGrowth(t *testing.T) {
	a := author(t, 3, 10)
	key, err := note.NewVerifier(federate.CheckpointKey(a.Keyring))
	if err != nil {
		t.Fatal(err)
	}
	w := newWatcher("neutral")
	at := func(l interface{ CheckpointAt(int64) ([]byte, error) }, size int64) []byte {
		cp, err := l.CheckpointAt(size)
		if err != nil {
			t.Fatal(err)
		}
		return cp
	}
	refused := func(what string, status int, req federate.AddCheckpoint, keys ...note.Verifier) {
		t.Helper()
		if _, r := w.ask(t, req, a.Log.Origin, keys...); r == nil || r.Status != status {
			t.Errorf("%s: %+v, want status %d", what, r, status)
		}
	}
	refused("a log that it does not know", 404, federate.AddCheckpoint{Checkpoint: at(a.Log, 5)})
	refused("another log's key", 403, federate.AddCheckpoint{Checkpoint: at(author(t, 4, 9).Log, 5)}, key)
	line, r := w.ask(t, federate.AddCheckpoint{Checkpoint: at(a.Log, 5)}, a.Log.Origin, key)
	if r != nil {
		t.Fatal(r)
	}
	cosigned := append(at(a.Log, 5), line...)
	v, err := f_note.NewVerifierForCosignatureV1(federate.WitnessKey(w.key))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(cosigned, note.VerifierList(v)); err != nil {
		t.Fatalf("another implementation does not verify the cosignature: %v", err)
	}
	if stamp, err := f_note.CoSigV1Timestamp(note.Signature{Base64: sigOf(t, cosigned, v)}); err != nil || !stamp.Equal(start) {
		t.Fatalf("timestamp %v, %v", stamp, err)
	}

	proof := consistency(t, a.Log, 5, 10)
	refused("a wrong old size", 409, federate.AddCheckpoint{Old: 4, Proof: proof, Checkpoint: at(a.Log, 10)}, key)
	refused("an old size beyond the new one", 400, federate.AddCheckpoint{Old: 11, Checkpoint: at(a.Log, 10)}, key)
	refused("growth without a proof", 422, federate.AddCheckpoint{Old: 5, Checkpoint: at(a.Log, 10)}, key)
	fork, err := a.Log.Fork(4)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"x", "y", "z"} {
		if err := fork.Append([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	refused("a fork", 422, federate.AddCheckpoint{Old: 5, Proof: consistency(t, fork, 5, 7), Checkpoint: at(fork, 7)}, key)
	if _, r := w.ask(t, federate.AddCheckpoint{Old: 5, Checkpoint: at(fork, 5)}, a.Log.Origin, key); r == nil || r.Status != 409 || r.Second == nil {
		t.Fatalf("two trees of one size: %+v", r)
	}
	if _, r := w.ask(t, federate.AddCheckpoint{Old: 5, Proof: proof, Checkpoint: at(a.Log, 10)}, a.Log.Origin, key); r != nil {
		t.Fatal(r)
	}
	refused("going back", 409, federate.AddCheckpoint{Old: 5, Checkpoint: at(a.Log, 5)}, key)
	if _, r := w.ask(t, federate.AddCheckpoint{Old: 10, Checkpoint: at(a.Log, 10)}, a.Log.Origin, key); r != nil {
		t.Fatalf("the same again: %v", r)
	}
}

func sigOf(t *testing.T, cp []byte, v note.Verifier) string {
	t.Helper()
	n, err := note.Open(cp, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	return n.Sigs[0].Base64
}

func consistency(t *testing.T, l interface {
	Prefix(from, size int64) ([][32]byte, error)
}, from, size int64) [][32]byte {
	t.Helper()
	p, err := l.Prefix(from, size)
	if err != nil {
		t.Fatal(err)
	}
	if from&(from-1) == 0 {
		p = p[1:] // the consistency proof leaves out what the verifier has
	}
	return p
}

func TestKOfNWitnessesSatisfyAPolicyAndTheAuthorNever(t *testing.T) {
	a := author(t, 3, 4)
	cp, err := a.Log.CheckpointAt(4)
	if err != nil {
		t.Fatal(err)
	}
	var by federate.Cosigners
	p := federate.Policy{K: 2}
	var all []byte
	for i, name := range []string{"one", "two", "three"} {
		w := newWatcher(name)
		p.Witnesses = append(p.Witnesses, federate.Witness{VKey: federate.WitnessKey(w.key), URL: "https://witness.test/"})
		line, err := federate.Cosign(w.key, cp, start, func(m []byte) ([]byte, error) { return ed25519.Sign(w.private, m), nil })
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line...)
		with := federate.MergeCosignatures(cp, append(bytes.Clone(cp), all...), by.Of(p.Witnesses))
		if p.K <= len(p.Witnesses) {
			policy, err := witness.ParsePolicy([]byte(p.Text()))
			if ok := by.Enough(p, with); err != nil || ok != (i >= 1) || ok != policy.Satisfied(with) {
				t.Fatalf("with %d cosignatures: %v, and as others read the policy %v, %v", i+1, ok, policy.Satisfied(with), err)
			}
		}
		if again := federate.MergeCosignatures(with, append(bytes.Clone(cp), all...), by.Of(p.Witnesses)); !bytes.Equal(again, with) {
			t.Fatal("merging twice adds lines")
		}
	}
	if by.Enough(p, cp) {
		t.Fatal("the author alone")
	}
	stranger := newWatcher("stranger")
	line, err := federate.Cosign(stranger.key, cp, start, func(m []byte) ([]byte, error) { return ed25519.Sign(stranger.private, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	if got := federate.MergeCosignatures(cp, append(bytes.Clone(cp), line...), by.Of(p.Witnesses)); !bytes.Equal(got, cp) {
		t.Fatal("a stranger's line was taken")
	}
}

func FuzzParseAddCheckpoint(f *testing.F) {
	f.Add([]byte("old 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nmithaq/l-x\n7\nAAAA\n\n— mithaq/l-x AAAA\n"))
	f.Add([]byte("old 0\n\n"))
	f.Add([]byte("old -1\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := federate.ParseAddCheckpoint(b)
		if err != nil {
			return
		}
		if again, err := federate.ParseAddCheckpoint(a.Body()); err != nil || again.Old != a.Old || len(again.Proof) != len(a.Proof) {
			t.Fatalf("%q does not survive: %v", b, err)
		}
	})
}
