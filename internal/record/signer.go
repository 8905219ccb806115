package record

import (
	"context"
	"crypto/ed25519"
	"fmt"
)

// A Signer signs messages with one key. The messages are DSSE pre-authentication encodings, or a checkpoint's text
// for the log key: never bare payloads, so a signer can tell what it is asked for.
//
// A key held elsewhere (a card, a PKCS#11 module, a second person) is a Signer whose Sign runs a command: it writes msg to the
// command's standard input and reads the base64 signature from its standard output (docs/formats.md, section 9). Running
// commands is input and output, so that one lives with the node; its argv is [SecretKey.Command]. [DecodeSignature]
// reads what such a command prints.
type Signer interface {
	KeyID() string
	Sign(ctx context.Context, msg []byte) ([]byte, error)
}

// Ed25519Signer signs with a key in memory. It never prints its secret.
type Ed25519Signer struct {
	private ed25519.PrivateKey
	id      string
}

// NewEd25519Signer returns a signer for the key, which has the 64 bytes of crypto/ed25519.
func NewEd25519Signer(private ed25519.PrivateKey) *Ed25519Signer {
	return &Ed25519Signer{private: private, id: KeyID(PublicKey{Ed25519, private.Public().(ed25519.PublicKey)})}
}

// KeyID returns the id of the key.
func (s *Ed25519Signer) KeyID() string { return s.id }

// PublicKey returns the public half.
func (s *Ed25519Signer) PublicKey() PublicKey {
	return PublicKey{Ed25519, s.private.Public().(ed25519.PublicKey)}
}

// Sign returns the 64 bytes of the signature; it fails only when ctx is done.
func (s *Ed25519Signer) Sign(ctx context.Context, msg []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return ed25519.Sign(s.private, msg), nil
}

// Format implements fmt.Formatter: whatever the verb, only the id is printed.
func (s *Ed25519Signer) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "ed25519 signer %s", s.id) }

// DecodeSignature reads what an external signing command printed: one line of base64.
func DecodeSignature(printed []byte) ([]byte, error) {
	line := string(printed)
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	sig, err := decodeBase64(line)
	if err != nil {
		return nil, fmt.Errorf("reading the signing command's answer: %w", err)
	}
	if len(sig) == 0 || len(sig) > maxSignature {
		return nil, fmt.Errorf("reading the signing command's answer: %d bytes are not a signature", len(sig))
	}
	return sig, nil
}
