package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id (RFC 9106): 19 MiB and two passes, what OWASP asks at least. At most hashers
// passwords are hashed at once, so that a flood of sign-ins cannot take the machine's memory.
const (
	hashMemory  = 19 << 10 // KiB
	hashTime    = 2
	hashThreads = 1
	hashLength  = 32
	saltLength  = 16
	hashers     = 2
)

// Limits of a password, in bytes.
const (
	minPassword = 12
	maxPassword = 1024
)

// passwords hashes and checks passwords.
type passwords struct {
	rand io.Reader
	slot chan struct{}
}

func newPasswords(rand io.Reader) *passwords {
	return &passwords{rand: rand, slot: make(chan struct{}, hashers)}
}

// hash returns the PHC string of a password under a fresh salt.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(p.rand, salt); err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	key, err := p.derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("%s%s$%s", hashHead(), b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// hashHead is how a hash by these parameters begins.
func hashHead() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, hashMemory, hashTime, hashThreads)
}

// matches reports whether a password has the hash. For an empty or foreign hash it takes as long and says no.
func (p *passwords) matches(ctx context.Context, password, hash string) (bool, error) {
	salt, want := make([]byte, saltLength), make([]byte, hashLength)
	known := false
	if rest, ok := strings.CutPrefix(hash, hashHead()); ok {
		s, k, _ := strings.Cut(rest, "$")
		saltBytes, err1 := base64.RawStdEncoding.DecodeString(s)
		keyBytes, err2 := base64.RawStdEncoding.DecodeString(k)
		if err1 == nil && err2 == nil && len(saltBytes) == saltLength && len(keyBytes) == hashLength {
			salt, want, known = saltBytes, keyBytes, true
		}
	}
	got, err := p.derive(ctx, password, salt)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1 && known, err
}

func (p *passwords) derive(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case p.slot <- struct{}{}:
		defer func() { <-p.slot }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, hashLength), nil
}
