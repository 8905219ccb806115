package stix

import (
	"bytes"
	"net/netip"
	"unicode"
	"unicode/utf8"
)

// isURI is RFC 3986's URI: a scheme, and only characters that may stand where they stand.
func isURI(b []byte) bool {
	scheme, rest, ok := bytes.Cut(b, []byte(":"))
	if !ok || len(scheme) == 0 || class[scheme[0]]&(lower|upper) == 0 || !all(scheme, lower|upper|digit, "+-.") {
		return false
	}
	rest, fragment, _ := bytes.Cut(rest, []byte("#"))
	rest, query, _ := bytes.Cut(rest, []byte("?"))
	if !uriCharacters(fragment, ":@/?") || !uriCharacters(query, ":@/?") {
		return false
	}
	if !bytes.HasPrefix(rest, []byte("//")) {
		return uriCharacters(rest, ":@/")
	}
	authority, path := rest[2:], []byte(nil)
	if i := bytes.IndexByte(authority, '/'); i >= 0 {
		authority, path = authority[:i], authority[i:]
	}
	return isAuthority(authority) && uriCharacters(path, ":@/")
}

func isAuthority(b []byte) bool {
	if i := bytes.LastIndexByte(b, '@'); i >= 0 {
		if !uriCharacters(b[:i], ":") {
			return false
		}
		b = b[i+1:]
	}
	port := []byte(nil)
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || !isIPLiteral(b[1:end]) {
			return false
		}
		if b = b[end+1:]; len(b) > 0 && b[0] != ':' {
			return false
		}
		return len(b) == 0 || all(b[1:], digit, "")
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		b, port = b[:i], b[i+1:]
	}
	return uriCharacters(b, "") && all(port, digit, "")
}

func isIPLiteral(b []byte) bool {
	if len(b) > 0 && (b[0] == 'v' || b[0] == 'V') {
		version, rest, ok := bytes.Cut(b[1:], []byte("."))
		return ok && len(version) > 0 && isHexDigits(version) && len(rest) > 0 && all(rest, lower|upper|digit, "-._~!$&'()*+,;=:")
	}
	a, err := netip.ParseAddr(string(b))
	return err == nil && a.Is6() && a.Zone() == ""
}

// uriCharacters says whether b consists of unreserved characters, sub-delimiters, percent-encoded bytes and others.
func uriCharacters(b []byte, others string) bool {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case class[c] != 0: // letters, digits, marks
		case c == '%':
			if i+2 >= len(b) || hexDigit[b[i+1]] < 0 || hexDigit[b[i+2]] < 0 {
				return false
			}
			i += 2
		case c < 0x80 && len(others) > 0 && bytes.IndexByte([]byte(others), c) >= 0:
		default:
			return false
		}
	}
	return true
}

// prefixLength cuts a CIDR suffix off an address: "/24". ok is false when it is malformed or larger than most.
func prefixLength(b []byte, most int) (address []byte, ok bool) {
	address, suffix, found := bytes.Cut(b, []byte("/"))
	if !found {
		return address, true
	}
	if len(suffix) == 0 || len(suffix) > 3 || !all(suffix, digit, "") || len(suffix) > 1 && suffix[0] == '0' {
		return nil, false
	}
	n := 0
	for _, c := range suffix {
		n = n*10 + int(c-'0')
	}
	return address, n <= most
}

// isIPv4 is a dotted quad, with a CIDR suffix or without (section 6.8).
func isIPv4(b []byte) bool {
	b, ok := prefixLength(b, 32)
	if !ok {
		return false
	}
	parts := 0
	for more := true; more; parts++ {
		var part []byte
		part, b, more = bytes.Cut(b, []byte("."))
		if len(part) == 0 || len(part) > 3 || !all(part, digit, "") || len(part) > 1 && part[0] == '0' {
			return false
		}
		if len(part) == 3 && string(part) > "255" {
			return false
		}
	}
	return parts == 4
}

// isIPv6 is RFC 4291's text form, with a zone, a CIDR suffix, or without (section 6.9).
func isIPv6(b []byte) bool {
	b, ok := prefixLength(b, 128)
	if !ok {
		return false
	}
	a, err := netip.ParseAddr(string(b))
	return err == nil && a.Is6()
}

// isMAC is six pairs of lower-case hexadecimal digits between colons (section 6.10).
func isMAC(b []byte) bool {
	if len(b) != 17 {
		return false
	}
	for i, c := range b {
		if i%3 == 2 {
			if c != ':' {
				return false
			}
		} else if hexDigit[c] < 0 || class[c]&upper != 0 {
			return false
		}
	}
	return true
}

// isDomain is a domain name of RFC 1034 whose labels may be internationalised (RFC 5890), as they are registered:
// letters, digits and hyphens, no underscore (section 6.4).
func isDomain(b []byte) bool {
	b = bytes.TrimSuffix(b, []byte("."))
	if len(b) == 0 {
		return false
	}
	length := 0
	for more := true; more; {
		var label []byte
		label, b, more = bytes.Cut(b, []byte("."))
		n := isLabel(label)
		if n == 0 {
			return false
		}
		length += n + 1
	}
	return length-1 <= 253
}

// isLabel returns the length of the label as it is sent, 0 when it is none.
func isLabel(label []byte) int {
	n := len(label)
	if n == 0 || label[0] == '-' || label[n-1] == '-' {
		return 0
	}
	if all(label, lower|upper|digit, "-") {
		if n > 63 || n >= 4 && label[2] == '-' && label[3] == '-' && (label[0]|0x20 != 'x' || label[1]|0x20 != 'n' || n == 4) {
			return 0
		}
		return n
	}
	if n >= 4 && label[2] == '-' && label[3] == '-' {
		return 0
	}
	first := true
	for i := 0; i < n; {
		r, size := utf8.DecodeRune(label[i:])
		switch {
		case r < 0x80:
			if class[byte(r)]&(lower|digit) == 0 && r != '-' {
				return 0
			}
		case unicode.IsMark(r):
			if first {
				return 0
			}
		case r == 0xB7 || r == 0x375 || r == 0x5F3 || r == 0x5F4 || r == 0x30FB: // allowed in context (RFC 5892, appendix A)
		case r == 0x200C || r == 0x200D:
			if first {
				return 0
			}
		case !unicode.IsLetter(r) && !unicode.IsDigit(r), unicode.IsUpper(r), unicode.IsTitle(r), unstable(r):
			return 0
		}
		first = false
		i += size
	}
	if n = punycodeLength(label); n > 63 {
		return 0
	}
	return n
}

// unstable are letters that compatibility normalisation would replace, and which names therefore cannot have.
func unstable(r rune) bool {
	switch {
	case r >= 0xFB00 && r <= 0xFB4F, r >= 0xFB50 && r <= 0xFDFF, r >= 0xFE70 && r <= 0xFEFF, // ligatures, presentation forms
		r >= 0xFF00 && r <= 0xFFEF, r >= 0x1D400 && r <= 0x1D7FF, // full and half width, mathematical letters
		r == 0xAA, r == 0xBA, r >= 0x2B0 && r <= 0x2B8, r >= 0x2100 && r <= 0x214F,
		r >= 0xF900 && r <= 0xFAFF, r >= 0x2F800 && r <= 0x2FA1F:
		return true
	}
	return false
}

// punycodeLength is how many bytes "xn--" and the label's Punycode (RFC 3492) have.
func punycodeLength(label []byte) int {
	const base, tMin, tMax, skew, damp = 36, 1, 26, 38, 700
	runes := []rune(string(label))
	ascii := 0
	for _, r := range runes {
		if r < 0x80 {
			ascii++
		}
	}
	out := 4 + ascii
	if ascii > 0 {
		out++
	}
	n, delta, bias, handled := rune(128), 0, 72, ascii
	for handled < len(runes) && out < 1000 {
		next := rune(unicode.MaxRune)
		for _, r := range runes {
			if r >= n && r < next {
				next = r
			}
		}
		delta += int(next-n) * (handled + 1)
		n = next
		for _, r := range runes {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tMin), tMax)
				out++
				if q < t {
					break
				}
				q = (q - t) / (base - t)
			}
			step := delta / 2
			if handled == ascii {
				step = delta / damp
			}
			step += step / (handled + 1)
			k := 0
			for ; step > (base-tMin)*tMax/2; k += base {
				step /= base - tMin
			}
			bias = k + (base-tMin+1)*step/(step+skew)
			delta = 0
			handled++
		}
		delta++
		n++
	}
	return out
}

// isEmail is an addr-spec of RFC 5322 without quoting or comments, at a domain of two labels or more (section 6.5).
func isEmail(b []byte) bool {
	i := bytes.LastIndexByte(b, '@')
	if i <= 0 {
		return false
	}
	domain := b[i+1:]
	dot := bytes.IndexByte(domain, '.')
	if dot <= 0 || dot == len(domain)-1 || !all(domain, lower|upper|digit, ".-") {
		return false
	}
	return all(b[:i], lower|upper|digit, "_.+-!#$%&'*/=?^`{|}~")
}
