package index

import (
	"encoding/hex"
	"net/netip"
)

// Render gives a key the way people write the value.
func Render(kind Kind, key []byte) string {
	switch kind {
	case Address:
		if a, ok := netip.AddrFromSlice(key); ok {
			return a.String()
		}
	case Network:
		if len(key) == 17 {
			a, bits := netip.AddrFrom16([16]byte(key[:16])), int(key[16])
			if a.Is4In6() && bits >= 96 {
				a, bits = a.Unmap(), bits-96
			}
			return netip.PrefixFrom(a, bits).String()
		}
	case FileHash, CertHash, JA3, JA3S:
		return hex.EncodeToString(key)
	case Subdomain:
		return "*." + string(key)
	}
	return string(key)
}

// AppendKey brings a text of a kind into canonical form. Other takes the whole key, path included.
func AppendKey(dst []byte, kind Kind, text []byte) (key []byte, ok bool) {
	switch kind {
	case Address:
		a, ok := ParseAddress(text)
		if !ok {
			return dst, false
		}
		return AppendAddress(dst, a), true
	case Network:
		p, err := netip.ParsePrefix(string(text))
		if err != nil {
			return dst, false
		}
		return AppendNetwork(dst, p), true
	case Domain, Subdomain:
		return AppendDomain(dst, text)
	case URL:
		return AppendURL(dst, text)
	case Email:
		return AppendEmail(dst, text)
	case FileHash, CertHash:
		return AppendHash(dst, text)
	case CertSerial:
		return AppendSerial(dst, text)
	case JA3, JA3S:
		begin := len(dst)
		dst, ok = AppendHex(dst, text)
		return dst, ok && len(dst)-begin == 16
	case JA4:
		return AppendJA4(dst, text)
	}
	return AppendText(dst, text)
}
