package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/record"
)

// systemRandom is the operating system's randomness, for keys that are made where no node runs.
var systemRandom io.Reader = rand.Reader

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
		return nil, faultf(CodeForbidden, "give the key file or passphrase that it was made with", "opening %s: the secret is not the right one", path)
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

// addCommand keeps the command that signs with a key held elsewhere.
func (s *keyset) addCommand(public record.PublicKey, role record.Role, command []string) error {
	return s.add(record.ExternalKey(role, public, command...))
}

// signer returns the signer of a key. A nil keyset holds none.
func (s *keyset) signer(id string) (record.Signer, error) {
	k, ok := s.find(id)
	if !ok {
		return nil, faultf(CodeForbidden, "", "signing: the private key of %s is not here", id)
	}
	if k.External() {
		return commandSigner{id: id, argv: k.Command}, nil
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

// commandTimeout bounds an external signer: a person may have to touch a token.
const commandTimeout = 60 * time.Second

// commandSigner signs with an external command: the bytes to sign on its standard input, the base64 signature on its
// standard output.
type commandSigner struct {
	id   string
	argv []string
}

func (c commandSigner) KeyID() string { return c.id }

func (c commandSigner) Sign(ctx context.Context, msg []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...) // #nosec G204 -- the owner put the command into the encrypted key file
	cmd.Stdin = bytes.NewReader(msg)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, &Fault{Code: CodeUnavailable, What: fmt.Sprintf("signing with %s", c.argv[0]), Err: fmt.Errorf("%w: %.200s", err, bytes.TrimSpace(errs.Bytes()))}
	}
	return record.DecodeSignature(out.Bytes())
}
