package stix

import "strings"

// bundleIndex remembers what the objects of a bundle are, where a rule needs to know. It stays empty otherwise.
type bundleIndex struct {
	versions  map[string]string // id → modified
	ids       map[string]bool
	ends      []relationshipEnd
	producers map[string]bool // identities that say who created them: true
	created   []createdBy
}

type relationshipEnd struct {
	index    int
	id, name string
	target   string
}

type createdBy struct {
	index  int
	id, by string
}

func (b *bundleIndex) reset(p *plan) {
	*b = bundleIndex{}
	if p.checks.has(checkDuplicateIDs) {
		b.versions = map[string]string{}
	}
	if p.checks.has(checkEnforceRefs) {
		b.ids = map[string]bool{}
	}
	if p.Interop {
		b.producers = map[string]bool{}
	}
}

// remember notes the object on the tape for rules about the bundle.
func (v *validation) remember() {
	if !v.inBundle {
		return
	}
	id := v.stringMember(0, "id")
	v.specVersion(v.bundleVersion)
	if modified := v.stringMember(0, "modified"); v.versions != nil && modified != nil {
		if first, ok := v.versions[string(id)]; ok {
			if first == string(modified) {
				v.should(0, checkDuplicateIDs, "the same version of this object is in the bundle already")
			}
		} else {
			v.versions[string(id)] = string(modified)
		}
	}
	kind := v.stringMember(0, "type")
	if v.ids != nil {
		if string(kind) != "relationship" {
			v.ids[string(id)] = true
		} else {
			for _, name := range [...]string{"source_ref", "target_ref"} {
				if end := v.stringMember(0, name); end != nil {
					v.ends = append(v.ends, relationshipEnd{v.index, string(id), name, string(end)})
				}
			}
		}
	}
	if v.producers != nil {
		by := v.stringMember(0, "created_by_ref")
		if string(kind) == "identity" {
			v.producers[string(id)] = by != nil
		} else {
			v.created = append(v.created, createdBy{v.index, string(id), string(by)})
		}
	}
}

// specVersion: an object says that it is of the version that it is taken for.
func (v *validation) specVersion(ofBundle string) {
	want := v.plan.Version
	if want == "" {
		want = ofBundle
	}
	if at := v.member(0, "spec_version"); want != "" && at >= 0 && v.nodes[at].kind == isString && string(v.text(at)) != want {
		v.should(at, checkSpecVersion, "taken for %s, but says %q", want, clip(v.text(at)))
	}
}

// bundle checks the bundle around its objects, and what only the whole of them shows.
func (v *validation) bundle(head *tape) {
	v.tape, v.root, v.container, v.inBundle = head, 0, -1, false
	v.old = v.versionOf() == "2.0"
	v.catalogue = catalogue21()
	if v.old {
		v.catalogue = catalogue20()
	}
	if head.member(0, "id") < 0 {
		v.must(0, "8", "required", "a bundle has an id")
		return
	}
	s := v.catalogue.types["bundle"]
	v.check(0, s)
	v.specVersion("")
	if v.plan.checks != 0 {
		v.recommend(0, s)
	}
	for _, end := range v.ends {
		if !v.ids[end.target] {
			v.report(Finding{Index: end.index, ID: end.id, Path: "/" + end.name, Rule: "enforce-refs", Kind: "enforce-refs",
				Level: SHOULD, Message: end.target + " is not in the bundle"})
		}
	}
	v.interopProducers()
}

// interop checks the requirements of the STIX 2.1 interoperability document (part 1) for one object.
func (v *validation) interop(object int32, s *shape) {
	if s.category == categoryObservable || s.category == categoryBundle || s == v.catalogue.observable {
		return
	}
	for _, name := range interopRequired(s.name) {
		if v.member(object, name) < 0 {
			v.must(object, s.section, "interop", "%s is required for interoperability", name)
		}
	}
	refs := v.member(object, "object_marking_refs")
	if refs < 0 || v.nodes[refs].kind != isArray {
		return
	}
	levels := 0
	for i := refs + 1; i < v.nodes[refs].next; i = v.nodes[i].next {
		if v.nodes[i].kind != isString {
			continue
		}
		if !strings.HasPrefix(string(v.text(i)), "marking-definition--") {
			v.must(i, "7.2", "interop", "a marking is a marking-definition")
		}
		if tlp, ok := tlpByID[string(v.text(i))]; ok && tlp.version == 1 {
			levels++
		}
	}
	if levels > 1 {
		v.must(refs, "7.2", "interop", "one TLP marking at most")
	}
}

func interopRequired(typeName string) []string {
	switch typeName {
	case "attack-pattern":
		return []string{"created_by_ref", "external_references", "kill_chain_phases"}
	case "indicator":
		return []string{"created_by_ref", "name", "indicator_types"}
	case "infrastructure":
		return []string{"created_by_ref", "infrastructure_types"}
	case "intrusion-set":
		return []string{"created_by_ref", "resource_level", "primary_motivation"}
	case "location":
		return []string{"created_by_ref", "region"}
	case "malware-analysis":
		return []string{"created_by_ref", "version", "submitted", "analysis_started", "analysis_ended", "result"}
	case "malware":
		return []string{"created_by_ref", "name", "malware_types", "first_seen", "last_seen", "implementation_languages"}
	case "observed-data":
		return []string{"created_by_ref", "object_refs"}
	case "report":
		return []string{"created_by_ref", "report_types"}
	case "sighting":
		return []string{"created_by_ref", "first_seen", "last_seen", "count"}
	case "threat-actor":
		return []string{"created_by_ref", "threat_actor_types", "roles", "sophistication", "resource_level", "primary_motivation"}
	case "tool":
		return []string{"created_by_ref", "tool_types"}
	case "campaign", "course-of-action", "grouping", "note", "opinion", "relationship", "vulnerability":
		return []string{"created_by_ref"}
	}
	return nil
}

// interopProducers: every object of a bundle names a producer, which is in the bundle and names its own.
func (v *validation) interopProducers() {
	for _, o := range v.created {
		known, ok := v.producers[o.by]
		var message string
		switch {
		case o.by == "":
			message = "created_by_ref is required for interoperability"
		case !ok:
			message = o.by + " is not in the bundle"
		case !known:
			message = o.by + " has no created_by_ref itself"
		default:
			continue
		}
		v.report(Finding{Index: o.index, ID: o.id, Path: "", Rule: "§3.2", Kind: "interop", Level: MUST, Message: message})
	}
}
