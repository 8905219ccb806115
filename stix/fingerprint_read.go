package stix

import "strings"

// Fingerprints reads every fingerprint that an object carries, in mithaq's extension or in one of the forms that others
// use, without repeats, in the order of the object:
//
//   - custom properties on network-traffic, x509-certificate, indicator or any other object: x_ja3, x_ja3_hash,
//     x_opencti_ja3, x_tls_ja4, ja3, hassh …, with a string or a list of strings (OpenCTI, Zeek and Suricata exporters);
//   - entries of those names in any extension, also one level deeper, as {"tls-ext": {"ja3": {"hash": …}}};
//   - entries of those names in ipfix;
//   - objects of MISP and OpenCTI of types such as x-misp-object (x_misp_name "ja3", with x_misp_attributes) and
//     x-opencti-ja3;
//   - comparisons in an indicator's STIX pattern: [network-traffic:x_ja3 = '…'], [x-misp-object:ja3-fingerprint-md5 = '…'],
//     [network-traffic:extensions.'tls-ext'.ja3s_hash = '…'].
//
// Values that have not the form of their kind are left out.
func Fingerprints(o Object) ([]Fingerprint, error) {
	v, err := o.Open()
	if err != nil {
		return nil, err
	}
	r := fingerprintReader{}
	if e, ok, _ := ReadExtension(o); ok {
		for _, f := range e.Fingerprints {
			r.add(f.Kind, f.Value, f.Role, f.Raw, "mithaq")
		}
	}
	r.typed(o.Type, v)
	for name, value := range v.Members() {
		switch name {
		case "extensions":
			for id, ext := range value.Members() {
				if id != ExtensionID {
					r.within(ext, id, 0)
				}
			}
		case "ipfix":
			r.within(value, "ipfix", 0)
		case "x_misp_attributes":
			r.mispAttributes(value)
		case "pattern":
			if v.Get("pattern_type").Text() == "stix" {
				r.pattern(value.Text())
			}
		default:
			r.property(name, value, originOf(name))
		}
	}
	return r.found, nil
}

func originOf(name string) string {
	for _, tool := range []string{"opencti", "misp"} {
		if strings.Contains(name, tool) {
			return tool
		}
	}
	return "x_"
}

type fingerprintReader struct {
	found []Fingerprint
}

// maxFingerprints is how many fingerprints of one object are read.
const maxFingerprints = 1000

func (r *fingerprintReader) add(kind FingerprintKind, value, role, raw, from string) {
	value = strings.TrimSpace(value)
	if kind != CommuID {
		value = strings.ToLower(value)
	}
	if !kind.fits(value) || len(r.found) >= maxFingerprints {
		return
	}
	for _, f := range r.found {
		if f.Kind == kind && f.Value == value {
			return
		}
	}
	r.found = append(r.found, Fingerprint{Kind: kind, Value: value, Role: role, Raw: raw, From: from})
}

// property reads a property whose name says what fingerprint it is: a string, a list of strings, or an object with the
// hash and what it was made from.
func (r *fingerprintReader) property(name string, value Value, from string) {
	kind, role, ok := kindOf(name)
	if !ok {
		return
	}
	r.add(kind, value.Text(), role, "", from)
	for _, text := range value.Texts() {
		r.add(kind, text, role, "", from)
	}
	if value.IsObject() {
		raw := value.Get("string").Text()
		for _, inner := range []string{"hash", "md5", "value", "fingerprint", "digest"} {
			r.add(kind, value.Get(inner).Text(), role, raw, from)
		}
	}
}

// within reads the entries of an extension, and of the objects in it.
func (r *fingerprintReader) within(value Value, from string, depth int) {
	for name, entry := range value.Members() {
		r.property(name, entry, from)
		if entry.IsObject() && depth < 3 {
			r.within(entry, from, depth+1)
		}
	}
}

// typed reads objects whose type is a kind of fingerprint.
func (r *fingerprintReader) typed(typeName string, v Value) {
	kind, role, ok := kindOf(strings.TrimPrefix(typeName, "x-"))
	if !ok {
		return
	}
	for _, name := range []string{"value", "hash", "fingerprint"} {
		r.add(kind, v.Get(name).Text(), role, "", originOf(typeName))
	}
}

// mispAttributes reads the attributes of a MISP object: {"type": "ja3-fingerprint-md5", "value": …}.
func (r *fingerprintReader) mispAttributes(attributes Value) {
	for a := range attributes.Elements() {
		for _, name := range []string{a.Get("type").Text(), a.Get("object_relation").Text()} {
			if kind, role, ok := kindOf(name); ok {
				r.add(kind, a.Get("value").Text(), role, "", "misp")
				break
			}
		}
	}
}

// pattern reads the comparisons for equality of a STIX pattern whose path ends in the name of a kind. It is a scan, not a
// parse: what is negated is left out, everything else counts as mentioned.
func (r *fingerprintReader) pattern(pattern string) {
	b := []byte(pattern)
	path, start := "", -1
	for i := 0; i <= len(b); i++ {
		inPath := i < len(b) && (class[b[i]]&word != 0 || strings.IndexByte("-_.:'", b[i]) >= 0)
		if i < len(b) && b[i] == '\'' && start < 0 { // a constant
			text, end := quoted(b, i)
			if path != "" {
				r.comparison(path, string(text))
			}
			i = end
			continue
		}
		if inPath {
			if start < 0 {
				start = i
			}
			if b[i] == '\'' {
				_, i = quoted(b, i)
			}
			continue
		}
		if start >= 0 {
			switch step := pattern[start:min(i, len(b))]; {
			case strings.Contains(step, ":"):
				path = step
			case step == "NOT" || step == "AND" || step == "OR" || step == "LIKE" || step == "MATCHES":
				path = ""
			}
			start = -1
		}
		if i < len(b) && (b[i] == '!' || b[i] == '<' || b[i] == '>') {
			path = ""
		}
	}
}

func (r *fingerprintReader) comparison(path, value string) {
	object, rest, _ := strings.Cut(path, ":")
	steps := strings.Split(strings.ReplaceAll(rest, "'", ""), ".")
	for i := len(steps) - 1; i >= 0; i-- {
		if kind, role, ok := kindOf(steps[i]); ok {
			r.add(kind, value, role, "", "pattern")
			return
		}
	}
	if kind, role, ok := kindOf(strings.TrimPrefix(object, "x-")); ok {
		r.add(kind, value, role, "", "pattern")
	}
}
