package pattern

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// network is an IP address or network. A single address has all its bits.
type network struct {
	address netip.Addr
	bits    int
	single  bool
}

// parseNetwork reads an address or a CIDR network. IPv4 addresses have the forms
// that inet_aton reads, as in the reference. A prefix has 1 to 32 (or 128) bits.
func parseNetwork(s string) (network, error) {
	text, prefix, hasPrefix := strings.Cut(s, "/")
	address, err := parseAddress(text)
	if err != nil {
		return network{}, err
	}
	n := network{address: address, bits: address.BitLen(), single: !hasPrefix}
	if hasPrefix {
		bits, err := strconv.ParseUint(prefix, 10, 16)
		if err != nil || strings.HasPrefix(prefix, "+") || bits < 1 || int(bits) > address.BitLen() {
			return network{}, errors.New("not a network of an IP address and a prefix length: " + strconv.Quote(s))
		}
		n.bits = int(bits)
	}
	return n, nil
}

func parseAddress(s string) (netip.Addr, error) {
	if strings.Contains(s, ":") {
		if address, err := netip.ParseAddr(s); err == nil && address.Zone() == "" {
			return address, nil
		}
	} else if value, ok := parseIPv4(s); ok {
		return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), nil
	}
	return netip.Addr{}, errors.New("not an IP address: " + strconv.Quote(s))
}

// parseIPv4 reads one to four numbers with points between them; the last one
// fills the bytes that are left. Numbers are octal after 0 and hexadecimal after 0x.
func parseIPv4(s string) (uint32, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return 0, false
	}
	var value uint64
	for i, part := range parts {
		base, digits := 10, part
		switch {
		case len(part) > 2 && (part[:2] == "0x" || part[:2] == "0X"):
			base, digits = 16, part[2:]
		case len(part) > 1 && part[0] == '0':
			base, digits = 8, part[1:]
		}
		if digits == "" || !isHexDigit(digits[0]) {
			return 0, false
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil {
			return 0, false
		}
		left := 4 - i // bytes that the parts from here on fill
		if i < len(parts)-1 {
			if n > 255 {
				return 0, false
			}
			value |= n << (8 * (left - 1))
		} else {
			if n >= 1<<(8*left) {
				return 0, false
			}
			value |= n
		}
	}
	return uint32(value), true
}

// contains tells whether all addresses of inner belong to outer. Addresses of
// different versions never do.
func (outer network) contains(inner network) bool {
	if outer.bits > inner.bits || outer.address.BitLen() != inner.address.BitLen() {
		return false
	}
	masked, err := outer.address.Prefix(outer.bits)
	return err == nil && masked.Contains(inner.address)
}
