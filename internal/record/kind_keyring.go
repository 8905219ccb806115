package record

import "github.com/go-json-experiment/json/jsontext"

// KeyringBody carries a keyring's envelope into the log that it is for. Checking it as a body checks the envelope's
// form; [OpenKeyringRecord] and [History] verify it.
type KeyringBody struct {
	Keyring jsontext.Value `json:"keyring,omitzero"`
}

// Kind returns [KindKeyring].
func (*KeyringBody) Kind() Kind { return KindKeyring }

func (k *KeyringBody) splice() []byte { return splice([]byte("{}"), "keyring", k.Keyring) }

func (k *KeyringBody) check(c *checker, at string) {
	at += "/keyring"
	if !c.required(len(k.Keyring) > 0, at) {
		return
	}
	if k.Keyring.Kind() != '{' {
		c.fail(CodeType, at, "a keyring is a DSSE envelope: a JSON object")
		return
	}
	e, err := parseEnvelope(k.Keyring, at)
	c.add(err)
	if err == nil && e.PayloadType != KeyringType {
		c.fail(CodeValue, at+"/payloadType", "%.80q where %s must stand", e.PayloadType, KeyringType)
	}
	if err == nil && len(e.Signatures) != 1 {
		c.fail(CodeSignature, at+"/signatures", "a keyring is signed by the root key alone")
	}
}
