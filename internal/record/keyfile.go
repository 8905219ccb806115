package record

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
)

const (
	maxKeyFile = 32 << 20 // bytes
	// maxSecrets is more than a key for each of the logs that one node can have.
	maxSecrets = 1 << 16
	maxArgs    = 64
	// DefaultWorkFactor is the scrypt work factor of key files: 2^18, about a second.
	DefaultWorkFactor = 18
	maxWorkFactor     = 22
)

// A SecretKey is one entry of a key file: a key held there, or the command that signs with a key held elsewhere. It
// never prints its secret.
type SecretKey struct {
	ID      string
	Alg     Algorithm
	Role    Role
	Command []string // argv of the external signer; nil when the key is held in the file

	secret []byte // ed25519: the seed; mlkem768x25519: the age identity string
}

// GenerateSigningKey returns a new Ed25519 key from 32 bytes of rand.
func GenerateSigningKey(rand io.Reader, role Role) (SecretKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return SecretKey{}, fmt.Errorf("making a signing key: %w", err)
	}
	return signingKey(role, seed), nil
}

func signingKey(role Role, seed []byte) SecretKey {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return SecretKey{ID: KeyID(PublicKey{Ed25519, public}), Alg: Ed25519, Role: role, secret: seed}
}

// GenerateSealKey returns a new hybrid seal key; its randomness is the system's.
func GenerateSealKey() (SecretKey, error) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return SecretKey{}, fmt.Errorf("making a seal key: %w", err)
	}
	return sealKey(id), nil
}

func sealKey(id *age.HybridIdentity) SecretKey {
	return SecretKey{ID: KeyID(HybridPublicKey(id.Recipient())), Alg: Hybrid, Role: RoleSeal, secret: []byte(id.String())}
}

// ExternalKey returns an entry for a key that a command signs with.
func ExternalKey(role Role, public PublicKey, command ...string) SecretKey {
	return SecretKey{ID: public.ID(), Alg: public.Alg, Role: role, Command: slices.Clone(command)}
}

// Format implements fmt.Formatter: whatever the verb, the secret is not printed.
func (k SecretKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s key %s", k.Role, k.ID) }

// External says whether a command signs with the key.
func (k SecretKey) External() bool { return len(k.Command) > 0 }

// Signer returns the signer of a signing key that the file holds.
func (k SecretKey) Signer() (*Ed25519Signer, error) {
	if k.External() {
		return nil, fail(CodeKey, "", "the key %s is held by the command %q: run it to sign", k.ID, k.Command[0])
	}
	if k.Alg != Ed25519 {
		return nil, algorithmError(k.Alg, "signatures")
	}
	if len(k.secret) != ed25519.SeedSize {
		return nil, fail(CodeValue, "", "the secret of %s is not an ed25519 seed of %d bytes: restore the key file", k.ID, ed25519.SeedSize)
	}
	return NewEd25519Signer(ed25519.NewKeyFromSeed(k.secret)), nil
}

// Identity returns the age identity of a seal key.
func (k SecretKey) Identity() (*age.HybridIdentity, error) {
	if k.Alg != Hybrid || k.External() {
		return nil, algorithmError(k.Alg, "sealing")
	}
	id, err := age.ParseHybridIdentity(string(k.secret))
	if err != nil {
		// The cause could quote the secret.
		return nil, fail(CodeValue, "", "the secret of %s is not a hybrid age identity: restore the key file", k.ID)
	}
	return id, nil
}

// PublicKey returns the public half of a key that the file holds.
func (k SecretKey) PublicKey() (PublicKey, error) {
	if k.Alg == Hybrid {
		id, err := k.Identity()
		if err != nil {
			return PublicKey{}, err
		}
		return HybridPublicKey(id.Recipient()), nil
	}
	s, err := k.Signer()
	if err != nil {
		return PublicKey{}, err
	}
	return s.PublicKey(), nil
}

type wireKeyFile struct {
	V    int          `json:"v,omitzero"`
	Keys []wireSecret `json:"keys,omitzero"`
}

type wireSecret struct {
	ID      string    `json:"id,omitzero"`
	Alg     Algorithm `json:"alg,omitzero"`
	Role    Role      `json:"role,omitzero"`
	Secret  Bytes     `json:"secret,omitzero"`
	Command []string  `json:"command,omitzero"`
}

// PassphraseRecipient returns the recipient that encrypts a key file under a passphrase. The work factor is the base-2
// logarithm of scrypt's N; 0 means [DefaultWorkFactor].
func PassphraseRecipient(passphrase string, workFactor int) (age.Recipient, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypting a key file: %w", err)
	}
	if workFactor == 0 {
		workFactor = DefaultWorkFactor
	}
	if workFactor < 1 || workFactor > maxWorkFactor {
		return nil, fail(CodeValue, "", "a work factor is 1 to %d, not %d", maxWorkFactor, workFactor)
	}
	r.SetWorkFactor(workFactor)
	return r, nil
}

// PassphraseIdentity returns the identity that decrypts a key file under a passphrase.
func PassphraseIdentity(passphrase string) (age.Identity, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("decrypting a key file: %w", err)
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	return id, nil
}

// EncodeKeyFile returns the encrypted bytes of a key file: to is a passphrase's or a hybrid recipient.
func EncodeKeyFile(keys []SecretKey, to age.Recipient) ([]byte, error) {
	wire := wireKeyFile{V: 1}
	for _, k := range keys {
		wire.Keys = append(wire.Keys, wireSecret{k.ID, k.Alg, k.Role, k.secret, k.Command})
	}
	if _, err := wire.keys(); err != nil {
		return nil, err
	}
	plain, err := encode(wire)
	if err != nil {
		return nil, jsonError(err, "")
	}
	defer clear(plain)
	return seal(plain, to)
}

// DecodeKeyFile decrypts and reads a key file strictly. A wrong passphrase or key gives an error that wraps [ErrNotForUs].
func DecodeKeyFile(b []byte, ids ...age.Identity) ([]SecretKey, error) {
	if len(b) > maxKeyFile {
		return nil, fail(CodeSize, "", "a key file has at most %d bytes, this has %d", maxKeyFile, len(b))
	}
	plain, err := unseal(b, maxKeyFile, func([]*age.Stanza) *Error { return nil }, ids)
	if errors.Is(err, ErrNotForUs) {
		return nil, &Error{CodeSealing, "", "the key file does not open: check the passphrase, or the key file's own key", ErrNotForUs}
	}
	if err != nil {
		return nil, fmt.Errorf("decrypting the key file: %w", err)
	}
	defer clear(plain)
	return parseKeys(plain)
}

func parseKeys(plain []byte) ([]SecretKey, error) {
	if err := scan(plain, maxKeyFile, ""); err != nil {
		return nil, hushed(err)
	}
	var wire wireKeyFile
	if err := decode(plain, "", &wire); err != nil {
		return nil, hushed(err)
	}
	keys, fault := wire.keys()
	return keys, asError(fault)
}

// hushed keeps the place of an error about secrets, and nothing that could quote one.
func hushed(err *Error) *Error {
	return fail(err.Code, err.Pointer, "the key file is malformed here: restore it from the backup")
}

func (w *wireKeyFile) keys() ([]SecretKey, *Error) {
	var c checker
	if c.required(w.V != 0, "/v") && w.V != 1 {
		c.fail(CodeValue, "/v", "version %d is not known here: upgrade mithaq", w.V)
	}
	c.required(len(w.Keys) > 0, "/keys")
	c.count(len(w.Keys), maxSecrets, "/keys")
	var keys []SecretKey
	seen := make(map[string]bool)
	for i, x := range w.Keys {
		if c.err != nil {
			break
		}
		at := fmt.Sprintf("/keys/%d", i)
		k := SecretKey{ID: x.ID, Alg: x.Alg, Role: x.Role, Command: x.Command, secret: x.Secret}
		k.check(&c, at)
		if seen[k.ID] {
			c.fail(CodeValue, at+"/id", "the key stands twice: drop one")
		}
		seen[k.ID] = true
		keys = append(keys, k)
	}
	if c.err != nil {
		return nil, c.err
	}
	return keys, nil
}

func (k SecretKey) check(c *checker, at string) {
	c.id(k.ID, PrefixKey, at+"/id")
	c.required(k.Alg != "", at+"/alg")
	oneOf(c, k.Role, at+"/role", RoleLog, RoleNode, RoleHTTP, RoleWitness, RoleOfficer, RoleSeal, RoleRoot)
	if (len(k.secret) > 0) == k.External() {
		c.fail(CodeValue, at, "an entry has either a secret or a command: restore the key file")
	}
	if k.Alg != Ed25519 && k.Alg != Hybrid {
		c.add(algorithmError(k.Alg, "key files").under(at + "/alg"))
	}
	if (k.Role == RoleSeal) != (k.Alg == Hybrid) {
		c.fail(CodeRole, at+"/role", "a %s key is not of algorithm %s", k.Role, k.Alg)
	}
	if k.Role == RoleSeal && k.External() {
		c.fail(CodeRole, at+"/command", "a command signs and cannot unseal: keep the seal key's secret in the file")
	}
	c.count(len(k.Command), maxArgs, at+"/command")
	if c.err != nil || k.External() {
		return
	}
	public, err := k.PublicKey()
	if err != nil || public.ID() != k.ID {
		c.fail(CodeValue, at+"/secret", "the secret is not that of %s: restore the key file", k.ID)
	}
}
