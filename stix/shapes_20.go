package stix

import "sync"

// catalogue20 is STIX 2.0, for the objects that 2.1 bundles may still carry (section 3.1 of 2.1) and for bundles of 2.0.
// Its types are 2.1's without what 2.1 added; observables have no identifiers.
var catalogue20 = sync.OnceValue(func() *catalogue {
	c := &catalogue{types: map[string]*shape{}, extensions: map[string]*shape{}}
	now := catalogue21()
	for _, name := range []string{"attack-pattern", "campaign", "course-of-action", "identity", "indicator", "intrusion-set",
		"malware", "observed-data", "report", "threat-actor", "tool", "vulnerability", "relationship", "sighting"} {
		c.add(domain20(now.types[name]))
	}
	for _, s := range now.types {
		if s.category == categoryObservable {
			c.add(observable20(s))
		}
	}
	for name, e := range now.extensions {
		c.extensions[name] = e
	}
	c.add(bundle20(), marking20())
	c.custom = domain20(now.custom).finish()
	c.observable = observable20(now.observable).finish()
	return c
})

// notIn20 are properties that 2.1 gave to types of 2.0.
var notIn20 = map[string][]string{
	"attack-pattern": {"aliases"},
	"identity":       {"roles"},
	"indicator":      {"indicator_types", "pattern_type", "pattern_version"},
	"malware": {"malware_types", "is_family", "aliases", "first_seen", "last_seen", "operating_system_refs",
		"architecture_execution_envs", "implementation_languages", "capabilities", "sample_refs"},
	"observed-data": {"object_refs"},
	"report":        {"report_types"},
	"threat-actor":  {"threat_actor_types", "first_seen", "last_seen"},
	"tool":          {"tool_types", "aliases"},
	"relationship":  {"start_time", "stop_time"},
	"sighting":      {"description"},
}

// requiredIn20 are properties that only 2.0 requires.
var requiredIn20 = map[string][]string{
	"identity": {"identity_class"}, "indicator": {"labels"}, "malware": {"labels", "name"}, "report": {"labels"},
	"threat-actor": {"labels"}, "tool": {"labels"}, "observed-data": {"objects"},
}

func domain20(now *shape) *shape {
	s := &shape{name: now.name, section: now.section, category: now.category}
	drop := append([]string{"spec_version", "confidence", "lang", "extensions"}, notIn20[now.name]...)
	for _, p := range now.properties {
		if oneOfThem([]byte(p.name), drop) {
			continue
		}
		if oneOfThem([]byte(p.name), requiredIn20[now.name]) {
			p.required = true
		}
		s.properties = append(s.properties, p)
	}
	switch now.name {
	case "observed-data":
		s.rest = ordered("first_observed", "last_observed", false)
	case "malware", "indicator":
	default:
		s.rest = now.rest
	}
	return s
}

func observable20(now *shape) *shape {
	s := *now
	s.index, s.slots, s.required, s.any = nil, [128]uint8{}, 0, 0
	s.properties = nil
	for _, p := range now.properties {
		switch p.name {
		case "id", "spec_version", "object_marking_refs", "granular_markings", "defanged", "lang":
			continue
		}
		s.properties = append(s.properties, p)
	}
	return &s
}

func bundle20() *shape {
	return &shape{name: "bundle", section: "8", category: categoryBundle, properties: []property{
		{name: "type", kind: constant, required: true},
		{name: "id", kind: identifier, required: true, check: checkOwnID},
		{name: "spec_version", kind: oneOf, required: true, unlisted: true, values: []string{"2.0"}},
		{name: "objects", kind: anything, list: true},
	}}
}

func marking20() *shape {
	s := markingShape()
	s = s.without("spec_version", "extensions", "lang", "name")
	for i := range s.properties {
		switch s.properties[i].name {
		case "definition", "definition_type":
			s.properties[i].required = true
		}
	}
	s.rest = func(v *validation, object int32, _ uint64) {
		checkOwnMarking(v, object)
		definition := v.member(object, "definition")
		if definition >= 0 && v.nodes[definition].kind != isObject {
			v.must(definition, "7.2.1", "type", "must be an object")
			return
		}
		switch string(v.stringMember(object, "definition_type")) {
		case "statement":
			if definition >= 0 && v.stringMember(definition, "statement") == nil {
				v.must(definition, "7.2.1.3", "required", "a statement marking has a statement, a string")
			}
		case "tlp":
			level, ok := tlpByID[string(v.stringMember(object, "id"))]
			if !ok || level.version != 1 || definition >= 0 && string(v.stringMember(definition, "tlp")) != level.value {
				v.must(object, "7.2.1.4", "tlp", "the only TLP markings are the four of the specification")
			}
		}
	}
	return s
}

// custom20 checks a member that a type of 2.0 does not list.
func (v *validation) custom20(at int32, key []byte, s *shape) {
	if len(key) < 3 || len(key) > 250 || !all(key, lower|digit, "_") {
		v.must(at, "3.1", "property-name", "%q is no property's name", clip(key))
	}
	if s.category != categoryObservable {
		switch string(key) {
		case "confidence", "severity", "action", "usernames", "phone_numbers", "addresses", "first_seen_precision",
			"last_seen_precision", "valid_from_precision", "valid_until_precision":
			v.must(at, "3.1", "reserved", "%s is reserved", key)
		}
	}
	if string(key) == "lang" && v.plan.Version != "2.0" && v.nodes[at].kind == isString && !isLanguage(v.text(at)) {
		v.must(at, "3.2", "language", "%q is no language tag of RFC 5646", clip(v.text(at)))
	}
	// 2.0 asks the suffixes _bin and _hex of observables alone (part 4, sections 2.2 and 2.4).
	v.customValue(at, key, s.category == categoryObservable || s == v.catalogue.observable)
}

func (v *validation) extensions20(at int32) {
	predefined := extensionsOf(v.shape.name)
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		key := v.key(i)
		if len(key) < 3 || !isDictionaryKey(key) {
			v.must(i, "2.3", "dictionary-key", "%q is no key of a dictionary", clip(key))
		}
		if s := v.catalogue.extensions[string(key)]; s != nil && oneOfThem(key, predefined) {
			v.nested(i, s)
		}
	}
}
