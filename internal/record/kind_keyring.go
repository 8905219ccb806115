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

func (k *KeyringBody) check(c *checker, at string) { c.envelope(k.Keyring, KeyringType, at+"/keyring") }
