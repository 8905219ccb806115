package misp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
)

// attributeType is how one type of attribute stands in STIX: the paths of its value's parts, which "|" separates.
type attributeType struct {
	name     string
	category string // where MISP puts it unless told otherwise
	paths    []string
}

// Paths that depend on the value.
const (
	anyAddress = "@address" // ipv4-addr:value or ipv6-addr:value
	dstHost    = "network-traffic:dst_ref.value"
	srcHost    = "network-traffic:src_ref.value"
	dstPort    = "network-traffic:dst_port"
	srcPort    = "network-traffic:src_port"
)

const (
	network   = "Network activity"
	delivery  = "Payload delivery"
	artifacts = "Artifacts dropped"
)

// attributeTypes are the types whose values STIX patterns and observables can hold. Of several with the same paths the first
// is what STIX becomes in MISP.
func attributeTypes() []attributeType {
	types := []attributeType{
		{"ip-dst", network, []string{anyAddress}},
		{"ip-src", network, []string{anyAddress}},
		{"ip-dst|port", network, []string{dstHost, dstPort}},
		{"ip-src|port", network, []string{srcHost, srcPort}},
		{"hostname|port", network, []string{dstHost, dstPort}},
		{"port", network, []string{dstPort}},
		{"domain", network, []string{"domain-name:value"}},
		{"hostname", network, []string{"domain-name:value"}},
		{"onion-address", network, []string{"domain-name:value"}},
		{"domain|ip", network, []string{"domain-name:value", "domain-name:resolves_to_refs[*].value"}},
		{"url", network, []string{"url:value"}},
		{"uri", network, []string{"url:value"}},
		{"user-agent", network, []string{exchange.UserAgentPath}},
		{"ja3-fingerprint-md5", network, []string{"network-traffic:x_ja3"}},
		{"ja4-fingerprint", network, []string{"network-traffic:x_ja4"}},
		{"jarm-fingerprint", network, []string{"network-traffic:x_jarm"}},
		{"hassh-md5", network, []string{"network-traffic:x_hassh"}},
		{"hasshserver-md5", network, []string{"network-traffic:x_hasshserver"}},
		{"community-id", network, []string{"network-traffic:x_community_id"}},
		{"mac-address", network, []string{"mac-addr:value"}},
		{"AS", network, []string{"autonomous-system:number"}},
		{"email", "Social network", []string{"email-addr:value"}},
		{"email-src", delivery, []string{"email-message:from_ref.value"}},
		{"email-dst", network, []string{"email-message:to_refs[*].value"}},
		{"email-subject", delivery, []string{"email-message:subject"}},
		{"email-attachment", delivery, []string{"email-message:body_multipart[*].body_raw_ref.name"}},
		{"regkey", "Persistence mechanism", []string{"windows-registry-key:key"}},
		{"regkey|value", "Persistence mechanism", []string{"windows-registry-key:key", "windows-registry-key:values[*].data"}},
		{"mutex", artifacts, []string{"mutex:name"}},
		{"filename", delivery, []string{"file:name"}},
	}
	for _, algorithm := range []string{"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512/224", "sha512/256", "sha3-224", "sha3-256",
		"sha3-384", "sha3-512", "ssdeep", "tlsh"} {
		path := exchange.HashPath("file", algorithm)
		types = append(types, attributeType{algorithm, delivery, []string{path}}, attributeType{"filename|" + algorithm, delivery, []string{"file:name", path}})
	}
	for _, algorithm := range []string{"md5", "sha1", "sha256"} {
		types = append(types, attributeType{"x509-fingerprint-" + algorithm, network, []string{exchange.HashPath("x509-certificate", algorithm)}})
	}
	return types
}

// table is the attribute types with the ways to find one.
type table struct {
	byName map[string]attributeType
	all    []attributeType
}

func newTable() *table {
	t := &table{byName: map[string]attributeType{}, all: attributeTypes()}
	for _, a := range t.all {
		t.byName[a.name] = a
	}
	return t
}

// ruleTypes are attributes that hold a rule of another language, and what STIX calls that language.
func ruleTypes() map[string]string {
	return map[string]string{"yara": "yara", "sigma": "sigma", "snort": "snort", "suricata": "suricata", "zeek": "zeek", "bro": "bro", "stix2-pattern": "stix"}
}

// categoryOf is where MISP puts a type unless told otherwise.
func (t *table) categoryOf(name string) string {
	switch name {
	case "yara", "sigma", "stix2-pattern":
		return "Payload installation"
	case "snort", "suricata", "zeek", "bro":
		return network
	case "vulnerability", "link", "attachment":
		return "External analysis"
	case "threat-actor", "campaign-name":
		return "Attribution"
	}
	if a, ok := t.byName[name]; ok {
		return a.category
	}
	return "Other"
}

// terms takes an attribute's value apart. ok is false where the type has no form in STIX, or the value is not of the type.
func (t *table) terms(name, value string) (terms []exchange.Term, why string) {
	a, ok := t.byName[name]
	if !ok {
		return nil, "STIX has no form for the type " + exchange.Clip(name)
	}
	parts := []string{value}
	if len(a.paths) > 1 {
		// The last bar separates: a file's name may have one, a hash or port has none.
		i := strings.LastIndexByte(value, '|')
		if name == "regkey|value" {
			i = strings.IndexByte(value, '|')
		}
		if i < 0 {
			return nil, "the value has one part where " + name + " has two"
		}
		parts = []string{value[:i], value[i+1:]}
	}
	for i, path := range a.paths {
		term := exchange.Term{Path: path, Value: parts[i]}
		if why := fit(&term, name); why != "" {
			return nil, why
		}
		terms = append(terms, term)
	}
	return terms, ""
}

// fit checks a part against its path, and completes paths that depend on the value.
func fit(t *exchange.Term, name string) (why string) {
	if t.Value == "" {
		return "a part of the value is empty"
	}
	address := func() (string, bool) {
		p, ok := t.Prefix()
		if !ok {
			return "", false
		}
		if p.Addr().Is4() {
			return "ipv4-addr:value", true
		}
		return "ipv6-addr:value", true
	}
	switch t.Path {
	case anyAddress:
		path, ok := address()
		if !ok {
			return "the value is no address"
		}
		t.Path = path
	case dstHost, srcHost, "domain-name:resolves_to_refs[*].value":
		if _, ok := address(); !ok && strings.HasPrefix(name, "ip-") || !ok && name == "domain|ip" {
			return "the value is no address"
		}
	case dstPort, srcPort:
		port, err := strconv.ParseUint(t.Value, 10, 16)
		if err != nil || strconv.FormatUint(port, 10) != t.Value {
			return "the value is no port"
		}
		t.Number = true
	case "autonomous-system:number":
		digits := strings.TrimPrefix(strings.ToUpper(t.Value), "AS")
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return "the value is no number of an autonomous system"
		}
		t.Value, t.Number = strconv.FormatUint(n, 10), true
	case "url:value":
		if name == "uri" && !strings.Contains(t.Value, "://") {
			return "the value is a part of a URL"
		}
	}
	return ""
}

// typeOf finds the type that terms make, and the value.
func (t *table) typeOf(terms []exchange.Term) (name, value string, ok bool) {
	if slices.ContainsFunc(terms, func(t exchange.Term) bool { return t.Below }) {
		return "", "", false
	}
	for _, a := range t.all {
		if value, ok := a.valueOf(terms); ok {
			return a.name, value, true
		}
	}
	return "", "", false
}

// valueOf joins terms to a value of the type; ok is false when they are not the type's.
func (a attributeType) valueOf(terms []exchange.Term) (value string, ok bool) {
	if len(terms) != len(a.paths) {
		return "", false
	}
	parts := make([]string, len(terms))
	for i, path := range a.paths {
		j := slices.IndexFunc(terms, func(t exchange.Term) bool {
			return t.Path == path || path == anyAddress && (t.Path == "ipv4-addr:value" || t.Path == "ipv6-addr:value")
		})
		if j < 0 {
			return "", false
		}
		parts[i] = terms[j].Value
		if _, err := netip.ParseAddr(parts[i]); strings.HasPrefix(a.name, "ip-") && i == 0 && err != nil {
			if _, err := netip.ParsePrefix(parts[i]); err != nil {
				return "", false
			}
		}
	}
	if a.name == "AS" {
		parts[0] = "AS" + parts[0]
	}
	return strings.Join(parts, "|"), true
}
