package record

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// FirstKeyring returns a draft of the keyring that opens a log: serial 1, signed by the party's first and only root. A party
// that has changed its root opens later logs with all its roots: set Roots on the draft.
func FirstKeyring(root PublicKey, names Names, log LogIdentity, issued time.Time, keys ...Key) Keyring {
	return Keyring{
		V: 1, Party: PartyID(root), Names: maps.Clone(names), Roots: []Root{{Alg: root.Alg, Public: root.Bytes}},
		Log: log, Serial: 1, Issued: At(issued), Keys: slices.Clone(keys),
	}
}

// Successor returns a draft of the keyring after k, which still says the same. Changing it leaves k alone.
func (k Keyring) Successor(issued time.Time) Keyring {
	next := k
	next.payload, next.envelope = nil, nil
	next.Serial, next.Previous, next.Issued = k.Serial+1, k.Hash(), At(issued)
	next.Names = maps.Clone(k.Names)
	next.Roots, next.Keys, next.Revoked = slices.Clone(k.Roots), slices.Clone(k.Keys), slices.Clone(k.Revoked)
	return next
}

// Add puts a key into the draft.
func (k *Keyring) Add(key Key) { k.Keys = append(k.Keys, key) }

// Revoke takes a key out of the draft and records up to which size of the log it is vouched for. Revoking an officer
// revokes the officer's seal keys with it. A key revoked before may get a smaller size.
func (k *Keyring) Revoke(id string, size int64, reason RevocationReason, at time.Time) error {
	r := Revocation{id, size, reason, At(at)}
	if i := slices.IndexFunc(k.Revoked, func(r Revocation) bool { return r.ID == id }); i >= 0 {
		if k.Revoked[i].Reason == RevokedSuperseded && reason != RevokedSuperseded {
			r.Size = min(size, k.Revoked[i].Size) // a theft that was found after the key had been replaced
			size = r.Size
		}
		if size >= k.Revoked[i].Size && (size > k.Revoked[i].Size || k.Revoked[i].Reason != RevokedSuperseded) {
			return fail(CodeChain, "/revoked", "the key %s is already not vouched for from size %d on", id, k.Revoked[i].Size)
		}
		k.Revoked[i] = r
		return nil
	}
	if _, ok := k.Find(id); !ok {
		return fail(CodeKey, "/keys", "the keyring has no key %s: list its keys", id)
	}
	for _, x := range k.Keys {
		if x.Officer == id {
			k.Revoked = append(k.Revoked, Revocation{x.ID, size, reason, At(at)})
		}
	}
	k.Keys = slices.DeleteFunc(k.Keys, func(x Key) bool { return x.ID == id || x.Officer == id })
	k.Revoked = append(k.Revoked, r)
	return nil
}

// Rotate replaces a key by a new one of the same role, name and kinds; the old one is superseded from size on. The seal keys
// of a rotated officer become the new key's.
func (k *Keyring) Rotate(old string, public PublicKey, size int64, at time.Time) error {
	before, ok := k.Find(old)
	if !ok {
		return fail(CodeKey, "/keys", "the keyring has no key %s: list its keys", old)
	}
	fresh := before
	fresh.ID, fresh.Alg, fresh.Public = public.ID(), public.Alg, public.Bytes
	i := slices.IndexFunc(k.Keys, func(x Key) bool { return x.ID == old })
	k.Keys[i] = fresh
	k.Revoked = append(k.Revoked, Revocation{old, size, RevokedSuperseded, At(at)})
	for i, x := range k.Keys {
		if x.Officer == old {
			k.Keys[i].Officer = fresh.ID
		}
	}
	return nil
}

// RotateRoot adds the next root key, endorsed by the one in force through its signer. The draft is then signed by next.
func (k *Keyring) RotateRoot(ctx context.Context, next PublicKey, current Signer) error {
	if current.KeyID() != k.Root().ID() {
		return fail(CodeKey, "/roots", "the root key in force is %s: endorse with it, not with %s", k.Root().ID(), current.KeyID())
	}
	sig, err := current.Sign(ctx, rootEndorsement(next))
	if err != nil {
		return fmt.Errorf("endorsing the next root key: %w", err)
	}
	k.Roots = append(k.Roots, Root{next.Alg, next.Bytes, sig})
	return nil
}

// Sign checks the draft, signs it with the root key in force and returns the envelope. [ParseKeyring] reads it again.
func (k Keyring) Sign(ctx context.Context, root Signer) ([]byte, error) {
	payload, err := encode(k)
	if err != nil {
		return nil, jsonError(err, "")
	}
	if _, fault := parseKeyringPayload(payload); fault != nil {
		return nil, fault
	}
	envelope, err := Sign(ctx, KeyringType, payload, root)
	if err != nil {
		return nil, err
	}
	if _, err := ParseKeyring(envelope); err != nil {
		return nil, err
	}
	return envelope, nil
}
