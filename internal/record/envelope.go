package record

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// Payload types of the envelopes of version 1.
const (
	RecordType  = "application/vnd.mithaq.record.v1+json"
	KeyringType = "application/vnd.mithaq.keyring.v1+json"
	// rootType is what a root key endorses the next root key under; it never appears in an envelope.
	rootType = "application/vnd.mithaq.root.v1"
)

const (
	maxSignatures = 16
	maxSignature  = 8192 // bytes of one signature: room for what comes after Ed25519
)

// An Envelope is a parsed DSSE v1 envelope. Parsing checks its form, not its signatures: see [Envelope.Verify].
type Envelope struct {
	PayloadType string
	Payload     []byte // the exact bytes that were signed
	Signatures  []Signature
}

// A Signature is one signature of an envelope, over the DSSE pre-authentication encoding of type and payload.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   Bytes  `json:"sig"`
}

type wireEnvelope struct {
	PayloadType string      `json:"payloadType,omitzero"`
	Payload     Bytes       `json:"payload,omitzero"`
	Signatures  []Signature `json:"signatures,omitzero"`
}

// Sign returns a DSSE envelope over payload with one signature by each signer, in their order.
func Sign(ctx context.Context, payloadType string, payload []byte, signers ...Signer) ([]byte, error) {
	if len(payload) == 0 || len(payload) > MaxPayload {
		return nil, fail(CodeSize, "", "signing: a payload has 1 to %d bytes, this has %d", MaxPayload, len(payload))
	}
	if len(signers) == 0 || len(signers) > maxSignatures {
		return nil, fail(CodeSize, "", "signing: an envelope has 1 to %d signatures, not %d", maxSignatures, len(signers))
	}
	wire := wireEnvelope{PayloadType: payloadType, Payload: payload}
	typ, err := encode(payloadType)
	if err != nil {
		return nil, err
	}
	written := make(chan []byte, 1)
	if len(payload) >= signBeside { // signing goes through it twice; what comes before the signatures is written meanwhile
		go func(w wireEnvelope) { written <- w.begin(typ) }(wire)
	} else {
		written <- wire.begin(typ)
	}
	msg := dsse.PAE(payloadType, payload)
	seen := make(map[string]bool, len(signers))
	for _, s := range signers {
		if seen[s.KeyID()] {
			return nil, fail(CodeKey, "", "signing: the key %s is given twice: each signature is by another key", s.KeyID())
		}
		seen[s.KeyID()] = true
		sig, err := s.Sign(ctx, msg)
		if err != nil {
			return nil, fmt.Errorf("signing with key %s: %w", s.KeyID(), err)
		}
		wire.Signatures = append(wire.Signatures, Signature{s.KeyID(), sig})
	}
	return wire.end(<-written)
}

// begin writes an envelope up to its signatures as the function encode does. The payload, which is nearly all of it, is written
// without the detours that arbitrary values need: base64 has nothing to escape.
func (w wireEnvelope) begin(typ []byte) []byte {
	const signatures = 256 // bytes, of one
	out := make([]byte, 0, len(typ)+base64.StdEncoding.EncodedLen(len(w.Payload))+signatures)
	out = append(append(append(out, `{"payloadType":`...), typ...), `,"payload":"`...)
	return base64.StdEncoding.AppendEncode(out, w.Payload)
}

// end writes the rest.
func (w wireEnvelope) end(out []byte) ([]byte, error) {
	signatures, err := encode(w.Signatures)
	if err != nil {
		return nil, err
	}
	return append(append(append(out, `","signatures":`...), signatures...), '}'), nil
}

// ParseEnvelope reads an envelope strictly. It does not verify signatures.
func ParseEnvelope(b []byte) (Envelope, error) {
	if err := scan(b, MaxEnvelope, ""); err != nil {
		return Envelope{}, err
	}
	e, err := parseEnvelope(b, "")
	return e, asError(err)
}

func parseEnvelope(b []byte, at string) (Envelope, *Error) {
	var wire wireEnvelope
	if err := decode(b, at, &wire); err != nil {
		return Envelope{}, err
	}
	var c checker
	c.required(wire.PayloadType != "", at+"/payloadType")
	if len(wire.PayloadType) > 255 {
		c.fail(CodeSize, at+"/payloadType", "a payload type has at most 255 bytes")
	}
	c.required(len(wire.Payload) > 0, at+"/payload")
	if len(wire.Payload) > MaxPayload {
		c.fail(CodeSize, at+"/payload", "%d bytes, at most %d are allowed: split the record", len(wire.Payload), MaxPayload)
	}
	c.required(len(wire.Signatures) > 0, at+"/signatures")
	c.count(len(wire.Signatures), maxSignatures, at+"/signatures")
	seen := make(map[string]bool)
	for i, s := range wire.Signatures {
		place := fmt.Sprintf("%s/signatures/%d", at, i)
		c.id(s.KeyID, PrefixKey, place+"/keyid")
		if seen[s.KeyID] {
			c.fail(CodeKey, place+"/keyid", "the key signs twice: each signature is by another key")
		}
		seen[s.KeyID] = true
		c.required(len(s.Sig) > 0, place+"/sig")
		if len(s.Sig) > maxSignature {
			c.fail(CodeSize, place+"/sig", "a signature has at most %d bytes", maxSignature)
		}
		if c.err != nil {
			break
		}
	}
	if c.err != nil {
		return Envelope{}, c.err
	}
	return Envelope{wire.PayloadType, wire.Payload, wire.Signatures}, nil
}

// Verify checks that every signature verifies under the public key that lookup gives for its key id. One signature that
// does not, or whose key lookup refuses, refuses the whole envelope.
func (e Envelope) Verify(payloadType string, lookup func(keyID string) (PublicKey, error)) error {
	if e.PayloadType != payloadType {
		return fail(CodeValue, "/payloadType", "%.80q where %s must stand: this is another kind of envelope", e.PayloadType, payloadType)
	}
	if len(e.Signatures) == 0 {
		return fail(CodeSignature, "/signatures", "an envelope without signatures proves nothing: sign it")
	}
	msg := dsse.PAE(e.PayloadType, e.Payload)
	for i, s := range e.Signatures {
		at := fmt.Sprintf("/signatures/%d", i)
		key, err := lookup(s.KeyID)
		if err == nil {
			err = key.Verify(msg, s.Sig)
		}
		if err != nil {
			return located(err, at)
		}
	}
	return nil
}

// located puts a place before an *Error's own; other errors it wraps with the place.
func located(err error, at string) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // an error that wraps one says more than it, and stays whole
		return e.under(at)
	}
	return fmt.Errorf("at %s: %w", at, err)
}

// Assemble returns the DSSE envelope over payload with signatures that were made apart, as when several officers sign one
// after the other. It does not verify them.
func Assemble(payloadType string, payload []byte, signatures ...Signature) ([]byte, error) {
	typ, err := encode(payloadType)
	if err != nil {
		return nil, err
	}
	wire := wireEnvelope{PayloadType: payloadType, Payload: payload, Signatures: signatures}
	b, err := wire.end(wire.begin(typ))
	if err != nil {
		return nil, err
	}
	_, err = ParseEnvelope(b)
	return b, err
}
