package federate

import (
	"crypto/sha256"
	"slices"
	"sync"

	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

const (
	// maxCosigners is how many witnesses' verifiers are remembered. An agreement names fifteen at most.
	maxCosigners = 1024
	// maxVerified is how many cosignatures a verifier remembers: of the newest trees of the logs that it is asked about.
	maxVerified = 32
)

// Cosigners are the verifiers of witnesses' cosignatures, each made once. They remember what they verified last: one cosignature
// is asked about by whoever merges, counts and passes it on. The zero value is ready, and safe for concurrent use.
type Cosigners struct {
	mu   sync.Mutex
	made map[string]note.Verifier // by verifier key
}

// Of returns the verifiers of witnesses. A key that cannot be read co-signs nothing.
func (c *Cosigners) Of(witnesses []Witness) (out []note.Verifier) {
	for _, w := range witnesses {
		if v := c.of(w.VKey); v != nil {
			out = append(out, v)
		}
	}
	return out
}

func (c *Cosigners) of(vkey string) note.Verifier {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.made[vkey]
	if ok {
		return v
	}
	made, err := f_note.NewVerifierForCosignatureV1(vkey)
	if err != nil {
		return nil
	}
	if len(c.made) >= maxCosigners || c.made == nil {
		c.made = map[string]note.Verifier{}
	}
	v = &remembering{Verifier: made}
	c.made[vkey] = v
	return v
}

// Enough says whether as many witnesses of a policy co-signed a checkpoint as it asks for. What the log's own key says is not
// looked at.
func (c *Cosigners) Enough(p Policy, checkpoint []byte) bool {
	if p.K == 0 {
		return true
	}
	if len(p.Witnesses) > maxWitnesses {
		return false
	}
	signed := map[string]bool{} // by key: one that two parties use counts once
	for _, w := range p.Witnesses {
		if v := c.of(w.VKey); v != nil && !signed[w.VKey] {
			if _, err := note.Open(checkpoint, note.VerifierList(v)); err == nil {
				signed[w.VKey] = true
			}
		}
	}
	return len(signed) >= p.K
}

// remembering is a verifier that knows again what it verified last.
type remembering struct {
	note.Verifier
	mu   sync.Mutex
	last [maxVerified][sha256.Size]byte
	at   int
}

// Verify implements note.Verifier.
func (r *remembering) Verify(msg, sig []byte) bool {
	of := sha256.Sum256(msg)
	of = sha256.Sum256(append(of[:], sig...))
	if r.knows(of) {
		return true
	}
	if !r.Verifier.Verify(msg, sig) { // without the lock: others' need not wait for this one
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last[r.at] = of
	r.at = (r.at + 1) % len(r.last)
	return true
}

func (r *remembering) knows(of [sha256.Size]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.last[:], of)
}
