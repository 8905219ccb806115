package record

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"filippo.io/age"
)

func FuzzParsePayload(f *testing.F) {
	p := stableParty(f, "corpus")
	for _, body := range corpus(f) {
		payload, err := p.record(f, body, TLPAmber).Payload()
		check(f, err)
		f.Add(payload)
	}
	f.Add([]byte(`{"v":1,"v":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParsePayload(b)
		if err != nil {
			oneError(t, err)
			return
		}
		again, err := r.Payload()
		if err != nil {
			t.Fatalf("a record that was read cannot be written: %v", err)
		}
		if !bytes.Contains(again, r.Body) || !bytes.Contains(b, r.Body) {
			t.Fatal("the body was rewritten")
		}
		if reread, err := new(Rereader).Payload(b); err != nil || !reflect.DeepEqual(reread.Record, r) {
			t.Fatalf("read again:\n%+v, %v\nwant\n%+v", reread.Record, err, r)
		} else if at := reread.Body.Start(); !bytes.Equal(b[at:at+len(r.Body)], r.Body) {
			t.Fatal("the body stands elsewhere")
		}
		if _, err := ParseBody(r); err != nil {
			t.Fatalf("a body that was read cannot be read again: %v", err)
		}
	})
}

// oneError says that a decoder's error is an *Error of one line.
func oneError(t *testing.T, err error) {
	t.Helper()
	e, ok := err.(*Error) //nolint:errorlint // the error itself must be one
	if !ok || e == nil || e.Code == "" || e.Msg == "" {
		t.Fatalf("not an *Error: %#v", err)
	}
	refused(t, err, e.Code, e.Pointer)
}

func FuzzParseEnvelope(f *testing.F) {
	p := stableParty(f, "corpus")
	f.Add(p.envelope(f, p.record(f, report(), TLPAmber)))
	f.Add(p.keyring.Envelope())
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := ParseEnvelope(b); err != nil {
			oneError(t, err)
		}
		if _, err := OpenRecord(b, p.keyring); err != nil {
			oneError(t, err)
		}
	})
}

func FuzzParseKeyring(f *testing.F) {
	p := stableParty(f, "corpus")
	f.Add(p.keyring.Envelope(), p.keyring.payload)
	f.Fuzz(func(t *testing.T, envelope, payload []byte) {
		if _, err := ParseKeyring(envelope); err != nil {
			oneError(t, err)
		}
		// The payload alone, for no fuzzer signs.
		k, err := parseKeyringPayload(payload)
		if err != nil {
			oneError(t, err)
			return
		}
		if err := k.verifyRoots(); err != nil {
			oneError(t, err)
		}
		if err := p.keyring.next(k); err != nil {
			oneError(t, err)
		}
	})
}

func FuzzOpenObject(f *testing.F) {
	p := stableParty(f, "corpus")
	object, err := SealObject(seeded("salt"), p.envelope(f, p.record(f, report(), TLPClear)), Clear())
	check(f, err)
	f.Add(object)
	epoch, err := NewEpoch(seeded("fuzz"))
	check(f, err)
	object, err = SealObject(seeded("salt"), p.envelope(f, p.record(f, report(), TLPAmber)), epoch.Sealing(seeded("nonce")))
	check(f, err)
	f.Add(object)
	seal, err := age.GenerateHybridIdentity()
	check(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		envelope, err := OpenObject(b, seal, EpochIdentity(epoch))
		if err != nil {
			oneError(t, err)
		} else if len(envelope) > MaxEnvelope {
			t.Fatal("over the limit")
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	key, err := GenerateSigningKey(seeded("fuzz"), RoleNode)
	check(f, err)
	plain, err := encode(wireKeyFile{V: 1, Keys: []wireSecret{{key.ID, key.Alg, key.Role, key.secret, nil}}})
	check(f, err)
	seal, err := age.GenerateHybridIdentity()
	check(f, err)
	file, err := EncodeKeyFile([]SecretKey{key}, seal.Recipient())
	check(f, err)
	f.Add(file, plain)
	f.Fuzz(func(t *testing.T, file, plain []byte) {
		if keys, err := DecodeKeyFile(file, seal); err == nil && len(keys) == 0 {
			t.Fatal("a key file without keys passed")
		}
		if _, err := parseKeys(plain); err != nil {
			oneError(t, err)
		}
	})
}

func FuzzBodies(f *testing.F) {
	kinds := Kinds()
	for _, body := range corpus(f) {
		b, err := EncodeBody(body)
		check(f, err)
		for i, s := range kinds {
			if s.Name == body.Kind() {
				f.Add(uint8(i), []byte(b))
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		spec := kinds[int(kind)%len(kinds)]
		body, err := spec.read(b)
		if err != nil {
			oneError(t, err)
			return
		}
		again, err := EncodeBody(body)
		if err != nil {
			t.Fatalf("a %s that was read cannot be written: %v", spec.Name, err)
		}
		if err := spec.Check(again); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzPlainIntel: a body that is taken quickly is taken by reading all of it as well.
func FuzzPlainIntel(f *testing.F) {
	p := newParty(f, "a")
	head, err := encode(wireRecord{V: 1, ID: "r-aaaaaaaaaaaaaaaaaaaaaaaaaa", Agreement: OwnAgreement, Author: p.keyring.Party, Officer: p.issuer(KindIntel).KeyID(), Kind: KindIntel, Time: At(now), Marking: Marking{TLP: TLPClear}})
	if err != nil {
		f.Fatal(err)
	}
	const id = "--00000000-0000-4000-8000-000000000000"
	for _, object := range []string{"", `,"a":[]`, `,"a":{"b":null,"c":""}`, `,"a":1e400`, `,"a":0.12345678901234567890`, `,"a":9007199254740993`, `,"a":"\\\"1"`,
		`,"a":1,"a":2`, `,"a":1,"\u0061":2`, `,"a":"\ud800"`, ",\"a\":\"\xff\"", `,"a":01`, `,"a":-`, `,"a":1.5E-3`, `}]}} `, `,"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70)} {
		f.Add([]byte(`{"bundle": {"type":"bundle","id":"bundle` + id + `","objects":[{"type":"identity","id":"identity` + id + `"` + object + `}]} }`))
	}
	if !plainIntel([]byte(leastIntel)) {
		f.Fatal("the least intel is not plain")
	}
	if _, err := ParsePayload(splice(head, "body", []byte(leastIntel))); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !plainIntel(body) {
			return
		}
		if _, err := ParsePayload(splice(head, "body", body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	})
}
