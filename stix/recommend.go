package stix

import (
	"bytes"
	"strings"
	"unicode"
)

// recommend checks what concerns any object as a whole and is only recommended. What concerns one property is checked
// with the property.
func (v *validation) recommend(object int32, s *shape) {
	if v.old && v.plan.Version != "2.0" { // an old object among new ones: recommendations are those of 2.1
		v.catalogue = catalogue21()
		s = v.shapeOf(object)
	}
	v.shape, v.section = s, s.section
	v.uuid(object, s)
	v.killChains(object, s)
	v.openVocabularies(object, s)
	v.references(object)
	v.naming(object, s)
	switch {
	case s.name == "observed-data":
		if objects := v.member(object, "objects"); objects >= 0 && v.nodes[objects].kind == isObject {
			for i := objects + 1; i < v.nodes[objects].next; i = v.nodes[i].next {
				if !all(v.key(i), digit, "") || len(v.key(i)) == 0 {
					v.should(i, checkObservableObjectKeys, "the keys of objects should be numbers")
				}
				if v.nodes[i].kind == isObject && v.stringMember(i, "type") != nil {
					v.observable(i, v.shapeOf(i))
				}
			}
		}
	case s.category == categoryObservable:
		v.observable(object, s)
	}
}

// uuid: random identifiers for domain objects, name-based ones for observables (section 2.9).
func (v *validation) uuid(object int32, s *shape) {
	id := v.member(object, "id")
	if id < 0 || v.nodes[id].kind != isString || !v.wants(checkUUID) {
		return
	}
	version := uuidVersion(v.text(id))
	if version == 0 {
		return
	}
	if s.category == categoryObservable && s.name != "process" {
		if version != 5 {
			v.should(id, checkUUID, "an observable's identifier should be a name-based UUID (version 5)")
		}
	} else if version != 4 {
		v.should(id, checkUUID, "an identifier should be a random UUID (version 4)")
	}
}

// wordForm: lower case, words between hyphens.
func wordForm(b []byte) bool {
	cased := false
	for _, r := range string(b) {
		if r == '_' || r == ' ' || unicode.IsUpper(r) || unicode.IsTitle(r) {
			return false
		}
		cased = cased || unicode.IsLower(r)
	}
	return cased
}

func (v *validation) killChains(object int32, s *shape) {
	if !v.wants(checkKillChainNames) || s.bit("kill_chain_phases") == 0 {
		return
	}
	phases := v.member(object, "kill_chain_phases")
	if phases < 0 || v.nodes[phases].kind != isArray {
		return
	}
	for i := phases + 1; i < v.nodes[phases].next; i = v.nodes[i].next {
		for _, name := range [...]string{"kill_chain_name", "phase_name"} {
			if at := v.member(i, name); at >= 0 && v.nodes[at].kind == isString && !wordForm(v.text(at)) {
				v.should(at, checkKillChainNames, "%s should be lower-case words between hyphens, not %q", name, clip(v.text(at)))
			}
		}
	}
}

// vocabulary: a value should be one of an open vocabulary.
func (v *validation) vocabulary(at int32, b []byte, o *vocabulary) {
	if v.wants(o.check) && !o.has(b) {
		v.should(at, o.check, "%q is not in %s", clip(b), o.name)
	}
}

// openVocabularies: the values of open vocabularies have one form, those of one's own too.
func (v *validation) openVocabularies(object int32, s *shape) {
	if !v.wants(checkOpenVocabFormat) {
		return
	}
	for i := object + 1; i < v.nodes[object].next; i = v.nodes[i].next {
		n, ok := s.index[string(v.key(i))]
		if !ok {
			continue
		}
		switch p := &s.properties[n]; {
		case p.vocab == nil && !(s.name == "marking-definition" && p.name == "definition_type"):
		case p.vocab == &accountType || p.vocab == &patternType || p.vocab == &groupingContext:
		case v.nodes[i].kind == isArray:
			for j := i + 1; j < v.nodes[i].next; j = v.nodes[j].next {
				v.wordFormed(j)
			}
		default:
			v.wordFormed(i)
		}
	}
}

func (v *validation) wordFormed(at int32) {
	if v.nodes[at].kind == isString && !wordForm(v.text(at)) {
		v.should(at, checkOpenVocabFormat, "%q should be lower-case words between hyphens", clip(v.text(at)))
	}
}

// references: what is at a URL should be pinned by a hash.
func (v *validation) references(object int32) {
	refs := v.member(object, "external_references")
	if refs < 0 || v.nodes[refs].kind != isArray || !v.wants(checkExtrefHashes) {
		return
	}
	for i := refs + 1; i < v.nodes[refs].next; i = v.nodes[i].next {
		if v.member(i, "url") >= 0 && v.member(i, "hashes") < 0 {
			v.should(i, checkExtrefHashes, "a reference with a url should have hashes")
		}
	}
}

// observable checks the recommendations for one observable, at the top or in an Observed Data.
func (v *validation) observable(object int32, s *shape) {
	if v.wants(checkObservableDictionaryKeys) {
		v.dictionaryKeys(object)
	}
	if s.bit("hashes") != 0 {
		v.hashNames(v.member(object, "hashes"))
	}
	extensions := v.member(object, "extensions")
	if extensions < 0 || s.name != "file" {
		return
	}
	if ntfs := v.member(extensions, "ntfs-ext"); ntfs >= 0 {
		v.hashNamesOfEach(v.member(ntfs, "alternate_data_streams"))
	}
	if pe := v.member(extensions, "windows-pebinary-ext"); pe >= 0 {
		v.hashNames(v.member(pe, "file_header_hashes"))
		if header := v.member(pe, "optional_header"); header >= 0 {
			v.hashNames(v.member(header, "hashes"))
		}
		v.hashNamesOfEach(v.member(pe, "sections"))
	}
}

func (v *validation) hashNamesOfEach(list int32) {
	if list < 0 || v.nodes[list].kind != isArray {
		return
	}
	for i := list + 1; i < v.nodes[list].next; i = v.nodes[i].next {
		v.hashNames(v.member(i, "hashes"))
	}
}

// hashNames: names of hashes are known ones, or begin with x_, and are short.
func (v *validation) hashNames(at int32) {
	if at < 0 || v.nodes[at].kind != isObject {
		return
	}
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		key := v.key(i)
		if len(key) > 30 {
			v.should(i, checkHashLength, "the name of a hash should have at most 30 characters")
		}
		if v.wants(checkHashAlgo) && !hashAlgorithm.has(key) && !bytes.HasPrefix(key, []byte("x_")) {
			v.should(i, checkHashAlgo, "%q is not in hash-algorithm-ov", clip(key))
		}
	}
}

// dictionaryKeys: keys are in lower case, but for dictionaries whose keys come from elsewhere.
func (v *validation) dictionaryKeys(at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		key := v.key(i)
		for _, c := range key {
			if class[c] == upper {
				v.should(i, checkObservableDictionaryKeys, "the key %q should be in lower case", clip(key))
				break
			}
		}
		if v.nodes[i].kind != isObject {
			continue
		}
		switch string(key) {
		case "hashes", "file_header_hashes", "request_header", "additional_header_fields", "document_info_dict",
			"exif_tags", "ipfix", "options", "environment_variables", "key", "startup_info":
		default:
			v.dictionaryKeys(i)
		}
	}
}

// checkRelationship: the relationships that the specification suggests (section 3.7 and appendix B).
func (v *validation) checkRelationship(object int32) {
	if !v.wants(checkRelationshipTypes) {
		return
	}
	kind := v.stringMember(object, "relationship_type")
	source, target := identifierType(v.stringMember(object, "source_ref")), identifierType(v.stringMember(object, "target_ref"))
	if kind == nil || source == nil || target == nil {
		return
	}
	switch string(kind) {
	case "derived-from", "duplicate-of", "related-to":
		return
	}
	for _, end := range [...][]byte{source, target} {
		switch string(end) {
		case "bundle", "language-content", "marking-definition", "sighting", "relationship", "extension-definition":
			return
		}
	}
	if !suggested(string(source), string(kind), string(target)) {
		v.should(v.member(object, "relationship_type"), checkRelationshipTypes, "%s %s %s is not a suggested relationship", source, kind, target)
	}
}

// naming: what is not in the specification is an extension, or is named by the older rules.
func (v *validation) naming(object int32, s *shape) {
	known := s != v.catalogue.custom && s != v.catalogue.observable
	name := v.stringMember(object, "type")
	typeAt := v.member(object, "type")
	if !known && string(name) != "action" {
		if !v.usesExtension(object, "new-sdo", "new-sco", "new-sro") {
			v.should(typeAt, checkExtensionsUse, "a type of one's own should come with an extension of type new-sdo, new-sco or new-sro")
		}
		v.prefixed(typeAt, name, "x-", '-')
		v.should(typeAt, checkStrictTypes, "%q is no type of the specification", clip(name))
	}
	if s.category == categoryObservable {
		// The reference counts observables among the types that are not the specification's.
		v.should(typeAt, checkStrictTypes, "%q is no domain object of the specification", clip(name))
	}
	if !known {
		return
	}
	v.ownProperties(object, s, v.usesExtension(object, "toplevel-property-extension"))
	if s.category == categoryObservable {
		v.observableNaming(object, s)
	}
}

// ownProperties reports the members that a shape does not list.
func (v *validation) ownProperties(object int32, s *shape, extended bool) {
	for i := object + 1; i < v.nodes[object].next; i = v.nodes[i].next {
		key := v.key(i)
		n, listed := s.index[string(key)]
		if listed && (!s.properties[n].unlisted || v.plan.Version == "2.0") {
			continue
		}
		v.should(i, checkStrictProperties, "%q is no property of %s", clip(key), s.name)
		if reservedProperty(key) {
			continue
		}
		if !extended {
			v.should(i, checkExtensionsUse, "the property %q should come with an extension", clip(key))
		}
		v.prefixed(i, key, "x_", '_')
	}
}

func reservedProperty(key []byte) bool {
	switch string(key) {
	case "severity", "username", "phone_numbers", "action":
		return true
	}
	return false
}

// prefixed: the naming rules before extensions: x_source_name, or at least x_name.
func (v *validation) prefixed(at int32, name []byte, prefix string, separator byte) {
	rest, ok := strings.CutPrefix(string(name), prefix)
	if !ok || rest == "" {
		v.should(at, checkCustomPrefixLax, "%q should begin with %s", clip(name), prefix)
	}
	if !ok || len(rest) < 3 || strings.LastIndexByte(rest[:len(rest)-1], separator) < 1 {
		v.should(at, checkCustomPrefix, "%q should begin with %s, its source and another %c", clip(name), prefix, separator)
	}
}

func (v *validation) usesExtension(object int32, types ...string) bool {
	extensions := v.member(object, "extensions")
	if extensions < 0 || v.nodes[extensions].kind != isObject {
		return false
	}
	for i := extensions + 1; i < v.nodes[extensions].next; i = v.nodes[i].next {
		if kind := v.stringMember(i, "extension_type"); kind != nil && oneOfThem(kind, types) {
			return true
		}
	}
	return false
}

// observableNaming looks into an observable: at the properties of nested types and of predefined extensions.
func (v *validation) observableNaming(object int32, s *shape) {
	for i := object + 1; i < v.nodes[object].next; i = v.nodes[i].next {
		if n, ok := s.index[string(v.key(i))]; ok && s.properties[n].kind == nested && s.properties[n].of.name != "granular-marking" {
			v.nestedNames(i, s.properties[n].of)
		}
	}
	extensions := v.member(object, "extensions")
	predefined := extensionsOf(s.name)
	if extensions < 0 || v.nodes[extensions].kind != isObject || predefined == nil {
		return
	}
	property := v.usesExtension(object, "property-extension")
	for i := extensions + 1; i < v.nodes[extensions].next; i = v.nodes[i].next {
		key := v.key(i)
		if oneOfThem(key, predefined) {
			if e := v.catalogue.extensions[string(key)]; e != nil {
				v.extensionNames(i, e)
			}
			continue
		}
		if !property {
			v.should(i, checkExtensionsUse, "the extension %q should be a property-extension", clip(key))
		}
		if !bytes.HasSuffix(key, []byte("-ext")) {
			v.should(i, checkCustomPrefix, "%q should begin with x-, its source and a hyphen, and end in -ext", clip(key))
			v.should(i, checkCustomPrefixLax, "%q should begin with x- and end in -ext", clip(key))
		} else {
			v.prefixed(i, bytes.TrimSuffix(key, []byte("-ext")), "x-", '-')
		}
	}
}

func (v *validation) extensionNames(at int32, e *shape) {
	if v.nodes[at].kind != isObject {
		return
	}
	v.partNames(at, e)
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if n, ok := e.index[string(v.key(i))]; ok && e.properties[n].kind == nested {
			v.nestedNames(i, e.properties[n].of)
		}
	}
}

func (v *validation) nestedNames(at int32, s *shape) {
	switch v.nodes[at].kind {
	case isObject:
		v.partNames(at, s)
	case isArray:
		for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
			if v.nodes[i].kind == isObject {
				v.partNames(i, s)
			}
		}
	}
}

func (v *validation) partNames(at int32, s *shape) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		key := v.key(i)
		if _, ok := s.index[string(key)]; ok {
			continue
		}
		v.should(i, checkStrictProperties, "%q is no property of %s", clip(key), s.name)
		v.should(i, checkExtensionsUse, "the property %q should come with an extension", clip(key))
		v.prefixed(i, key, "x_", '_')
	}
}
