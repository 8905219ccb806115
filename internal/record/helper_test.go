package record

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// now is the fixed time of the tests.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// seeded returns a deterministic source of bytes.
func seeded(seed string) io.Reader {
	var s [32]byte
	copy(s[:], seed)
	return rand.NewChaCha8(s)
}

// A party is everything that signs for one in the tests.
type party struct {
	root, log, node, officer *Ed25519Signer
	seal                     *age.HybridIdentity
	keyring                  Keyring
}

func signer(t testing.TB, r io.Reader, role Role) *Ed25519Signer {
	t.Helper()
	k, err := GenerateSigningKey(r, role)
	check(t, err)
	s, err := k.Signer()
	check(t, err)
	return s
}

func newParty(t testing.TB, seed string) *party {
	t.Helper()
	r := seeded(seed)
	p := &party{root: signer(t, r, RoleRoot), log: signer(t, r, RoleLog), node: signer(t, r, RoleNode), officer: signer(t, r, RoleOfficer)}
	var err error
	p.seal, err = age.GenerateHybridIdentity()
	check(t, err)
	id, err := NewID(r, PrefixLog)
	check(t, err)
	draft := FirstKeyring(p.root.PublicKey(), Names{"en": "Party " + seed}, LogIdentity{ID: id, Origin: LogOrigin(id), Agreement: OwnAgreement}, now,
		NewKey(RoleLog, p.log.PublicKey()), NewKey(RoleNode, p.node.PublicKey()), NewKey(RoleOfficer, p.officer.PublicKey()),
		NewKey(RoleSeal, HybridPublicKey(p.seal.Recipient())))
	p.keyring = sign(t, draft, p.root)
	return p
}

func sign(t testing.TB, draft Keyring, root Signer) Keyring {
	t.Helper()
	env, err := draft.Sign(context.Background(), root)
	check(t, err)
	k, err := ParseKeyring(env)
	check(t, err)
	return k
}

// record returns a record of the party with the body, issued by whom the kind asks for.
func (p *party) record(t testing.TB, body Body, tlp TLP) Record {
	t.Helper()
	b, err := EncodeBody(body)
	check(t, err)
	id, err := NewID(seeded("record"), PrefixRecord)
	check(t, err)
	r := Record{ID: id, Agreement: OwnAgreement, Author: p.keyring.Party, Officer: p.issuer(body.Kind()).KeyID(), Kind: body.Kind(), Time: now, Marking: Marking{TLP: tlp}, Body: b}
	if tlp == TLPRed {
		r.Audience = NewAudience(nil, []string{p.officer.KeyID()})
	}
	return r
}

func (p *party) issuer(kind Kind) *Ed25519Signer {
	spec, err := LookupKind(kind)
	if err != nil || spec.Issuer == RoleOfficer {
		return p.officer
	}
	return p.node
}

func (p *party) envelope(t testing.TB, r Record) []byte {
	t.Helper()
	payload, err := r.Payload()
	check(t, err)
	env, err := Sign(context.Background(), RecordType, payload, p.issuer(r.Kind))
	check(t, err)
	return env
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused fails the test unless err is an *Error with the code at the place, and reads as one line.
func refused(t testing.TB, err error, code Code, at string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error with code %s at %q", err, code, at)
	}
	if e.Code != code || e.Pointer != at {
		t.Fatalf("got code %s at %q (%v), want %s at %q", e.Code, e.Pointer, e, code, at)
	}
	if strings.ContainsAny(err.Error(), "\n\r") || err.Error() == "" {
		t.Fatalf("the error is not one line: %q", err)
	}
}

func report() *Report {
	return &Report{Period: Period{"2026-01-01", "2026-02-28"}, Summary: Text{"en": "What we did."}}
}
