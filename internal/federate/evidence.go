package federate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// EvidenceFormat is the name of the file's form.
const EvidenceFormat = "mithaq-evidence/1"

// maxEvidence bounds an evidence file: two checkpoints, a proof, and the keyrings of a long life.
const maxEvidence = 16 << 20

// Evidence is a portable proof that a log's own key signed two histories of which neither grew out of the other. It needs
// nobody's word: the keyrings prove whose log it is, the signatures that its key made both checkpoints, and the prefix
// proof that the larger tree does not begin with the smaller one.
//
// It does not say who did it or why. An old backup that was put back and signed on proves itself in the same way.
type Evidence struct {
	Format   string            `json:"format"`
	Origin   string            `json:"origin"`
	Party    string            `json:"party"`
	Keyrings []json.RawMessage `json:"keyrings"`         // of the log, from the first to the one that signed last
	First    string            `json:"first"`            // signed checkpoint, not larger than the second
	Second   string            `json:"second"`           // signed checkpoint
	Prefix   []string          `json:"prefix,omitempty"` // hashes of ledger.PrefixRoots; absent when both have one size
}

// NewEvidence writes a proof down. It refuses what would not verify.
func NewEvidence(origin string, keyrings []record.Keyring, first, second []byte, prefix [][32]byte) (*Evidence, error) {
	e := &Evidence{Format: EvidenceFormat, Origin: origin, First: string(first), Second: string(second)}
	for _, k := range keyrings {
		e.Party = k.Party
		e.Keyrings = append(e.Keyrings, k.Envelope())
	}
	for _, h := range prefix {
		e.Prefix = append(e.Prefix, hex.EncodeToString(h[:]))
	}
	if _, err := e.Verify(); err != nil {
		return nil, err
	}
	return e, nil
}

// ParseEvidence reads an evidence file. It is not verified yet.
func ParseEvidence(data []byte) (*Evidence, error) {
	if len(data) > maxEvidence {
		return nil, fmt.Errorf("reading evidence: %d bytes, at most %d", len(data), maxEvidence)
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	var e Evidence
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	if d.More() {
		return nil, errors.New("reading evidence: more stands after it")
	}
	if e.Format != EvidenceFormat {
		return nil, fmt.Errorf("reading evidence: format %.40q is none that this version reads", e.Format)
	}
	return &e, nil
}

// Bytes is the evidence as a file.
func (e *Evidence) Bytes() ([]byte, error) {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing evidence: %w", err)
	}
	return append(b, '\n'), nil
}

// ID names the contradiction: the same two checkpoints have one id, whoever found them.
func (e *Evidence) ID() string {
	h := sha256.New()
	for _, cp := range []string{e.First, e.Second} {
		text, _, _ := strings.Cut(cp, "\n\n")
		_, _ = h.Write([]byte(text + "\n\n"))
	}
	return "m-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// Contradiction is what evidence that verifies says.
type Contradiction struct {
	Origin      string      `json:"origin"`
	Party       string      `json:"party"`
	Fingerprint string      `json:"fingerprint"`
	First       ledger.Head `json:"-"`
	Second      ledger.Head `json:"-"`
	// Begins is the root that the second tree had at the first one's size, where the first checkpoint says another.
	Begins [32]byte `json:"-"`
}

// String says it in one line.
func (c Contradiction) String() string {
	if c.First.Size == c.Second.Size {
		return fmt.Sprintf("%s signed two trees of %d leaves in log %s: %x… and %x…", c.Party, c.First.Size, c.Origin, c.First.Root[:6], c.Second.Root[:6])
	}
	return fmt.Sprintf("%s signed a tree of %d leaves in log %s that does not begin with the %d leaves it had signed: %x… stands there, not %x…",
		c.Party, c.Second.Size, c.Origin, c.First.Size, c.Begins[:6], c.First.Root[:6])
}

// errNoEvidence is in errors of files that prove nothing.
var errNoEvidence = errors.New("this is no evidence")

// Verify checks the proof offline, from the file alone.
func (e *Evidence) Verify() (Contradiction, error) {
	c := Contradiction{Origin: e.Origin, Party: e.Party, Fingerprint: record.FingerprintWords(e.Party)}
	envelopes := make([][]byte, len(e.Keyrings))
	for i, k := range e.Keyrings {
		envelopes[i] = k
	}
	chain, err := record.KeyringChain(envelopes, e.Origin)
	if err != nil {
		return c, fmt.Errorf("%w: %w", errNoEvidence, err)
	}
	if chain[0].Party != e.Party {
		return c, fmt.Errorf("%w: the log is of %s, the file accuses %s", errNoEvidence, chain[0].Party, e.Party)
	}
	if c.First, err = openSigned([]byte(e.First), e.Origin, chain); err != nil {
		return c, fmt.Errorf("%w: the first checkpoint: %w", errNoEvidence, err)
	}
	if c.Second, err = openSigned([]byte(e.Second), e.Origin, chain); err != nil {
		return c, fmt.Errorf("%w: the second checkpoint: %w", errNoEvidence, err)
	}
	if c.First.Size == c.Second.Size {
		if c.First.Root == c.Second.Root || len(e.Prefix) > 0 {
			return c, fmt.Errorf("%w: both checkpoints say the same", errNoEvidence)
		}
		return c, nil
	}
	return c, e.verifyPrefix(&c)
}

// verifyPrefix shows that the larger tree begins otherwise. First the proof must lead to the root that was signed over the
// larger tree; only then does it say anything about the smaller one.
func (e *Evidence) verifyPrefix(c *Contradiction) error {
	if c.First.Size > c.Second.Size {
		return fmt.Errorf("%w: the first checkpoint must be the smaller one", errNoEvidence)
	}
	if c.First.Size == 0 {
		return fmt.Errorf("%w: every tree grows out of the empty one", errNoEvidence)
	}
	proof := make([][32]byte, len(e.Prefix))
	for i, digits := range e.Prefix {
		h, ok := hashOf(digits)
		if !ok {
			return fmt.Errorf("%w: hash %d of the prefix proof is not 64 hexadecimal digits", errNoEvidence, i)
		}
		proof[i] = h
	}
	begins, all, err := ledger.PrefixRoots(proof, c.First.Size, c.Second.Size)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoEvidence, err)
	}
	if all != c.Second.Root {
		return fmt.Errorf("%w: the prefix proof does not lead to the root of the second checkpoint", errNoEvidence)
	}
	if begins == c.First.Root {
		return fmt.Errorf("%w: the second tree grew out of the first", errNoEvidence)
	}
	c.Begins = begins
	return nil
}

// openSigned verifies a checkpoint with the log key of any keyring in a log's life: what was signed stays signed.
func openSigned(cp []byte, origin string, chain []record.Keyring) (ledger.Head, error) {
	err := errors.New("the log has no checkpoint key")
	for _, k := range chain {
		v, keyErr := note.NewVerifier(CheckpointKey(k))
		if keyErr != nil {
			continue
		}
		var h ledger.Head
		if h, err = ledger.OpenCheckpoint(cp, origin, v); err == nil {
			return h, nil
		}
	}
	return ledger.Head{}, err
}
