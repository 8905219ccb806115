package exchange

import (
	"crypto/sha1" // #nosec G505 -- RFC 9562 makes identifiers of version 5 with it; nothing is protected by it
	"encoding/hex"
	"strings"
)

// namespace is f5a5d8a1-6c1c-4a0e-9d2e-3b7f0c6e4d10, of all identifiers that conversions make from names.
var namespace = [16]byte{0xf5, 0xa5, 0xd8, 0xa1, 0x6c, 0x1c, 0x4a, 0x0e, 0x9d, 0x2e, 0x3b, 0x7f, 0x0c, 0x6e, 0x4d, 0x10}

// UUID is the identifier (version 5, RFC 9562) of something that these names describe together: the same names make the
// same identifier everywhere.
func UUID(names ...string) string {
	h := sha1.New() // #nosec G401 -- see the import
	h.Write(namespace[:])
	for _, name := range names {
		h.Write([]byte(name))
		h.Write([]byte{0})
	}
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return formatUUID(u)
}

func formatUUID(u []byte) string {
	s := hex.EncodeToString(u)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// IsUUID tells whether a text is a UUID that a STIX identifier may carry: lower case, of RFC 9562's variant and a version
// from 1 to 8.
func IsUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s[14] >= '1' && s[14] <= '8' && strings.IndexByte("89ab", s[19]) >= 0
}
