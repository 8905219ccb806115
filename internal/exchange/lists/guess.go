package lists

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/mithaq/mithaq/internal/exchange"
)

// Types are the names by which the type of a value is given; "" and "auto" guess it.
func Types() []string {
	return []string{"auto", "address", "domain", "url", "email", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ja3", "ja3s", "ja4", "file-name", "mutex", "user-agent"}
}

// typeNames are other names that headers of tables use.
func typeNames() map[string]string {
	return map[string]string{
		"ip": "address", "ipv4": "address", "ipv6": "address", "ip-address": "address", "ipaddress": "address", "ip-src": "address", "ip-dst": "address", "src-ip": "address",
		"dst-ip": "address", "ipv4-addr": "address", "ipv6-addr": "address", "cidr": "address", "network": "address", "addr": "address",
		"hostname": "domain", "host": "domain", "fqdn": "domain", "domain-name": "domain", "uri": "url", "link": "url", "e-mail": "email", "mail": "email", "email-addr": "email",
		"email-src": "email", "email-dst": "email", "sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512", "md5-hash": "md5", "sha1-hash": "sha1", "sha256-hash": "sha256",
		"filehash-md5": "md5", "filehash-sha1": "sha1", "filehash-sha256": "sha256", "ja3-fingerprint-md5": "ja3", "ja3-md5": "ja3", "filename": "file-name", "file": "file-name", "hash": "auto",
	}
}

// typeOf gives a type by any of its names; ok is false for what is none.
func typeOf(name string) (typ string, ok bool) {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
	name = strings.ReplaceAll(name, " ", "-")
	if other, known := typeNames()[name]; known {
		return other, true
	}
	if name == "" {
		return "auto", true
	}
	return name, slices.Contains(Types(), name)
}

// hashTypes are the algorithms by the number of digits.
func hashTypes() map[int]string {
	return map[int]string{32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
}

// Guess tells what a value is by its looks. Values that were made harmless for mail (hxxp, [.]) are read as what they were.
// why says why it is nothing that could be looked for.
func Guess(value string) (t exchange.Term, why string) {
	value = Refang(value)
	if t, ok := address(value); ok {
		return t, ""
	}
	if isHex(value) {
		if typ := hashTypes()[len(value)]; typ != "" {
			return given(typ, value)
		}
	}
	if isJA4(value) {
		return given("ja4", value)
	}
	switch {
	case strings.Contains(value, "://"):
		return given("url", value)
	case strings.IndexByte(value, '@') > 0 && !strings.Contains(value, "/"):
		return given("email", value)
	case strings.IndexAny(value, "/?") > 0:
		host := value[:strings.IndexAny(value, "/?")]
		if name, port, ok := strings.Cut(host, ":"); ok && strings.Trim(port, digits) == "" {
			host = name
		}
		_, isAddress := address(host)
		if _, why := given("domain", host); why == "" || isAddress {
			return given("url", "http://"+value)
		}
	}
	if host, port, ok := strings.Cut(value, ":"); ok {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			value = host
		}
	}
	if t, why = given("domain", value); why != "" {
		return t, "neither an address, a domain, a URL, a mailbox, a hash nor a fingerprint"
	}
	return t, ""
}

// Given reads a value of a type that is known; see [Types].
func Given(typ, value string) (t exchange.Term, why string) {
	typ, ok := typeOf(typ)
	if !ok {
		return t, fmt.Sprintf("%q is no type: use %s", exchange.Clip(typ), strings.Join(Types(), ", "))
	}
	if typ == "auto" {
		return Guess(value)
	}
	switch typ {
	case "file-name", "mutex", "user-agent":
	default:
		value = Refang(value)
	}
	return given(typ, value)
}

func given(typ, value string) (t exchange.Term, why string) {
	switch typ {
	case "address":
		t, ok := address(value)
		if !ok {
			return t, "it is no address or network"
		}
		return t, ""
	case "domain":
		return domain(value)
	case "url":
		return webAddress(value)
	case "email":
		local, host, ok := strings.Cut(value, "@")
		if _, why := domain(host); !ok || local == "" || why != "" || strings.ContainsAny(value, " \t<>\"'\\,;") {
			return t, "it is no mailbox"
		}
		return exchange.Term{Path: "email-addr:value", Value: value}, ""
	case "ja3", "ja3s":
		if len(value) != 32 || !isHex(value) {
			return t, "a " + strings.ToUpper(typ) + " has 32 hexadecimal digits"
		}
		return exchange.Term{Path: "network-traffic:x_" + typ, Value: strings.ToLower(value)}, ""
	case "ja4":
		if !isJA4(value) {
			return t, "it is no JA4"
		}
		return exchange.Term{Path: "network-traffic:x_ja4", Value: strings.ToLower(value)}, ""
	case "file-name", "mutex", "user-agent":
		path := map[string]string{"file-name": "file:name", "mutex": "mutex:name", "user-agent": exchange.UserAgentPath}[typ]
		if value == "" {
			return t, "it is empty"
		}
		return exchange.Term{Path: path, Value: value}, ""
	}
	for digits, algorithm := range hashTypes() {
		if algorithm == typ {
			if len(value) != digits || !isHex(value) {
				return t, fmt.Sprintf("a %s has %d hexadecimal digits", strings.ToUpper(typ), digits)
			}
			return exchange.Term{Path: exchange.HashPath("file", typ), Value: strings.ToLower(value)}, ""
		}
	}
	return t, "its type is not known"
}

const digits = "0123456789"

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return s != "" && len(s)%2 == 0
}

// isJA4 knows the form of a JA4: t13d1516h2_8daaf6152771_e5627efa2ab1.
func isJA4(s string) bool {
	if len(s) != 36 || s[10] != '_' || s[23] != '_' || !isHex(s[11:23]) || !isHex(s[24:]) {
		return false
	}
	head := strings.ToLower(s[:10])
	return strings.IndexByte("tqd", head[0]) >= 0 && strings.IndexByte("di", head[3]) >= 0 && strings.Trim(head[4:8], digits) == ""
}

// address reads an address, a network, or an address with a port, which is left out.
func address(s string) (exchange.Term, bool) {
	if !addressLike(s) {
		return exchange.Term{}, false // most values: to ask netip what is wrong with each takes longer than all else
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		s = p.Addr().String()
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	a, err := netip.ParseAddr(s)
	if err == nil {
		if a.Zone() != "" {
			return exchange.Term{}, false
		}
		return addressTerm(a, a.String()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return exchange.Term{}, false
	}
	if p.IsSingleIP() {
		return addressTerm(p.Addr(), p.Addr().String()), true
	}
	return addressTerm(p.Addr(), p.Masked().String()), true
}

// addressLike tells whether a value is made of what addresses, networks and ports are made of.
func addressLike(s string) bool {
	of := func(c byte) bool {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == ':', c == '.', c == '[', c == ']', c == '/':
			return true
		}
		return false
	}
	for i := range len(s) {
		if !of(s[i]) {
			return false
		}
	}
	return true
}

func addressTerm(a netip.Addr, text string) exchange.Term {
	if a.Is4() {
		return exchange.Term{Path: "ipv4-addr:value", Value: text}
	}
	return exchange.Term{Path: "ipv6-addr:value", Value: text}
}

// domain reads a name of two labels at least; *.name is every name below it, and then one label is enough.
func domain(s string) (t exchange.Term, why string) {
	t.Path = "domain-name:value"
	s, t.Below = strings.CutPrefix(s, "*.")
	s = strings.TrimSuffix(strings.TrimPrefix(s, "."), ".")
	ascii := strings.ToLower(s)
	if !isName(ascii) || strings.Contains(ascii, "xn--") {
		var err error
		if ascii, err = idna.Lookup.ToASCII(s); err != nil { // the underscore is in use, though no host may have one
			if ascii, err = idna.Punycode.ToASCII(strings.ToLower(s)); err != nil {
				return t, "it is no domain name"
			}
		}
		if !isName(ascii) {
			return t, "it is no domain name"
		}
	}
	last := ascii[strings.LastIndexByte(ascii, '.')+1:]
	if len(last) == len(ascii) && !t.Below || len(ascii) > 253 || strings.Trim(last, digits) == "" {
		return t, "it is no domain name"
	}
	t.Value = ascii
	return t, ""
}

// isName says whether s is made of labels as DNS has them, in lower case.
func isName(s string) bool {
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_':
			if label++; label > 63 {
				return false
			}
		default:
			return false
		}
	}
	return label > 0
}

func webAddress(s string) (t exchange.Term, why string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return t, "it is no URL"
	}
	return exchange.Term{Path: "url:value", Value: s}, ""
}

// Refang undoes what people do to values so that nobody clicks them: hxxp, [.], (dot), [@], [:] and the like.
func Refang(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "\"'`<>")
	if len(s) > 4 && (strings.EqualFold(s[:4], "hxxp") || strings.EqualFold(s[:4], "meow") && strings.HasPrefix(s[4:], "://")) {
		s = "http" + s[4:]
	}
	if !strings.ContainsAny(s, `[({\`) {
		return s
	}
	if _, err := netip.ParseAddrPort(s); err == nil {
		return s // [2001:db8::1]:443 is no defanged value
	}
	return refanger().Replace(s)
}

func refanger() *strings.Replacer {
	return strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[.", ".", ".]", ".", "[dot]", ".", "(dot)", ".", "[DOT]", ".", "(DOT)", ".", `\.`, ".",
		"[:]", ":", "[://]", "://", "[/]", "/", "[@]", "@", "(at)", "@", "[at]", "@", "[AT]", "@")
}
