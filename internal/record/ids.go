package record

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
)

// Prefixes of the ids of docs/formats.md, section 1.
const (
	PrefixParty     = "p-"
	PrefixKey       = "k-"
	PrefixAgreement = "a-"
	PrefixLog       = "l-"
	PrefixRecord    = "r-"
	PrefixEpoch     = "e-"
)

// OwnAgreement is the agreement id of a party's own house, alone.
const OwnAgreement = "own"

// Base32 is how ids and secrets are written: small letters, which nobody reads out as capitals.
var Base32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID returns a new random id: prefix is [PrefixLog], [PrefixRecord] or [PrefixEpoch], the rest 16 bytes of rand.
func NewID(rand io.Reader, prefix string) (string, error) {
	switch prefix {
	case PrefixLog, PrefixRecord, PrefixEpoch:
	default:
		return "", fmt.Errorf("making an id: prefix %q has no random ids", prefix)
	}
	var raw [16]byte
	if _, err := io.ReadFull(rand, raw[:]); err != nil {
		return "", fmt.Errorf("making an id: %w", err)
	}
	return prefix + Base32.EncodeToString(raw[:]), nil
}

// PartyID returns the id of the party whose first root key this is.
func PartyID(root PublicKey) string {
	return PrefixParty + derive("mithaq/party/v1\x00"+string(root.Alg)+"\x00", root.Bytes)
}

// KeyID returns the id of a public key.
func KeyID(key PublicKey) string {
	return PrefixKey + derive("mithaq/key/v1\x00"+string(key.Alg)+"\x00", key.Bytes)
}

// AgreementID returns the id of the agreement that the founding proposal's payload founds.
func AgreementID(proposal []byte) string {
	return PrefixAgreement + derive("mithaq/agreement/v1\x00", proposal)
}

// LogOrigin returns the origin line of a log: it says nothing of the party or the agreement.
func LogOrigin(logID string) string { return "mithaq/" + logID }

func derive(domain string, data []byte) string {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(data)
	return Base32.EncodeToString(h.Sum(nil)[:20])
}

// IsID says whether s is a well-formed id with the prefix, in its one spelling.
func IsID(s, prefix string) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return false
	}
	switch prefix {
	case PrefixParty, PrefixKey, PrefixAgreement:
		ok = len(digits) == 32
	case PrefixLog, PrefixRecord, PrefixEpoch:
		// 26 digits hold 130 bits: the two beyond the 128 are zero, or one id would have four spellings.
		ok = len(digits) == 26 && strings.IndexByte("aeimquy4", digits[25]) >= 0
	default:
		return false
	}
	if !ok {
		return false
	}
	for i := range len(digits) {
		if c := digits[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// IsAgreementID says whether s is an agreement id or [OwnAgreement].
func IsAgreementID(s string) bool { return s == OwnAgreement || IsID(s, PrefixAgreement) }

// IsOrigin says whether s is the origin of a log of mithaq.
func IsOrigin(s string) bool {
	id, ok := strings.CutPrefix(s, "mithaq/")
	return ok && IsID(id, PrefixLog)
}

// isLabel says whether s is the label of a commitment: [A-Za-z0-9][A-Za-z0-9.-]{0,31}.
func isLabel(s string) bool {
	if len(s) == 0 || len(s) > 32 || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

func (c *checker) id(s, prefix, at string) {
	if c.required(s != "", at) && !IsID(s, prefix) {
		c.fail(CodeValue, at, "%.80q is not an id that begins with %s: see docs/formats.md, section 1", s, prefix)
	}
}

func (c *checker) origin(s, at string) {
	if c.required(s != "", at) && !IsOrigin(s) {
		c.fail(CodeValue, at, "%.80q is not a log's origin: write mithaq/ and the log's id", s)
	}
}

func (c *checker) label(s, at string) {
	if !isLabel(s) {
		c.fail(CodeValue, at, "%.80q is not a commitment's label: up to 32 of A-Z a-z 0-9 . - beginning with a letter or digit", s)
	}
}
