package stix

import (
	"fmt"
	"strings"
)

// FingerprintKind is an algorithm by which the hello, or the like, of a client or a server is summed up.
type FingerprintKind string

// The kinds of fingerprints. JA4S and the others of JA4+ are carried, but never computed by mithaq: their licence does
// not allow it.
const (
	JA3      FingerprintKind = "ja3"  // MD5 of a TLS client hello
	JA3S     FingerprintKind = "ja3s" // MD5 of a TLS server hello
	JA4      FingerprintKind = "ja4"  // TLS or QUIC client hello
	JA4S     FingerprintKind = "ja4s" // TLS server hello
	JA4H     FingerprintKind = "ja4h" // HTTP client
	JA4X     FingerprintKind = "ja4x" // X.509 certificate
	JA4SSH   FingerprintKind = "ja4ssh"
	JA4T     FingerprintKind = "ja4t" // TCP client
	JA4TS    FingerprintKind = "ja4ts"
	JARM     FingerprintKind = "jarm" // active probe of a TLS server
	HASSH    FingerprintKind = "hassh"
	HASSHSrv FingerprintKind = "hasshserver"
	CommuID  FingerprintKind = "community-id"
)

// Fingerprint is one fingerprint of a client or server.
type Fingerprint struct {
	Kind  FingerprintKind `json:"kind"`
	Value string          `json:"value"`
	// Role is client or server, where it is known and the kind does not say so.
	Role string `json:"role,omitempty"`
	// Raw is what the value is a hash of, where it is known.
	Raw string `json:"raw,omitempty"`
	// From says which form it was read in: mithaq, opencti, misp, x_, pattern …
	From string `json:"-"`
}

// Check says what is wrong with a fingerprint.
func (f Fingerprint) Check() error {
	if !f.Kind.fits(f.Value) {
		return fmt.Errorf("%q is no %s fingerprint", clip([]byte(f.Value)), f.Kind)
	}
	switch f.Role {
	case "", "client", "server":
		return nil
	}
	return fmt.Errorf("a fingerprint is of a client or a server, not of %q", f.Role)
}

// fits says whether a value has the form of the kind. Kinds that are not known take any short value.
func (k FingerprintKind) fits(value string) bool {
	b := []byte(value)
	hexOf := func(n int) bool { return len(b) == n && isHexDigits(b) }
	parts := func(lengths ...int) bool {
		got := strings.Split(value, "_")
		if len(got) != len(lengths) {
			return false
		}
		for i, n := range lengths {
			if n > 0 && len(got[i]) != n || !all([]byte(got[i]), lower|digit, "-") || got[i] == "" {
				return false
			}
		}
		return true
	}
	switch k {
	case "":
		return false
	case JA3, JA3S, HASSH, HASSHSrv:
		return hexOf(32)
	case JARM:
		return hexOf(62)
	case JA4:
		return parts(10, 12, 12) && strings.IndexByte("tqd", value[0]) >= 0
	case JA4S:
		return parts(7, 4, 12) && strings.IndexByte("tqd", value[0]) >= 0
	case JA4X:
		return parts(12, 12, 12)
	}
	if value == "" || len(value) > 512 {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// kindOf reads the many spellings of a kind: ja3_hash, JA3-fingerprint-md5, tls_ja3, hassh-md5, x_ja4 …
func kindOf(name string) (kind FingerprintKind, role string, ok bool) {
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(name)) {
		if class[c]&(lower|digit) != 0 {
			b.WriteByte(c)
		}
	}
	n := b.String()
	for _, prefix := range []string{"xopencti", "xmisp", "opencti", "misp", "xtls", "tls", "ssl", "ssh", "quic", "x", "client", "server"} {
		if rest, found := strings.CutPrefix(n, prefix); found && rest != "" {
			if prefix == "client" || prefix == "server" {
				role = prefix
			}
			n = rest
		}
	}
	for trimmed := true; trimmed; {
		trimmed = false
		for _, suffix := range []string{"fingerprint", "md5", "hash", "digest", "value"} {
			if rest, found := strings.CutSuffix(n, suffix); found && rest != "" {
				n, trimmed = rest, true
			}
		}
	}
	switch n {
	case "ja3", "ja3s", "ja4", "ja4s", "ja4h", "ja4x", "ja4ssh", "ja4t", "ja4ts", "jarm", "hassh", "hasshserver":
		return FingerprintKind(n), role, true
	case "ja3c":
		return JA3, "client", true
	case "communityid":
		return CommuID, role, true
	}
	return "", "", false
}
