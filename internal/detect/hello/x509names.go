package hello

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxNameText bounds a name's text in bytes; what is longer is cut.
const maxNameText = 4096

// nameText writes a distinguished name as RFC 2253 does, the most specific part first, with the
// short names that OpenSSL uses for attributes.
func nameText(b []byte) string {
	var parts []string
	size := 0
	r := derReader{b}
	for {
		set, ok := r.want(tagSet)
		if !ok {
			break
		}
		var text strings.Builder
		s := derReader{set}
		for {
			pair, ok := s.want(tagSequence)
			if !ok {
				break
			}
			p := derReader{pair}
			oid, _ := p.want(tagOID)
			tag, value, ok := p.next()
			if !ok {
				break
			}
			if text.Len() > 0 {
				text.WriteByte('+')
			}
			text.WriteString(attributeName(oid))
			text.WriteByte('=')
			escapeValue(&text, stringOf(tag, value))
			if text.Len() > maxNameText {
				break
			}
		}
		if size += text.Len(); size > maxNameText {
			break
		}
		parts = append(parts, text.String())
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, ",")
}

// stringOf gives the text of a string type.
func stringOf(tag byte, b []byte) string {
	if len(b) > maxNameText {
		b = b[:maxNameText]
	}
	switch tag {
	case tagBMP:
		units := make([]uint16, 0, len(b)/2)
		for ; len(b) >= 2; b = b[2:] {
			units = append(units, uint16(b[0])<<8|uint16(b[1]))
		}
		return string(utf16.Decode(units))
	case tagUniversal:
		runes := make([]rune, 0, len(b)/4)
		for ; len(b) >= 4; b = b[4:] {
			runes = append(runes, rune(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3])))
		}
		return string(runes)
	case tagLatin:
		if utf8.Valid(b) {
			return string(b)
		}
		runes := make([]rune, len(b))
		for i, v := range b {
			runes[i] = rune(v)
		}
		return string(runes)
	default:
		return string(b)
	}
}

// escapeValue escapes as RFC 2253, section 2.4, and what is not text by its bytes.
func escapeValue(w *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1, r < 0x20, r == 0x7f:
			w.WriteByte('\\')
			w.WriteByte(digits[s[i]>>4])
			w.WriteByte(digits[s[i]&15])
		case strings.ContainsRune(",+\"\\<>;", r), r == ' ' && (i == 0 || i == len(s)-1), r == '#' && i == 0:
			w.WriteByte('\\')
			w.WriteRune(r)
		default:
			w.WriteString(s[i : i+size])
		}
		i += size
	}
}

// cleanText gives bytes that should be ASCII or UTF-8 as text, the others escaped.
func cleanText(b []byte) string {
	if len(b) > maxNameText {
		b = b[:maxNameText]
	}
	const digits = "0123456789abcdef"
	if plainText(b) {
		return string(b)
	}
	var w strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 || r < 0x20 || r == 0x7f {
			w.WriteString(`\x`)
			w.WriteByte(digits[b[0]>>4])
			w.WriteByte(digits[b[0]&15])
		} else {
			w.Write(b[:size])
		}
		b = b[size:]
	}
	return w.String()
}

// plainText tells whether bytes are UTF-8 without control characters.
func plainText(b []byte) bool {
	ascii := true
	for _, c := range b {
		if c < 0x20 || c == 0x7f {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.Valid(b)
}

// Text gives bytes from a hello as text; control characters and what is not UTF-8 are escaped.
func Text(b []byte) string { return cleanText(b) }

func attributeName(oid []byte) string {
	if name := oidNames[oidText(oid)]; name != "" {
		return name
	}
	return oidText(oid)
}

func oidName(oid []byte) string { return attributeName(oid) }

// oidNames gives OpenSSL's names; for attributes the short ones, as in names written by it.
var oidNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description",
	"2.5.4.15": "businessCategory", "2.5.4.16": "postalAddress", "2.5.4.17": "postalCode", "2.5.4.18": "postOfficeBox",
	"2.5.4.20": "telephoneNumber", "2.5.4.41": "name", "2.5.4.42": "GN", "2.5.4.43": "initials",
	"2.5.4.44": "generationQualifier", "2.5.4.45": "x500UniqueIdentifier", "2.5.4.46": "dnQualifier",
	"2.5.4.65": "pseudonym", "2.5.4.97": "organizationIdentifier",
	"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.3": "mail",
	"1.2.840.113549.1.9.1": "emailAddress", "1.2.840.113549.1.9.2": "unstructuredName",
	"1.2.840.113549.1.9.8":     "unstructuredAddress",
	"1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL", "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
	"1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",

	"1.2.840.113549.1.1.1": "rsaEncryption", "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
	"1.2.840.113549.1.1.3": "md4WithRSAEncryption", "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
	"1.2.840.113549.1.1.5": "sha1WithRSAEncryption", "1.2.840.113549.1.1.7": "rsaesOaep",
	"1.2.840.113549.1.1.10": "rsassaPss", "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
	"1.2.840.113549.1.1.12": "sha384WithRSAEncryption", "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
	"1.2.840.113549.1.1.14": "sha224WithRSAEncryption", "1.3.14.3.2.29": "sha1WithRSA",
	"1.2.840.10040.4.1": "dsaEncryption", "1.2.840.10040.4.3": "dsaWithSHA1",
	"2.16.840.1.101.3.4.3.1": "dsa_with_SHA224", "2.16.840.1.101.3.4.3.2": "dsa_with_SHA256",
	"1.2.840.10045.2.1": "id-ecPublicKey", "1.2.840.10045.4.1": "ecdsa-with-SHA1",
	"1.2.840.10045.4.3.1": "ecdsa-with-SHA224", "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
	"1.2.840.10045.4.3.3": "ecdsa-with-SHA384", "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
	"1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.112": "ED25519", "1.3.101.113": "ED448",
	"1.2.840.10045.3.1.1": "prime192v1", "1.2.840.10045.3.1.7": "prime256v1", "1.3.132.0.10": "secp256k1",
	"1.3.132.0.33": "secp224r1", "1.3.132.0.34": "secp384r1", "1.3.132.0.35": "secp521r1",
	"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
	"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
}
