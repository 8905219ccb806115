package record

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
)

// The names of docs/formats.md, section 7.
const (
	epochStanza      = "mithaq-epoch-v1"
	epochStanzaInfo  = "mithaq/epoch/stanza/v1"
	epochRatchetInfo = "mithaq/epoch/ratchet/v1"
	epochCommitText  = "mithaq/epoch/commit/v1"
)

const (
	epochKeySize = 32
	fileKeySize  = 16 // of the age format
	maxWrap      = 8192
	// maxRatchet is how far ahead of a key it holds an identity derives: every join is a step.
	maxRatchet = 1 << 16
)

// An EpochKey seals what an author shares with one audience of more than [MaxDirect]. It is a secret and never prints.
// To keep one, wrap it for one's own seal key.
type EpochKey struct {
	id   string
	step int64
	key  [epochKeySize]byte
}

// NewEpoch returns a fresh epoch at step 0, its id and key from rand.
func NewEpoch(rand io.Reader) (EpochKey, error) {
	id, err := NewID(rand, PrefixEpoch)
	if err != nil {
		return EpochKey{}, err
	}
	e := EpochKey{id: id}
	if _, err := io.ReadFull(rand, e.key[:]); err != nil {
		return EpochKey{}, fmt.Errorf("making an epoch key: %w", err)
	}
	return e, nil
}

// ID returns the epoch's id.
func (e EpochKey) ID() string { return e.id }

// Step returns how often the key was ratcheted.
func (e EpochKey) Step() int64 { return e.step }

// Format implements fmt.Formatter: whatever the verb, the key is not printed.
func (e EpochKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "epoch %s step %d", e.id, e.step) }

// Ratchet returns the key of the next step. Who has it cannot go back to this one.
func (e EpochKey) Ratchet() (EpochKey, error) {
	next := EpochKey{id: e.id, step: e.step + 1}
	key, err := hkdf.Key(sha256.New, e.key[:], nil, epochRatchetInfo+"\x00"+e.id+"\x00"+strconv.FormatInt(next.step, 10), epochKeySize)
	if err != nil {
		return EpochKey{}, fmt.Errorf("ratcheting an epoch key: %w", err)
	}
	copy(next.key[:], key)
	return next, nil
}

// Forward returns the key of a later step, or of this one.
func (e EpochKey) Forward(step int64) (EpochKey, error) {
	if step < e.step || step-e.step > maxRatchet {
		return EpochKey{}, fail(CodeSealing, "", "step %d of epoch %s does not follow from step %d", step, e.id, e.step)
	}
	for e.step < step {
		next, err := e.Ratchet()
		if err != nil {
			return EpochKey{}, err
		}
		e = next
	}
	return e, nil
}

// Commit returns the hexadecimal commitment to the key that the epoch record carries.
func (e EpochKey) Commit() string {
	mac := hmac.New(sha256.New, e.key[:])
	mac.Write([]byte(epochCommitText))
	return hexOf([32]byte(mac.Sum(nil)))
}

// Wrap returns the wrap of the key for one recipient: an age file of its own, about 1.8 kB.
func (e EpochKey) Wrap(to *age.HybridRecipient) ([]byte, error) { return seal(e.key[:], to) }

// WrapFor wraps the key for each of the seal keys and returns what the epoch record lists, sorted, and the wraps in the
// same order.
func (e EpochKey) WrapFor(keys []Key) ([]WrapRef, [][]byte, error) {
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b Key) int { return compareStrings(a.ID, b.ID) })
	keys = slices.CompactFunc(keys, func(a, b Key) bool { return a.ID == b.ID })
	refs, wraps := make([]WrapRef, len(keys)), make([][]byte, len(keys))
	for i, k := range keys {
		to, err := k.PublicKey().Recipient()
		if err != nil {
			return nil, nil, fmt.Errorf("wrapping for key %s: %w", k.ID, err)
		}
		if wraps[i], err = e.Wrap(to); err != nil {
			return nil, nil, fmt.Errorf("wrapping for key %s: %w", k.ID, err)
		}
		refs[i] = WrapRef{k.ID, hexOf(sha256.Sum256(wraps[i]))}
	}
	return refs, wraps, nil
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// UnwrapEpoch opens a wrap and checks the key against the commitment of the epoch record that named it. It returns
// [ErrNotForUs] when no identity opens it.
func UnwrapEpoch(id string, step int64, commit string, wrap []byte, ids ...age.Identity) (EpochKey, error) {
	if !IsID(id, PrefixEpoch) || step < 0 {
		return EpochKey{}, fail(CodeValue, "", "%.40q step %d is not a step of an epoch", id, step)
	}
	if len(wrap) > maxWrap {
		return EpochKey{}, fail(CodeSize, "", "a wrap has at most %d bytes, this has %d", maxWrap, len(wrap))
	}
	key, err := unseal(wrap, epochKeySize, oneHybridStanza, ids)
	if err != nil {
		return EpochKey{}, err
	}
	e := EpochKey{id: id, step: step}
	if copy(e.key[:], key); len(key) != epochKeySize || !hmac.Equal([]byte(e.Commit()), []byte(commit)) {
		return EpochKey{}, fail(CodeSealing, "", "the wrap holds another key than epoch %s step %d commits to: the author must issue a new epoch", id, step)
	}
	return e, nil
}

// Sealing returns the sealing by this key. rand gives the stanza's nonce.
func (e EpochKey) Sealing(rand io.Reader) Sealing {
	return Sealing{form: FormSealed, recipients: []age.Recipient{e.Recipient(rand)}}
}

// Recipient returns the key as an age recipient, which is always alone in its file.
func (e EpochKey) Recipient(rand io.Reader) age.Recipient { return epochRecipient{e, rand} }

type epochRecipient struct {
	EpochKey
	rand io.Reader
}

// Wrap implements age.Recipient.
func (r epochRecipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	var nonce [16]byte
	if _, err := io.ReadFull(r.rand, nonce[:]); err != nil {
		return nil, fmt.Errorf("making the epoch stanza's nonce: %w", err)
	}
	return r.stanza(nonce, fileKey)
}

// WrapWithLabels implements age.RecipientWithLabels: the label keeps other types of recipient out of the file.
func (r epochRecipient) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	stanzas, err := r.Wrap(fileKey)
	return stanzas, []string{epochStanza}, err
}

func (e EpochKey) stanza(nonce [16]byte, fileKey []byte) ([]*age.Stanza, error) {
	args := []string{e.id, strconv.FormatInt(e.step, 10), base64.RawStdEncoding.EncodeToString(nonce[:])}
	key, err := hkdf.Key(sha256.New, e.key[:], nonce[:], epochStanzaInfo+"\x00"+args[0]+"\x00"+args[1], chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving the stanza key: %w", err)
	}
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, fmt.Errorf("deriving the stanza key: %w", err)
	}
	// The key is used once, for this nonce of 16 random bytes, so the AEAD's own nonce can be zero.
	body := aead.Seal(nil, make([]byte, chacha20poly1305.NonceSize), fileKey, nil)
	return []*age.Stanza{{Type: epochStanza, Args: args, Body: body}}, nil
}

// EpochIdentity returns an age identity that opens what the keys seal, and what later steps of their epochs seal: who has a
// step derives those that follow.
func EpochIdentity(keys ...EpochKey) age.Identity {
	id := &epochIdentity{given: map[string][]EpochKey{}, ahead: map[string]EpochKey{}}
	for _, k := range keys {
		id.given[k.id] = append(id.given[k.id], k)
	}
	return id
}

type epochIdentity struct {
	given map[string][]EpochKey

	mu    sync.Mutex          // guards ahead
	ahead map[string]EpochKey // by epoch, the furthest step that was derived: records go forward, so the next is near it
}

// Unwrap implements age.Identity.
func (id *epochIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != epochStanza {
		return nil, age.ErrIncorrectIdentity
	}
	s := stanzas[0]
	step, nonce, fault := epochArgs(s)
	if fault != nil {
		return nil, fault
	}
	key, ok := id.at(s.Args[0], step)
	if !ok {
		return nil, age.ErrIncorrectIdentity
	}
	derived, err := hkdf.Key(sha256.New, key.key[:], nonce, epochStanzaInfo+"\x00"+s.Args[0]+"\x00"+s.Args[1], chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving the stanza key: %w", err)
	}
	aead, err := chacha20poly1305.New(derived)
	if err != nil {
		return nil, fmt.Errorf("deriving the stanza key: %w", err)
	}
	fileKey, err := aead.Open(nil, make([]byte, chacha20poly1305.NonceSize), s.Body, nil)
	if err != nil {
		return nil, fail(CodeSealing, "", "the stanza does not open with the key of epoch %s step %d: the object was changed, or its author used another key", s.Args[0], step)
	}
	return fileKey, nil
}

// at returns the key of a step, derived from the nearest step before it.
func (id *epochIdentity) at(epoch string, step int64) (EpochKey, bool) {
	best, found := EpochKey{}, false
	for _, k := range id.given[epoch] {
		if k.step <= step && (!found || k.step > best.step) {
			best, found = k, true
		}
	}
	if !found || step-best.step > maxRatchet {
		return EpochKey{}, false
	}
	id.mu.Lock()
	if far, ok := id.ahead[epoch]; ok && far.step <= step && far.step > best.step {
		best = far
	}
	id.mu.Unlock()
	if best.step == step {
		return best, true
	}
	best, err := best.Forward(step)
	if err != nil {
		return EpochKey{}, false
	}
	id.mu.Lock()
	id.ahead[epoch] = best
	id.mu.Unlock()
	return best, true
}

// epochArgs reads the arguments of an epoch stanza in their one spelling.
func epochArgs(s *age.Stanza) (step int64, nonce []byte, err *Error) {
	if len(s.Args) != 3 || !IsID(s.Args[0], PrefixEpoch) || len(s.Body) != fileKeySize+chacha20poly1305.Overhead {
		return 0, nil, fail(CodeSealing, "", "the %s stanza is malformed: see docs/formats.md, section 7", epochStanza)
	}
	step, parseErr := strconv.ParseInt(s.Args[1], 10, 64)
	if parseErr != nil || step < 0 || step > maxExact || strconv.FormatInt(step, 10) != s.Args[1] {
		return 0, nil, fail(CodeSealing, "", "the %s stanza's step %.40q is not a decimal number", epochStanza, s.Args[1])
	}
	nonce, decodeErr := base64.RawStdEncoding.Strict().DecodeString(s.Args[2])
	if decodeErr != nil || len(nonce) != 16 {
		return 0, nil, fail(CodeSealing, "", "the %s stanza's nonce is not 16 bytes in unpadded base64", epochStanza)
	}
	return step, nonce, nil
}
