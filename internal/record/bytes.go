package record

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Bytes are bytes that JSON carries in base64 with padding (RFC 4648, section 4), in its one exact spelling.
type Bytes []byte

// MarshalText implements encoding.TextMarshaler.
func (b Bytes) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText implements encoding.TextUnmarshaler; it refuses line breaks and stray bits.
func (b *Bytes) UnmarshalText(text []byte) error {
	raw, err := decodeBase64(string(text))
	if err != nil {
		return err
	}
	*b = raw
	return nil
}

func decodeBase64(s string) ([]byte, error) {
	// The standard library skips line breaks, which would let one signature be written in many ways.
	if strings.ContainsAny(s, "\r\n") {
		return nil, fail(CodeValue, "", "base64 with a line break: write it on one line")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, &Error{CodeValue, "", "not base64 of the standard alphabet with padding: encode it again", err}
	}
	return raw, nil
}

// isHex256 says whether s is 64 lower-case hexadecimal digits: a SHA-256 or a leaf hash.
func isHex256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func (c *checker) hash(s, at string) {
	if !isHex256(s) {
		c.fail(CodeValue, at, "%.80q is not a hash: write 64 lower-case hexadecimal digits", s)
	}
}

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
