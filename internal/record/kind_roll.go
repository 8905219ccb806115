package record

import (
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// RollEntry is one place of an agreement's roll: a party's own signed act with all that proves it, and the hashes of
// the agreement's state before and after. Checking it as a body checks its form; whoever folds the roll verifies the
// keyring, the act's signatures and the proof.
type RollEntry struct {
	Leaf    string         `json:"leaf,omitzero"`    // leaf hash of the act in its author's log
	Origin  string         `json:"origin,omitzero"`  // of that log
	Object  string         `json:"object,omitzero"`  // SHA-256 of the act's object there: the leaf is 0x01 ‖ object
	Act     jsontext.Value `json:"act,omitzero"`     // DSSE envelope of the act record
	Keyring jsontext.Value `json:"keyring,omitzero"` // DSSE envelope of the author's keyring that verifies act and proof
	Proof   string         `json:"proof,omitzero"`   // C2SP tlog-proof of the leaf
	Parent  string         `json:"parent,omitzero"`  // state hash
	Result  string         `json:"result,omitzero"`  // state hash
}

// maxProofText bounds the proof: a checkpoint with its cosignatures and 63 hashes.
const (
	maxProofText = 64 << 10
	proofHeader  = "c2sp.org/tlog-proof@v1\n"
)

// Kind returns [KindRoll].
func (*RollEntry) Kind() Kind { return KindRoll }

func (r *RollEntry) check(c *checker, at string) {
	for _, h := range []struct{ hash, name string }{{r.Leaf, "/leaf"}, {r.Object, "/object"}, {r.Parent, "/parent"}, {r.Result, "/result"}} {
		if c.required(h.hash != "", at+h.name) {
			c.hash(h.hash, at+h.name)
		}
	}
	c.origin(r.Origin, at+"/origin")
	c.envelope(r.Act, RecordType, at+"/act")
	c.envelope(r.Keyring, KeyringType, at+"/keyring")
	if c.required(r.Proof != "", at+"/proof") && (len(r.Proof) > maxProofText || !strings.HasPrefix(r.Proof, proofHeader)) {
		c.fail(CodeValue, at+"/proof", "not a C2SP tlog-proof of up to %d bytes: copy it as 'mithaq log proof' writes it", maxProofText)
	}
	if c.err == nil && r.Leaf != leafOf(r.Object) {
		c.fail(CodeValue, at+"/leaf", "not the leaf of this object: it is 0x01 ‖ object, hashed as RFC 6962 says")
	}
}

// leafOf is the leaf hash of an object given by its hexadecimal hash, or "".
func leafOf(object string) string {
	raw, err := hex.DecodeString(object)
	if err != nil {
		return ""
	}
	h := LeafHash(append([]byte{1}, raw...))
	return hex.EncodeToString(h[:])
}

// envelope checks the form of an envelope that a body carries. A keyring's is signed by the root key alone.
func (c *checker) envelope(v jsontext.Value, payloadType, at string) {
	if !c.required(len(v) > 0, at) {
		return
	}
	if v.Kind() != '{' {
		c.fail(CodeType, at, "a DSSE envelope is a JSON object")
		return
	}
	e, err := parseEnvelope(v, at)
	c.add(err)
	if err == nil && e.PayloadType != payloadType {
		c.fail(CodeValue, at+"/payloadType", "%.80q where %s must stand", e.PayloadType, payloadType)
	}
	if err == nil && payloadType == KeyringType && len(e.Signatures) != 1 {
		c.fail(CodeSignature, at+"/signatures", "a keyring is signed by the root key alone")
	}
}
