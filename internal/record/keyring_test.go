package record

import (
	"context"
	"strings"
	"testing"
	"time"
)

// keyringEnvelope returns the record that carries a keyring, issued by the node.
func keyringEnvelope(t testing.TB, p *party, k Keyring, node Signer) []byte {
	t.Helper()
	r := p.record(t, &KeyringBody{Keyring: k.Envelope()}, TLPAmber)
	r.Officer = node.KeyID()
	payload, err := r.Payload()
	check(t, err)
	env, err := Sign(context.Background(), RecordType, payload, node)
	check(t, err)
	return env
}

func TestAKeyringsLife(t *testing.T) {
	ctx, p := context.Background(), newParty(t, "life")
	later := now.Add(time.Hour)

	// A second root takes over, endorsed by the first.
	root2 := signer(t, seeded("root2"), RoleRoot)
	draft := p.keyring.Successor(later)
	check(t, draft.RotateRoot(ctx, root2.PublicKey(), p.root))
	second := sign(t, draft, root2)
	check(t, p.keyring.Next(second))
	if second.Party != p.keyring.Party || second.Root().ID() != root2.KeyID() {
		t.Fatal("the party changed with its root")
	}

	// The officer's key is rotated, and found compromised later on.
	officer2 := signer(t, seeded("officer2"), RoleOfficer)
	draft = second.Successor(later)
	check(t, draft.Rotate(p.officer.KeyID(), officer2.PublicKey(), 6, later))
	third := sign(t, draft, root2)
	check(t, second.Next(third))
	draft = third.Successor(later)
	check(t, draft.Revoke(p.officer.KeyID(), 3, RevokedCompromised, later))
	fourth := sign(t, draft, root2)
	check(t, third.Next(fourth))

	var h History
	check(t, h.Add(0, p.keyring))
	check(t, h.Add(1, second))
	record := p.envelope(t, p.record(t, report(), TLPAmber))
	_, verdict, err := h.Judge(2, record)
	check(t, err)
	if !verdict.Valid() {
		t.Fatal(verdict)
	}
	check(t, h.Add(6, third))
	_, verdict, err = h.Judge(5, record)
	check(t, err)
	if !verdict.Valid() {
		t.Fatalf("a superseded key lost what it signed before: %v", verdict)
	}
	_, _, err = h.Judge(7, record)
	refused(t, err, CodeKey, "/signatures/0/keyid")
	check(t, h.Add(8, fourth))
	for index, valid := range map[int64]bool{2: true, 3: false, 5: false} {
		_, verdict, err := h.Judge(index, record)
		check(t, err)
		if verdict.Valid() != valid {
			t.Errorf("leaf %d: %v", index, verdict)
		}
		if !valid && (verdict.NotVouched.ID != p.officer.KeyID() || verdict.NotVouched.Size != 3 || !strings.Contains(verdict.String(), "compromised")) {
			t.Errorf("leaf %d: %v", index, verdict)
		}
	}
	if _, verdict, err := h.Judge(0, keyringEnvelope(t, p, p.keyring, p.node)); err != nil || !verdict.Valid() {
		t.Errorf("the first keyring: %v, %v", verdict, err)
	}
	if k, ok := h.At(7); !ok || k.Hash() != third.Hash() {
		t.Error("leaf 7 is verified against the wrong keyring")
	}
	if _, ok := h.At(-1); ok || h.Len() != 4 {
		t.Error("the history found a keyring before the log")
	}
	if last, ok := h.Last(); !ok || last.Serial != 4 {
		t.Error("the history lost its end")
	}
}

func TestKeyringsThatDoNotFollow(t *testing.T) {
	ctx, p := context.Background(), newParty(t, "chain")
	k := p.keyring
	gone := k.Successor(now)
	check(t, gone.Revoke(p.officer.KeyID(), 1, RevokedLeft, now))
	gone.Add(NewKey(RoleOfficer, signer(t, seeded("o2"), RoleOfficer).PublicKey()))
	second := sign(t, gone, p.root)
	check(t, k.Next(second))
	for _, c := range []struct {
		name   string
		from   Keyring
		change func(*Keyring)
		at     string
	}{
		{"serial", k, func(d *Keyring) { d.Serial = 3 }, "/serial"},
		{"previous", k, func(d *Keyring) { d.Previous = testHash }, "/previous"},
		{"older", k, func(d *Keyring) { d.Issued = At(now.Add(-time.Second)) }, "/issued"},
		{"another agreement", k, func(d *Keyring) { d.Log.Agreement = "a-" + strings.Repeat("a", 32) }, "/log"},
		{"key dropped without a word", k, func(d *Keyring) { d.Keys = d.Keys[:3] }, "/keys"},
		{"role changed", second, func(d *Keyring) {
			d.Keys[0].Role, d.Keys[1].Role = RoleNode, RoleLog
		}, "/keys"},
		{"revocation dropped", second, func(d *Keyring) { d.Revoked = nil }, "/revoked"},
		{"revocation raised", second, func(d *Keyring) { d.Revoked[0].Size = 2 }, "/revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			draft := c.from.Successor(now)
			c.change(&draft)
			refused(t, c.from.Next(sign(t, draft, p.root)), CodeChain, c.at)
		})
	}
	refused(t, k.Next(newParty(t, "other").keyring), CodeChain, "/party")

	back := second.Successor(now)
	back.Add(NewKey(RoleOfficer, p.officer.PublicKey()))
	_, err := back.Sign(ctx, p.root)
	refused(t, err, CodeChain, "/revoked/0/id")

	var h History
	refused(t, h.Add(1, k), CodeChain, "/serial")
	check(t, h.Add(0, k))
	early := k.Successor(now)
	check(t, early.Revoke(p.officer.KeyID(), 9, RevokedLeft, now))
	early.Add(NewKey(RoleOfficer, signer(t, seeded("o2"), RoleOfficer).PublicKey()))
	refused(t, h.Add(3, sign(t, early, p.root)), CodeChain, "/revoked/0/size")
}

func TestKeyringsThatAreForged(t *testing.T) {
	ctx, p, q := context.Background(), newParty(t, "true"), newParty(t, "false")
	_, err := p.keyring.Successor(now).Sign(ctx, q.root)
	refused(t, err, CodeKey, "/signatures/0/keyid")

	draft := p.keyring.Successor(now)
	check(t, draft.RotateRoot(ctx, q.root.PublicKey(), p.root))
	draft.Roots[1].Endorsed[5] ^= 1
	_, err = draft.Sign(ctx, q.root)
	refused(t, err, CodeSignature, "/payload/roots/1/endorsed")
	if err := draft.RotateRoot(ctx, p.root.PublicKey(), p.root); err == nil {
		t.Error("a root that is no longer in force endorsed another")
	}

	draft = p.keyring.Successor(now)
	draft.Party = q.keyring.Party
	_, err = draft.Sign(ctx, p.root)
	refused(t, err, CodeKey, "/payload/roots/0")

	for _, c := range []struct {
		name   string
		change func(*Keyring)
		code   Code
		at     string
	}{
		{"two node keys", func(d *Keyring) { d.Add(NewKey(RoleNode, q.node.PublicKey())) }, CodeValue, "/keys"},
		{"no officer", func(d *Keyring) { d.Keys = append(d.Keys[:2:2], d.Keys[3]) }, CodeValue, "/keys"},
		{"an id of another key", func(d *Keyring) { d.Keys[0].ID = q.log.KeyID() }, CodeValue, "/keys/0/id"},
		{"the root as an officer", func(d *Keyring) { d.Add(NewKey(RoleOfficer, p.root.PublicKey())) }, CodeValue, "/keys/4/id"},
		{"a signing key that seals", func(d *Keyring) { d.Add(NewKey(RoleSeal, q.node.PublicKey())) }, CodeRole, "/keys/4/alg"},
		{"a seal key of nobody", func(d *Keyring) { d.Keys[3].Officer = q.officer.KeyID() }, CodeKey, "/keys/3/officer"},
		{"kinds of a node", func(d *Keyring) { d.Keys[1].Kinds = []Kind{KindIntel} }, CodeRole, "/keys/1/kinds"},
		{"a root of tomorrow", func(d *Keyring) {
			d.Roots = append(d.Roots, Root{MLDSA65, Bytes("x"), Bytes("y")})
		}, CodeAlgorithm, "/roots/1/alg"},
		{"an origin of another log", func(d *Keyring) { d.Log.Origin = q.keyring.Log.Origin }, CodeValue, "/log/origin"},
		{"a second generation from nowhere", func(d *Keyring) { d.Log.Generation = 1 }, CodeChain, "/log/predecessor"},
		{"no names", func(d *Keyring) { d.Names = nil }, CodeMissing, "/names"},
	} {
		t.Run(c.name, func(t *testing.T) {
			draft := p.keyring.Successor(now)
			c.change(&draft)
			_, err := draft.Sign(ctx, p.root)
			refused(t, err, c.code, c.at)
		})
	}
}

func TestTomorrowsKeysWaitInTheKeyring(t *testing.T) {
	ctx, p := context.Background(), newParty(t, "agile")
	future := PublicKey{MLDSA65, []byte(strings.Repeat("x", 1952))}
	draft := p.keyring.Successor(now)
	draft.Add(NewKey(RoleOfficer, future))
	k := sign(t, draft, p.root)
	r := p.record(t, report(), TLPAmber)
	r.Officer = future.ID()
	payload, err := r.Payload()
	check(t, err)
	env, err := Sign(ctx, RecordType, payload, fixedSigner{future.ID()})
	check(t, err)
	_, err = OpenRecord(env, k)
	refused(t, err, CodeAlgorithm, "/signatures/0")
}

type fixedSigner struct{ id string }

func (s fixedSigner) KeyID() string                                { return s.id }
func (s fixedSigner) Sign(context.Context, []byte) ([]byte, error) { return make([]byte, 64), nil }

func TestOpenRecordBelievesOnlyTheKeyring(t *testing.T) {
	ctx, p, q := context.Background(), newParty(t, "p"), newParty(t, "q")
	r := p.record(t, report(), TLPAmber)
	payload := func(change func(*Record)) []byte {
		t.Helper()
		r := r
		change(&r)
		b, err := r.Payload()
		check(t, err)
		return b
	}
	same := func(*Record) {}
	limited := p.keyring.Successor(now)
	limited.Keys[2].Kinds = []Kind{KindIntel}
	limitedKeyring := sign(t, limited, p.root)
	for _, c := range []struct {
		name    string
		payload []byte
		typ     string
		k       Keyring
		signers []Signer
		code    Code
		at      string
	}{
		{"a stranger's key", payload(same), RecordType, p.keyring, []Signer{q.officer}, CodeKey, "/signatures/0/keyid"},
		{"a second signature that is false", payload(same), RecordType, p.keyring, []Signer{p.officer, fixedSigner{p.node.KeyID()}}, CodeSignature, "/signatures/1"},
		{"the log key", payload(same), RecordType, p.keyring, []Signer{p.officer, p.log}, CodeRole, "/signatures/1/keyid"},
		{"signed by another than the officer", payload(same), RecordType, p.keyring, []Signer{p.node}, CodeSignature, "/payload/officer"},
		{"the node in an officer's place", payload(func(r *Record) { r.Officer = p.node.KeyID() }), RecordType, p.keyring, []Signer{p.node}, CodeRole, "/payload/officer"},
		{"a kind that is not the officer's", payload(same), RecordType, limitedKeyring, []Signer{p.officer}, CodeRole, "/payload/kind"},
		{"another author", payload(func(r *Record) { r.Author = q.keyring.Party }), RecordType, p.keyring, []Signer{p.officer}, CodeKey, "/payload/author"},
		{"another agreement", payload(func(r *Record) { r.Agreement = "a-" + strings.Repeat("a", 32) }), RecordType, p.keyring, []Signer{p.officer}, CodeKey, "/payload/agreement"},
		{"another type of envelope", payload(same), KeyringType, p.keyring, []Signer{p.officer}, CodeValue, "/payloadType"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, err := Sign(ctx, c.typ, c.payload, c.signers...)
			check(t, err)
			_, err = OpenRecord(env, c.k)
			refused(t, err, c.code, c.at)
		})
	}
	env, err := Sign(ctx, RecordType, payload(same), p.officer, p.node)
	check(t, err)
	if _, err := OpenRecord(env, p.keyring); err != nil {
		t.Errorf("two good signatures: %v", err)
	}
	if _, err := Sign(ctx, RecordType, payload(same), p.officer, p.officer); err == nil {
		t.Error("one key signed twice")
	}
	// A keyring record is believed under the keyring that it carries, and under no other.
	next := sign(t, p.keyring.Successor(now), p.root)
	env = keyringEnvelope(t, p, next, p.node)
	if _, carried, err := OpenKeyringRecord(env); err != nil || carried.Hash() != next.Hash() {
		t.Errorf("a keyring record: %v", err)
	}
	_, err = OpenRecord(env, p.keyring)
	refused(t, err, CodeChain, "/payload/body/keyring")
}

func TestParseEnvelopeIsStrict(t *testing.T) {
	p := stableParty(t, "corpus")
	env := string(p.envelope(t, p.record(t, report(), TLPAmber)))
	for _, c := range []struct {
		name, from, to string
		code           Code
		at             string
	}{
		{"unknown member", `{"payloadType"`, `{"x":1,"payloadType"`, CodeUnknown, "/x"},
		{"no signatures", env[strings.Index(env, `,"signatures"`):], `}`, CodeMissing, "/signatures"},
		{"line break in base64", `"payload":"`, `"payload":"\n`, CodeValue, "/payload"},
		{"URL alphabet", `"sig":"`, `"sig":"-_`, CodeValue, "/signatures/0/sig"},
		{"key id", `"keyid":"k-`, `"keyid":"K-`, CodeValue, "/signatures/0/keyid"},
		{"trailing bytes", env, env + "x", CodeTrailing, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseEnvelope([]byte(strings.Replace(env, c.from, c.to, 1)))
			refused(t, err, c.code, c.at)
		})
	}
	one := env[strings.Index(env, `{"keyid"`) : len(env)-2]
	_, err := ParseEnvelope([]byte(strings.Replace(env, one, one+","+one, 1)))
	refused(t, err, CodeKey, "/signatures/1/keyid")
	_, err = ParseEnvelope([]byte(strings.Replace(env, one, strings.Repeat(one+",", 16)+one, 1)))
	refused(t, err, CodeSize, "/signatures")
	if _, err := ParseEnvelope([]byte(" " + env + "\n")); err != nil {
		t.Errorf("white space around an envelope: %v", err)
	}
}

func TestKeyringPayloadsAreStrict(t *testing.T) {
	ctx, p := context.Background(), newParty(t, "strict")
	draft := p.keyring.Successor(now)
	draft.Log.Generation = 1
	draft.Log.Predecessor = &Predecessor{Origin: newParty(t, "before").keyring.Log.Origin, Size: 7, Root: testHash, Reason: Text{"en": "A disk broke."}}
	check(t, draft.Rotate(p.officer.KeyID(), signer(t, seeded("o"), RoleOfficer).PublicKey(), 1, now))
	k := sign(t, draft, p.root)
	check(t, k.Next(sign(t, k.Successor(now), p.root)))
	moved := k.Successor(now)
	moved.Log.Predecessor = &Predecessor{Origin: k.Log.Predecessor.Origin, Size: 6, Root: testHash, Reason: k.Log.Predecessor.Reason}
	refused(t, k.Next(sign(t, moved, p.root)), CodeChain, "/log")
	for _, c := range []struct {
		from, to string
		code     Code
		at       string
	}{
		{`"size":7,`, ``, CodeMissing, "/log/predecessor/size"},
		{`"size":7,`, `"size":7,"sizes":7,`, CodeUnknown, "/log/predecessor/sizes"},
		{`"size":1,`, ``, CodeMissing, "/revoked/0/size"},
		{`"size":1,`, `"size":"1",`, CodeType, "/revoked/0/size"},
		{`"size":1,`, `"size":1,"x":1,`, CodeUnknown, "/revoked/0/x"},
		{`"generation":1,`, ``, CodeMissing, "/log/generation"},
		{`"reason":"superseded"`, `"reason":"bored"`, CodeValue, "/revoked/0/reason"},
		{`"issued":"2026-`, `"issued":"2026-0`, CodeValue, "/issued"},
		{`"alg":"ed25519","public":"`, `"alg":"ed25519","public":"A`, CodeValue, "/roots/0/public"},
	} {
		if !strings.Contains(string(k.payload), c.from) {
			t.Fatalf("%s is not in %s", c.from, k.payload)
		}
		env, err := Sign(ctx, KeyringType, []byte(strings.Replace(string(k.payload), c.from, c.to, 1)), p.root)
		check(t, err)
		_, err = ParseKeyring(env)
		refused(t, err, c.code, "/payload"+c.at)
	}
}

func TestSealKeysOfAPerson(t *testing.T) {
	p, q := newParty(t, "seal"), newParty(t, "officer's own")
	draft := p.keyring.Successor(now)
	own := NewKey(RoleSeal, HybridPublicKey(q.seal.Recipient()))
	own.Officer = p.officer.KeyID()
	draft.Add(own)
	k := sign(t, draft, p.root)
	if keys := k.SealKeys(p.officer.KeyID()); len(keys) != 1 || keys[0].ID != own.ID {
		t.Errorf("an officer's seal keys: %v", keys)
	}
	for _, officer := range []string{"", q.officer.KeyID()} {
		if keys := k.SealKeys(officer); len(keys) != 1 || keys[0].ID == own.ID {
			t.Errorf("the party's seal keys: %v", keys)
		}
	}
	draft = k.Successor(now)
	draft.Add(NewKey(RoleOfficer, q.officer.PublicKey()))
	check(t, draft.Revoke(p.officer.KeyID(), 1, RevokedLeft, now))
	left := sign(t, draft, p.root)
	check(t, k.Next(left))
	if len(left.Revoked) != 2 || len(left.WithRole(RoleSeal)) != 1 {
		t.Error("an officer left and the seal key stayed")
	}
	draft = k.Successor(now)
	check(t, draft.Rotate(p.officer.KeyID(), q.officer.PublicKey(), 1, now))
	check(t, k.Next(sign(t, draft, p.root)))
}
