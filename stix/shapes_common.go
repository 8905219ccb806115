package stix

import "bytes"

// Common properties (section 3.2) and the data types that are objects (section 2).

func externalReferenceShape() *shape {
	return &shape{name: "external-reference", section: "2.5", category: categoryPart,
		properties: []property{
			{name: "source_name", kind: text, required: true},
			{name: "description", kind: text},
			{name: "url", kind: uri},
			{name: "hashes", kind: hashes, check: checkReferenceHashes},
			{name: "external_id", kind: text},
		},
		rest: checkExternalReference,
	}
}

// checkReferenceHashes: the hashes of a reference are those that STIX names.
func checkReferenceHashes(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if v.nodes[at].kind == isObject && !hashAlgorithm.has(v.key(i)) {
			v.must(i, "2.5", "hash", "%q is not in hash-algorithm-ov", clip(v.key(i)))
		}
	}
}

// checkExternalReference: a source of more than its name; CVE and CAPEC identifiers have their form, and only they have.
func checkExternalReference(v *validation, object int32, _ uint64) {
	source, id := v.stringMember(object, "source_name"), v.stringMember(object, "external_id")
	if source == nil {
		return
	}
	switch string(source) {
	case "cve":
		if !isCVE(id) {
			v.must(object, "2.5", "external-reference", "a reference to cve needs an external_id such as CVE-2021-44228")
		}
	case "capec":
		if !isCAPEC(id) {
			v.must(object, "2.5", "external-reference", "a reference to capec needs an external_id such as CAPEC-163")
		}
	default:
		if id != nil && (isCVE(id) || isCAPEC(id)) {
			v.must(object, "2.5", "external-reference", "the source_name of a CVE or CAPEC identifier is cve or capec")
		}
		if id == nil && v.member(object, "description") < 0 && v.member(object, "url") < 0 {
			v.must(object, "2.5", "external-reference", "needs at least one of description, url, external_id")
		}
	}
}

func killChainPhaseShape() *shape {
	return &shape{name: "kill-chain-phase", section: "2.11", category: categoryPart,
		properties: required(texts("kill_chain_name", "phase_name")...)}
}

func granularMarkingShape() *shape {
	return &shape{name: "granular-marking", section: "7.2.3", category: categoryPart,
		properties: []property{
			{name: "lang", kind: text},
			{name: "marking_ref", kind: identifier, only: []string{"marking-definition"}},
			{name: "selectors", kind: text, list: true, required: true, check: checkSelector},
		},
		rest: func(v *validation, object int32, _ uint64) {
			if (v.member(object, "lang") >= 0) == (v.member(object, "marking_ref") >= 0) {
				v.must(object, "7.2.3", "granular-marking", "needs exactly one of lang and marking_ref")
			}
		},
	}
}

// checkSelector: a selector has its syntax and points at something that is there.
func checkSelector(v *validation, at int32) {
	selector := v.text(at)
	if !isSelector(selector) {
		v.must(at, "7.2.3.1", "selector", "%q has not the syntax of a selector", selector)
		return
	}
	if v.resolve(v.root, selector) < 0 {
		v.must(at, "7.2.3.1", "selector", "%q points at nothing in this object", selector)
	}
}

// resolve walks a selector down from an object; -1 when it points at nothing.
func (t *tape) resolve(object int32, selector []byte) int32 {
	at := object
	for start := 0; start <= len(selector); {
		end := start
		for end < len(selector) && selector[end] != '.' {
			end++
		}
		step := selector[start:end]
		if len(step) > 2 && step[0] == '[' {
			index := 0
			for _, c := range step[1 : len(step)-1] {
				if index = index*10 + int(c-'0'); index > 1<<30 {
					return -1
				}
			}
			at = t.element(at, index)
		} else {
			at = t.member(at, string(step))
		}
		if at < 0 {
			return -1
		}
		start = end + 1
	}
	return at
}

// common are the properties of every object but bundles: what: "type" … "extensions".
func common() []property {
	return []property{
		{name: "type", kind: constant, required: true},
		{name: "spec_version", kind: oneOf, values: []string{"2.1", "2.0"}},
		{name: "id", kind: identifier, required: true, check: checkOwnID},
		{name: "object_marking_refs", kind: identifier, list: true},
		{name: "granular_markings", kind: nested, list: true, of: granularMarkingShape()},
		{name: "extensions", kind: extensionMap},
	}
}

// checkOwnID: an object's identifier begins with its type.
func checkOwnID(v *validation, at int32) {
	if !bytes.Equal(identifierType(v.text(at)), v.typeName) {
		v.must(at, "2.9", "identifier", "the identifier of this object begins with %q", string(clip(v.typeName))+"--")
	}
}

func domain21(name, section string, own ...[]property) *shape {
	p := append(common(), []property{
		{name: "created_by_ref", kind: identifier},
		{name: "created", kind: milliTimestamp, required: true},
		{name: "modified", kind: milliTimestamp, required: true},
		{name: "revoked", kind: boolean},
		{name: "labels", kind: text, list: true},
		{name: "confidence", kind: integer, bounded: true, high: 100},
		{name: "lang", kind: language},
		{name: "external_references", kind: nested, list: true, of: externalReferenceShape()},
	}...)
	p[1].required = true
	s := &shape{name: name, section: section, category: categoryDomain, properties: append(p, join(own...)...)}
	if name == "" {
		s.category = categoryCustom
		s.properties[0].kind = typeNamed
	}
	return s
}

func observable21(name, section string, own ...[]property) *shape {
	p := append(common(), property{name: "defanged", kind: boolean}, property{name: "lang", kind: language, unlisted: true})
	s := &shape{name: name, section: section, category: categoryObservable, properties: append(p, join(own...)...)}
	if name == "" {
		s.category = categoryCustom
		s.properties[0].kind = typeNamed
	}
	return s
}

func killChainPhases() []property {
	return []property{{name: "kill_chain_phases", kind: nested, list: true, of: killChainPhaseShape()}}
}

// ordered makes a rule: later is not before earlier (or is after it, when strictly).
func ordered(earlier, later string, strictly bool) func(*validation, int32, uint64) {
	return func(v *validation, object int32, seen uint64) {
		if v.shape.has(seen, earlier) && v.shape.has(seen, later) {
			v.order(object, earlier, later, strictly)
		}
	}
}

// order checks that one time is not before another. Times that are malformed have their own findings.
func (v *validation) order(object int32, earlier, later string, strictly bool) {
	first, last := v.stringMember(object, earlier), v.stringMember(object, later)
	if first == nil || last == nil || timestampForm(first) == timeMalformed || timestampForm(last) == timeMalformed {
		return
	}
	c := compareTimes(first, last)
	if c > 0 {
		v.must(v.member(object, later), v.section, "order", "%s (%s) is before %s (%s)", later, last, earlier, first)
	} else if c == 0 && strictly {
		v.must(v.member(object, later), v.section, "order", "%s (%s) is not after %s", later, last, earlier)
	}
}

func bundleShape() *shape {
	return &shape{name: "bundle", section: "8", category: categoryBundle, properties: []property{
		{name: "type", kind: constant, required: true},
		{name: "id", kind: identifier, required: true, check: checkOwnID},
		{name: "objects", kind: anything, list: true},
		{name: "spec_version", kind: oneOf, values: []string{"2.0", "2.1"}, unlisted: true}, // of STIX 2.0
		{name: "lang", kind: language, unlisted: true},
	}}
}
