package stix

import "strings"

// The meta objects (section 7).
func metaShapes() []*shape {
	languageContent := domain21("language-content", "7.1", timestamps("object_modified"),
		[]property{
			{name: "object_ref", kind: identifier, required: true, not: []string{"bundle", "language-content"}},
			{name: "contents", kind: dictionary, required: true, check: checkContents},
		}).unlisted("lang")

	extension := domain21("extension-definition", "7.3", required(texts("name", "schema", "version")...), texts("description"),
		[]property{
			{name: "extension_types", kind: oneOf, list: true, required: true, values: extensionTypes},
			{name: "extension_properties", kind: text, list: true},
		}).unlisted("lang", "confidence", "extensions")
	for i := range extension.properties {
		if extension.properties[i].name == "created_by_ref" {
			extension.properties[i].required = true // section 7.3.1 lists it among the required ones
		}
	}
	extension.rest = checkExtensionDefinition

	shapes := []*shape{languageContent, markingShape(), extension}
	for _, s := range shapes {
		s.category = categoryMeta
	}
	return shapes
}

// unlisted marks rows that the specification does not list for a type: their form is checked, their use is reported.
func (s *shape) unlisted(names ...string) *shape {
	for i := range s.properties {
		if oneOfThem([]byte(s.properties[i].name), names) {
			s.properties[i].unlisted = true
		}
	}
	return s
}

// without takes rows out that the specification does not list for a type; their form is then that of custom properties.
func (s *shape) without(names ...string) *shape {
	kept := s.properties[:0]
next:
	for _, p := range s.properties {
		for _, name := range names {
			if p.name == name {
				continue next
			}
		}
		kept = append(kept, p)
	}
	s.properties = kept
	return s
}

var extensionTypes = []string{"new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension"}

// checkContents: languages as keys, and under each the properties that are translated.
func checkContents(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if !isLanguage(v.key(i)) {
			v.must(i, "7.1", "language", "%q is no language tag of RFC 5646", v.key(i))
		}
		if v.nodes[i].kind != isObject {
			v.must(i, "7.1", "type", "the translations into one language are an object")
			continue
		}
		if v.nodes[i].count == 0 {
			v.must(i, "2.3", "empty", "a dictionary must not be empty")
		}
		for j := i + 1; j < v.nodes[i].next; j = v.nodes[j].next {
			if key := v.key(j); len(key) < 3 || len(key) > 250 || !all(key, lower|digit, "_") {
				v.must(j, "7.1", "property-name", "%q is no property's name", key)
			}
		}
	}
}

func checkExtensionDefinition(v *validation, object int32, seen uint64) {
	if !v.shape.has(seen, "description") {
		v.should(object, checkExtensionDescription, "an extension should have a description")
	}
	toplevel := false
	if types := v.member(object, "extension_types"); types >= 0 && v.nodes[types].kind == isArray {
		for i := types + 1; i < v.nodes[types].next; i = v.nodes[i].next {
			toplevel = toplevel || v.nodes[i].kind == isString && string(v.text(i)) == "toplevel-property-extension"
		}
	} else {
		return
	}
	properties := v.shape.has(seen, "extension_properties")
	if properties && !toplevel {
		v.must(v.member(object, "extension_properties"), "7.3", "extension", "only a toplevel-property-extension names properties")
	}
	if toplevel && !properties {
		v.should(object, checkExtensionProperties, "a toplevel-property-extension should name its properties")
	}
}

// markingShape is the marking definition (section 7.2.1): the one object without modified, and immutable when it is one
// of TLP 1.
func markingShape() *shape {
	p := common()
	p[1].required = true
	p[3].only = []string{"marking-definition"}
	p = append(p, []property{
		{name: "created_by_ref", kind: identifier},
		{name: "created", kind: timestamp, required: true},
		{name: "lang", kind: language},
		{name: "external_references", kind: nested, list: true, of: externalReferenceShape()},
		{name: "name", kind: text},
		{name: "definition_type", kind: text},
		{name: "definition", kind: anything},
	}...)
	return &shape{name: "marking-definition", section: "7.2.1", properties: p, rest: checkMarking}
}

func checkMarking(v *validation, object int32, seen uint64) {
	checkOwnMarking(v, object)
	s := v.shape
	definition, kind := v.member(object, "definition"), v.stringMember(object, "definition_type")
	switch {
	case string(kind) == "tlp":
		checkTLP1(v, object)
		return
	case !s.has(seen, "extensions") && (definition < 0 || kind == nil):
		v.must(object, "7.2.1", "required", "needs definition_type and definition, or an extension")
	}
	if definition >= 0 && v.nodes[definition].kind != isObject {
		v.must(definition, "7.2.1", "type", "must be an object")
		return
	}
	if string(kind) == "statement" {
		if statement := v.member(max(definition, 0), "statement"); definition < 0 || statement < 0 || v.nodes[statement].kind != isString {
			v.must(max(definition, object), "7.2.1.3", "required", "a statement marking has a statement, a string")
		}
	} else if kind != nil {
		if strings.HasPrefix(string(kind), "statement") || strings.HasSuffix(string(kind), "tlp") {
			v.must(v.member(object, "definition_type"), "7.2.1", "marking", "%q can be taken for a type of the specification", kind)
		}
		v.should(v.member(object, "definition_type"), checkMarkingDefinitionType, "the definition_type should be statement or tlp, not %q", kind)
		if !s.has(seen, "extensions") {
			v.should(object, checkExtensionsUse, "a marking of one's own should be an extension")
		}
	} else if !s.has(seen, "extensions") {
		v.should(object, checkExtensionsUse, "a marking of one's own should be an extension")
	}
}

// checkOwnMarking: a marking definition does not mark itself.
func checkOwnMarking(v *validation, object int32) {
	id := v.stringMember(object, "id")
	if id == nil {
		return
	}
	if refs := v.member(object, "object_marking_refs"); refs >= 0 && v.nodes[refs].kind == isArray {
		for i := refs + 1; i < v.nodes[refs].next; i = v.nodes[i].next {
			if v.nodes[i].kind == isString && string(v.text(i)) == string(id) {
				v.must(i, "7.2.1", "circular", "a marking definition must not refer to itself")
			}
		}
	}
	if granular := v.member(object, "granular_markings"); granular >= 0 && v.nodes[granular].kind == isArray {
		for i := granular + 1; i < v.nodes[granular].next; i = v.nodes[i].next {
			if string(v.stringMember(i, "marking_ref")) == string(id) {
				v.must(i, "7.2.1", "circular", "a marking definition must not refer to itself")
			}
		}
	}
}

// checkTLP1: the four markings of TLP 1 are exactly those of the specification (section 7.2.1.4).
func checkTLP1(v *validation, object int32) {
	id := v.stringMember(object, "id")
	level, ok := tlpByID[string(id)]
	if !ok || level.version != 1 {
		v.must(object, "7.2.1.4", "tlp", "the only TLP markings of this form are the four of the specification")
		return
	}
	definition := v.member(object, "definition")
	exact := v.nodes[object].count == 7 && definition >= 0 && v.nodes[definition].kind == isObject &&
		string(v.stringMember(object, "created")) == "2017-01-20T00:00:00.000Z" &&
		string(v.stringMember(object, "spec_version")) == "2.1" && string(v.stringMember(object, "name")) == level.name
	if exact {
		tlp := v.member(definition, "tlp")
		exact = tlp < 0 || v.nodes[tlp].kind == isString && string(v.text(tlp)) == level.value
	}
	if !exact {
		v.must(object, "7.2.1.4", "tlp", "the marking %s is not exactly that of the specification", level.name)
	}
}
