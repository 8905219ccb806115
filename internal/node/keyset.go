package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// systemRandom is the operating system's randomness, for keys that are made where no node runs.
var systemRandom = rand.Reader

// defaultKeyFile is what opens the keys unless something else is named.
const defaultKeyFile = "unlock.key"

// keyset is a key file and what is in it. Every change is durable before the new key is used.
type keyset struct {
	path string
	lock lock

	mu         sync.RWMutex // guards keys and identities
	keys       []record.SecretKey
	identities []age.Identity // of the seal keys
}

// openKeys reads and decrypts a key file.
func openKeys(path string, source SecretSource, configured string) (*keyset, error) {
	l, err := source.find(configured)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path) // #nosec G304 -- a key file of the operator's
	if err != nil {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	keys, err := record.DecodeKeyFile(data, l.identity)
	if errors.Is(err, record.ErrNotForUs) {
		return nil, fault.New(fault.Forbidden, "give the key file or passphrase that it was made with", "opening %s: the secret is not the right one", path)
	}
	if err != nil {
		return nil, recordFault("opening "+path, err)
	}
	s := &keyset{path: path, lock: l, keys: keys}
	for _, k := range keys {
		if k.Role != record.RoleSeal {
			continue
		}
		id, err := k.Identity()
		if err != nil {
			return nil, recordFault("opening "+path, err)
		}
		s.identities = append(s.identities, id)
	}
	return s, nil
}

// add makes keys durable and takes them into use.
func (s *keyset) add(fresh ...record.SecretKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := append(slices.Clone(s.keys), fresh...)
	data, err := record.EncodeKeyFile(keys, s.lock.recipient)
	if err != nil {
		return recordFault("keeping a key", err)
	}
	if err := writeDurable(s.path, data, 0o600); err != nil {
		return err
	}
	s.keys = keys
	for _, k := range fresh {
		if k.Role != record.RoleSeal {
			continue
		}
		id, err := k.Identity()
		if err != nil {
			return recordFault("keeping a key", err)
		}
		s.identities = append(s.identities, id)
	}
	return nil
}

// generate makes a key of the algorithm that the role needs and keeps it.
func (s *keyset) generate(rand io.Reader, role record.Role) (record.PublicKey, error) {
	k, err := newSecret(rand, role)
	if err != nil {
		return record.PublicKey{}, err
	}
	if err := s.add(k); err != nil {
		return record.PublicKey{}, err
	}
	return k.PublicKey()
}

func newSecret(rand io.Reader, role record.Role) (record.SecretKey, error) {
	if role == record.RoleSeal {
		return record.GenerateSealKey()
	}
	return record.GenerateSigningKey(rand, role)
}

// addCommand keeps the command that signs with a key held elsewhere, once it has shown that it does.
func (s *keyset) addCommand(ctx context.Context, rand io.Reader, public record.PublicKey, role record.Role, command []string) error {
	if public.Alg != record.Ed25519 || len(public.Bytes) != ed25519.PublicKeySize {
		return fault.New(fault.Invalid, "give the command's Ed25519 public key in base64", "keeping a command: its public key is not one of Ed25519, %d bytes long", ed25519.PublicKeySize)
	}
	if k, ok := s.find(public.ID()); ok {
		if k.Role == role && slices.Equal(k.Command, command) {
			return nil
		}
		return fault.New(fault.Conflict, "use another key", "keeping a command: the key %s is here already", k.ID)
	}
	if err := (commandSigner{public: public, argv: command}).try(ctx, rand); err != nil {
		return err
	}
	return s.add(record.ExternalKey(role, public, command...))
}

// signer returns the signer of a key. A nil keyset holds none.
func (s *keyset) signer(public record.PublicKey) (record.Signer, error) {
	k, ok := s.find(public.ID())
	if !ok {
		return nil, fault.New(fault.Forbidden, "", "signing: the private key of %s is not here", public.ID())
	}
	if k.External() {
		return commandSigner{public: public, argv: k.Command}, nil
	}
	signer, err := k.Signer()
	if err != nil {
		return nil, recordFault("signing", err)
	}
	return signer, nil
}

func (s *keyset) find(id string) (record.SecretKey, bool) {
	if s == nil {
		return record.SecretKey{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := slices.IndexFunc(s.keys, func(k record.SecretKey) bool { return k.ID == id }); i >= 0 {
		return s.keys[i], true
	}
	return record.SecretKey{}, false
}

// holds reports whether the private key id, or a command that signs with it, is here.
func (s *keyset) holds(id string) bool {
	_, ok := s.find(id)
	return ok
}

// opens reports whether the seal key id is held.
func (s *keyset) opens(id string) bool {
	k, ok := s.find(id)
	return ok && k.Role == record.RoleSeal
}

// sealIdentities are what opens records sealed to this party.
func (s *keyset) sealIdentities() []age.Identity {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.identities)
}
