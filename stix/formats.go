package stix

import (
	"bytes"
	"math"
	"strconv"
)

// isIdentifier says whether b is "type--UUID" (section 2.9): the type is a type's name of at least three characters,
// the UUID is of RFC 4122's variant and of version 1 to 5.
func isIdentifier(b []byte) bool {
	n := len(b) - 38 // two hyphens, 36 characters
	return n >= 3 && b[n] == '-' && b[n+1] == '-' && isIdentifierType(b[:n]) && isUUID(b[n+2:])
}

func isIdentifierType(b []byte) bool {
	if b[0] < 'a' || b[0] > 'z' || b[len(b)-1] == '-' {
		return false
	}
	for _, c := range b {
		if class[c]&(lower|digit) == 0 && c != '-' {
			return false
		}
	}
	return true
}

func isUUID(b []byte) bool {
	if len(b) != 36 || b[8] != '-' || b[13] != '-' || b[18] != '-' || b[23] != '-' {
		return false
	}
	// A digit's value has its high bit clear: one test for all of them.
	var bad int8
	for _, c := range b[:8] {
		bad |= hexDigit[c]
	}
	for _, c := range b[24:] {
		bad |= hexDigit[c]
	}
	bad |= hexDigit[b[9]] | hexDigit[b[10]] | hexDigit[b[11]] | hexDigit[b[12]] | hexDigit[b[14]] | hexDigit[b[15]] |
		hexDigit[b[16]] | hexDigit[b[17]] | hexDigit[b[19]] | hexDigit[b[20]] | hexDigit[b[21]] | hexDigit[b[22]]
	if bad < 0 {
		return false
	}
	version, variant := b[14], hexDigit[b[19]]
	return version >= '1' && version <= '5' && variant >= 8 && variant <= 11
}

// identifierType is the part of an identifier before its UUID; empty when there is no "--".
func identifierType(b []byte) []byte {
	if n := len(b) - 38; n > 0 && b[n] == '-' && b[n+1] == '-' {
		return b[:n]
	}
	if i := bytes.Index(b, []byte("--")); i > 0 {
		return b[:i]
	}
	return nil
}

func uuidVersion(id []byte) byte {
	if n := len(id) - 36; n >= 0 && isUUID(id[n:]) {
		return id[n+14] - '0'
	}
	return 0
}

const (
	lower = 1 << iota
	upper
	digit
	uriMark // "-._~" and the sub-delimiters of RFC 3986
)

// class of an ASCII character.
var class = func() (t [256]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = lower, upper
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = digit
	}
	for _, c := range "-._~!$&'()*+,;=" {
		t[c] = uriMark
	}
	return t
}()

// all says whether every character of b is of one of the classes or in others.
func all(b []byte, classes uint8, others string) bool {
next:
	for _, c := range b {
		if class[c]&classes != 0 {
			continue
		}
		for i := 0; i < len(others); i++ {
			if c == others[i] {
				continue next
			}
		}
		return false
	}
	return true
}

// isTypeName is the form of an object's type (sections 3.1 and 11.2): hyphens separate words of lower-case letters and
// digits, 3 to 250 characters; one hyphen at the end is tolerated, as the OASIS schemas do.
func isTypeName(b []byte) bool {
	if len(b) < 3 || len(b) > 250 || class[b[0]]&lower == 0 || !all(b, lower|digit, "-") {
		return false
	}
	return !bytes.Contains(b, []byte("--"))
}

// isPropertyName is the form of a property's name (section 3.1): lower-case letters, digits and underscores, 3 to 250
// characters, beginning with a letter.
func isPropertyName(b []byte) bool {
	return string(b) == "id" || len(b) >= 3 && len(b) <= 250 && class[b[0]]&lower != 0 && all(b, lower|digit, "_")
}

// isDictionaryKey is the form of a dictionary's keys (section 2.3).
func isDictionaryKey(b []byte) bool {
	return len(b) <= 250 && all(b, lower|upper|digit, "_-")
}

// isHex is pairs of hexadecimal digits (section 2.8).
func isHex(b []byte) bool { return len(b) > 0 && len(b)%2 == 0 && isHexDigits(b) }

func isHexDigits(b []byte) bool {
	for _, c := range b {
		if hexDigit[c] < 0 {
			return false
		}
	}
	return true
}

// isBase64 is RFC 4648's standard alphabet with padding, not empty (section 2.1).
func isBase64(b []byte) bool {
	if len(b) == 0 || len(b)%4 != 0 {
		return false
	}
	body := bytes.TrimSuffix(b, []byte("="))
	body = bytes.TrimSuffix(body, []byte("="))
	return all(body, lower|upper|digit, "+/")
}

// wholeNumber is the value of a JSON number without a fraction: 50, 50.0 and 5e1 alike.
func wholeNumber(b []byte) (int64, bool) {
	if len(b) < 18 {
		n, i := int64(0), 0
		if b[0] == '-' {
			i++
		}
		for ; i < len(b) && class[b[i]]&digit != 0; i++ {
			n = n*10 + int64(b[i]-'0')
		}
		if i == len(b) {
			if b[0] == '-' {
				n = -n
			}
			return n, true
		}
	}
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// maxInteger is the largest integer that STIX allows, and -maxInteger the smallest (section 2.10).
const maxInteger = 1<<53 - 1

// isMediaType is "type/subtype" with a top-level type of IANA's.
func isMediaType(b []byte) bool {
	kind, sub, ok := bytes.Cut(b, []byte("/"))
	if !ok || len(sub) == 0 || class[sub[0]]&(lower|upper|digit) == 0 && !bytes.ContainsRune([]byte(".+_-"), rune(sub[0])) {
		return false
	}
	switch string(kind) {
	case "application", "audio", "font", "image", "message", "model", "multipart", "text", "video":
		return true
	}
	return false
}

// isCVE is CVE-YYYY-NNNN with more digits allowed when the first is not 0.
func isCVE(b []byte) bool {
	if len(b) < 13 || string(b[:4]) != "CVE-" || b[8] != '-' || !all(b[4:8], digit, "") || !all(b[9:], digit, "") {
		return false
	}
	return len(b) == 13 || b[9] != '0'
}

func isCAPEC(b []byte) bool {
	return len(b) > 6 && string(b[:6]) == "CAPEC-" && all(b[6:], digit, "")
}

// isSelector is the syntax of a granular marking's selector (section 7.2.3.1): a property, then members and [indices].
func isSelector(b []byte) bool {
	if string(b) == "id" {
		return true
	}
	first, rest, more := bytes.Cut(b, []byte("."))
	if len(first) < 3 || len(first) > 249 || !all(first, lower|digit, "_-") {
		return false
	}
	for more {
		first, rest, more = bytes.Cut(rest, []byte("."))
		if n := len(first); n > 2 && first[0] == '[' && first[n-1] == ']' && all(first[1:n-1], digit, "") {
			continue
		}
		if len(first) == 0 || !isDictionaryKey(first) {
			return false
		}
	}
	return true
}

// hashLength is the length in hexadecimal digits of the hashes that STIX knows; 0 for others.
func hashLength(algorithm []byte) int {
	switch string(algorithm) {
	case "MD5":
		return 32
	case "SHA-1":
		return 40
	case "SHA-256", "SHA3-256":
		return 64
	case "SHA-512", "SHA3-512":
		return 128
	}
	return 0
}

// isHash says whether a value can be a hash of the algorithm (section 2.7, and the value forms of hash-algorithm-ov).
func isHash(algorithm, value []byte) bool {
	if n := hashLength(algorithm); n > 0 {
		return len(value) == n && isHexDigits(value)
	}
	switch string(algorithm) {
	case "SSDEEP":
		return len(value) > 0 && len(value) <= 128 && all(value, lower|upper|digit, "/+:.")
	case "TLSH":
		return len(value) == 70 && all(value, lower|upper|digit, "")
	}
	return true
}
