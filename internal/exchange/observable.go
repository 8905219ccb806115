package exchange

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mithaq/mithaq/stix"
)

// Properties are the members of a STIX object that a conversion makes. They are written in the order of their names.
type Properties map[string]any

// Encode writes an object's JSON, with nothing escaped that JSON does not ask for.
func (p Properties) Encode() ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// ID is the object's identifier.
func (p Properties) ID() string {
	id, _ := p["id"].(string)
	return id
}

// observable gives an object spec_version and its deterministic identifier; names stand in for contributing properties
// where the type has none.
func observable(p Properties, names ...string) (Properties, error) {
	p["spec_version"] = "2.1"
	typ, _ := p["type"].(string)
	raw, err := p.Encode()
	if err != nil {
		return nil, err
	}
	id, ok, err := stix.ObservableID(raw)
	if err != nil {
		return nil, err
	}
	if !ok {
		id = typ + "--" + UUID(append([]string{typ}, names...)...)
	}
	p["id"] = id
	return p, nil
}

// Observables makes the cyber observables that terms describe together, what they refer to first. ok is false when a term
// has no observable that could be made of it.
func Observables(terms []Term) (objects []Properties, ok bool, err error) {
	m := maker{}
	for _, t := range terms {
		if !m.add(t) {
			return nil, false, m.err
		}
	}
	complete := m.finish()
	return m.out, complete && m.err == nil && len(m.out) > 0, m.err
}

// maker collects terms that are about one object.
type maker struct {
	out     []Properties
	file    Properties
	cert    Properties
	domain  Properties
	key     Properties
	traffic Properties
	err     error
}

// put adds an observable and gives its identifier.
func (m *maker) put(p Properties, names ...string) string {
	p, err := observable(p, names...)
	if err != nil {
		m.err = err
		return ""
	}
	for _, o := range m.out {
		if o.ID() == p.ID() {
			return p.ID()
		}
	}
	m.out = append(m.out, p)
	return p.ID()
}

func ensure(p *Properties, typ string) Properties {
	if *p == nil {
		*p = Properties{"type": typ}
	}
	return *p
}

func (m *maker) add(t Term) bool {
	if t.Below {
		return false
	}
	typ, path, _ := strings.Cut(t.Path, ":")
	switch typ {
	case "ipv4-addr", "ipv6-addr":
		return path == "value" && m.address(t.Value) != ""
	case "url", "mac-addr":
		return path == "value" && m.put(Properties{"type": typ, "value": t.Value}) != ""
	case "email-addr":
		return path == "value" && m.put(Properties{"type": typ, "value": t.Value}) != ""
	case "domain-name":
		return m.addDomain(path, t.Value)
	case "mutex":
		return path == "name" && m.put(Properties{"type": typ, "name": t.Value}) != ""
	case "autonomous-system":
		n, err := strconv.ParseInt(t.Value, 10, 64)
		return path == "number" && err == nil && m.put(Properties{"type": typ, "number": n}) != ""
	case "file":
		return m.addFile(path, t)
	case "x509-certificate":
		if t.Algorithm() == "" {
			return false
		}
		setHash(ensure(&m.cert, typ), t)
		return true
	case "windows-registry-key":
		return m.addKey(path, t.Value)
	case "network-traffic":
		return m.addTraffic(t)
	}
	return false
}

func setHash(p Properties, t Term) {
	hashes, _ := p["hashes"].(map[string]string)
	if hashes == nil {
		hashes = map[string]string{}
		p["hashes"] = hashes
	}
	hashes[t.Algorithm()] = t.Value
}

func (m *maker) addFile(path string, t Term) bool {
	switch {
	case path == "name" && t.Value != "":
		ensure(&m.file, "file")["name"] = t.Value
	case t.Algorithm() != "":
		setHash(ensure(&m.file, "file"), t)
	default:
		return false
	}
	return true
}

func (m *maker) addDomain(path, value string) bool {
	switch path {
	case "value":
		ensure(&m.domain, "domain-name")["value"] = value
	case "resolves_to_refs[*].value":
		id := m.address(value)
		if id == "" {
			return false
		}
		ensure(&m.domain, "domain-name")["resolves_to_refs"] = []string{id}
	default:
		return false
	}
	return true
}

func (m *maker) addKey(path, value string) bool {
	switch path {
	case "key":
		ensure(&m.key, "windows-registry-key")["key"] = value
	case "values[*].data":
		ensure(&m.key, "windows-registry-key")["values"] = []Properties{{"data": value}}
	default:
		return false
	}
	return true
}

// address adds an address or network and gives its identifier.
func (m *maker) address(value string) string {
	t := Term{Value: value}
	p, ok := t.Prefix()
	if !ok {
		return ""
	}
	typ := "ipv4-addr"
	if p.Addr().Is6() {
		typ = "ipv6-addr"
	}
	return m.put(Properties{"type": typ, "value": value})
}

func (m *maker) host(value string) string {
	if id := m.address(value); id != "" {
		return id
	}
	return m.put(Properties{"type": "domain-name", "value": value})
}

func (m *maker) addTraffic(t Term) bool {
	p := ensure(&m.traffic, "network-traffic")
	switch _, path, _ := strings.Cut(t.Path, ":"); path {
	case "dst_ref.value", "src_ref.value":
		p[strings.TrimSuffix(path, ".value")] = m.host(t.Value)
	case "dst_port", "src_port":
		port, err := strconv.ParseUint(t.Value, 10, 16)
		if err != nil {
			return false
		}
		p[path] = port
	case "x_ja3", "x_ja3s", "x_ja4", "x_jarm", "x_hassh", "x_hasshserver", "x_community_id":
		p[path] = t.Value
	default:
		if t.Kind() != UserAgent {
			return false
		}
		p["extensions"] = Properties{"http-request-ext": Properties{"request_method": "get", "request_value": "/",
			"request_header": Properties{"User-Agent": []string{t.Value}}}}
	}
	return true
}

// finish makes the objects that several terms described. False: what is known of a connection names none of its ends.
func (m *maker) finish() bool {
	for _, p := range []Properties{m.domain, m.file, m.cert, m.key} {
		if p != nil {
			m.put(p)
		}
	}
	if m.traffic == nil {
		return true
	}
	if m.traffic["protocols"] == nil {
		m.traffic["protocols"] = []string{"tcp"}
	}
	raw, err := m.traffic.Encode()
	if err != nil {
		m.err = err
		return false
	}
	m.put(m.traffic, string(raw))
	return m.traffic["dst_ref"] != nil || m.traffic["src_ref"] != nil
}

// TermsOf reads the values of an observable, all of one object. refs gives the objects that it refers to.
func TermsOf(o stix.Value, refs func(id string) stix.Value) []Term {
	typ := o.Get("type").Text()
	one := func(path, value string) []Term {
		if value == "" {
			return nil
		}
		return []Term{{Path: typ + ":" + path, Value: value}}
	}
	switch typ {
	case "ipv4-addr", "ipv6-addr", "url", "email-addr", "mac-addr":
		return one("value", o.Get("value").Text())
	case "domain-name":
		terms := one("value", o.Get("value").Text())
		for _, id := range o.Get("resolves_to_refs").Texts() {
			terms = append(terms, one("resolves_to_refs[*].value", refs(id).Get("value").Text())...)
		}
		return terms
	case "mutex":
		return one("name", o.Get("name").Text())
	case "autonomous-system":
		if n, ok := o.Get("number").Int(); ok {
			return []Term{{Path: "autonomous-system:number", Value: strconv.FormatInt(n, 10), Number: true}}
		}
	case "file":
		return append(one("name", o.Get("name").Text()), hashTerms(typ, o)...)
	case "x509-certificate":
		return hashTerms(typ, o)
	case "windows-registry-key":
		terms := one("key", o.Get("key").Text())
		for v := range o.Get("values").Elements() {
			terms = append(terms, one("values[*].data", v.Get("data").Text())...)
		}
		return terms
	case "network-traffic":
		return trafficTerms(o, refs)
	}
	return nil
}

func hashTerms(typ string, o stix.Value) []Term {
	var terms []Term
	for name, value := range o.Get("hashes").Members() {
		terms = append(terms, Term{Path: HashPath(typ, name), Value: value.Text()})
	}
	return terms
}

func trafficTerms(o stix.Value, refs func(id string) stix.Value) []Term {
	var terms []Term
	for _, end := range []string{"dst", "src"} {
		if value := refs(o.Get(end + "_ref").Text()).Get("value").Text(); value != "" {
			terms = append(terms, Term{Path: "network-traffic:" + end + "_ref.value", Value: value})
		}
		if port, ok := o.Get(end + "_port").Int(); ok {
			terms = append(terms, Term{Path: "network-traffic:" + end + "_port", Value: strconv.FormatInt(port, 10), Number: true})
		}
	}
	for name, value := range o.Members() {
		if strings.HasPrefix(name, "x_") && value.IsString() {
			terms = append(terms, Term{Path: "network-traffic:" + name, Value: value.Text()})
		}
	}
	if agent := o.Get("extensions", "http-request-ext", "request_header", "User-Agent"); agent.Len() > 0 {
		terms = append(terms, Term{Path: UserAgentPath, Value: agent.At(0).Text()})
	}
	return terms
}
