package httpsig

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
)

// The keys and messages of RFC 9421, appendix B.
const (
	rsaPSSKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----`
	eccKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----`
	sharedSecret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
	// ed25519Seed is the seed of the private key of appendix B.1.4.
	ed25519Seed = "n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU="

	testRequest = "POST /foo?param=Value&Pet=dog HTTP/1.1\r\nHost: example.com\r\nDate: Tue, 20 Apr 2021 02:07:55 GMT\r\n" +
		"Content-Type: application/json\r\n" +
		"Content-Digest: sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\r\n" +
		"Content-Length: 18\r\n\r\n" + `{"hello": "world"}`
	testResponse = "HTTP/1.1 200 OK\r\nDate: Tue, 20 Apr 2021 02:07:56 GMT\r\nContent-Type: application/json\r\n" +
		"Content-Digest: sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:\r\n" +
		"Content-Length: 23\r\n\r\n" + `{"message": "good dog"}`
	transformed = "GET /demo?name1=Value1&Name2=value2 HTTP/1.1\r\nHost: example.org\r\nDate: Fri, 15 Jul 2022 14:24:55 GMT\r\n" +
		"Accept: application/json\r\nAccept: */*\r\n\r\n"
)

// TestVectors builds the signature base of every test case of RFC 9421, appendix B.2 (and B.4's first), and verifies the
// RFC's own signature over it with the RFC's key.
func TestVectors(t *testing.T) {
	request, response, demo := parseRequest(t, testRequest), parseResponse(t, testResponse), parseRequest(t, transformed)
	for _, c := range []struct {
		name, input, signature string
		m                      message
		verify                 func(t *testing.T, base, sig []byte) bool
	}{
		{"B.2.1 minimal, rsa-pss-sha512", `sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`,
			"d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
			request, verifyPSS},
		{"B.2.2 selective, rsa-pss-sha512", `sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"`,
			"LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==",
			request, verifyPSS},
		{"B.2.3 full, rsa-pss-sha512", `sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`,
			"bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
			request, verifyPSS},
		{"B.2.4 response, ecdsa-p256-sha256", `sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"`,
			"wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==", response, verifyECDSA},
		{"B.2.5 hmac-sha256", `sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			"pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=", request, verifyHMAC},
		{"B.2.6 ed25519", `sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			"wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==", request, verifyEd25519},
		{"B.4 transformation, ed25519", `transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"`,
			"ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==", demo, verifyEd25519},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := parseDictionary(c.input)
			if err != nil {
				t.Fatal(err)
			}
			base, err := signatureBase(c.m, in[0])
			if err != nil {
				t.Fatal(err)
			}
			sig := decode(t, c.signature)
			if !c.verify(t, base, sig) {
				t.Errorf("the RFC's signature does not verify over the base\n%s", base)
			}
			if got := in[0].key + "=" + in[0].innerString(); got != c.input {
				t.Errorf("the input is spelled\n%s, the RFC spells\n%s", got, c.input)
			}
			base[0] ^= 1
			if c.verify(t, base, sig) {
				t.Error("it verifies over another base too")
			}
		})
	}
}

// TestBaseLines compares a whole base with the one that the RFC prints (B.2.2), so that a failure shows the line.
func TestBaseLines(t *testing.T) {
	in, err := parseDictionary(`sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"`)
	if err != nil {
		t.Fatal(err)
	}
	base, err := signatureBase(parseRequest(t, testRequest), in[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `"@authority": example.com
"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
"@query-param";name="Pet": dog
"@signature-params": ("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"`
	if string(base) != want {
		t.Errorf("the base is\n%s\nthe RFC's is\n%s", base, want)
	}
}

// TestComponents checks the examples of RFC 9421, section 2.2.
func TestComponents(t *testing.T) {
	m := parseRequest(t, "POST /path?param=value&foo=bar&baz=bat%2Dman HTTP/1.1\r\nHost: www.Example.com:80\r\n\r\n")
	m.header.Set("Host", "www.example.com")
	for component, want := range map[string]string{
		`"@method"`:                  "POST",
		`"@authority"`:               "www.example.com",
		`"@scheme"`:                  "http",
		`"@path"`:                    "/path",
		`"@query"`:                   "?param=value&foo=bar&baz=bat%2Dman",
		`"@target-uri"`:              "http://www.example.com/path?param=value&foo=bar&baz=bat%2Dman",
		`"@request-target"`:          "/path?param=value&foo=bar&baz=bat%2Dman",
		`"@query-param";name="baz"`:  "bat-man",
		`"@query-param";name="none"`: "",
		`"@status"`:                  "",
		`"@else"`:                    "",
		`"X-Upper"`:                  "",
		`"absent"`:                   "",
		`"date";bs`:                  "",
	} {
		in, err := parseDictionary("sig=(" + component + ")")
		if err != nil {
			t.Fatal(component, err)
		}
		got, err := m.component(in[0].list[0])
		if (err != nil) != (want == "") || got != want {
			t.Errorf("%s is %q (%v), want %q", component, got, err, want)
		}
	}
	if got, err := parseRequest(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").component(item{value: bare{kind: 's', text: "@query"}}); got != "?" || err != nil {
		t.Errorf("an absent query is %q (%v), the RFC says a single question mark", got, err)
	}
}

func parseRequest(t *testing.T, text string) message {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	if r.ContentLength > 0 {
		r.Header.Set("Content-Length", "18") // net/http keeps it apart
	}
	return messageOf(r)
}

func parseResponse(t *testing.T, text string) message {
	t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	return message{status: r.StatusCode, header: r.Header}
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func publicKey[K any](t *testing.T, text string) K {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(K)
}

func verifyPSS(t *testing.T, base, sig []byte) bool {
	sum := sha512.Sum512(base)
	return rsa.VerifyPSS(publicKey[*rsa.PublicKey](t, rsaPSSKey), crypto.SHA512, sum[:], sig, &rsa.PSSOptions{SaltLength: 64}) == nil
}

func verifyECDSA(t *testing.T, base, sig []byte) bool {
	sum := sha256.Sum256(base)
	return ecdsa.Verify(publicKey[*ecdsa.PublicKey](t, eccKey), sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

func verifyHMAC(t *testing.T, base, sig []byte) bool {
	mac := hmac.New(sha256.New, decode(t, sharedSecret))
	mac.Write(base)
	return hmac.Equal(mac.Sum(nil), sig)
}

func verifyEd25519(t *testing.T, base, sig []byte) bool {
	key := ed25519.NewKeyFromSeed(decode(t, ed25519Seed))
	return ed25519.Verify(key.Public().(ed25519.PublicKey), base, sig)
}
