package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// LogSigner signs checkpoints: it is golang.org/x/mod/sumdb/note's Signer, its name the log's origin.
type LogSigner = note.Signer

// maxCheckpoint is the largest checkpoint that is read, in bytes: a body and 15 cosignatures fit many times.
const maxCheckpoint = 64 << 10

// Head is what a checkpoint says of a log (C2SP tlog-checkpoint).
type Head struct {
	Origin string
	Size   int64
	Root   Hash
}

// Body returns the text that is signed.
func (h Head) Body() string {
	return h.Origin + "\n" + strconv.FormatInt(h.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(h.Root[:]) + "\n"
}

// signCheckpoint returns the signed note over a head.
func signCheckpoint(h Head, s LogSigner) ([]byte, error) {
	if s.Name() != h.Origin {
		return nil, fmt.Errorf("the signer is for %q, the log is %q", s.Name(), h.Origin)
	}
	return note.Sign(&note.Note{Text: h.Body()}, s)
}

// OpenCheckpoint verifies a checkpoint's signature and origin and returns what it says.
func OpenCheckpoint(b []byte, origin string, v note.Verifier) (Head, error) {
	if len(b) > maxCheckpoint {
		return Head{}, fmt.Errorf("checkpoint has %d bytes, more than %d", len(b), maxCheckpoint)
	}
	n, err := note.Open(b, note.VerifierList(v))
	if err != nil {
		return Head{}, fmt.Errorf("checkpoint: %w", err)
	}
	h, err := parseHead(n.Text)
	if err != nil {
		return Head{}, fmt.Errorf("checkpoint: %w", err)
	}
	if h.Origin != origin {
		return Head{}, fmt.Errorf("checkpoint is of %q, not of %q", h.Origin, origin)
	}
	return h, nil
}

// ParseCheckpoint reads what a checkpoint says without verifying it: for one that was verified when it was stored, and for
// finding out which key should have signed it.
func ParseCheckpoint(b []byte) (Head, error) {
	text, _, signed := strings.Cut(string(b), "\n\n")
	if len(b) > maxCheckpoint || !signed {
		return Head{}, errors.New("checkpoint: it is not a signed note of at most 64 KiB")
	}
	h, err := parseHead(text + "\n")
	if err != nil {
		return Head{}, fmt.Errorf("checkpoint: %w", err)
	}
	return h, nil
}

// parseHead reads a checkpoint's body; extension lines after the third are allowed and ignored.
func parseHead(text string) (Head, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || lines[0] == "" {
		return Head{}, errors.New("it must have an origin, a size and a root, each on its own line")
	}
	h := Head{Origin: lines[0]}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Head{}, fmt.Errorf("size %q is not a plain decimal number", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != hashSize {
		return Head{}, fmt.Errorf("root %q is not 32 bytes in base64", lines[2])
	}
	h.Size, h.Root = size, Hash(root)
	return h, nil
}

// noteAlgEd25519 is the signature type of Ed25519 keys in signed notes (C2SP signed-note).
const noteAlgEd25519 = 1

// NewLogSigner returns a signer of checkpoints whose Ed25519 signatures are made by sign, which may call an external
// command.
func NewLogSigner(origin string, public ed25519.PublicKey, sign func(msg []byte) ([]byte, error)) LogSigner {
	return &logSigner{origin: origin, hash: keyHash(origin, public), sign: sign}
}

type logSigner struct {
	origin string
	hash   uint32
	sign   func([]byte) ([]byte, error)
}

func (s *logSigner) Name() string                    { return s.origin }
func (s *logSigner) KeyHash() uint32                 { return s.hash }
func (s *logSigner) Sign(msg []byte) ([]byte, error) { return s.sign(msg) }

// VKey returns the verifier key of a log, in the form that golang.org/x/mod/sumdb/note and tessera read.
func VKey(origin string, public ed25519.PublicKey) string {
	return fmt.Sprintf("%s+%08x+%s", origin, keyHash(origin, public),
		base64.StdEncoding.EncodeToString(append([]byte{noteAlgEd25519}, public...)))
}

func keyHash(origin string, public ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(origin))
	h.Write([]byte{'\n', noteAlgEd25519})
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}
