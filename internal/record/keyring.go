package record

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// A Role says what a key is for. A key has one role.
type Role string

// The roles of keys. A root key stands in a keyring's roots, never among its keys.
const (
	RoleLog     Role = "log"     // signs checkpoints and nothing else
	RoleNode    Role = "node"    // issues keyring, epoch and receipt records
	RoleHTTP    Role = "http"    // signs requests
	RoleWitness Role = "witness" // cosigns others' checkpoints
	RoleOfficer Role = "officer" // issues every other record
	RoleSeal    Role = "seal"    // opens what is sealed to the party or to one officer
	RoleRoot    Role = "root"    // signs keyrings, offline
)

const (
	maxOfficers = 256
	maxKeys     = 4 + 2*maxOfficers + 16 // log, node, http, witness, officers, their seal keys, the party's seal keys
	maxRoots    = 64
	maxRevoked  = 1 << 16
)

// A Keyring says which keys speak for a party in one log, from its own leaf on. It is signed by the party's root key.
// Read one with [ParseKeyring]; write one with [FirstKeyring] or [Keyring.Successor] and [Keyring.Sign].
type Keyring struct {
	V        int          `json:"v,omitzero"`
	Party    string       `json:"party,omitzero"`
	Names    Names        `json:"names,omitzero"`
	Roots    []Root       `json:"roots,omitzero"` // the first makes the party id, the last signs
	Log      LogIdentity  `json:"log,omitzero"`
	Serial   int64        `json:"serial,omitzero"`   // from 1
	Previous string       `json:"previous,omitzero"` // hash of the payload of the keyring before
	Issued   Instant      `json:"issued,omitzero"`
	Keys     []Key        `json:"keys,omitzero"`
	Revoked  []Revocation `json:"revoked,omitzero"`

	payload  []byte // exact bytes of the payload; nil in a draft
	envelope []byte
}

// Root is one root key. Each one but the first is endorsed by the one before.
type Root struct {
	Alg      Algorithm `json:"alg,omitzero"`
	Public   Bytes     `json:"public,omitzero"`
	Endorsed Bytes     `json:"endorsed,omitzero"`
}

// Key returns the root's public key.
func (r Root) Key() PublicKey { return PublicKey{r.Alg, r.Public} }

// LogIdentity says which log a keyring is for. It never changes within a log.
type LogIdentity struct {
	ID          string       `json:"id,omitzero"`
	Origin      string       `json:"origin,omitzero"`
	Agreement   string       `json:"agreement,omitzero"`
	Generation  int64        `json:"generation"` // 0, and one more for each successor log
	Predecessor *Predecessor `json:"predecessor,omitzero"`
}

// Predecessor is the log that a successor log takes over from, and how far it is vouched for.
type Predecessor struct {
	Origin string `json:"origin,omitzero"`
	Size   int64  `json:"size"`
	Root   string `json:"root,omitzero"` // Merkle root at that size
	Reason Text   `json:"reason,omitzero"`
}

// Key is one key of a keyring.
type Key struct {
	ID      string    `json:"id,omitzero"`
	Alg     Algorithm `json:"alg,omitzero"`
	Public  Bytes     `json:"public,omitzero"`
	Role    Role      `json:"role,omitzero"`
	Name    Names     `json:"name,omitzero"`
	Kinds   []Kind    `json:"kinds,omitzero"`   // kinds that an officer may issue; none: all
	Officer string    `json:"officer,omitzero"` // on a seal key: whose it is; empty: the party's
}

// PublicKey returns the key's public half.
func (x Key) PublicKey() PublicKey { return PublicKey{x.Alg, x.Public} }

// NewKey returns an entry for a public key, with its id.
func NewKey(role Role, public PublicKey) Key {
	return Key{ID: public.ID(), Alg: public.Alg, Public: public.Bytes, Role: role}
}

// RevocationReason says why a key is no longer vouched for.
type RevocationReason string

// The reasons of a revocation.
const (
	RevokedCompromised RevocationReason = "compromised"
	RevokedLost        RevocationReason = "lost"
	RevokedLeft        RevocationReason = "left"
	RevokedSuperseded  RevocationReason = "superseded"
	RevokedOther       RevocationReason = "other"
)

// Revocation says up to which size of the log a key is vouched for: records at an index from Size on are not.
type Revocation struct {
	ID     string           `json:"id,omitzero"`
	Size   int64            `json:"size"`
	Reason RevocationReason `json:"reason,omitzero"`
	Time   Instant          `json:"time,omitzero"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom: a size that is not there must not pass for 0.
func (r *Revocation) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain Revocation
	p := plain{Size: -1}
	err := json.UnmarshalDecode(dec, &p)
	*r = Revocation(p)
	return err
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom: a size that is not there must not pass for 0.
func (p *Predecessor) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain Predecessor
	q := plain{Size: -1}
	err := json.UnmarshalDecode(dec, &q)
	*p = Predecessor(q)
	return err
}

// ParseKeyring reads a keyring's envelope strictly and verifies it: the party id from the first root, each later root's
// endorsement, the last root's signature. It says nothing of whether the keyring is the current one: see [History].
func ParseKeyring(envelope []byte) (Keyring, error) {
	e, err := ParseEnvelope(envelope)
	if err != nil {
		return Keyring{}, err
	}
	if e.PayloadType != KeyringType {
		return Keyring{}, fail(CodeValue, "/payloadType", "%.80q where %s must stand: this is another kind of envelope", e.PayloadType, KeyringType)
	}
	k, fault := parseKeyringPayload(e.Payload)
	if fault != nil {
		return Keyring{}, fault.under("/payload")
	}
	if fault := k.verifyRoots(); fault != nil {
		return Keyring{}, fault.under("/payload")
	}
	if len(e.Signatures) != 1 {
		return Keyring{}, fail(CodeSignature, "/signatures", "a keyring is signed by the root key alone, this has %d signatures", len(e.Signatures))
	}
	root := k.Root()
	err = e.Verify(KeyringType, func(id string) (PublicKey, error) {
		if id != root.ID() {
			return PublicKey{}, fail(CodeKey, "/keyid", "signed by %s, but the root key in force is %s: sign with the root key", id, root.ID())
		}
		return root, nil
	})
	if err != nil {
		return Keyring{}, err
	}
	k.payload, k.envelope = e.Payload, slices.Clone(envelope)
	return k, nil
}

func parseKeyringPayload(payload []byte) (Keyring, *Error) {
	if err := scan(payload, MaxPayload, ""); err != nil {
		return Keyring{}, err
	}
	// A generation that is not there must not pass for 0.
	k := Keyring{Log: LogIdentity{Generation: -1}}
	if err := decode(payload, "", &k); err != nil {
		return Keyring{}, err
	}
	var c checker
	k.check(&c)
	return k, c.err
}

// verifyRoots checks that the first root makes the party id and that each later one is endorsed by the one before.
func (k Keyring) verifyRoots() *Error {
	if PartyID(k.Roots[0].Key()) != k.Party {
		return fail(CodeKey, "/roots/0", "the first root key does not make the party id %s: the keyring is of another party", k.Party)
	}
	for i, root := range k.Roots[1:] {
		if err := k.Roots[i].Key().verify(rootEndorsement(root.Key()), root.Endorsed); err != nil {
			return err.under(fmt.Sprintf("/roots/%d/endorsed", i+1))
		}
	}
	return nil
}

// rootEndorsement returns the bytes that a root key signs to hand over to the next.
func rootEndorsement(next PublicKey) []byte {
	return dsse.PAE(rootType, []byte(string(next.Alg)+"\x00"+string(next.Bytes)))
}

// Root returns the root key in force: the last.
func (k Keyring) Root() PublicKey {
	if len(k.Roots) == 0 {
		return PublicKey{}
	}
	return k.Roots[len(k.Roots)-1].Key()
}

// Hash returns the SHA-256 of the signed payload in hexadecimal: what the next keyring names as previous. It is empty
// for a draft.
func (k Keyring) Hash() string {
	if k.payload == nil {
		return ""
	}
	return hexOf(sha256.Sum256(k.payload))
}

// Envelope returns the exact bytes that [ParseKeyring] read; nil for a draft.
func (k Keyring) Envelope() []byte { return slices.Clone(k.envelope) }

// Find returns the key with the id.
func (k Keyring) Find(id string) (Key, bool) {
	if i := slices.IndexFunc(k.Keys, func(x Key) bool { return x.ID == id }); i >= 0 {
		return k.Keys[i], true
	}
	return Key{}, false
}

// WithRole returns the keys of a role, in the keyring's order.
func (k Keyring) WithRole(role Role) []Key {
	var keys []Key
	for _, x := range k.Keys {
		if x.Role == role {
			keys = append(keys, x)
		}
	}
	return keys
}

// SealKeys returns the keys to seal to for an officer: the officer's own where there are some, else the party's. With
// an empty officer it returns the party's.
func (k Keyring) SealKeys(officer string) []Key {
	var own, party []Key
	for _, x := range k.WithRole(RoleSeal) {
		switch x.Officer {
		case "":
			party = append(party, x)
		case officer:
			own = append(own, x)
		}
	}
	if len(own) > 0 {
		return own
	}
	return party
}
