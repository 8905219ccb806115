package record

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

var update = flag.Bool("update", false, "write the golden vectors anew")

func vectorPath(name string) string { return filepath.Join("testdata", "vectors", name+".json") }

// golden compares v with the vector of that name, or writes it with -update.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	check(t, enc.Encode(v))
	if *update {
		check(t, os.MkdirAll(filepath.Dir(vectorPath(name)), 0o755))
		check(t, os.WriteFile(vectorPath(name), out.Bytes(), 0o644))
		return
	}
	want, err := os.ReadFile(vectorPath(name))
	check(t, err)
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("%s.json differs: a format of version 1 changed. Now:\n%s", name, out.Bytes())
	}
}

// frozen reads a vector whose making is random, so that it can only be opened; with -update it is made if it is not
// there.
func frozen[T any](t *testing.T, name string, makeIt func() T) T {
	t.Helper()
	var v T
	b, err := os.ReadFile(vectorPath(name))
	if os.IsNotExist(err) && *update {
		v = makeIt()
		golden(t, name, v)
		return v
	}
	check(t, err)
	check(t, json.Unmarshal(b, &v))
	return v
}

func TestVectorIds(t *testing.T) {
	p := stableParty(t, "vectors")
	seal := frozenSeal(t)
	raw := make([]byte, 16)
	for i := range raw {
		raw[i] = byte(i * 17)
	}
	id := func(prefix string) string {
		s, err := NewID(bytes.NewReader(raw), prefix)
		check(t, err)
		return s
	}
	golden(t, "ids", map[string]any{
		"root":     map[string]string{"alg": "ed25519", "public_hex": hex.EncodeToString(p.root.PublicKey().Bytes), "party": PartyID(p.root.PublicKey()), "key": KeyID(p.root.PublicKey())},
		"seal":     map[string]string{"alg": "mlkem768x25519", "public": seal.Recipient().String(), "key": KeyID(HybridPublicKey(seal.Recipient()))},
		"proposal": map[string]string{"payload": "a founding proposal's payload", "agreement": AgreementID([]byte("a founding proposal's payload"))},
		"random":   map[string]string{"bytes_hex": hex.EncodeToString(raw), "log": id(PrefixLog), "origin": LogOrigin(id(PrefixLog)), "record": id(PrefixRecord), "epoch": id(PrefixEpoch)},
	})
}

func TestVectorFingerprint(t *testing.T) {
	// The list is BIP-39's: this is the hash of its english.txt.
	if sum := sha256.Sum256([]byte(wordFile)); hexOf(sum) != "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda" {
		t.Fatalf("the word list is not BIP-39's: %x", sum)
	}
	var list []map[string]string
	for _, seed := range []string{"one", "two", "three"} {
		party := stableParty(t, seed).keyring.Party
		list = append(list, map[string]string{"party": party, "words": FingerprintWords(party)})
	}
	golden(t, "fingerprint", list)
}

func TestVectorEnvelope(t *testing.T) {
	p := stableParty(t, "vectors")
	payload := []byte(`{"hello":"world"}`)
	env, err := Sign(context.Background(), "application/vnd.mithaq.example", payload, p.officer, p.node)
	check(t, err)
	golden(t, "envelope", map[string]any{
		"payload_type": "application/vnd.mithaq.example", "payload": string(payload), "pae_hex": hex.EncodeToString(dsse.PAE("application/vnd.mithaq.example", payload)),
		"seeds_hex": []string{hex.EncodeToString(p.officer.private.Seed()), hex.EncodeToString(p.node.private.Seed())}, "envelope": string(env),
	})
}

func TestVectorKinds(t *testing.T) {
	p := stableParty(t, "corpus")
	type vector struct {
		Body     string `json:"body"`
		Payload  string `json:"payload"`
		SeedHex  string `json:"seed_hex"`
		Envelope string `json:"envelope"`
		Keyring  string `json:"keyring"`
	}
	byKind := make(map[Kind][]vector)
	for _, body := range corpus(t) {
		r := p.record(t, body, TLPAmber)
		r.Serves = []string{"4.b"}
		r.Refs = []Ref{{RelEvidence, testHash}}
		payload, err := r.Payload()
		check(t, err)
		env := p.envelope(t, r)
		if _, err := OpenRecord(env, p.keyring); err != nil {
			t.Error(err)
		}
		byKind[body.Kind()] = append(byKind[body.Kind()], vector{string(r.Body), string(payload), hex.EncodeToString(p.issuer(body.Kind()).private.Seed()), string(env), string(p.keyring.Envelope())})
	}
	for kind, v := range byKind {
		golden(t, "kind-"+string(kind), v)
	}
}

func TestVectorKeyringChain(t *testing.T) {
	ctx, p := context.Background(), stableParty(t, "chain")
	root2, officer2 := signer(t, seeded("root2"), RoleRoot), signer(t, seeded("officer2"), RoleOfficer)
	draft := p.keyring.Successor(now.AddDate(0, 1, 0))
	check(t, draft.RotateRoot(ctx, root2.PublicKey(), p.root))
	second := sign(t, draft, root2)
	draft = second.Successor(now.AddDate(0, 2, 0))
	check(t, draft.Rotate(p.officer.KeyID(), officer2.PublicKey(), 6, now.AddDate(0, 2, 0)))
	third := sign(t, draft, root2)
	draft = third.Successor(now.AddDate(0, 3, 0))
	check(t, draft.Revoke(p.officer.KeyID(), 3, RevokedCompromised, now.AddDate(0, 3, 0)))
	fourth := sign(t, draft, root2)
	type link struct {
		Leaf        int64  `json:"leaf"`
		Payload     string `json:"payload"`
		PayloadHash string `json:"payload_sha256"`
		Envelope    string `json:"envelope"`
	}
	var h History
	var chain []link
	for i, k := range []Keyring{p.keyring, second, third, fourth} {
		leaf := int64(i * i * 2)
		if i == 2 {
			leaf = 7
		}
		check(t, h.Add(leaf, k))
		chain = append(chain, link{leaf, string(k.payload), k.Hash(), string(k.envelope)})
	}
	var seeds []string
	for _, s := range []*Ed25519Signer{p.root, root2, p.log, p.node, p.officer, officer2} {
		seeds = append(seeds, hex.EncodeToString(s.private.Seed()))
	}
	golden(t, "keyring", map[string]any{
		"seeds_hex": seeds, "seeds_are": "root, second root, log, node, officer, second officer", "chain": chain,
		"endorsement_message_hex": hex.EncodeToString(rootEndorsement(root2.PublicKey())),
	})
}

type sealedVector struct {
	Identity  string `json:"identity"`
	Recipient string `json:"recipient"`
	Envelope  string `json:"envelope"`
	SaltHex   string `json:"salt_hex"`
	ObjectHex string `json:"object_hex"`
	LeafHex   string `json:"leaf_hex"`
	LeafHash  string `json:"leaf_hash"`
}

func frozenSeal(t *testing.T) *age.HybridIdentity {
	id, err := age.ParseHybridIdentity(frozenDirect(t).Identity)
	check(t, err)
	return id
}

func vectorEnvelope(t *testing.T, tlp TLP) string {
	p := stableParty(t, "vectors")
	return string(p.envelope(t, p.record(t, report(), tlp)))
}

func objectVector(t *testing.T, envelope string, to Sealing) sealedVector {
	object, err := SealObject(seeded("salt"), []byte(envelope), to)
	check(t, err)
	return sealedVector{Envelope: envelope, SaltHex: hex.EncodeToString(object[5:37]), ObjectHex: hex.EncodeToString(object), LeafHex: hex.EncodeToString(Leaf(object)), LeafHash: hexOf(LeafHash(Leaf(object)))}
}

func frozenDirect(t *testing.T) sealedVector {
	return frozen(t, "object-direct", func() sealedVector {
		id, err := age.GenerateHybridIdentity()
		check(t, err)
		to, err := Direct(id.Recipient())
		check(t, err)
		v := objectVector(t, vectorEnvelope(t, TLPAmber), to)
		v.Identity, v.Recipient = id.String(), id.Recipient().String()
		return v
	})
}

func (v sealedVector) verify(t *testing.T, ids ...age.Identity) {
	t.Helper()
	object := unhex(t, v.ObjectHex)
	envelope, err := OpenObject(object, ids...)
	check(t, err)
	if string(envelope) != v.Envelope || hex.EncodeToString(object[5:37]) != v.SaltHex || hex.EncodeToString(Leaf(object)) != v.LeafHex || hexOf(LeafHash(Leaf(object))) != v.LeafHash {
		t.Error("the object is not what the vector says")
	}
	_, err = OpenRecord(envelope, stableParty(t, "vectors").keyring)
	check(t, err)
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	check(t, err)
	return b
}

// The compressed bytes may change with the compressor, so a vector of an object is opened, not made again.
func TestVectorObjects(t *testing.T) {
	frozen(t, "object-clear", func() sealedVector { return objectVector(t, vectorEnvelope(t, TLPClear), Clear()) }).verify(t)
	direct := frozenDirect(t)
	direct.verify(t, frozenSeal(t))
	if got := frozenSeal(t).Recipient().String(); got != direct.Recipient {
		t.Errorf("the recipient is %s", got)
	}
}

type epochVector struct {
	Epoch  string       `json:"epoch"`
	Step   int64        `json:"step"`
	KeyHex string       `json:"key_hex"`
	Wrap   string       `json:"wrap_hex"` // sealed to the identity of object-direct.json
	Object sealedVector `json:"object"`
}

func TestVectorEpoch(t *testing.T) {
	first, err := NewEpoch(seeded("epoch vector"))
	check(t, err)
	fileKey, nonce := []byte("sixteen bytes ok"), [16]byte{15: 1}
	var steps []map[string]any
	k := first
	for range 3 {
		stanzas, err := k.stanza(nonce, fileKey)
		check(t, err)
		steps = append(steps, map[string]any{"step": k.Step(), "key_hex": hex.EncodeToString(k.key[:]), "commit": k.Commit(),
			"stanza_type": stanzas[0].Type, "stanza_args": stanzas[0].Args, "stanza_body_hex": hex.EncodeToString(stanzas[0].Body)})
		opened, err := EpochIdentity(first).Unwrap(stanzas)
		check(t, err)
		if !bytes.Equal(opened, fileKey) {
			t.Error("the stanza does not open")
		}
		k, err = k.Ratchet()
		check(t, err)
	}
	golden(t, "epoch", map[string]any{"epoch": first.ID(), "file_key_hex": hex.EncodeToString(fileKey), "nonce_hex": hex.EncodeToString(nonce[:]), "steps": steps})

	v := frozen(t, "object-epoch", func() epochVector {
		wrap, err := first.Wrap(frozenSeal(t).Recipient())
		check(t, err)
		return epochVector{first.ID(), 0, hex.EncodeToString(first.key[:]), hex.EncodeToString(wrap), objectVector(t, vectorEnvelope(t, TLPAmber), first.Sealing(seeded("nonce")))}
	})
	got, err := UnwrapEpoch(v.Epoch, v.Step, first.Commit(), unhex(t, v.Wrap), frozenSeal(t))
	check(t, err)
	if hex.EncodeToString(got.key[:]) != v.KeyHex {
		t.Error("the wrap holds another key")
	}
	v.Object.verify(t, EpochIdentity(got))
}

func TestVectorKeyFile(t *testing.T) {
	type vector struct {
		Passphrase string `json:"passphrase"`
		PlainText  string `json:"plain_text"`
		FileHex    string `json:"file_hex"`
	}
	v := frozen(t, "keyfile", func() vector {
		root, err := GenerateSigningKey(seeded("keyfile"), RoleRoot)
		check(t, err)
		keys := []SecretKey{root, sealKey(frozenSeal(t)), ExternalKey(RoleOfficer, stableParty(t, "vectors").officer.PublicKey(), "sign-with-card", "--slot", "1")}
		to, err := PassphraseRecipient("correct horse", 4)
		check(t, err)
		file, err := EncodeKeyFile(keys, to)
		check(t, err)
		plain, err := unseal(file, maxKeyFile, func([]*age.Stanza) *Error { return nil }, []age.Identity{mustIdentity(t, "correct horse")})
		check(t, err)
		return vector{"correct horse", string(plain), hex.EncodeToString(file)}
	})
	keys, err := DecodeKeyFile(unhex(t, v.FileHex), mustIdentity(t, v.Passphrase))
	check(t, err)
	plain, err := parseKeys([]byte(v.PlainText))
	check(t, err)
	if fmt.Sprint(keys) != fmt.Sprint(plain) || len(keys) != 3 || !keys[2].External() {
		t.Errorf("the key file holds %v", keys)
	}
	again, err := GenerateSigningKey(seeded("keyfile"), RoleRoot)
	check(t, err)
	if keys[0].ID != again.ID || !bytes.Equal(keys[0].secret, again.secret) {
		t.Error("the root key differs")
	}
}
