package stix

import "bytes"

// extensions checks the extensions of an object (section 7.3), predefined ones by their shape.
func (v *validation) extensions(at int32) {
	n := v.nodes[at]
	if n.kind != isObject {
		v.must(at, "7.3", "type", "extensions are an object, not %s", n.kind)
		return
	}
	if v.old {
		v.extensions20(at)
		return
	}
	if n.count == 0 {
		v.must(at, "7.3", "empty", "extensions must not be empty")
	}
	marking := v.shape.name == "marking-definition"
	predefined := extensionsOf(v.shape.name)
	for i := at + 1; i < n.next; i = v.nodes[i].next {
		key := v.key(i)
		byID := isIdentifier(key) && string(identifierType(key)) == "extension-definition"
		if !byID && (marking || !bytes.HasSuffix(key, []byte("-ext")) || !isTypeName(key)) {
			v.must(i, "7.3", "extension", "%q is neither an extension-definition nor the name of an extension", clip(key))
			continue
		}
		if m := v.nodes[i]; m.kind != isObject || m.count == 0 {
			v.must(i, "7.3", "type", "an extension is an object with a property")
			continue
		}
		if byID {
			if kind := v.member(i, "extension_type"); kind < 0 {
				v.must(i, "7.3.3", "required", "extension_type is required")
			} else if v.nodes[kind].kind != isString || !oneOfThem(v.text(kind), extensionTypes) {
				v.must(kind, "7.3.3", "enum", "no such type of extension")
			}
		}
		for j := i + 1; j < v.nodes[i].next; j = v.nodes[j].next {
			v.customName(j, v.key(j))
			v.customValue(j, v.key(j), true)
			if predefined != nil && !oneOfThem(key, predefined) && !isDictionaryKey(v.key(j)) {
				v.must(j, "2.3", "dictionary-key", "%q is no key of a dictionary", clip(v.key(j)))
			}
		}
		if s := v.catalogue.extensions[string(key)]; s != nil && oneOfThem(key, predefined) {
			v.nested(i, s)
		}
	}
}

// observables checks the objects of an Observed Data, which STIX 2.1 has kept for the sake of 2.0.
func (v *validation) observables(at int32) {
	n := v.nodes[at]
	if n.kind != isObject {
		v.must(at, "4.14", "type", "objects is a dictionary, not %s", n.kind)
		return
	}
	if n.count == 0 {
		v.must(at, "4.14", "empty", "objects must not be empty")
	}
	shape, section, name := v.shape, v.section, v.typeName
	v.container = at
	for i := at + 1; i < n.next; i = v.nodes[i].next {
		if v.nodes[i].kind != isObject {
			v.must(i, "4.14", "type", "an observable is an object, not %s", v.nodes[i].kind)
			continue
		}
		if v.stringMember(i, "type") == nil {
			v.must(i, "6", "required", "type is required")
			continue
		}
		s := v.shapeOf(i)
		if s.category != categoryObservable && s != v.catalogue.observable {
			v.must(i, "4.14", "type", "%s is no type of observable", s.name)
			continue
		}
		v.root = i
		v.check(i, s)
	}
	v.root, v.container = 0, -1
	v.shape, v.section, v.typeName = shape, section, name
}

// observableID: which version of UUID identifies an observable (section 2.9).
func (v *validation) observableID(object int32) {
	id := v.member(object, "id")
	if id < 0 || v.nodes[id].kind != isString || !isIdentifier(v.text(id)) || uuidVersion(v.text(id)) == 4 {
		return
	}
	names := contributing(v.shape.name)
	switch v.shape.name {
	case "process":
		v.must(id, "6.13", "identifier", "a process is identified by a random UUID (version 4)")
	case "artifact", "email-message", "user-account", "windows-registry-key", "x509-certificate":
		for _, name := range names {
			if v.member(object, name) >= 0 {
				return
			}
		}
		v.must(id, "2.9", "identifier", "without %v, an identifier is a random UUID (version 4)", names)
	}
}
