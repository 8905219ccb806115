package index

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// The widest prefixes that are taken for an indicator: about a million IPv4 addresses (published reports name networks
// of /15), one provider's usual share of IPv6.
const (
	widestFour = 12
	widestSix  = 32
)

// Refuse says why a key in canonical form must not become an indicator, because it would fire on traffic of
// everybody; empty when it may. What is merely well known is for warning lists.
func Refuse(kind Kind, key []byte) string {
	switch kind {
	case Address:
		a, ok := netip.AddrFromSlice(key)
		if !ok {
			return "not an address"
		}
		return refuseAddress(a)
	case Network:
		return refuseNetwork(key)
	case Domain, Subdomain:
		return refuseDomain(string(key))
	case URL:
		return refuseURL(string(key))
	case Email:
		return ""
	case FileHash, CertHash, JA3, JA3S:
		return refuseHash(key)
	case Other:
		if _, value, ok := bytes.Cut(key, []byte("=")); ok && len(bytes.TrimSpace(value)) == 0 {
			return "an empty text is everywhere"
		}
	}
	if len(key) == 0 {
		return "an empty value is everywhere"
	}
	return ""
}

func refuseAddress(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "the unspecified address is no host's"
	case a.IsLoopback():
		return "a loopback address is every host's own"
	case a.IsMulticast():
		return "a multicast address is no host's"
	case a.IsLinkLocalUnicast():
		return "a link-local address is used on every network"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "the broadcast address is no host's"
	}
	return ""
}

func refuseNetwork(key []byte) string {
	if len(key) != 17 || key[16] > 128 {
		return "not a network"
	}
	a, bits := netip.AddrFrom16([16]byte(key[:16])), int(key[16])
	if a.Is4In6() && bits >= 96 {
		a, bits = a.Unmap(), bits-96
	}
	widest := widestSix
	if a.Is4() {
		widest = widestFour
	}
	if bits < widest {
		return fmt.Sprintf("a network of /%d is too large: /%d at most", bits, widest)
	}
	return refuseAddress(a)
}

func refuseDomain(name string) string {
	if !strings.Contains(name, ".") {
		return "a name of one label is no host's: a top-level domain, or a name on every network"
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
		return "a public suffix: anybody can register names below it"
	}
	if _, ok := ParseAddress([]byte(name)); ok {
		return "an address, not a name"
	}
	return ""
}

func refuseURL(key string) string {
	_, rest, _ := strings.Cut(key, "//")
	host, _, _ := strings.Cut(rest, "/")
	if strings.HasPrefix(host, "[") {
		return ""
	}
	host, _, _ = strings.Cut(host, ":")
	if !strings.Contains(host, ".") {
		return "its host is a name of one label"
	}
	if a, ok := ParseAddress([]byte(host)); ok {
		return refuseAddress(a)
	}
	if path := strings.TrimPrefix(rest, host); path == "/" {
		if suffix, icann := publicsuffix.PublicSuffix(host); suffix == host && icann {
			return "its host is a public suffix"
		}
	}
	return ""
}

// emptyHashes are those of a file without content, by algorithm.
const emptyHashes = "d41d8cd98f00b204e9800998ecf8427e " + // MD5
	"da39a3ee5e6b4b0d3255bfef95601890afd80709 " + // SHA-1
	"d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f " + // SHA-224
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 " + // SHA-256
	"38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b " + // SHA-384
	"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e " + // SHA-512
	"6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7 " + // SHA3-224
	"a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a " + // SHA3-256
	"0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004 " + // SHA3-384
	"a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26" // SHA3-512

func refuseHash(key []byte) string {
	if len(bytes.Trim(key, "\x00")) == 0 || len(bytes.Trim(key, "\xff")) == 0 {
		return "a hash of zeros or ones stands for nothing"
	}
	if strings.Contains(emptyHashes, hex.EncodeToString(key)) {
		return "the hash of an empty file"
	}
	return ""
}
