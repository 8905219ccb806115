package hello

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"
)

// The functions of this file write JSON as encoding/json does with SetEscapeHTML(false), byte by byte the same, without
// reflection: a capture of hellos is turned into lines faster than any other way allows. Tests hold the two together.

// AppendJSON appends the certificate as an object.
func (c *Certificate) AppendJSON(dst []byte) []byte {
	dst = AppendQuoted(append(dst, `{"fingerprint":`...), c.SHA256)
	dst = AppendQuoted(append(dst, `,"sha1":`...), c.SHA1)
	dst = appendNumber(dst, `,"version":`, c.Version)
	dst = appendSaid(dst, `,"serial":`, c.Serial)
	dst = appendSaid(dst, `,"subject":`, c.Subject)
	dst = appendSaid(dst, `,"issuer":`, c.Issuer)
	dst = appendWhen(dst, `,"not_valid_before":`, c.NotBefore)
	dst = appendWhen(dst, `,"not_valid_after":`, c.NotAfter)
	dst = appendSaid(dst, `,"key_alg":`, c.KeyAlgorithm)
	dst = appendSaid(dst, `,"sig_alg":`, c.SignatureAlgorithm)
	dst = appendSaid(dst, `,"key_type":`, c.KeyType)
	dst = appendNumber(dst, `,"key_length":`, c.KeyLength)
	dst = appendSaid(dst, `,"exponent":`, c.Exponent)
	dst = appendSaid(dst, `,"curve":`, c.Curve)
	dst = appendList(dst, `,"san_dns":`, c.DNS)
	dst = appendList(dst, `,"san_uri":`, c.URI)
	dst = appendList(dst, `,"san_email":`, c.Email)
	dst = appendList(dst, `,"san_ip":`, c.IP)
	if c.CA != nil {
		dst = strconv.AppendBool(append(dst, `,"ca":`...), *c.CA)
	}
	if c.PathLength != nil {
		dst = strconv.AppendInt(append(dst, `,"path_len":`...), int64(*c.PathLength), 10)
	}
	return append(dst, '}')
}

// appendNumber appends a member unless it is zero, name being what stands before its value; so do those below.
func appendNumber(dst []byte, name string, n int) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, name...), int64(n), 10)
}

func appendSaid(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return AppendQuoted(append(dst, name...), text)
}

func appendWhen(dst []byte, name string, t *time.Time) []byte {
	if t == nil {
		return dst
	}
	return AppendTime(append(dst, name...), *t)
}

func appendList(dst []byte, name string, list []string) []byte {
	if list == nil {
		return dst
	}
	return AppendStrings(append(dst, name...), list)
}

// AppendTime appends a time of the years 0 to 9999 as a string (RFC 3339).
func AppendTime(dst []byte, t time.Time) []byte {
	if t.Location() != time.UTC {
		return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
	}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(dst, '"', byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10))
	for _, part := range [...]struct {
		before byte
		n      int
	}{{'-', int(month)}, {'-', day}, {'T', hour}, {':', minute}, {':', second}} {
		dst = append(dst, part.before, byte('0'+part.n/10), byte('0'+part.n%10))
	}
	if n := t.Nanosecond(); n != 0 {
		dst = append(dst, '.')
		for unit := 100_000_000; n != 0; unit /= 10 {
			dst = append(dst, byte('0'+n/unit))
			n %= unit
		}
	}
	return append(dst, 'Z', '"')
}

// AppendStrings appends a list of strings; nil is null.
func AppendStrings(dst []byte, list []string) []byte {
	if list == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendQuoted(dst, s)
	}
	return append(dst, ']')
}

// AppendQuoted appends a string. Bytes that are no UTF-8 become U+FFFD.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from, i := 0, 0
	for i < len(s) {
		if len(s)-i >= 8 && plain([]byte(s[i:i+8])) {
			i += 8
			continue
		}
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		dst = appendEscaped(append(dst, s[from:i]...), r)
		i += size
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

// plain tells whether none of eight bytes has to be looked at: no control character, quote, backslash, or part of a rune.
func plain(b []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	w := binary.LittleEndian.Uint64(b)
	quote, slash := w^'"'*ones, w^'\\'*ones
	return (w|(w-' '*ones)|(quote-ones)&^quote|(slash-ones)&^slash)&high == 0
}

// appendEscaped appends what stands for a rune that may not stand for itself.
func appendEscaped(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
