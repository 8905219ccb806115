package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// MaxDirect is the number of recipients, the author included, up to which a record is sealed to each of them directly.
// Beyond it an epoch key seals.
const MaxDirect = 8

// hybridStanza is the type of age's post-quantum hybrid stanza.
const hybridStanza = "mlkem768x25519"

// ErrNotForUs says that an object or a wrap is sealed to keys that the caller does not hold. It is no fault of the bytes.
var ErrNotForUs = errors.New("sealed to others")

// A Sealing says how an object's content is kept from others. Make one with [Clear], [Direct] or [EpochKey.Sealing].
type Sealing struct {
	form       Form
	recipients []age.Recipient
}

// Clear leaves the content readable: for TLP:CLEAR records, keyrings and epochs, and for nothing else.
func Clear() Sealing { return Sealing{form: FormClear} }

// Direct seals to each of up to [MaxDirect] recipients. One of them is the author's own key: see [Recipients].
func Direct(to ...*age.HybridRecipient) (Sealing, error) {
	if len(to) == 0 || len(to) > MaxDirect {
		return Sealing{}, fail(CodeSealing, "", "sealing to %d recipients: 1 to %d are sealed to directly, more by an epoch key", len(to), MaxDirect)
	}
	s := Sealing{form: FormSealed}
	for _, r := range to {
		s.recipients = append(s.recipients, r)
	}
	return s, nil
}

// Recipients returns whom a record is sealed to: the author's own key first, then the audience's, without repeats.
// direct says which way: true for [Direct], false for an epoch key that is wrapped for each of them.
func Recipients(own *age.HybridRecipient, audience ...*age.HybridRecipient) (to []*age.HybridRecipient, direct bool) {
	seen := make(map[string]bool, 1+len(audience))
	for _, r := range append([]*age.HybridRecipient{own}, audience...) {
		if s := r.String(); !seen[s] {
			seen[s] = true
			to = append(to, r)
		}
	}
	return to, len(to) <= MaxDirect
}

// seal returns the age file of b.
func seal(b []byte, to ...age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return out.Bytes(), nil
}

// unseal opens an age file whose stanzas are as allowed says, and returns at most limit bytes.
func unseal(b []byte, limit int, allowed func([]*age.Stanza) *Error, ids []age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(b), shaped{allowed, ids})
	if err != nil {
		return nil, unsealError(err)
	}
	content, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, unsealError(err)
	}
	if len(content) > limit {
		return nil, fail(CodeSize, "", "over %d bytes when unsealed: refused", limit)
	}
	return content, nil
}

func unsealError(err error) error {
	var own *Error
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &none):
		return &Error{CodeSealing, "", "sealed to others: none of our keys opens it; if it was meant for us, ask the author to seal it to our current key", ErrNotForUs}
	}
	return &Error{CodeObject, "", "the age file is damaged or was changed: fetch it again", err}
}

// shaped is an age identity that looks at the stanzas' shape before any key is tried on them.
type shaped struct {
	allowed func([]*age.Stanza) *Error
	ids     []age.Identity
}

// Unwrap implements age.Identity.
func (s shaped) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if err := s.allowed(stanzas); err != nil {
		return nil, err
	}
	for _, id := range s.ids {
		key, err := id.Unwrap(stanzas)
		if errors.Is(err, age.ErrIncorrectIdentity) {
			continue
		}
		return key, err
	}
	return nil, age.ErrIncorrectIdentity
}

// recordStanzas allows one epoch stanza, or up to MaxDirect hybrid ones.
func recordStanzas(stanzas []*age.Stanza) *Error {
	if len(stanzas) == 1 && stanzas[0].Type == epochStanza {
		return nil
	}
	if len(stanzas) > MaxDirect {
		return fail(CodeSealing, "", "the age file has %d stanzas, at most %d are allowed", len(stanzas), MaxDirect)
	}
	return hybridStanzas(stanzas)
}

func hybridStanzas(stanzas []*age.Stanza) *Error {
	for _, s := range stanzas {
		if s.Type != hybridStanza {
			return fail(CodeSealing, "", "the age file has a stanza of type %.40q: records have 1 to %d of %s, or one of %s", s.Type, MaxDirect, hybridStanza, epochStanza)
		}
	}
	return nil
}

// oneHybridStanza allows what a wrap has.
func oneHybridStanza(stanzas []*age.Stanza) *Error {
	if len(stanzas) != 1 {
		return fail(CodeSealing, "", "a wrap has one stanza, this has %d", len(stanzas))
	}
	return hybridStanzas(stanzas)
}
