package record

import (
	"fmt"
	"slices"
)

// OpenRecord reads a record's envelope and believes it under a keyring: every signature verifies with a key that the
// keyring has for officers or the node, the author and the agreement are the keyring's, and the issuing officer signed
// and may issue the kind. k is the keyring in force where the record stands: see [History].
func OpenRecord(envelope []byte, k Keyring) (Record, error) {
	e, err := ParseEnvelope(envelope)
	if err != nil {
		return Record{}, err
	}
	return e.openRecord(k)
}

// OpenKeyringRecord opens a keyring record against the keyring that it carries, and returns both.
func OpenKeyringRecord(envelope []byte) (Record, Keyring, error) {
	e, err := ParseEnvelope(envelope)
	if err != nil {
		return Record{}, Keyring{}, err
	}
	if e.PayloadType != RecordType {
		return Record{}, Keyring{}, fail(CodeValue, "/payloadType", "%.80q where %s must stand: this is another kind of envelope", e.PayloadType, RecordType)
	}
	r, err := ParsePayload(e.Payload)
	if err != nil {
		return Record{}, Keyring{}, located(err, "/payload")
	}
	k, err := CarriedKeyring(r)
	if err != nil {
		return Record{}, Keyring{}, err
	}
	r, err = e.openRecord(k)
	return r, k, err
}

// CarriedKeyring verifies and returns the keyring in the body of a keyring record.
// CarriedKeyring returns the keyring that a keyring record brings, with its root chain and signature verified.
func CarriedKeyring(r Record) (Keyring, error) {
	body, err := Parse[KeyringBody](r)
	if err != nil {
		return Keyring{}, located(err, "/payload/body")
	}
	k, err := ParseKeyring(body.Keyring)
	if err != nil {
		return Keyring{}, located(err, "/payload/body/keyring")
	}
	return k, nil
}

func (e Envelope) openRecord(k Keyring) (Record, error) {
	err := e.Verify(RecordType, func(id string) (PublicKey, error) {
		key, ok := k.Find(id)
		if !ok {
			return PublicKey{}, fail(CodeKey, "/keyid", "the keyring with serial %d has no key %s: it is revoked, or not yet announced", k.Serial, id)
		}
		if key.Role != RoleOfficer && key.Role != RoleNode {
			return PublicKey{}, fail(CodeRole, "/keyid", "a %s key signs no records: sign with an officer's key", key.Role)
		}
		return key.PublicKey(), nil
	})
	if err != nil {
		return Record{}, err
	}
	r, err := ParsePayload(e.Payload)
	if err != nil {
		return Record{}, located(err, "/payload")
	}
	if err := r.belongs(k); err != nil {
		return Record{}, err.under("/payload")
	}
	if err := e.issued(r, k); err != nil {
		return Record{}, err.under("/payload")
	}
	if r.Kind == KindKeyring {
		carried, err := CarriedKeyring(r)
		if err != nil {
			return Record{}, err
		}
		if carried.Hash() != k.Hash() {
			return Record{}, fail(CodeChain, "/payload/body/keyring", "a keyring record is verified against the keyring that it carries")
		}
	}
	return r, nil
}

// belongs checks that the record is of the keyring's party and agreement.
func (r Record) belongs(k Keyring) *Error {
	if r.Author != k.Party {
		return fail(CodeKey, "/author", "the record is by %s, the keyring of %s: it is in another party's log", r.Author, k.Party)
	}
	if r.Agreement != k.Log.Agreement {
		return fail(CodeKey, "/agreement", "the record is under %s, the log under %s: publish it in the log of its agreement", r.Agreement, k.Log.Agreement)
	}
	return nil
}

// issued checks that the record's officer signed it and may issue its kind.
func (e Envelope) issued(r Record, k Keyring) *Error {
	if !slices.ContainsFunc(e.Signatures, func(s Signature) bool { return s.KeyID == r.Officer }) {
		return fail(CodeSignature, "/officer", "the officer %s did not sign: sign with the officer's key", r.Officer)
	}
	spec, err := lookupKind(r.Kind)
	if err != nil {
		return err.under("/kind")
	}
	// Verify found every signer in the keyring.
	officer, _ := k.Find(r.Officer)
	if officer.Role != spec.Issuer {
		return fail(CodeRole, "/officer", "a record of kind %s is issued by a key of role %s, not %s", r.Kind, spec.Issuer, officer.Role)
	}
	if len(officer.Kinds) > 0 && !slices.Contains(officer.Kinds, r.Kind) {
		return fail(CodeRole, "/kind", "the officer %s may issue %v, not %s: let another officer sign, or change the keyring", r.Officer, officer.Kinds, r.Kind)
	}
	return nil
}

// String names the record without its contents, which may be restricted.
func (r Record) String() string { return fmt.Sprintf("record %s (%s)", r.ID, r.Kind) }
