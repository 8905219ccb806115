package exchange

import (
	"net/netip"
	"strings"

	"github.com/mithaq/mithaq/stix/pattern"
)

// Term is one equality of a pattern: the value that stands at an object path.
type Term struct {
	// Path is a STIX object path in its canonical form, as "domain-name:value" or "file:hashes.'SHA-256'".
	Path string
	// Value is a string's text, or an integer's digits when Number is set. At an address it may be a network in CIDR form.
	Value  string
	Number bool
	// Below tells that every name below Value is meant, not the name itself.
	Below bool
}

// Kind is what a value is, as far as lists, rules and logs tell kinds apart.
type Kind string

// The kinds of values.
const (
	Address     Kind = "address" // an IPv4 or IPv6 address
	Network     Kind = "network" // a prefix of addresses
	Domain      Kind = "domain"
	URL         Kind = "url"
	Email       Kind = "email"
	FileHash    Kind = "file-hash" // of Term.Algorithm
	CertHash    Kind = "certificate-hash"
	FileName    Kind = "file-name"
	JA3         Kind = "ja3"
	JA3S        Kind = "ja3s"
	JA4         Kind = "ja4"
	UserAgent   Kind = "user-agent"
	Mutex       Kind = "mutex"
	RegistryKey Kind = "registry-key"
	MAC         Kind = "mac"
	ASNumber    Kind = "as-number"
	Port        Kind = "port"
	Protocol    Kind = "protocol"
	Other       Kind = "other"
)

// UserAgentPath is where STIX keeps what a browser calls itself.
const UserAgentPath = "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"

// Kind tells what the term's value is.
func (t Term) Kind() Kind {
	switch t.Path {
	case "ipv4-addr:value", "ipv6-addr:value", "network-traffic:dst_ref.value", "network-traffic:src_ref.value",
		"domain-name:resolves_to_refs[*].value":
		return hostKind(t.Value, t.Path)
	case "domain-name:value":
		return hostKind(t.Value, t.Path)
	case "url:value":
		return URL
	case "email-addr:value", "email-message:from_ref.value", "email-message:sender_ref.value", "email-message:to_refs[*].value":
		return Email
	case "file:name":
		return FileName
	case "mutex:name":
		return Mutex
	case "windows-registry-key:key":
		return RegistryKey
	case "mac-addr:value":
		return MAC
	case "autonomous-system:number":
		return ASNumber
	case "network-traffic:dst_port", "network-traffic:src_port":
		return Port
	case "network-traffic:protocols[*]":
		return Protocol
	case UserAgentPath, "network-traffic:extensions.'http-request-ext'.request_header.'user-agent'":
		return UserAgent
	}
	if typ, _, ok := strings.Cut(t.Path, ":hashes."); ok {
		switch typ {
		case "file", "artifact":
			return FileHash
		case "x509-certificate":
			return CertHash
		}
	}
	return fingerprintKind(t.Path)
}

// hostKind tells addresses, networks and names apart where any of them may stand.
func hostKind(value, path string) Kind {
	if n := len(value); n == 0 || strings.IndexByte(value, ':') < 0 && (value[n-1] < '0' || value[n-1] > '9') {
		return nameKind(path) // nearly all names: an address has a colon or ends in a digit, and so does a network
	}
	if _, err := netip.ParseAddr(value); err == nil {
		return Address
	}
	if p, err := netip.ParsePrefix(value); err == nil {
		if p.IsSingleIP() {
			return Address
		}
		return Network
	}
	return nameKind(path)
}

// nameKind is hostKind for what is no address.
func nameKind(path string) Kind {
	if strings.HasPrefix(path, "ipv") {
		return Other
	}
	return Domain
}

// fingerprintKind knows the names under which fingerprints of TLS clients and servers stand.
func fingerprintKind(path string) Kind {
	typ, rest, _ := strings.Cut(path, ":")
	if typ != "network-traffic" && typ != "x-misp-object" && typ != "software" {
		return Other
	}
	last := strings.Trim(rest[strings.LastIndexByte(rest, '.')+1:], "'")
	last = strings.ReplaceAll(strings.ToLower(last), "-", "_")
	for _, suffix := range []string{"_digest", "_md5", "_hash", "_fingerprint"} {
		last = strings.TrimSuffix(last, suffix)
	}
	switch last[strings.LastIndexByte(last, '_')+1:] {
	case "ja3":
		return JA3
	case "ja3s":
		return JA3S
	case "ja4":
		return JA4
	}
	return Other
}

// Algorithm is the name of a hash's algorithm as STIX 2.1 writes it ("SHA-256"); empty for what is no hash.
func (t Term) Algorithm() string {
	_, name, ok := strings.Cut(t.Path, ":hashes.")
	if !ok {
		return ""
	}
	return strings.Trim(name, "'")
}

// Prefix gives the address or network of a term as a prefix; a single address has all its bits.
func (t Term) Prefix() (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(t.Value); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(t.Value)
	return p.Masked(), err == nil
}

// HashName gives an algorithm's name as STIX 2.1 writes it: SHA-256 for sha256 and SHA256.
func HashName(name string) string {
	name = strings.ToUpper(strings.ReplaceAll(name, "_", "-"))
	if rest, ok := strings.CutPrefix(name, "SHA"); ok {
		switch rest {
		case "1", "224", "256", "384", "512":
			return "SHA-" + rest
		}
	}
	return name
}

// pathOf prints a path in its canonical form, hash algorithms by their name in STIX 2.1.
func pathOf(p pattern.ObjectPath) string {
	if len(p.Steps) == 2 && p.Steps[0].Key == "hashes" && p.Steps[1].Kind == pattern.Key {
		p.Steps = []pattern.Step{p.Steps[0], {Kind: pattern.Key, Key: HashName(p.Steps[1].Key)}}
	}
	return p.String()
}

// HashPath is the path of a hash of a type ("file") by its algorithm's name, however that is written.
func HashPath(typ, algorithm string) string {
	return pathOf(pattern.ObjectPath{Type: typ, Steps: []pattern.Step{{Kind: pattern.Key, Key: "hashes"}, {Kind: pattern.Key, Key: algorithm}}})
}
