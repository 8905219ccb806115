package agreement

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Hash is a SHA-256: of a state, or of the basis on which texts are proposed.
type Hash [sha256.Size]byte

// String is the hash in lower-case hexadecimal, as acts carry it.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero says that no hash was given.
func (h Hash) IsZero() bool { return h == Hash{} }

// ParseHash reads 64 lower-case hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if !isHash(s) {
		return h, fmt.Errorf("hash %q is not 64 lower-case hexadecimal digits", clip(s))
	}
	_, err := hex.Decode(h[:], []byte(s))
	return h, err
}

// encoder writes values in the canonical form of docs/agreement-state.md: every string and list is preceded by its
// length in four bytes, every number takes eight, so that no two values have the same bytes.
type encoder struct{ b []byte }

// newEncoder leaves room for what most values take.
func newEncoder() encoder { return encoder{make([]byte, 0, 512)} }

func (e *encoder) str(s string) {
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) num(n int)   { e.b = binary.BigEndian.AppendUint64(e.b, uint64(n)) }
func (e *encoder) hash(h Hash) { e.b = append(e.b, h[:]...) }

func (e *encoder) text(t Text) {
	tags := t.Languages()
	e.num(len(tags))
	for _, l := range tags {
		e.str(l)
		e.str(t[l])
	}
}

func (e *encoder) sum(domain string) Hash {
	h := sha256.New()
	var start [64]byte
	n := copy(start[:len(start)-1], domain)
	h.Write(start[:n+1])
	h.Write(e.b)
	var out Hash
	h.Sum(out[:0])
	return out
}
