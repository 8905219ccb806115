package stix

import "sync"

// kind is what a property's value, or each element of its list, must be.
type kind uint8

const (
	anything kind = iota
	text
	constant // exactly the shape's own name, for "type"
	boolean
	integer
	number
	timestamp
	milliTimestamp   // with three digits after the point or more
	secondsTimestamp // with none
	identifier
	objectKey // a key of the same Observed Data's objects, or an identifier
	hexadecimal
	base64Binary
	uri
	hashes
	dictionary
	nested // an object of its own shape
	oneOf  // a closed vocabulary
	language
	softwareLanguage
	mediaType
	characterSet
	domain
	email
	ipv4
	ipv6
	mac
	cpe
	registryKey
	hyphenated // lower-case letters, digits and hyphens
	typeNamed  // the form of a type's name
	extensionMap
	observables // the objects of an Observed Data
)

// property is one row of an object's table in the specification.
type property struct {
	name     string
	kind     kind
	list     bool
	mayEmpty bool // the list may be empty where it stands
	required bool
	unlisted bool // the schemas know it here, the specification's table does not list it
	bounded  bool
	low      int64
	high     int64
	only     []string // of an identifier: the types it may name
	not      []string // of an identifier: the types it must not name
	values   []string // of a closed vocabulary
	of       *shape   // of a nested object
	vocab    *vocabulary
	check    func(v *validation, at int32) // what the kind does not say
}

// category is what kind of STIX object a shape is.
type category uint8

const (
	categoryCustom category = iota
	categoryDomain
	categoryRelationship
	categoryObservable
	categoryMeta
	categoryBundle
	categoryPart // a nested type
)

// shape is an object type of the specification.
type shape struct {
	name       string
	section    string
	category   category
	properties []property
	anyOf      []string // at least one of these is present
	closed     bool     // no other members
	// rest checks what concerns several properties; seen has a bit for each property that is present.
	rest func(v *validation, object int32, seen uint64)

	index    map[string]uint8
	slots    [128]uint8 // the index as a hash table, for the members of received objects: row+1, 0 for none
	required uint64
	any      uint64
}

// bit is the bit of a property in seen; 0 for one that the shape does not have.
func (s *shape) bit(name string) uint64 {
	if i, ok := s.index[name]; ok {
		return 1 << i
	}
	return 0
}

// row finds a property by the name of a member; -1 when the shape does not have it.
func (s *shape) row(name []byte) int {
	for slot := nameHash(name); ; slot++ {
		i := int(s.slots[slot&127]) - 1
		if i < 0 || s.properties[i].name == string(name) {
			return i
		}
	}
}

func (s *shape) has(seen uint64, name string) bool { return seen&s.bit(name) != 0 }

// finish builds what is looked up. It runs once per shape, when the catalogue is first used.
func (s *shape) finish() *shape {
	if s.index != nil {
		return s
	}
	s.index = make(map[string]uint8, len(s.properties))
	for i := range s.properties {
		p := &s.properties[i]
		s.index[p.name] = uint8(i)
		slot := nameHash([]byte(p.name))
		for s.slots[slot&127] != 0 {
			slot++
		}
		s.slots[slot&127] = uint8(i) + 1
		if p.required {
			s.required |= 1 << i
		}
		if p.of != nil {
			p.of.finish()
		}
	}
	for _, name := range s.anyOf {
		s.any |= s.bit(name)
	}
	return s
}

// catalogue is every type of one version of STIX.
type catalogue struct {
	types      map[string]*shape
	custom     *shape // for types it does not know, with created and modified
	observable *shape // for types it does not know, without
	extensions map[string]*shape
}

func (c *catalogue) add(shapes ...*shape) {
	for _, s := range shapes {
		c.types[s.name] = s.finish()
	}
}

var catalogue21 = sync.OnceValue(func() *catalogue {
	c := &catalogue{types: map[string]*shape{}, extensions: map[string]*shape{}}
	c.add(bundleShape())
	c.add(threatShapes()...)
	c.add(reportingShapes()...)
	c.add(relationshipShapes()...)
	c.add(metaShapes()...)
	c.add(hostShapes()...)
	c.add(networkShapes()...)
	c.add(emailShapes()...)
	for _, e := range predefinedExtensions() {
		c.extensions[e.name] = e.finish()
	}
	c.custom = domain21("", "11.2").finish()
	c.observable = observable21("", "11.2").finish()
	return c
})

// required marks rows as required.
func required(rows ...property) []property {
	for i := range rows {
		rows[i].required = true
	}
	return rows
}

func texts(names ...string) []property      { return rows(property{kind: text}, names...) }
func textLists(names ...string) []property  { return rows(property{kind: text, list: true}, names...) }
func booleans(names ...string) []property   { return rows(property{kind: boolean}, names...) }
func integers(names ...string) []property   { return rows(property{kind: integer}, names...) }
func timestamps(names ...string) []property { return rows(property{kind: timestamp}, names...) }
func hexes(names ...string) []property      { return rows(property{kind: hexadecimal}, names...) }

// counts are integers that are not negative.
func counts(names ...string) []property {
	return rows(property{kind: integer, bounded: true, high: maxInteger}, names...)
}

func rows(like property, names ...string) []property {
	out := make([]property, len(names))
	for i, name := range names {
		like.name = name
		out[i] = like
	}
	return out
}

func join(parts ...[]property) []property {
	var out []property
	for _, part := range parts {
		out = append(out, part...)
	}
	return out
}
