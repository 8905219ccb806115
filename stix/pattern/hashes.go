package pattern

import (
	"fmt"
	"strings"
)

// hash is an algorithm of the hash-algorithm vocabulary, with the form of its
// values. The published validator knows some more names than STIX 2.1 does.
type hash struct {
	name   string
	digits int // hexadecimal digits; 0 for the forms named below
}

// hashAlgorithm tells whether a path ends at a known algorithm below a property
// named hashes, and which. Names are compared without hyphens and case, so that
// SHA-256, SHA256 and sha256 are one.
func hashAlgorithm(p ObjectPath) (hash, bool) {
	below := false
	for _, step := range p.Steps {
		below = below || step.Kind == Key && step.Key == "hashes"
	}
	last := p.Steps[len(p.Steps)-1]
	if !below || last.Kind != Key {
		return hash{}, false
	}
	digits := 0
	switch strings.NewReplacer("-", "", "'", "").Replace(strings.ToUpper(last.Key)) {
	case "MD5":
		digits = 32
	case "RIPEMD160", "SHA1":
		digits = 40
	case "SHA224", "SHA3224":
		digits = 56
	case "SHA256", "SHA3256":
		digits = 64
	case "SHA384", "SHA3384":
		digits = 96
	case "SHA512", "SHA3512", "WHIRLPOOL":
		digits = 128
	case "MD6", "SSDEEP":
	default:
		return hash{}, false
	}
	return hash{name: last.Key, digits: digits}, true
}

func (h hash) isFuzzy() bool { return strings.EqualFold(h.name, "ssdeep") }

func (h hash) form() string {
	switch {
	case h.digits > 0:
		return fmt.Sprintf("%d hexadecimal digits", h.digits)
	case h.isFuzzy():
		return "1 to 128 letters, digits and / + : ."
	}
	return "32 hexadecimal digits or more"
}

// accepts tells whether a constant can be a value of the algorithm. MD6 makes
// digests of any length; published values have 32 digits at least.
func (h hash) accepts(c Constant) bool {
	if c.Kind != String {
		return false
	}
	s := c.Text
	if h.isFuzzy() {
		for i := 0; i < len(s); i++ {
			if s[i] == '_' || !isLetter(s[i]) && !isDigit(s[i]) && strings.IndexByte("/+:.", s[i]) < 0 {
				return false
			}
		}
		return len(s) >= 1 && len(s) <= 128
	}
	for i := 0; i < len(s); i++ {
		if !isHexDigit(s[i]) {
			return false
		}
	}
	return h.digits == 0 && len(s) >= 32 || h.digits > 0 && len(s) == h.digits
}
