package record

import (
	"crypto/ed25519"

	"filippo.io/age"
)

// An Algorithm names how a key signs or seals. Names are part of every id made of a key, so two algorithms never
// share an id.
type Algorithm string

// The algorithms of version 1, and the name that is kept for what comes next.
const (
	Ed25519 Algorithm = "ed25519"        // signatures, RFC 8032; public keys of 32 bytes
	Hybrid  Algorithm = "mlkem768x25519" // sealing, age's post-quantum hybrid; public keys are the recipient string's bytes
	MLDSA65 Algorithm = "ml-dsa-65"      // reserved for signatures (FIPS 204)
)

// A PublicKey is a key's public half with its algorithm.
type PublicKey struct {
	Alg   Algorithm
	Bytes []byte
}

// ID returns the key's id.
func (p PublicKey) ID() string { return KeyID(p) }

// Recipient returns the key as an age recipient, or an error with code [CodeAlgorithm] when it does not seal.
func (p PublicKey) Recipient() (*age.HybridRecipient, error) {
	r, err := p.recipient()
	return r, asError(err)
}

func (p PublicKey) recipient() (*age.HybridRecipient, *Error) {
	if p.Alg != Hybrid {
		return nil, algorithmError(p.Alg, "sealing")
	}
	r, err := age.ParseHybridRecipient(string(p.Bytes))
	if err != nil {
		return nil, &Error{CodeValue, "", "not a hybrid age recipient (age1pq1…): export the key again", err}
	}
	if r.String() != string(p.Bytes) {
		return nil, fail(CodeValue, "", "not the usual spelling of a hybrid age recipient: write it in lower case")
	}
	return r, nil
}

// HybridPublicKey returns a recipient as a public key.
func HybridPublicKey(r *age.HybridRecipient) PublicKey {
	return PublicKey{Hybrid, []byte(r.String())}
}

// Verify checks a signature over msg. An algorithm that is not known here verifies nothing.
func (p PublicKey) Verify(msg, sig []byte) error { return asError(p.verify(msg, sig)) }

func (p PublicKey) verify(msg, sig []byte) *Error {
	if p.Alg != Ed25519 {
		return algorithmError(p.Alg, "signatures")
	}
	// Go's check refuses an S that is not reduced, so a signature has one spelling.
	if len(p.Bytes) != ed25519.PublicKeySize || !ed25519.Verify(p.Bytes, msg, sig) {
		return fail(CodeSignature, "", "the signature does not verify: the bytes were changed or another key signed them")
	}
	return nil
}

// check says whether the key is well formed. A key of an unknown algorithm passes: it is refused only where it would
// have to be trusted, so that a keyring can carry tomorrow's keys beside today's.
func (p PublicKey) check(use Role, at string) *Error {
	seals := use == RoleSeal
	switch p.Alg {
	case Ed25519:
		if seals {
			return fail(CodeRole, at+"/alg", "ed25519 signs and cannot seal: use %s", Hybrid)
		}
		if len(p.Bytes) != ed25519.PublicKeySize {
			return fail(CodeValue, at+"/public", "an ed25519 public key has 32 bytes, this has %d: export the key again", len(p.Bytes))
		}
	case Hybrid:
		if !seals {
			return fail(CodeRole, at+"/alg", "%s seals and cannot sign: use %s", Hybrid, Ed25519)
		}
		if _, err := p.recipient(); err != nil {
			return err.under(at + "/public")
		}
	default:
		if !isLabel(string(p.Alg)) {
			return fail(CodeValue, at+"/alg", "%.80q is not an algorithm's name", string(p.Alg))
		}
		if len(p.Bytes) == 0 || len(p.Bytes) > 8192 {
			return fail(CodeSize, at+"/public", "a public key has 1 to 8192 bytes, this has %d", len(p.Bytes))
		}
	}
	return nil
}

func algorithmError(alg Algorithm, what string) *Error {
	if alg == MLDSA65 {
		return fail(CodeAlgorithm, "", "%s is reserved and not yet used for %s: upgrade mithaq, or ask for ed25519", alg, what)
	}
	return fail(CodeAlgorithm, "", "%.40q is not an algorithm for %s here: upgrade mithaq, or ask for ed25519 signatures and %s sealing", string(alg), what, Hybrid)
}
