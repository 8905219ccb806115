package dns

import (
	"net/netip"
	"slices"
	"strings"
)

// Encrypted tells by what a client hello shows whether DNS is spoken under it: "dot" (over TLS, RFC 7858), "doq" (over
// QUIC, RFC 9250), "doh" (over HTTPS, RFC 8484), or "" when it does not look so. The first two have a port and an ALPN
// name of their own. The third looks like any HTTPS by design: it is known by the names and addresses of the large public
// resolvers, and by names that say so; a resolver of somebody's own is not found.
func Encrypted(server netip.Addr, port uint16, sni string, alpn []string) string {
	isDoQ := func(p string) bool { return p == "doq" || strings.HasPrefix(p, "doq-") }
	switch {
	case slices.ContainsFunc(alpn, isDoQ):
		return "doq"
	case port == 853 || port == 8853, slices.Contains(alpn, "dot"):
		return "dot"
	case resolverName(strings.TrimSuffix(strings.ToLower(sni), ".")):
		return "doh"
	case sni == "" && port == 443 && isResolver(server):
		return "doh"
	}
	return ""
}

// resolverName knows the names under which public resolvers take DNS over HTTPS, with all names below them.
func resolverName(name string) bool {
	if name != "" && (name[0] == 'd' || name[0] == 'm') {
		switch first, _, _ := strings.Cut(name, "."); first {
		case "doh", "dns-over-https", "mozilla-doh", "doh-de", "doh-fi":
			return true
		}
	}
	for at := len(name) - 1; at >= -1; at-- { // the name from its last label, last two labels, … on
		if at >= 0 && name[at] != '.' {
			continue
		}
		switch name[at+1:] {
		case "dns.google", "cloudflare-dns.com", "one.one.one.one", "quad9.net", "doh.opendns.com", "dns.nextdns.io",
			"dns.adguard-dns.com", "dns.adguard.com", "dns.mullvad.net", "doh.cleanbrowsing.org", "dns.alidns.com", "doh.pub", "dns0.eu",
			"freedns.controld.com", "dns.controld.com", "dns.switch.ch", "odvr.nic.cz", "dns.sb", "doh.libredns.gr", "dns.digitale-gesellschaft.ch":
			return true
		}
	}
	return false
}

// isResolver knows the addresses of the resolvers that clients speak to by address.
func isResolver(server netip.Addr) bool {
	server = server.Unmap()
	if server.Is4() {
		switch server.As4() {
		case [4]byte{1, 1, 1, 1}, [4]byte{1, 0, 0, 1}, [4]byte{8, 8, 8, 8}, [4]byte{8, 8, 4, 4}, [4]byte{9, 9, 9, 9}, [4]byte{149, 112, 112, 112},
			[4]byte{208, 67, 222, 222}, [4]byte{208, 67, 220, 220}:
			return true
		}
		return false
	}
	switch a := server.As16(); [8]byte(a[:8]) {
	case [8]byte{0x26, 0x06, 0x47, 0x00, 0x47}: // 2606:4700:4700::
		return [8]byte(a[8:]) == [8]byte{6: 0x11, 7: 0x11} || [8]byte(a[8:]) == [8]byte{6: 0x10, 7: 0x01}
	case [8]byte{0x20, 0x01, 0x48, 0x60, 0x48, 0x60}: // 2001:4860:4860::
		return [8]byte(a[8:]) == [8]byte{6: 0x88, 7: 0x88} || [8]byte(a[8:]) == [8]byte{6: 0x88, 7: 0x44}
	case [8]byte{0x26, 0x20, 0, 0xfe}: // 2620:fe::
		return [8]byte(a[8:]) == [8]byte{7: 0xfe} || [8]byte(a[8:]) == [8]byte{7: 9}
	}
	return false
}
