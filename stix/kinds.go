package stix

import (
	"bytes"
	"strings"
)

// property checks a member against its row.
func (v *validation) property(at int32, p *property) {
	if !p.list {
		v.value(at, p)
		return
	}
	n := v.nodes[at]
	if n.kind != isArray {
		v.must(at, v.section, "type", "%s is a list, not %s", p.name, n.kind)
		return
	}
	if n.count == 0 && !p.mayEmpty {
		v.must(at, "2.12", "empty", "a list must not be empty")
	}
	for i := at + 1; i < n.next; i = v.nodes[i].next {
		v.value(i, p)
	}
}

// value checks one value against a row's kind.
func (v *validation) value(at int32, p *property) {
	n := &v.nodes[at]
	switch p.kind {
	case anything:
		if n.kind == isNull || n.kind == isArray && n.count == 0 && !p.mayEmpty {
			v.must(at, "3.1", "empty", "a property without a value is left out")
		}
	case boolean:
		if n.kind != isTrue && n.kind != isFalse {
			v.must(at, v.section, "type", "%s is a boolean, not %s", p.name, n.kind)
		}
		return
	case integer:
		v.integer(at, p)
	case number:
		v.number(at, p)
	case nested:
		v.nested(at, p.of)
	case hashes:
		v.hashes(at)
	case dictionary:
		if v.dictionary(at) && p.check != nil {
			p.check(v, at)
		}
		return
	case extensionMap:
		v.extensions(at)
	case observables:
		v.observables(at)
	default:
		if n.kind != isString {
			v.must(at, v.section, "type", "%s is a string, not %s", p.name, n.kind)
			return
		}
		v.textual(at, p)
	}
	if p.check != nil {
		p.check(v, at)
	}
}

// textual checks a string against a row's kind.
func (v *validation) textual(at int32, p *property) {
	b := v.text(at)
	good, section, what := true, "", ""
	switch p.kind {
	case text:
		if p.vocab != nil && v.plan.checks != 0 {
			v.vocabulary(at, b, p.vocab)
		}
		return
	case timestamp, milliTimestamp, secondsTimestamp:
		v.timestamp(at, b, p.kind)
		return
	case identifier:
		v.identifier(at, b, p)
		return
	case objectKey:
		v.objectKey(at, b, p)
		return
	case constant:
		good, section, what = string(b) == v.shape.name, v.section, "the name of this type"
	case oneOf:
		good, section, what = oneOfThem(b, p.values), v.section, "one of the values it may have"
	case hexadecimal:
		good, section, what = isHex(b), "2.8", "pairs of hexadecimal digits"
	case base64Binary:
		good, section, what = isBase64(b), "2.1", "Base64"
	case uri:
		good, section, what = isURI(b), "3.1", "a URI of RFC 3986"
	case language:
		good, section, what = isLanguage(b), "3.2", "a language tag of RFC 5646"
	case softwareLanguage:
		good, section, what = isSoftwareLanguage(b), "6.14", "a language tag of RFC 5646"
	case mediaType:
		good, section, what = isMediaType(b) && registered(mediaTypes(), b), "6.1", "a media type of IANA's"
	case characterSet:
		good, section, what = registered(characterSets, b), v.section, "a character set of IANA's"
	case domain:
		good, section, what = isDomain(b), "6.4", "a domain name"
	case email:
		good, section, what = isEmail(b), "6.5", "an e-mail address"
	case ipv4:
		good, section, what = isIPv4(b), "6.8", "an IPv4 address or network"
	case ipv6:
		good, section, what = isIPv6(b), "6.9", "an IPv6 address or network"
	case mac:
		good, section, what = isMAC(b), "6.10", "a MAC address in lower case with colons"
	case cpe:
		good, section, what = isCPE(b), "6.14", "a CPE 2.3 formatted string"
	case registryKey:
		good, section, what = !abbreviatesHive(b), "6.17", "a registry key with its hive's name in full"
	case hyphenated:
		good, section, what = len(b) > 0 && all(b, lower|digit, "-"), v.section, "lower-case letters, digits and hyphens"
	case typeNamed:
		good, section, what = isTypeName(b) && string(b) != "action", "3.1", "the name of a type"
	}
	if !good {
		v.must(at, section, kindNames[p.kind], "%q is not %s", clip(b), what)
	}
}

// clip keeps messages short.
func clip(b []byte) []byte {
	if len(b) > 120 {
		return append(append([]byte(nil), b[:120]...), "…"...)
	}
	return b
}

var kindNames = [...]string{
	constant: "type", oneOf: "enum", hexadecimal: "hex", base64Binary: "binary", uri: "url", language: "language",
	softwareLanguage: "language", mediaType: "media-type", characterSet: "character-set", domain: "domain", email: "email",
	ipv4: "address", ipv6: "address", mac: "address", cpe: "cpe", registryKey: "registry-key", hyphenated: "format",
	typeNamed: "type", observables: "",
}

func oneOfThem(b []byte, values []string) bool {
	for _, value := range values {
		if string(b) == value {
			return true
		}
	}
	return false
}

// abbreviatesHive says whether a key names its hive by an abbreviation (section 6.17).
func abbreviatesHive(b []byte) bool {
	for _, short := range [...]string{"HKLM", "HKCC", "HKCR", "HKCU", "HKU", "hklm", "hkcc", "hkcr", "hkcu", "hku"} {
		if bytes.HasPrefix(b, []byte(short)) || len(short) == 4 && bytes.Contains(b, []byte(short)) {
			return true
		}
	}
	return false
}

func (v *validation) timestamp(at int32, b []byte, k kind) {
	switch timestampForm(b) {
	case timeMalformed:
		v.must(at, "2.15", "timestamp", "%q is not of the form 2016-01-20T12:31:12.123Z", clip(b))
		return
	case timeImpossible:
		v.must(at, "2.15", "timestamp", "there is no such time as %s", clip(b))
	}
	switch n := len(fraction(b)); {
	case k == milliTimestamp && (n < 3 || v.old && n != 3):
		v.must(at, "3.2", "timestamp", "%s needs three digits after the point", clip(b))
	case k == secondsTimestamp && len(b) != 20:
		v.must(at, "6.7.6", "timestamp", "%s has digits after its seconds", clip(b))
	}
}

func (v *validation) integer(at int32, p *property) {
	n := v.nodes[at]
	if n.kind != isNumber {
		v.must(at, v.section, "type", "%s is an integer, not %s", p.name, n.kind)
		return
	}
	i, ok := wholeNumber(v.text(at))
	switch {
	case !ok || i > maxInteger || i < -maxInteger:
		v.must(at, "2.10", "type", "%s is not an integer of at most 54 bits", v.text(at))
	case p.bounded && (i < p.low || i > p.high):
		v.must(at, v.section, "range", "%s is from %d to %d, not %d", p.name, p.low, p.high, i)
	}
}

func (v *validation) isInteger(at int32) bool {
	if v.nodes[at].kind != isNumber {
		return false
	}
	_, ok := wholeNumber(v.text(at))
	return ok
}

func (v *validation) number(at int32, p *property) {
	n := v.nodes[at]
	if n.kind != isNumber {
		v.must(at, v.section, "type", "%s is a number, not %s", p.name, n.kind)
		return
	}
	if f, _ := (Value{v.tape, at}).Float(); p.bounded && (f < float64(p.low) || f > float64(p.high)) {
		v.must(at, v.section, "range", "%s is from %d to %d", p.name, p.low, p.high)
	}
}

// nested checks an object inside an object.
func (v *validation) nested(at int32, s *shape) {
	if v.nodes[at].kind != isObject {
		v.must(at, s.section, "type", "a %s is an object, not %s", s.name, v.nodes[at].kind)
		return
	}
	shape, section := v.shape, v.section
	v.shape, v.section = s, s.section
	seen := v.members(at, s)
	if missing := s.required &^ seen; missing != 0 {
		v.missing(at, s, missing)
	}
	if s.any != 0 && s.any&seen == 0 {
		v.must(at, s.section, "required", "a %s needs at least one of its properties", s.name)
	}
	if s.rest != nil {
		s.rest(v, at, seen)
	}
	v.shape, v.section = shape, section
}

// identifier checks a reference by identifier.
func (v *validation) identifier(at int32, b []byte, p *property) {
	if !isIdentifier(b) || v.old && uuidVersion(b) != 4 {
		v.must(at, "2.9", "identifier", "%q is no identifier: type--UUID", clip(b))
		return
	}
	name := identifierType(b)
	if p.only != nil && !oneOfThem(name, p.only) || p.not != nil && oneOfThem(name, p.not) {
		v.must(at, v.section, "reference", "%s must not refer to an object of type %s", p.name, name)
	}
}

// objectKey checks a reference from an observable: a key of the same Observed Data's objects when it is inside one,
// else an identifier.
func (v *validation) objectKey(at int32, b []byte, p *property) {
	if v.container < 0 {
		// The UUID is not looked at: the OASIS schemas let it pass, and examples that everybody copies have it wrong.
		if name := identifierType(b); name == nil || p.only != nil && !oneOfThem(name, p.only) {
			v.must(at, v.section, "reference", "%s must refer to %s, not to %q", p.name, orAnything(p.only), clip(b))
		}
		return
	}
	target := v.member(v.container, string(b))
	if target < 0 {
		v.must(at, "4.14", "reference", "%s refers to %q, which is not in objects", p.name, clip(b))
		return
	}
	if name := v.stringMember(target, "type"); p.only != nil && name != nil && !oneOfThem(name, p.only) {
		v.must(at, v.section, "reference", "%s must not refer to an object of type %s", p.name, name)
	}
}

func orAnything(types []string) string {
	if types == nil {
		return "an object by its identifier"
	}
	return "an object of type " + strings.Join(types, ", ")
}

// dictionary checks the form of a dictionary (section 2.3) and says whether it is one at all.
func (v *validation) dictionary(at int32) bool {
	n := v.nodes[at]
	if n.kind != isObject {
		v.must(at, "2.3", "type", "a dictionary is an object, not %s", n.kind)
		return false
	}
	if n.count == 0 && !v.old {
		v.must(at, "2.3", "empty", "a dictionary must not be empty")
	}
	for i := at + 1; i < n.next; i = v.nodes[i].next {
		if !isDictionaryKey(v.key(i)) {
			v.must(i, "2.3", "dictionary-key", "%q is no key of a dictionary", clip(v.key(i)))
		}
		if m := v.nodes[i]; m.kind == isNull || m.kind == isArray && m.count == 0 {
			v.must(i, "2.3", "empty", "an entry without a value is left out")
		}
	}
	return true
}

// hashes checks a dictionary of hashes (section 2.7).
func (v *validation) hashes(at int32) {
	n := v.nodes[at]
	if n.kind != isObject {
		v.must(at, "2.7", "type", "hashes are an object, not %s", n.kind)
		return
	}
	if n.count == 0 && !v.old {
		v.must(at, "2.7", "empty", "hashes must not be empty")
	}
	for i := at + 1; i < n.next; i = v.nodes[i].next {
		key := v.key(i)
		if len(key) < 3 || !isDictionaryKey(key) {
			v.must(i, "2.7", "dictionary-key", "%q is no name of a hash", clip(key))
		}
		switch {
		case v.nodes[i].kind != isString:
			v.must(i, "2.7", "type", "a hash is a string, not %s", v.nodes[i].kind)
		case !isHash(key, v.text(i)):
			v.must(i, "2.7", "hash", "%q is no %s hash", clip(v.text(i)), key)
		}
	}
}

// textsOnly: every element of a list is a string.
func (v *validation) textsOnly(at int32, section string) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if v.nodes[i].kind != isString {
			v.must(i, section, "type", "must be a string, not %s", v.nodes[i].kind)
		}
	}
}
