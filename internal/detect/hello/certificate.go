package hello

import (
	"crypto/sha1" // #nosec: indicators name certificates by it
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// maxNames bounds how many alternative names of each kind are kept.
const maxNames = 1024

// Certificate is what an X.509 certificate states. Nothing of it was verified.
type Certificate struct {
	SHA256             string     `json:"fingerprint"`
	SHA1               string     `json:"sha1"`
	Version            int        `json:"version,omitzero"`
	Serial             string     `json:"serial,omitzero"` // upper-case hexadecimal, whole bytes
	Subject            string     `json:"subject,omitzero"`
	Issuer             string     `json:"issuer,omitzero"`
	NotBefore          *time.Time `json:"not_valid_before,omitzero"`
	NotAfter           *time.Time `json:"not_valid_after,omitzero"`
	KeyAlgorithm       string     `json:"key_alg,omitzero"`
	SignatureAlgorithm string     `json:"sig_alg,omitzero"`
	KeyType            string     `json:"key_type,omitzero"`
	KeyLength          int        `json:"key_length,omitzero"` // bits
	Exponent           string     `json:"exponent,omitzero"`
	Curve              string     `json:"curve,omitzero"`
	DNS                []string   `json:"san_dns,omitzero"`
	URI                []string   `json:"san_uri,omitzero"`
	Email              []string   `json:"san_email,omitzero"`
	IP                 []string   `json:"san_ip,omitzero"`
	CA                 *bool      `json:"ca,omitzero"` // basic constraints; absent where the certificate has none
	PathLength         *int       `json:"path_len,omitzero"`

	hosts []string // the names that MatchesHost compares with
}

// ParseCertificate reads a certificate in DER. Its hashes are always right; of the rest it gives
// what could be read.
func ParseCertificate(der []byte) Certificate {
	sum1, sum256 := sha1.Sum(der), sha256.Sum256(der) // #nosec: see above
	c := Certificate{SHA1: hex.EncodeToString(sum1[:]), SHA256: hex.EncodeToString(sum256[:])}
	outer := derReader{der}
	body, ok := outer.want(tagSequence)
	if !ok {
		return c
	}
	signed := derReader{body}
	tbs, ok := signed.want(tagSequence)
	if !ok {
		return c
	}
	if algorithm, ok := signed.want(tagSequence); ok {
		c.SignatureAlgorithm = oidName(first(algorithm))
	}
	c.readBody(derReader{tbs})
	names := c.DNS
	if len(names) == 0 {
		names = commonNames(c.Subject)
	}
	for _, name := range names {
		c.hosts = append(c.hosts, strings.ToLower(strings.TrimSuffix(name, ".")))
	}
	return c
}

func (c *Certificate) readBody(r derReader) {
	c.Version = 1
	if explicit, ok := r.want(0xa0); ok {
		v := derReader{explicit}
		if n, ok := v.want(tagInteger); ok && len(n) == 1 {
			c.Version = int(n[0]) + 1
		}
	}
	serial, ok := r.want(tagInteger)
	if !ok {
		return
	}
	c.Serial = serialText(serial)
	if _, ok = r.want(tagSequence); !ok { // the signature algorithm once more
		return
	}
	issuer, ok := r.want(tagSequence)
	if !ok {
		return
	}
	c.Issuer = nameText(issuer)
	if validity, ok := r.want(tagSequence); ok {
		v := derReader{validity}
		c.NotBefore, c.NotAfter = timeOf(&v), timeOf(&v)
	}
	subject, ok := r.want(tagSequence)
	if !ok {
		return
	}
	c.Subject = nameText(subject)
	if key, ok := r.want(tagSequence); ok {
		c.readKey(derReader{key})
	}
	for {
		tag, body, ok := r.next()
		if !ok {
			return
		}
		if tag == 0xa3 {
			list := derReader{body}
			if all, ok := list.want(tagSequence); ok {
				c.readExtensions(derReader{all})
			}
		}
	}
}

// serialText drops the zero byte that only keeps the number positive.
func serialText(b []byte) string {
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return strings.ToUpper(hex.EncodeToString(b))
}

func timeOf(r *derReader) *time.Time {
	tag, body, ok := r.next()
	if !ok || len(body) > 32 {
		return nil
	}
	layouts := []string{"20060102150405Z", "200601021504Z", "20060102150405Z0700"}
	if tag == tagUTCTime {
		layouts = []string{"060102150405Z", "0601021504Z", "060102150405Z0700", "0601021504Z0700"}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, string(body)); err == nil {
			if tag == tagUTCTime && t.Year() >= 2050 { // RFC 5280, section 4.1.2.5.1
				t = t.AddDate(-100, 0, 0)
			}
			t = t.UTC()
			return &t
		}
	}
	return nil
}

// first gives the contents of the first element.
func first(b []byte) []byte {
	r := derReader{b}
	_, body, _ := r.next()
	return body
}

func (c *Certificate) readKey(r derReader) {
	algorithm, ok := r.want(tagSequence)
	if !ok {
		return
	}
	a := derReader{algorithm}
	oid, _ := a.want(tagOID)
	c.KeyAlgorithm = oidName(oid)
	bits, ok := r.want(tagBitString)
	if !ok || len(bits) < 1 {
		return
	}
	bits = bits[1:]
	switch c.KeyAlgorithm {
	case "rsaEncryption", "rsassaPss", "rsaesOaep":
		c.KeyType = "rsa"
		k := derReader{bits}
		if body, ok := k.want(tagSequence); ok {
			k = derReader{body}
			modulus, _ := k.want(tagInteger)
			exponent, _ := k.want(tagInteger)
			c.KeyLength = bitLength(modulus)
			if len(exponent) <= 64 {
				c.Exponent = new(big.Int).SetBytes(exponent).String()
			}
		}
	case "dsaEncryption":
		c.KeyType = "dsa"
		if parameters, ok := a.want(tagSequence); ok {
			c.KeyLength = bitLength(first(parameters))
		}
	case "id-ecPublicKey":
		c.KeyType = "ecdsa"
		if curve, ok := a.want(tagOID); ok {
			c.Curve = oidName(curve)
			c.KeyLength = curveBits(c.Curve)
		}
	case "ED25519":
		c.KeyType, c.KeyLength = "ed25519", 256
	case "ED448":
		c.KeyType, c.KeyLength = "ed448", 448
	default:
		c.KeyType = "unknown"
	}
}

func bitLength(b []byte) int {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 {
		return 0
	}
	n := len(b) * 8
	for top := b[0]; top&0x80 == 0; top <<= 1 {
		n--
	}
	return n
}

func curveBits(name string) int {
	switch name {
	case "prime256v1", "secp256k1", "brainpoolP256r1":
		return 256
	case "secp384r1", "brainpoolP384r1":
		return 384
	case "secp521r1":
		return 521
	case "secp224r1":
		return 224
	case "prime192v1":
		return 192
	case "brainpoolP512r1":
		return 512
	default:
		return 0
	}
}

func (c *Certificate) readExtensions(r derReader) {
	for {
		body, ok := r.want(tagSequence)
		if !ok {
			return
		}
		e := derReader{body}
		oid, _ := e.want(tagOID)
		e.want(tagBoolean)
		value, ok := e.want(tagOctetString)
		if !ok {
			continue
		}
		v := derReader{value}
		switch string(oid) {
		case "\x55\x1d\x11": // subjectAltName
			if names, ok := v.want(tagSequence); ok {
				c.readNames(derReader{names})
			}
		case "\x55\x1d\x13": // basicConstraints
			if constraints, ok := v.want(tagSequence); ok {
				k := derReader{constraints}
				ca := false
				if b, ok := k.want(tagBoolean); ok && len(b) == 1 {
					ca = b[0] != 0
				}
				c.CA = &ca
				if n, ok := k.want(tagInteger); ok && len(n) > 0 && len(n) <= 4 {
					depth := 0
					for _, v := range n {
						depth = depth<<8 | int(v)
					}
					c.PathLength = &depth
				}
			}
		}
	}
}

func (c *Certificate) readNames(r derReader) {
	add := func(list *[]string, v string) {
		if len(*list) < maxNames {
			*list = append(*list, v)
		}
	}
	for {
		tag, body, ok := r.next()
		if !ok {
			return
		}
		switch tag {
		case 0x81:
			add(&c.Email, cleanText(body))
		case 0x82:
			add(&c.DNS, cleanText(body))
		case 0x86:
			add(&c.URI, cleanText(body))
		case 0x87:
			if a, ok := netip.AddrFromSlice(body); ok {
				add(&c.IP, a.String())
			}
		}
	}
}

// MatchesHost tells whether the certificate names the host, wildcards included (RFC 6125,
// section 6.4.3), in its alternative names or, where it has none, in its common name.
func (c *Certificate) MatchesHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, domain, below := strings.Cut(host, ".")
	for _, name := range c.hosts {
		if name == host || below && strings.HasPrefix(name, "*.") && name[2:] == domain {
			return true
		}
	}
	for _, ip := range c.IP {
		if ip == host {
			return true
		}
	}
	return false
}

func commonNames(subject string) []string {
	var names []string
	for part := range strings.SplitSeq(subject, ",") {
		if name, ok := strings.CutPrefix(part, "CN="); ok {
			names = append(names, name)
		}
	}
	return names
}

// oidText gives an object identifier in dotted form.
func oidText(b []byte) string {
	if len(b) == 0 || len(b) > 64 {
		return ""
	}
	var out []byte
	var v uint64
	begun := false
	for _, x := range b {
		v = v<<7 | uint64(x&0x7f)
		if x&0x80 != 0 {
			continue
		}
		if !begun {
			begun = true
			top := min(v/40, 2)
			out = strconv.AppendUint(out, top, 10)
			v -= top * 40
		}
		out = append(out, '.')
		out = strconv.AppendUint(out, v, 10)
		v = 0
	}
	return string(out)
}
