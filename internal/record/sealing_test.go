package record

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

func identities(t testing.TB, n int) ([]*age.HybridIdentity, []*age.HybridRecipient) {
	t.Helper()
	ids, to := make([]*age.HybridIdentity, n), make([]*age.HybridRecipient, n)
	for i := range n {
		var err error
		ids[i], err = age.GenerateHybridIdentity()
		check(t, err)
		to[i] = ids[i].Recipient()
	}
	return ids, to
}

// TestAudiences seals for audiences of several sizes, as an author would, and opens as each kind of reader would.
func TestAudiences(t *testing.T) {
	p := newParty(t, "author")
	envelope := p.envelope(t, p.record(t, report(), TLPAmber))
	stranger, _ := identities(t, 1)
	for _, n := range []int{1, 7, 8, 9, 1025, 5000} {
		if testing.Short() && n > 9 {
			continue
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			ids, readers := identities(t, n)
			to, direct := Recipients(p.seal.Recipient(), append(readers, readers[0], p.seal.Recipient())...)
			if len(to) != n+1 || direct != (n+1 <= MaxDirect) {
				t.Fatalf("%d recipients for an audience of %d, direct %v", len(to), n, direct)
			}
			var sealing Sealing
			open := func(id *age.HybridIdentity) []age.Identity { return []age.Identity{id} }
			if direct {
				var err error
				sealing, err = Direct(to...)
				check(t, err)
			} else {
				_, err := Direct(to...)
				refused(t, err, CodeSealing, "")
				epoch, err := NewEpoch(rand.Reader)
				check(t, err)
				wraps := wrapAll(t, epoch, to)
				for i, id := range []*age.HybridIdentity{p.seal, ids[0], ids[n-1]} {
					_, err := UnwrapEpoch(epoch.ID(), 0, epoch.Commit(), wraps[[]int{0, 1, n}[i]], id)
					check(t, err)
				}
				sealing = epoch.Sealing(rand.Reader)
				open = func(id *age.HybridIdentity) []age.Identity {
					for i, r := range to {
						if r.String() == id.Recipient().String() {
							k, err := UnwrapEpoch(epoch.ID(), 0, epoch.Commit(), wraps[i], id)
							check(t, err)
							return []age.Identity{EpochIdentity(k)}
						}
					}
					return []age.Identity{id}
				}
			}
			object, err := SealObject(rand.Reader, envelope, sealing)
			check(t, err)
			for _, id := range []*age.HybridIdentity{p.seal, ids[0], ids[n-1]} {
				got, err := OpenObject(object, open(id)...)
				check(t, err)
				if !bytes.Equal(got, envelope) {
					t.Fatal("the envelope changed")
				}
			}
			if _, err := OpenObject(object, open(stranger[0])...); !errors.Is(err, ErrNotForUs) {
				t.Fatalf("a stranger got %v", err)
			}
		})
	}
}

func wrapAll(t testing.TB, epoch EpochKey, to []*age.HybridRecipient) [][]byte {
	wraps := make([][]byte, len(to))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(to); i += workers {
				var err error
				if wraps[i], err = epoch.Wrap(to[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return wraps
}

func TestEpochs(t *testing.T) {
	ids, to := identities(t, 2)
	first, err := NewEpoch(seeded("epoch"))
	check(t, err)
	wrap, err := first.Wrap(to[0])
	check(t, err)
	if _, err := UnwrapEpoch(first.ID(), 0, first.Commit(), wrap, ids[1]); !errors.Is(err, ErrNotForUs) {
		t.Errorf("another's wrap: %v", err)
	}
	next, err := first.Ratchet()
	check(t, err)
	_, err = UnwrapEpoch(first.ID(), 0, next.Commit(), wrap, ids[0])
	refused(t, err, CodeSealing, "")
	if _, err := UnwrapEpoch(first.ID(), 0, first.Commit(), make([]byte, maxWrap+1), ids[0]); err == nil {
		t.Error("an oversized wrap passed")
	}

	// A ratchet lets a member forward and a newcomer not back.
	p := newParty(t, "author")
	envelope := p.envelope(t, p.record(t, report(), TLPAmber))
	old, err := SealObject(rand.Reader, envelope, first.Sealing(rand.Reader))
	check(t, err)
	fresh, err := SealObject(rand.Reader, envelope, next.Sealing(rand.Reader))
	check(t, err)
	member, newcomer := EpochIdentity(first), EpochIdentity(next)
	for _, c := range []struct {
		object []byte
		id     age.Identity
		ok     bool
	}{{old, member, true}, {fresh, member, true}, {fresh, newcomer, true}, {old, newcomer, false}} {
		if _, err := OpenObject(c.object, c.id); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrNotForUs) {
			t.Errorf("opened: %v, want %v", err, c.ok)
		}
	}
	imposter := first
	imposter.key[0] ^= 1
	_, err = OpenObject(old, EpochIdentity(imposter))
	refused(t, err, CodeSealing, "")

	refs, wraps, err := next.WrapFor([]Key{NewKey(RoleSeal, HybridPublicKey(to[1])), NewKey(RoleSeal, HybridPublicKey(to[0])), NewKey(RoleSeal, HybridPublicKey(to[1]))})
	check(t, err)
	if len(refs) != 2 || refs[0].To >= refs[1].To || refs[0].Object != ObjectHash(wraps[0]) {
		t.Errorf("wraps %v", refs)
	}
	_, _, err = next.WrapFor([]Key{{Alg: MLDSA65}})
	refused(t, err, CodeAlgorithm, "")
	if _, err := EncodeBody(&EpochBody{Epoch: next.ID(), Step: next.Step(), Mode: EpochRatchet, Commit: next.Commit(), Wraps: refs}); err != nil {
		t.Error(err)
	}
	if _, err := seal([]byte("x"), next.Recipient(rand.Reader), to[0]); err == nil {
		t.Error("an epoch key shared its file with another recipient")
	}
}

func TestTheFormFollowsTheMarking(t *testing.T) {
	p := newParty(t, "form")
	direct, err := Direct(p.seal.Recipient())
	check(t, err)
	for _, c := range []struct {
		body    Body
		tlp     TLP
		sealing Sealing
		at      string
	}{
		{report(), TLPGreen, Clear(), "/payload/marking"},
		{report(), TLPClear, direct, "/payload/kind"},
		{&KeyringBody{Keyring: p.keyring.Envelope()}, TLPAmber, direct, "/payload/kind"},
	} {
		_, err := SealObject(rand.Reader, p.envelope(t, p.record(t, c.body, c.tlp)), c.sealing)
		refused(t, err, CodeSealing, c.at)
	}
	_, err = SealObject(rand.Reader, p.envelope(t, p.record(t, &KeyringBody{Keyring: p.keyring.Envelope()}, TLPAmber)), Clear())
	check(t, err)
}

// TestHostileObjects feeds what a bad author could serve.
func TestHostileObjects(t *testing.T) {
	id, to := identities(t, 1)
	frame := func(b []byte, opts ...zstd.EOption) []byte {
		enc, err := zstd.NewWriter(nil, opts...)
		check(t, err)
		return enc.EncodeAll(b, nil)
	}
	clearObject := func(content []byte) []byte {
		return append(append([]byte("MQO1\x01"), make([]byte, saltSize)...), content...)
	}
	good := frame([]byte("envelope"))
	streamed := new(bytes.Buffer)
	w, err := zstd.NewWriter(streamed)
	check(t, err)
	_, err = w.Write([]byte("a stream does not know its size beforehand"))
	check(t, err)
	check(t, w.Flush())
	check(t, w.Close())
	lying := bytes.Clone(frame(bytes.Repeat([]byte("a"), 100<<10)))
	for _, c := range []struct {
		name   string
		object []byte
		code   Code
	}{
		{"empty", nil, CodeObject},
		{"only a head", clearObject(nil), CodeObject},
		{"another magic", append([]byte("MQO2\x01"), make([]byte, 64)...), CodeObject},
		{"form 3", append([]byte("MQO1\x03"), make([]byte, 64)...), CodeObject},
		{"no frame", clearObject([]byte("{}")), CodeObject},
		{"two frames", clearObject(append(bytes.Clone(good), good...)), CodeObject},
		{"bytes after the frame", clearObject(append(bytes.Clone(good), 0)), CodeObject},
		{"cut short", clearObject(good[:len(good)-5]), CodeObject},
		{"a stream without size", clearObject(streamed.Bytes()), CodeObject},
		{"a skippable frame", clearObject(append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0}, "abcd"...)), CodeObject},
		{"a bomb", clearObject(frame(make([]byte, MaxEnvelope+1))), CodeSize},
		{"a wide window", clearObject(frame(make([]byte, 40<<20), zstd.WithWindowSize(32<<20))), CodeSize},
		{"damaged", clearObject(flip(lying, len(lying)*8-9)), CodeObject},
		{"sealed rubbish", append(append([]byte("MQO1\x02"), make([]byte, saltSize)...), "age-encryption.org/v1\n"...), CodeObject},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenObject(c.object, id[0])
			refused(t, err, c.code, "")
		})
	}
	_, err = OpenObject(make([]byte, MaxObject+1))
	refused(t, err, CodeSize, "")

	// Stanzas that a record may not have are refused before any key is tried.
	_, many := identities(t, MaxDirect+1)
	for name, recipients := range map[string][]age.Recipient{
		"nine recipients": anyRecipients(append(many[:MaxDirect:MaxDirect], to[0])),
		"a passphrase":    {mustPassphrase(t)},
	} {
		t.Run(name, func(t *testing.T) {
			content, err := seal(good, recipients...)
			check(t, err)
			_, err = OpenObject(append(append([]byte("MQO1\x02"), make([]byte, saltSize)...), content...), id[0])
			refused(t, err, CodeSealing, "")
		})
	}
}

func anyRecipients(list []*age.HybridRecipient) (out []age.Recipient) {
	for _, r := range list {
		out = append(out, r)
	}
	return out
}

func mustPassphrase(t testing.TB) age.Recipient {
	r, err := PassphraseRecipient("secret", 1)
	check(t, err)
	return r
}

func flip(b []byte, bit int) []byte {
	b = bytes.Clone(b)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

func TestLargeEnvelopesTravel(t *testing.T) {
	// Over the encoder's window and over the largest window: the frame must still be one that is accepted.
	for _, size := range []int{zstdWindow + 1, maxZstdWindow + 12345, MaxEnvelope} {
		b := make([]byte, size)
		for i := 0; i+8 < size; i += 64 {
			binary.LittleEndian.PutUint64(b[i:], uint64(i)*0x9E3779B97F4A7C15)
		}
		frame, err := compress(nil, b)
		check(t, err)
		got, fault := decompress(nil, frame, MaxEnvelope)
		if fault != nil || !bytes.Equal(got, b) {
			t.Fatalf("%d bytes: %v", size, fault)
		}
	}
}

// TestEveryFlippedBitIsRefused flips each bit of an envelope and of objects: nothing but the very bytes passes for the record.
func TestEveryFlippedBitIsRefused(t *testing.T) {
	p := newParty(t, "flip")
	envelope := p.envelope(t, p.record(t, report(), TLPAmber))
	for bit := range len(envelope) * 8 {
		if _, err := OpenRecord(flip(envelope, bit), p.keyring); err == nil {
			t.Fatalf("bit %d of the envelope does not matter", bit)
		}
	}
	open := p.envelope(t, p.record(t, report(), TLPClear))
	direct, err := Direct(p.seal.Recipient())
	check(t, err)
	for _, c := range []struct {
		envelope []byte
		to       Sealing
	}{{open, Clear()}, {envelope, direct}} {
		object, err := SealObject(rand.Reader, c.envelope, c.to)
		check(t, err)
		leaf := Leaf(object)
		step := 1
		if len(c.to.recipients) > 0 {
			step = 5 // each costs a key exchange
		}
		if testing.Short() {
			step = 37
		}
		for bit := 0; bit < len(object)*8; bit += step {
			flipped := flip(object, bit)
			if CheckLeaf(leaf, flipped) == nil {
				t.Fatalf("bit %d of the object does not matter to its leaf", bit)
			}
			// The salt and spare bits of the frame's head say nothing: without the leaf, the envelope may come out, but no other.
			if got, err := OpenObject(flipped, p.seal); err == nil && !bytes.Equal(got, c.envelope) {
				t.Fatalf("bit %d of the object gives another envelope", bit)
			}
		}
	}
	refused(t, CheckLeaf([]byte{2}, nil), CodeObject, "")
}

func TestKeyFiles(t *testing.T) {
	r := seeded("keys")
	root, err := GenerateSigningKey(r, RoleRoot)
	check(t, err)
	sealKey, err := GenerateSealKey()
	check(t, err)
	card := ExternalKey(RoleOfficer, signer(t, r, RoleOfficer).PublicKey(), "pkcs11-sign", "--slot", "1")
	keys := []SecretKey{root, sealKey, card}
	for name, pair := range map[string]struct {
		to  age.Recipient
		id  age.Identity
		not age.Identity
	}{
		"passphrase": {mustPassphrase(t), mustIdentity(t, "secret"), mustIdentity(t, "Secret")},
		"key file": func() (x struct {
			to      age.Recipient
			id, not age.Identity
		}) {
			ids, to := identities(t, 2)
			x.to, x.id, x.not = to[0], ids[0], ids[1]
			return
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := EncodeKeyFile(keys, pair.to)
			check(t, err)
			got, err := DecodeKeyFile(b, pair.id)
			check(t, err)
			for i, k := range got {
				if k.ID != keys[i].ID || k.Role != keys[i].Role || !bytes.Equal(k.secret, keys[i].secret) || len(k.Command) != len(keys[i].Command) {
					t.Errorf("key %d changed", i)
				}
			}
			if _, err := DecodeKeyFile(b, pair.not); !errors.Is(err, ErrNotForUs) {
				t.Errorf("the wrong passphrase or key gave %v", err)
			}
			if _, err := DecodeKeyFile(flip(b, len(b)*8-3), pair.id); err == nil {
				t.Error("a damaged file passed")
			}
		})
	}
	if _, err := card.Signer(); err == nil {
		t.Error("an external key signed in memory")
	}
	if public, err := sealKey.PublicKey(); err != nil || public.ID() != sealKey.ID {
		t.Errorf("the seal key's public half: %v", err)
	}
	s, err := root.Signer()
	check(t, err)
	epoch, err := NewEpoch(r)
	check(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed := fmt.Sprintf(strings.Repeat(verb+" ", 4), root, sealKey, s, epoch) + fmt.Sprintf(verb, keys) + fmt.Sprintf(verb, &epoch)
		for _, secret := range []string{string(sealKey.secret), fmt.Sprintf("%x", root.secret), fmt.Sprintf("%d", root.secret[:4]), fmt.Sprintf("%x", epoch.key[:]), "AGE-SECRET"} {
			if strings.Contains(printed, secret) || strings.Contains(printed, strings.Trim(secret, "[]")) {
				t.Errorf("%s prints a secret: %s", verb, printed)
			}
		}
	}
	for _, bad := range []struct {
		plain string
		at    string
	}{
		{`{"v":1}`, "/keys"},
		{`{"v":1,"keys":[{"id":"` + root.ID + `","alg":"ed25519","role":"root","secret":"AAAA"}]}`, "/keys/0/secret"},
		{`{"v":1,"keys":[{"id":"` + root.ID + `","alg":"ed25519","role":"root"}]}`, "/keys/0"},
		{`{"v":1,"keys":[{"id":"` + root.ID + `","alg":"ed25519","role":"root","secret":"AAA"}]}`, "/keys/0/secret"},
		{`{"v":1,"keys":[{"id":"` + root.ID + `","alg":"ml-dsa-65","role":"root","secret":"AAAA"}]}`, "/keys/0/alg"},
		{`{"v":1,"keys":[{"id":"` + root.ID + `","alg":"ed25519","role":"seal","command":["x"]}]}`, "/keys/0/role"},
	} {
		_, err := parseKeys([]byte(bad.plain))
		var e *Error
		if !errors.As(err, &e) || e.Pointer != bad.at || strings.Contains(e.Error(), "AAA") {
			t.Errorf("%s: %v", bad.plain, err)
		}
	}
	if sig, err := DecodeSignature([]byte("AAAA\n")); err != nil || len(sig) != 3 {
		t.Errorf("a command's signature: %v", err)
	}
	if _, err := DecodeSignature([]byte("two\nlines\n")); err == nil {
		t.Error("two lines passed for a signature")
	}
}

func mustIdentity(t testing.TB, passphrase string) age.Identity {
	id, err := PassphraseIdentity(passphrase)
	check(t, err)
	return id
}
