package httpsig

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
)

// digestField carries the digests of a message's content (RFC 9530).
const digestField = "Content-Digest"

// contentDigest is the field's value for a content.
func contentDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha-256=" + bare{kind: 'x', raw: sum[:]}.String()
}

// checkDigest compares content with every digest of an algorithm that is known here; at least one must be.
func checkDigest(h http.Header, content []byte) error {
	digests, err := parseDictionary(strings.Join(h.Values(digestField), ", "))
	if err != nil {
		return err
	}
	known := 0
	for _, d := range digests {
		var sum []byte
		switch d.key {
		case "sha-256":
			s := sha256.Sum256(content)
			sum = s[:]
		case "sha-512":
			s := sha512.Sum512(content)
			sum = s[:]
		default:
			continue
		}
		if d.inner || d.value.kind != 'x' || subtle.ConstantTimeCompare(sum, d.value.raw) != 1 {
			return errors.New("the content is not the one that its digest names")
		}
		known++
	}
	if known == 0 {
		return errors.New("the content has no digest of a known algorithm")
	}
	return nil
}
