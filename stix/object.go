package stix

import "time"

// Object is one STIX object as it was received. The fields are what the object says of itself, unchecked: empty or zero
// where a property is absent or of the wrong kind.
type Object struct {
	Type        string
	ID          string
	SpecVersion string
	Created     time.Time
	Modified    time.Time
	Revoked     bool
	// Raw is the object's exact bytes.
	Raw []byte
	// Offset is where Raw starts in the document it was read from.
	Offset int64
}

// Version is what tells versions of an object with the same ID apart: Modified, else Created, else zero (as for most
// cyber observables).
func (o *Object) Version() time.Time {
	if !o.Modified.IsZero() {
		return o.Modified
	}
	return o.Created
}

// Bundle is a parsed document. A single object, or a plain list of objects, is a Bundle without an ID.
type Bundle struct {
	ID          string
	SpecVersion string // of the bundle itself; only STIX 2.0 has it
	Objects     []Object
	// Raw is the whole document.
	Raw []byte
}

// Parse reads a bundle, a single object, or a list of objects. It checks that they can be read, not that they are valid
// (Validate does). The objects' Raw are pieces of b. The error is an *UnreadableError.
func Parse(b []byte) (*Bundle, error) {
	return ParseWithin(b, Limits{})
}

// ParseWithin is Parse with limits of the caller's choice.
func ParseWithin(b []byte, limits Limits) (*Bundle, error) {
	r := readers.Get().(*reader)
	defer r.release()
	bundle := &Bundle{Raw: b}
	var broken *UnreadableError
	err := r.read(b, limits, func(_ int, t *tape, start, end int, err *UnreadableError) bool {
		if err != nil {
			broken = err
			return false
		}
		if string(t.stringMember(0, "type")) == "bundle" {
			broken = (&UnreadableError{Reason: NotABundle, Offset: int64(start), Detail: "a bundle inside a bundle"}).locate(b)
			return false
		}
		bundle.Objects = append(bundle.Objects, describe(t, b[start:end:end], int64(start)))
		return true
	})
	if err == nil {
		err = broken
	}
	if err != nil {
		return nil, err
	}
	if r.form == formBundle {
		bundle.ID = string(r.head.stringMember(0, "id"))
		bundle.SpecVersion = string(r.head.stringMember(0, "spec_version"))
	}
	return bundle, nil
}

// ParseObject reads one object.
func ParseObject(b []byte) (Object, error) {
	bundle, err := Parse(b)
	if err != nil {
		return Object{}, err
	}
	if bundle.ID != "" || len(bundle.Objects) != 1 {
		return Object{}, &UnreadableError{Reason: NotABundle, Detail: "expected one object"}
	}
	return bundle.Objects[0], nil
}

// describe fills an Object from its tape.
func describe(t *tape, raw []byte, offset int64) Object {
	o := Object{Raw: raw, Offset: offset}
	if len(t.nodes) == 0 || t.nodes[0].kind != isObject {
		return o
	}
	for i := int32(1); i < t.nodes[0].next; i = t.nodes[i].next {
		switch kind := t.nodes[i].kind; string(t.key(i)) {
		case "type":
			if kind == isString {
				o.Type = typeName(t.text(i))
			}
		case "id":
			if kind == isString {
				o.ID = string(t.text(i))
			}
		case "spec_version":
			if kind == isString {
				o.SpecVersion = string(t.text(i))
			}
		case "created":
			if kind == isString {
				o.Created, _ = ParseTimestamp(string(t.text(i)))
			}
		case "modified":
			if kind == isString {
				o.Modified, _ = ParseTimestamp(string(t.text(i)))
			}
		case "revoked":
			o.Revoked = kind == isTrue
		}
	}
	return o
}

// typeName is the string of a type without a copy for the types that STIX defines.
func typeName(b []byte) string {
	if s, ok := catalogue21().types[string(b)]; ok {
		return s.name
	}
	return string(b)
}
