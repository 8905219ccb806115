package hello

import (
	"crypto/hkdf"
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"
)

// TestMemoryChangesNothing holds what is remembered against what is made anew, of hellos that share parts.
func TestMemoryChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMemory()
		part := func(name string) []byte {
			return rapid.SampledFrom([][]byte{nil, {0x0a, 0x0a}, {0x13, 0x01}, {0x13, 0x01, 0x2a, 0x2a}, {0x13}, {2, 'h', '2'}, {1, 0xff}, {0, 0, 0, 0},
				{0, 10, 0, 0, 0, 16, 0, 0}, {0x1a, 0x1a, 0, 0, 0, 10, 0, 1}, {0, 10, 0, 9, 0}}).Draw(t, name)
		}
		for range rapid.IntRange(1, 30).Draw(t, "hellos") {
			h := ClientHello{
				Version: rapid.SampledFrom([]uint16{2, 0x301, 0x303}).Draw(t, "version"), Ciphers: part("ciphers"), Extensions: part("extensions"),
				ALPN: part("alpn"), HasServerName: rapid.Bool().Draw(t, "name"), HasVersions: rapid.Bool().Draw(t, "versions"),
				SSL2: rapid.Bool().Draw(t, "ssl2"), SignatureAlgorithms: part("algorithms"), Groups: part("groups"), PointFormats: part("formats"),
				Versions: part("supported"),
			}
			transport := rapid.SampledFrom([]Transport{OverTCP, OverQUIC, OverDTLS}).Draw(t, "transport")
			if p := m.Prints(&h, transport); p.JA3 != h.JA3() || p.JA4 != h.JA4(transport) || p.Version != VersionName(h.Highest()) {
				t.Fatalf("%+v of %+v, want %s, %s", p, h, h.JA3(), h.JA4(transport))
			}
			s := ServerHello{Legacy: h.Version, Cipher: 0x1301, Extensions: h.Extensions, ALPN: h.ALPN}
			if a := m.Answer(&s); a.JA3S != s.JA3S() || (a.Protocol == nil) != (s.ALPN == nil) || a.Protocol != nil && *a.Protocol != Text(s.ALPN) {
				t.Fatalf("%+v of %+v", a, s)
			}
		}
	})
}

// TestMemoryIsBounded shows it ever new things, and things too large to keep.
func TestMemoryIsBounded(t *testing.T) {
	made := newTable[int](64, 1<<10)
	for i := range 10_000 {
		key := make([]byte, 1+i%200)
		key[0] = byte(i)
		value, known := made.find(key)
		if known && *value != len(key)<<8|int(key[0]) {
			t.Fatal("another key's value")
		}
		*value = len(key)<<8 | int(key[0])
		if made.used > made.room {
			t.Fatalf("%d bytes of %d", made.used, made.room)
		}
	}
	key := []byte("again")
	made.find(key)
	if _, known := made.find(key); !known {
		t.Error("forgotten at once")
	}
}

func TestKeysAreHKDF(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 0, block).Draw(t, "secret")
		message := rapid.SliceOfN(rapid.Byte(), 0, block).Draw(t, "message")
		want, err := hkdf.Extract(sha256.New, message, secret)
		if got := hmac256(secret, message); err != nil || string(got[:]) != string(want) {
			t.Fatalf("%x, want %x (%v)", got, want, err)
		}
		label := rapid.SampledFrom([]string{"client in", "quicv2 key", "quic iv"}).Draw(t, "label")
		out := make([]byte, rapid.IntRange(0, sha256.Size).Draw(t, "size"))
		expandLabel(secret, label, out)
		info := string([]byte{0, byte(len(out)), byte(len(label) + 6)}) + "tls13 " + label + "\x00"
		if want, err := hkdf.Expand(sha256.New, secret, info, len(out)); err != nil || string(out) != string(want) {
			t.Fatalf("%x, want %x (%v)", out, want, err)
		}
	})
}
