package hello

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/detect/packet"
)

func u16s(v ...uint16) []byte {
	var b []byte
	for _, x := range v {
		b = append(b, byte(x>>8), byte(x))
	}
	return b
}

func vec16(b []byte) []byte { return append(u16s(uint16(len(b))), b...) }
func vec8(b []byte) []byte  { return append([]byte{byte(len(b))}, b...) }

func extension(kind uint16, body []byte) []byte { return append(u16s(kind), vec16(body)...) }

// clientHello builds the body of a message.
func clientHello(version uint16, ciphers []uint16, extensions ...[]byte) []byte {
	b := u16s(version)
	b = append(b, bytes.Repeat([]byte{7}, 32)...)
	b = append(b, vec8([]byte("session"))...)
	b = append(b, vec16(u16s(ciphers...))...)
	b = append(b, 1, 0)
	if extensions != nil {
		b = append(b, vec16(bytes.Join(extensions, nil))...)
	}
	return b
}

func message(kind byte, body []byte) []byte {
	return append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func record(kind byte, body []byte) []byte {
	return append([]byte{kind, 3, 1}, vec16(body)...)
}

func serverName(name string) []byte {
	return extension(0, vec16(append([]byte{0}, vec16([]byte(name))...)))
}

func alpn(names ...string) []byte {
	var list []byte
	for _, n := range names {
		list = append(list, vec8([]byte(n))...)
	}
	return extension(16, vec16(list))
}

func parse(t testing.TB, body []byte) *ClientHello {
	t.Helper()
	var h ClientHello
	if err := h.Parse(body, false); err != nil {
		t.Fatal(err)
	}
	return &h
}

// The example in the README of JA3.
func TestJA3OfItsREADME(t *testing.T) {
	h := parse(t, clientHello(769, []uint16{0x1a1a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
		serverName("x"), extension(0x0a0a, nil), extension(10, vec16(u16s(0x2a2a, 23, 24, 25))), extension(11, vec8([]byte{0}))))
	if got := h.JA3(); got != "ada70206e40642a3e4461f35503241d5" {
		t.Error(got)
	}
	if got := parse(t, clientHello(769, []uint16{4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99})).JA3(); got != "de350869b8c85de67a350c8d186f11e6" {
		t.Error(got)
	}
}

// chrome is the example of the description of JA4.
func chrome(alpnNames ...string) []byte {
	list := [][]byte{extension(0x5a5a, nil), serverName("example.com")}
	for _, kind := range []uint16{0x1b, 0x33, 0x4469, 0x17, 0x2d, 0x5, 0x23, 0x12, 0xff01, 0x0b, 0x0a, 0x15} {
		list = append(list, extension(kind, nil))
	}
	list = append(list, extension(13, vec16(u16s(0x7a7a, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))),
		extension(43, vec8(u16s(0x8a8a, 0x0304, 0x0303))))
	if alpnNames != nil {
		list = append(list, alpn(alpnNames...))
	}
	return clientHello(0x0303, []uint16{0xdada, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35}, list...)
}

func TestJA4(t *testing.T) {
	many := make([]uint16, 150)
	for i := range many {
		many[i] = uint16(i + 1)
	}
	for name, c := range map[string]struct {
		body      []byte
		transport Transport
		want      string
	}{
		"description":          {chrome("h2", "http/1.1"), OverTCP, "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		"no signatures":        {clientHello(0x0301, []uint16{0x2f}, serverName("a"), extension(23, nil)), OverTCP, "t10d010200_"},
		"nothing at all":       {clientHello(0x0300, nil), OverTCP, "ts3i000000_000000000000_000000000000"},
		"only name and ALPN":   {clientHello(0x0302, nil, serverName("a"), alpn("h3")), OverQUIC, "q11d0002h3_000000000000_000000000000"},
		"one character":        {clientHello(0x0303, nil, alpn("h")), OverTCP, "t12i0001hh_"},
		"not a letter":         {clientHello(0x0303, nil, alpn("\xab\xcd")), OverTCP, "t12i0001ad_"},
		"one byte, no letter":  {clientHello(0x0303, nil, alpn("\xab")), OverTCP, "t12i0001ab_"},
		"ends in a dot":        {clientHello(0x0303, nil, alpn("0.")), OverTCP, "t12i00013e_"},
		"empty protocol":       {clientHello(0x0303, nil, alpn("")), OverTCP, "t12i000100_"},
		"more than two digits": {clientHello(0x0303, many), OverTCP, "t12i990000_"},
		"DTLS 1.2":             {clientHello(0xfefd, []uint16{0xc02b}), OverDTLS, "dd2i010000_"},
		"DTLS 1.3":             {clientHello(0xfefd, nil, extension(43, vec8(u16s(0xfefd, 0xfefc)))), OverDTLS, "dd3i000100_"},
		"a draft":              {clientHello(0x0303, nil, extension(43, vec8(u16s(0x7f1c, 0x0303)))), OverTCP, "t00i000100_"},
	} {
		if got := parse(t, c.body).JA4(c.transport); !strings.HasPrefix(got, c.want) || len(got) != 36 {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestJA3SAndServerHello(t *testing.T) {
	body := u16s(0x0303)
	body = append(body, bytes.Repeat([]byte{1}, 32)...)
	body = append(body, 0)
	body = append(body, u16s(0xc02f)...)
	body = append(body, 0)
	body = append(body, vec16(bytes.Join([][]byte{extension(65281, []byte{0}), extension(0, nil), extension(16, vec16(vec8([]byte("h2"))))}, nil))...)
	var h ServerHello
	if err := h.Parse(body); err != nil || h.Cipher != 0xc02f || string(h.ALPN) != "h2" || h.Retry {
		t.Fatalf("%v %+v", err, h)
	}
	// md5 of "771,49199,65281-0-16"
	if got := h.JA3S(); got != "7554747c64df99ef4b45f1b1172df217" {
		t.Error(got)
	}
	copy(body[2:], retryRandom)
	if _ = h.Parse(body); !h.Retry {
		t.Error("not seen as a HelloRetryRequest")
	}
}

func TestSSL2Hello(t *testing.T) {
	b := append([]byte{0x80, 9 + 6 + 16, 1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2f, 1, 0, 0x80}, make([]byte, 16)...)
	var h ClientHello
	if n, err := h.ParseSSL2(b); err != nil || n != len(b) || h.Version != 0x301 {
		t.Fatalf("%d %v", n, err)
	}
	if got := h.JA4(OverTCP); !strings.HasPrefix(got, "t10i010000_") {
		t.Error(got)
	}
	if n, err := h.ParseSSL2(b[:20]); n != 0 || err != nil {
		t.Error("a hello that is not there yet")
	}
	b[5] = 1
	if _, err := h.ParseSSL2(b); err == nil {
		t.Error("lengths that do not fit")
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestInitialSecretsOfTheRFCs checks keys against RFC 9001, appendix A.1, and RFC 9369, appendix A.1,
// by the packets of their appendices: the server's Initial of each, in full.
func TestInitialSecretsOfTheRFCs(t *testing.T) {
	for name, c := range map[string]struct{ packet, frames string }{
		"version 1": {`cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5
			a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee`,
			`02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304`},
		"version 2": {`dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140`,
			`02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304`},
	} {
		b := unhex(t, c.packet)
		h, _, err := ParseQUIC(b)
		if err != nil || h.Type != QUICInitial {
			t.Fatalf("%s: %v %+v", name, err, h)
		}
		keys, err := NewInitialKeys(h.Version, unhex(t, "8394c8f03e515708"))
		if err != nil {
			t.Fatal(err)
		}
		frames, ok := keys.Open(b, &h, true, nil)
		if !ok || !bytes.Equal(frames, unhex(t, c.frames)) {
			t.Errorf("%s: %v %x", name, ok, frames)
			continue
		}
		for offset, data := range CryptoFrames(frames) {
			var s ServerHello
			if offset != 0 || s.Parse(data[4:]) != nil || s.Version != 0x0304 || s.Cipher != 0x1301 || GroupName(s.Group) != "x25519" {
				t.Errorf("%s: %d %+v", name, offset, s)
			}
		}
		b[len(b)-1] ^= 1
		if _, ok := keys.Open(b, &h, true, nil); ok {
			t.Errorf("%s: a changed packet is taken for authentic", name)
		}
	}
}

func TestCertificateFacts(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(0xabc), NotBefore: from, NotAfter: from.AddDate(40, 0, 0), DNSNames: []string{"*.example.org", "example.org"},
		Subject:               pkix.Name{CommonName: `Smith, "John" <j>`, Organization: []string{"مثال"}, Country: []string{"JO"}},
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: 2,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "issuer "}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c := ParseCertificate(der)
	if c.Subject != `CN=Smith\, \"John\" \<j\>,O=مثال,C=JO` || c.Issuer != `CN=issuer\ ` || c.Serial != "0ABC" || c.Version != 3 ||
		!c.NotBefore.Equal(from) || c.NotAfter.Year() != 2064 || c.KeyType != "ecdsa" || c.KeyLength != 256 || c.Curve != "prime256v1" ||
		c.SignatureAlgorithm != "ecdsa-with-SHA256" || c.CA == nil || !*c.CA || *c.PathLength != 2 || len(c.DNS) != 2 {
		t.Errorf("%+v", c)
	}
	for host, want := range map[string]bool{"example.org": true, "WWW.example.org.": true, "a.b.example.org": false, "example.com": false} {
		if c.MatchesHost(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

// flight is a server's or client's side with several messages, alerts and a change of ciphers.
func flight() ([]byte, []byte) {
	var messages []byte
	messages = append(messages, message(TypeClientHello, chrome("h2"))...)
	messages = append(messages, message(TypeCertificate, bytes.Repeat([]byte{9}, 40_000))...)
	messages = append(messages, message(14, nil)...)
	messages = append(messages, message(20, []byte("x"))...)
	return messages, append(record(recordCCS, []byte{1}), record(recordHandshake, []byte("encrypted finished"))...)
}

// TestSideSplitAnywhere cuts the messages into records and the records into segments anyhow.
func TestSideSplitAnywhere(t *testing.T) {
	messages, rest := flight()
	pool := packet.NewPool(8 << 20)
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		for left := messages; len(left) > 0; {
			n := min(len(left), rapid.SampledFrom([]int{1, 2, 3, 5, 100, 1000, 16384}).Draw(t, "record"))
			stream = append(stream, record(recordHandshake, left[:n])...)
			left = left[n:]
		}
		stream = append(stream, rest...)
		var side Side
		side.Reset(pool, 0)
		defer side.Release()
		var it Item
		var types []byte
		encrypted := 0
		for have := 0; have < len(stream); {
			have = min(len(stream), have+rapid.SampledFrom([]int{1, 4, 7, 536, 1460, 9000, 70000}).Draw(t, "segment"))
			for side.Next(stream[:have], 0, &it) {
				switch it.Kind {
				case ItemHandshake:
					types = append(types, it.Type)
					if it.Type == TypeCertificate && len(it.Body) != 40_000 {
						t.Fatalf("%d bytes", len(it.Body))
					}
				case ItemEncrypted:
					encrypted++
				}
			}
		}
		if string(types) != string([]byte{1, 11, 14, 20}) || encrypted != 1 || side.Broken() {
			t.Fatalf("messages %v, encrypted %d, broken %v", types, encrypted, side.Broken())
		}
	})
}

func TestHelloBehindChangeOfCipherIsRead(t *testing.T) {
	stream := append(record(recordCCS, []byte{1}), record(recordHandshake, message(TypeClientHello, chrome("h2")))...)
	var side Side
	side.Reset(packet.NewPool(1<<20), 0)
	var it Item
	var kinds []ItemKind
	for side.Next(stream, 0, &it) {
		kinds = append(kinds, it.Kind)
	}
	if len(kinds) != 2 || kinds[1] != ItemHandshake {
		t.Errorf("%v", kinds)
	}
}

func dtlsRecord(kind byte, epoch uint16, body []byte) []byte {
	b := append([]byte{kind, 0xfe, 0xfd}, u16s(epoch)...)
	b = append(b, make([]byte, 6)...)
	return append(b, vec16(body)...)
}

func dtlsPart(kind byte, number uint16, body []byte, from, to int) []byte {
	b := []byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	b = append(b, u16s(number)...)
	b = append(b, byte(from>>16), byte(from>>8), byte(from), byte((to-from)>>16), byte((to-from)>>8), byte(to-from))
	return append(b, body[from:to]...)
}

func TestDTLSPartsInAnyOrder(t *testing.T) {
	body := chrome()
	rapid.Check(t, func(t *rapid.T) {
		var parts [][]byte
		for from := 0; from < len(body); {
			to := min(len(body), from+rapid.IntRange(20, 200).Draw(t, "size"))
			parts = append(parts, dtlsRecord(recordHandshake, 0, dtlsPart(TypeClientHello, 1, body, max(0, from-5), to)))
			from = to
		}
		parts = rapid.Permutation(parts).Draw(t, "order")
		var side DatagramSide
		side.Reset(packet.NewPool(1 << 20))
		seen := 0
		for _, p := range append(parts, parts...) {
			side.Read(p, func(it *Item) {
				if it.Kind == ItemHandshake && bytes.Equal(it.Body, body) {
					seen++
				}
			})
		}
		if seen != 1 {
			t.Fatalf("the hello came %d times", seen)
		}
	})
}

func FuzzClientHello(f *testing.F) {
	f.Add(chrome("h2"), false)
	f.Add(clientHello(0x0301, []uint16{1}), true)
	f.Fuzz(func(t *testing.T, body []byte, dtls bool) {
		var h ClientHello
		if h.Parse(body, dtls) == nil {
			if len(h.JA4(OverTCP)) != 36 || len(h.JA3()) != 32 {
				t.Fatal("a fingerprint of another length")
			}
		}
		_, _ = h.ParseSSL2(body)
		_ = h.JA4(OverTCP)
		var s ServerHello
		if s.Parse(body) == nil {
			_ = s.JA3S()
		}
		var v2 ServerHello2
		_, _ = v2.Parse(body)
	})
}

func FuzzCertificate(f *testing.F) {
	f.Add([]byte("\x30\x03\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, der []byte) {
		c := ParseCertificate(der)
		_ = c.MatchesHost("a.example")
		for d := range Certificates(der) {
			ParseCertificate(d)
		}
	})
}

func FuzzSide(f *testing.F) {
	messages, rest := flight()
	f.Add(append(record(recordHandshake, messages[:500]), rest...), 7)
	f.Fuzz(func(t *testing.T, stream []byte, step int) {
		if step < 1 || step > 1<<16 {
			return
		}
		pool := packet.NewPool(1 << 22)
		var side Side
		side.Reset(pool, 0)
		var it Item
		total := 0
		for have := 0; have < len(stream); {
			have = min(len(stream), have+step)
			for side.Next(stream[:have], 0, &it) {
				if total++; total > len(stream)+1 {
					t.Fatal("more items than bytes")
				}
			}
		}
		var d DatagramSide
		d.Reset(pool)
		d.Read(stream, func(*Item) {})
		StartsServerTLS(stream)
	})
}

func FuzzQUIC(f *testing.F) {
	f.Add([]byte("\xc0\x00\x00\x00\x01\x08abcdefgh\x00\x00\x40\x200123456789012345678901234567890123456789"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, _, err := ParseQUIC(b)
		if err == nil && h.Type == QUICInitial {
			if keys, err := NewInitialKeys(h.Version, h.DCID); err == nil {
				keys.Open(b, &h, false, nil)
				keys.Open(b, &h, true, nil)
			}
		}
		for range CryptoFrames(b) {
		}
		StartsGoogleQUIC(b)
	})
}
