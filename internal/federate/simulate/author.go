package simulate

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mithaq/mithaq/internal/record"
)

// dice is a world's only randomness, as bytes too.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x6d697468_6171))} }

// Dice is a source of randomness that a seed repeats.
func Dice(seed uint64) dice { return newDice(seed) }

// Read implements io.Reader.
func (d dice) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(d.Uint64()) // #nosec G115 -- the lowest byte is meant
	}
	return len(b), nil
}

func (d dice) chance(p float64) bool { return d.Float64() < p }

// Author is a party with its keys for one log.
type Author struct {
	Party   string
	Keyring record.Keyring
	Log     *Log

	rand   dice
	seal   record.Key // that slips are addressed to
	root   record.SecretKey
	log    ed25519.PrivateKey
	node   record.SecretKey
	office record.SecretKey
}

// NewAuthor makes a party and opens its log under an agreement: leaf 0 is its keyring.
func NewAuthor(d dice, name, agreementID string, now time.Time) (*Author, error) {
	a, err := newParty(d)
	if err != nil {
		return nil, err
	}
	return a, a.open(name, agreementID, now)
}

// newParty makes a party's keys.
func newParty(d dice) (*Author, error) {
	a := &Author{rand: d}
	var err error
	for _, k := range []struct {
		role record.Role
		key  *record.SecretKey
	}{{record.RoleRoot, &a.root}, {record.RoleNode, &a.node}, {record.RoleOfficer, &a.office}} {
		if *k.key, err = record.GenerateSigningKey(d, k.role); err != nil {
			return nil, err
		}
	}
	root, err := a.root.PublicKey()
	if err != nil {
		return nil, err
	}
	slip := make([]byte, 32)
	_, _ = d.Read(slip)
	a.Party, a.seal = record.PartyID(root), record.NewKey(record.RoleSeal, record.PublicKey{Alg: "slip", Bytes: slip})
	return a, nil
}

// open opens the party's log under an agreement.
func (a *Author) open(name, agreementID string, now time.Time) error {
	d := a.rand
	seed := make([]byte, ed25519.SeedSize)
	_, _ = d.Read(seed)
	a.log = ed25519.NewKeyFromSeed(seed)
	id, err := record.NewID(d, record.PrefixLog)
	if err != nil {
		return err
	}
	keys := []record.Key{record.NewKey(record.RoleLog, record.PublicKey{Alg: record.Ed25519, Bytes: []byte(a.log.Public().(ed25519.PublicKey))}), a.seal}
	for _, s := range []struct {
		role record.Role
		key  record.SecretKey
	}{{record.RoleNode, a.node}, {record.RoleOfficer, a.office}} {
		public, err := s.key.PublicKey()
		if err != nil {
			return err
		}
		keys = append(keys, record.NewKey(s.role, public))
	}
	root, err := a.root.PublicKey()
	if err != nil {
		return err
	}
	signer, err := a.root.Signer()
	if err != nil {
		return err
	}
	draft := record.FirstKeyring(root, record.Names{"en": name}, record.LogIdentity{ID: id, Origin: record.LogOrigin(id), Agreement: agreementID}, now, keys...)
	envelope, err := draft.Sign(context.Background(), signer)
	if err != nil {
		return fmt.Errorf("making a party: %w", err)
	}
	if a.Keyring, err = record.ParseKeyring(envelope); err != nil {
		return err
	}
	a.Log = newLog(record.LogOrigin(id), id, a.log)
	a.Log.keyrings = [][]byte{envelope}
	body, err := record.EncodeBody(&record.KeyringBody{Keyring: envelope})
	if err != nil {
		return err
	}
	object, err := a.object(record.KindKeyring, record.TLPClear, body, now, record.Clear())
	if err != nil {
		return err
	}
	return a.Log.Append(object)
}

// object signs a record of the author and makes an object of it.
func (a *Author) object(kind record.Kind, tlp record.TLP, body []byte, now time.Time, to record.Sealing) ([]byte, error) {
	spec, err := record.LookupKind(kind)
	if err != nil {
		return nil, err
	}
	key := a.office
	if spec.Issuer == record.RoleNode {
		key = a.node
	}
	id, err := record.NewID(a.rand, record.PrefixRecord)
	if err != nil {
		return nil, err
	}
	r := record.Record{ID: id, Agreement: a.Keyring.Log.Agreement, Author: a.Party, Officer: key.ID, Kind: kind, Time: now, Marking: record.Marking{TLP: tlp}, Body: body}
	payload, err := r.Payload()
	if err != nil {
		return nil, err
	}
	signer, err := key.Signer()
	if err != nil {
		return nil, err
	}
	envelope, err := record.Sign(context.Background(), record.RecordType, payload, signer)
	if err != nil {
		return nil, err
	}
	return r.Seal(a.rand, envelope, to)
}

func reportBody(text string) []byte {
	return fmt.Appendf(nil, `{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":%q}}`, text)
}

// Report publishes a clear report.
func (a *Author) Report(text string, now time.Time) error {
	return a.Publish(record.KindReport, reportBody(text), now)
}

// Publish publishes a clear record.
func (a *Author) Publish(kind record.Kind, body []byte, now time.Time) error {
	object, err := a.object(kind, record.TLPClear, body, now, record.Clear())
	if err != nil {
		return err
	}
	return a.Log.Append(object)
}
