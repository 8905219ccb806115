package stix

import (
	"fmt"
	"strings"
	"sync"
)

// Validate checks a document: a bundle, a single object, or a list of objects. It looks at every object, whatever it
// found in others. It panics never; unknown names in opts.Disabled or opts.Enabled are reported by Check.
func Validate(raw []byte, opts Options) Report {
	report, err := Check(raw, opts)
	if err != nil {
		return Report{Findings: []Finding{{Index: -1, Kind: "options", Rule: "options", Message: err.Error()}}}
	}
	return report
}

// Check is Validate, with an error for options that make no sense.
func Check(raw []byte, opts Options) (Report, error) {
	p, err := opts.plan()
	if err != nil {
		return Report{}, err
	}
	v := validations.Get().(*validation)
	r := readers.Get().(*reader)
	defer func() { v.forget(); validations.Put(v); r.release() }()
	report := v.run(r, raw, &p, "")
	if r.form == formBundle && v.bundleVersion == "" && report.Objects > 0 {
		if said := r.head.stringMember(0, "spec_version"); len(said) > 0 {
			// The bundle said only after its objects what version it is of.
			report = v.run(r, raw, &p, string(said))
		}
	}
	return report, nil
}

// run validates a document once. bundleVersion is the bundle's, when it is known beforehand.
func (v *validation) run(r *reader, raw []byte, p *plan, bundleVersion string) Report {
	report := Report{Valid: true}
	v.reset(p, &report)

	unreadable := r.read(raw, p.Limits, func(index int, t *tape, start, end int, err *UnreadableError) bool {
		report.Objects++
		v.inBundle, v.bundleVersion = r.form == formBundle, bundleVersion
		if v.inBundle && bundleVersion == "" {
			v.bundleVersion = string(r.head.stringMember(0, "spec_version"))
		}
		v.index = index
		before := v.broken
		if err != nil {
			if report.Unreadable == nil {
				report.Unreadable = err
			}
			v.report(Finding{Index: index, Kind: "unreadable", Rule: string(err.Reason), Level: MUST, Message: err.Error()})
		} else {
			v.object(t)
			if p.Object != nil {
				p.Object(index, Value{t, 0})
			}
		}
		if v.broken != before {
			report.invalid = append(report.invalid, index)
		}
		return true
	})
	if unreadable != nil {
		report.Unreadable = unreadable
		report.Valid = false
		return report
	}
	if r.form == formBundle {
		v.index = -1
		v.bundle(&r.head)
	}
	report.Valid = v.broken == 0
	return report
}

// validation is the state of one run.
type validation struct {
	*tape
	plan   *plan
	out    *Report
	index  int
	broken int // findings that count

	catalogue     *catalogue
	shape         *shape
	section       string
	typeName      []byte
	root          int32 // the object, and, inside an Observed Data's objects, the observable
	container     int32 // the objects of an Observed Data; -1 outside
	old           bool  // STIX 2.0
	inBundle      bool
	bundleVersion string

	bundleIndex
}

var validations = sync.Pool{New: func() any { return new(validation) }}

func (v *validation) reset(p *plan, out *Report) {
	v.plan, v.out, v.broken, v.index, v.bundleVersion = p, out, 0, -1, ""
	v.bundleIndex.reset(p)
}

func (v *validation) forget() { v.tape, v.plan, v.out = nil, nil, nil }

// wants says whether a recommendation is asked for.
func (v *validation) wants(c check) bool { return v.plan.checks.has(c) }

// must reports a requirement broken at a node. section is of STIX 2.1.
func (v *validation) must(at int32, section, kind, format string, args ...any) {
	v.report(Finding{Index: v.index, ID: string(v.stringMember(0, "id")), Path: v.pointer(at),
		Rule: "§" + section, Kind: kind, Level: MUST, Message: fmt.Sprintf(format, args...)})
}

// should reports a recommendation broken at a node, if it is asked for.
func (v *validation) should(at int32, c check, format string, args ...any) {
	if !v.wants(c) {
		return
	}
	name := checkNames[c]
	v.report(Finding{Index: v.index, ID: string(v.stringMember(0, "id")), Path: v.pointer(at),
		Rule: strings.TrimLeft(name[0]+" "+name[1], " "), Kind: name[1], Level: SHOULD, Message: fmt.Sprintf(format, args...)})
}

func (v *validation) report(f Finding) {
	if f.Level == MUST || v.plan.Strict {
		v.broken++
	}
	if len(v.out.Findings) >= v.plan.MaxFindings {
		v.out.Omitted++
		return
	}
	v.out.Findings = append(v.out.Findings, f)
}

// object checks the object on a tape.
func (v *validation) object(t *tape) {
	v.tape, v.root, v.container, v.old, v.section = t, 0, -1, false, ""
	v.typeName = nil
	if t.nodes[0].kind != isObject {
		v.must(0, "8", "type", "a STIX object is a JSON object, not %s", t.nodes[0].kind)
		return
	}
	name, id := t.member(0, "type"), t.member(0, "id")
	if name < 0 || id < 0 || t.nodes[name].kind != isString {
		v.must(0, "3.1", "required", "a STIX object has an id and a type, both strings")
		return
	}
	if v.inBundle && string(t.text(name)) == "bundle" {
		v.must(name, "8", "type", "a bundle holds objects, not bundles")
		return
	}
	v.old = v.versionOf() == "2.0"
	v.catalogue = catalogue21()
	if v.old {
		v.catalogue = catalogue20()
	}
	s := v.shapeOf(0)
	v.check(0, s)
	if v.plan.checks != 0 {
		v.recommend(0, s)
	}
	if v.plan.Interop && !v.old {
		v.interop(0, s)
	}
	v.remember()
}

// versionOf is the version of STIX to hold an object to.
func (v *validation) versionOf() string {
	version := v.plan.Version
	spec := v.member(0, "spec_version")
	if version == "" {
		version = "2.1"
		if spec >= 0 && v.nodes[spec].kind == isString && string(v.text(spec)) == "2.0" {
			version = "2.0"
		}
	}
	if v.inBundle && v.bundleVersion == "2.0" {
		return "2.0"
	}
	// An object of STIX 2.0 has no spec_version of its own; 2.1's observables have none either, but nor created.
	if v.inBundle && spec < 0 && v.member(0, "created") >= 0 {
		return "2.0"
	}
	return version
}

// shapeOf finds the shape of an object by its type.
func (v *validation) shapeOf(object int32) *shape {
	name := v.stringMember(object, "type")
	if s, ok := v.catalogue.types[string(name)]; ok {
		return s
	}
	if v.old || v.container < 0 && (v.member(object, "created") >= 0 || v.member(object, "modified") >= 0) {
		if v.container < 0 {
			return v.catalogue.custom
		}
	}
	return v.catalogue.observable
}

// check holds an object to its shape.
func (v *validation) check(object int32, s *shape) {
	v.shape, v.section = s, s.section
	v.typeName = v.stringMember(object, "type")
	seen := v.members(object, s)
	if missing := s.required &^ seen; missing != 0 {
		v.missing(object, s, missing)
	}
	if s.any != 0 && s.any&seen == 0 {
		v.must(object, s.section, "required", "needs at least one of %s", strings.Join(s.anyOf, ", "))
	}
	v.order(object, "created", "modified", false)
	if s.rest != nil {
		s.rest(v, object, seen)
	}
	if s.category == categoryObservable && v.container < 0 && !v.old {
		v.observableID(object)
	}
}

func (v *validation) missing(object int32, s *shape, missing uint64) {
	for i := range s.properties {
		if missing&(1<<i) != 0 {
			v.must(object, s.section, "required", "%s is required", s.properties[i].name)
		}
	}
}

// members checks every member of an object and returns which properties are there.
func (v *validation) members(object int32, s *shape) (seen uint64) {
	for i := object + 1; i < v.nodes[object].next; i = v.nodes[i].next {
		n := s.row(v.key(i))
		if n < 0 {
			v.custom(i, s)
			continue
		}
		seen |= 1 << n
		v.property(i, &s.properties[n])
	}
	return seen
}

// custom checks a member that a shape does not list.
func (v *validation) custom(at int32, s *shape) {
	if s.closed {
		v.must(at, s.section, "unknown", "%s has no such property", s.name)
		return
	}
	if s.category == categoryPart || s.category == categoryBundle || s.name == "marking-definition" {
		return
	}
	key := v.key(at)
	if v.old {
		v.custom20(at, key, s)
		return
	}
	v.customName(at, key)
	switch string(key) {
	case "severity", "action", "username", "phone_numbers":
		v.must(at, "3.1", "reserved", "%s is reserved", key)
	case "created", "modified":
		if v.nodes[at].kind == isString && timestampForm(v.text(at)) == timeImpossible {
			v.must(at, "2.15", "timestamp", "there is no such time as %s", clip(v.text(at)))
		}
	}
	if v.container < 0 && string(key) == "defanged" && s.category != categoryCustom {
		v.must(at, "3.2", "unknown", "defanged is for observables only")
	}
	v.customValue(at, key, true)
}

// customName: the form of names of one's own. Letters in upper case and other characters are let through beyond the
// third place, as the OASIS schemas do, and reported as a recommendation.
func (v *validation) customName(at int32, key []byte) {
	if isPropertyName(key) {
		return
	}
	head := len(key) >= 3 && class[key[0]]&lower != 0 && all(key[1:3], lower|digit, "_")
	if tail := len(key) >= 2 && string(key[len(key)-2:]) == "id"; !head && !tail {
		v.must(at, "3.1", "property-name", "%q is no property's name", key)
	}
}

// customValue: no null, no empty list, and, where names announce it, bytes in their form.
func (v *validation) customValue(at int32, key []byte, announced bool) {
	n := v.nodes[at]
	switch {
	case n.kind == isNull:
		v.must(at, "3.1", "empty", "a property without a value is left out, not null")
	case n.kind == isArray && n.count == 0:
		v.must(at, "2.12", "empty", "a list must not be empty")
	case announced && len(key) > 4 && len(key) <= 250 && key[len(key)-4] == '_' && isPropertyName(key):
		switch string(key[len(key)-4:]) {
		case "_bin":
			if n.kind != isString || !isBase64(v.text(at)) {
				v.must(at, "2.1", "binary", "a property whose name ends in _bin is Base64")
			}
		case "_hex":
			if n.kind != isString || !isHex(v.text(at)) {
				v.must(at, "2.8", "hex", "a property whose name ends in _hex is pairs of hexadecimal digits")
			}
		}
	}
}
