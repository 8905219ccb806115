package record

import (
	"crypto/sha256"
	"errors"

	"filippo.io/age"
)

// Opening opens one sealed object, whoever it was sealed to: an author puts it into a release, which is sealed to those who may have
// the object now. It opens nothing else.
type Opening struct {
	Stanza string `json:"stanza,omitzero"` // hexadecimal SHA-256 of the body of the object's first stanza: which object it is
	Key    Bytes  `json:"key,omitzero"`    // its age file key
}

func (o *Opening) check(c *checker, at string) {
	if c.required(o.Stanza != "", at+"/stanza") {
		c.hash(o.Stanza, at+"/stanza")
	}
	if len(o.Key) != fileKeySize {
		c.fail(CodeValue, at+"/key", "a file key has %d bytes, this has %d", fileKeySize, len(o.Key))
	}
}

// OpeningOf makes the opening of an object that ids open; nil for one that is not sealed.
func OpeningOf(object []byte, ids ...age.Identity) (*Opening, error) {
	form, err := ObjectForm(object)
	if err != nil || form == FormClear {
		return nil, err
	}
	var seen observer
	seen.ids = ids
	if _, err := unseal(object[objectHeader:], MaxObject, recordStanzas, []age.Identity{&seen}); err != nil {
		return nil, err
	}
	return &Opening{Stanza: seen.stanza, Key: seen.key}, nil
}

// observer is an identity that keeps what others found.
type observer struct {
	ids    []age.Identity
	stanza string
	key    []byte
}

// Unwrap implements age.Identity.
func (o *observer) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, id := range o.ids {
		key, err := id.Unwrap(stanzas)
		if errors.Is(err, age.ErrIncorrectIdentity) {
			continue
		}
		o.stanza, o.key = stanzaName(stanzas), key
		return key, err
	}
	return nil, age.ErrIncorrectIdentity
}

func stanzaName(stanzas []*age.Stanza) string {
	if len(stanzas) == 0 {
		return ""
	}
	return hexOf(sha256.Sum256(stanzas[0].Body))
}

// OpeningIdentity opens the objects that openings are of.
func OpeningIdentity(list ...Opening) age.Identity {
	o := openings{}
	for _, x := range list {
		o[x.Stanza] = x.Key
	}
	return o
}

type openings map[string][]byte

// Unwrap implements age.Identity.
func (o openings) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if key, ok := o[stanzaName(stanzas)]; ok {
		return key, nil
	}
	return nil, age.ErrIncorrectIdentity
}
