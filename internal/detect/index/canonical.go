package index

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// The functions of this file bring a value into the one form in which it is stored and looked up. They append to
// dst, and tell by ok whether the value is of their kind at all. They allocate nothing for the values that traffic
// is made of (ASCII names, IPv4 addresses, hexadecimal).

// AppendAddress appends an address's key. IPv4 addresses inside of IPv6 (::ffff:a.b.c.d) are the IPv4 address; a
// zone is left out.
func AppendAddress(dst []byte, a netip.Addr) []byte {
	a = a.Unmap()
	if a.Is4() {
		b := a.As4()
		return append(dst, b[:]...)
	}
	b := a.As16()
	return append(dst, b[:]...)
}

// ParseAddress reads an address as logs write it, with or without brackets.
func ParseAddress(text []byte) (netip.Addr, bool) {
	if len(text) > 2 && text[0] == '[' && text[len(text)-1] == ']' {
		text = text[1 : len(text)-1]
	}
	if len(text) < 2 || len(text) > 64 {
		return netip.Addr{}, false
	}
	if a, ok := parseIPv4(text); ok {
		return a, true
	}
	for _, c := range text {
		if c == ':' {
			a, err := netip.ParseAddr(string(text))
			return a.Unmap().WithZone(""), err == nil
		}
	}
	return netip.Addr{}, false
}

// parseIPv4 reads dotted decimals without leading zeros (which some read as octal). It asks of each byte only what the one before left
// open: most addresses in a log look like those before them.
func parseIPv4(text []byte) (netip.Addr, bool) {
	if len(text) < 7 || len(text) > 15 {
		return netip.Addr{}, false
	}
	var b [4]byte
	i := 0
	for part := range b {
		if part > 0 {
			if i >= len(text) || text[i] != '.' {
				return netip.Addr{}, false
			}
			i++
		}
		if i >= len(text) || text[i]-'0' > 9 {
			return netip.Addr{}, false
		}
		value := uint(text[i] - '0')
		if i++; i < len(text) && text[i]-'0' <= 9 {
			if value == 0 {
				return netip.Addr{}, false
			}
			value = value*10 + uint(text[i]-'0')
			if i++; i < len(text) && text[i]-'0' <= 9 {
				if value = value*10 + uint(text[i]-'0'); value > 255 {
					return netip.Addr{}, false
				}
				i++
			}
		}
		b[part] = byte(value)
	}
	return netip.AddrFrom4(b), i == len(text)
}

// AppendNetwork appends a prefix's key: the masked address in 16 bytes (an IPv4 one mapped), then the bits of it.
func AppendNetwork(dst []byte, p netip.Prefix) []byte {
	a, bits := p.Addr(), p.Bits()
	if a.Is4() {
		bits += 96
	} else if a.Is4In6() && bits >= 96 {
		a = a.Unmap()
		p = netip.PrefixFrom(a, bits-96)
	}
	b := p.Masked().Addr().As16()
	return append(append(dst, b[:]...), byte(bits))
}

const (
	maxName  = 253
	maxLabel = 63
)

// domainByte gives the lower case of a byte of a name, 0 for bytes that no name in traffic or in a list has. The
// underscore and the asterisk are in real names; what DNS would allow beyond that no indicator is made of.
func domainByte(c byte) byte {
	switch {
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		return c
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	}
	return 0
}

// AppendDomain appends a domain name's key: lower case, internationalised names in their ASCII form (UTS 46), without
// a dot at the end.
func AppendDomain(dst, name []byte) (key []byte, ok bool) {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	if len(name) == 0 || len(name) > 4*maxName {
		return dst, false
	}
	if key, ok := appendPlainDomain(dst, name); ok {
		return key, true
	}
	begin, label := len(dst), 0
	for _, c := range name {
		if c == '.' {
			if label == 0 || label > maxLabel {
				return dst[:begin], false
			}
			label = 0
			dst = append(dst, '.')
			continue
		}
		lower := domainByte(c)
		if lower == 0 {
			if c >= utf8.RuneSelf {
				return appendInternational(dst[:begin], name)
			}
			return dst[:begin], false
		}
		dst = append(dst, lower)
		label++
	}
	if label == 0 || label > maxLabel || len(dst)-begin > maxName {
		return dst[:begin], false
	}
	return dst, true
}

func appendInternational(dst, name []byte) (key []byte, ok bool) {
	if !utf8.Valid(name) {
		return dst, false
	}
	// Lookup's mapping without its rules on hyphens and underscores, which real names break.
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.CheckJoiners(false))
	ascii, err := profile.ToASCII(string(name))
	if err != nil {
		return dst, false
	}
	for i := range len(ascii) {
		if ascii[i] >= utf8.RuneSelf {
			return dst, false
		}
	}
	return AppendDomain(dst, []byte(ascii))
}

// AppendEmail appends a mailbox's key: all in lower case, the domain as AppendDomain has it. "Name <a@b>" is a@b.
func AppendEmail(dst, text []byte) (key []byte, ok bool) {
	s := strings.TrimSpace(string(text))
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s = s[i+1:]
		if j := strings.IndexByte(s, '>'); j >= 0 {
			s = s[:j]
		}
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || len(s) > 320 || strings.ContainsAny(s, " \t\r\n") || !utf8.ValidString(s) {
		return dst, false
	}
	begin := len(dst)
	dst = append(dst, norm.NFC.String(strings.ToLower(s[:at]))...)
	dst, ok = AppendDomain(append(dst, '@'), []byte(s[at+1:]))
	if !ok {
		return dst[:begin], false
	}
	return dst, true
}

// AppendHex appends the bytes that hexadecimal digits stand for. Colons between bytes are passed over.
func AppendHex(dst, text []byte) (key []byte, ok bool) {
	begin, half, high := len(dst), false, byte(0)
	for _, c := range text {
		if c == ':' && !half {
			continue
		}
		v, ok := hexDigit(c)
		if !ok {
			return dst[:begin], false
		}
		if half {
			dst = append(dst, high<<4|v)
		}
		high, half = v, !half
	}
	if half {
		return dst[:begin], false
	}
	return dst, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// AppendHash appends the bytes of a file's or certificate's hash: MD5, SHA-1, the SHA-2 and SHA-3 families.
func AppendHash(dst, text []byte) (key []byte, ok bool) {
	begin := len(dst)
	dst, ok = AppendHex(dst, text)
	if ok {
		switch len(dst) - begin {
		case 16, 20, 28, 32, 48, 64:
			return dst, true
		}
	}
	return dst[:begin], false
}

// AppendSerial appends a certificate's serial number: hexadecimal digits in lower case without leading zeros. A zero is
// "0". Colons and spaces between bytes, and a leading 0x, are passed over.
func AppendSerial(dst, text []byte) (key []byte, ok bool) {
	begin := len(dst)
	if len(text) > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') {
		text = text[2:]
	}
	digits := 0
	for _, c := range text {
		if c == ':' || c == ' ' {
			continue
		}
		if _, ok := hexDigit(c); !ok || digits > 128 {
			return dst[:begin], false
		}
		digits++
		if c == '0' && len(dst) == begin {
			continue
		}
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	if digits > 0 && len(dst) == begin {
		dst = append(dst, '0')
	}
	return dst, digits > 0
}

// AppendJA4 appends a JA4 fingerprint in lower case, as t13d1516h2_8daaf6152771_e5627efa2ab1.
func AppendJA4(dst, text []byte) (key []byte, ok bool) {
	if len(text) != 36 || text[10] != '_' || text[23] != '_' {
		return dst, false
	}
	for _, c := range text {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst, true
}

// AppendText appends a string in Unicode's normal form C.
func AppendText(dst, text []byte) (key []byte, ok bool) {
	if len(text) == 0 || len(text) > maxKey/2 {
		return dst, false
	}
	if ascii(text) {
		return append(dst, text...), true
	}
	return norm.NFC.Append(dst, text...), true
}

// ascii tells whether a text is one that every normal form leaves as it is.
func ascii(text []byte) bool {
	for len(text) >= 8 {
		if binary.LittleEndian.Uint64(text)&0x8080808080808080 != 0 {
			return false
		}
		text = text[8:]
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// IsIPv6 tells whether a text has the look of an IPv6 address: two colons at least.
func IsIPv6(text []byte) bool {
	colons := 0
	for _, c := range text {
		if c == ':' {
			colons++
		} else if _, hex := hexDigit(c); !hex && c != '.' && c != '[' && c != ']' && c != '%' {
			return false
		}
	}
	return colons > 1
}
