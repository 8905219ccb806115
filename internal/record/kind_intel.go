package record

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/stix"
)

// Intel shares threat intelligence: a STIX 2.1 bundle whose bytes are kept as they came.
type Intel struct {
	Bundle jsontext.Value `json:"bundle,omitzero"`
}

// Kind returns [KindIntel].
func (*Intel) Kind() Kind { return KindIntel }

func (i *Intel) splice() []byte { return splice([]byte("{}"), "bundle", i.Bundle) }

func (i *Intel) check(c *checker, at string) {
	if c.required(len(i.Bundle) > 0, at+"/bundle") {
		c.add(checkBundle(i.Bundle, at+"/bundle"))
	}
}

// checkBundle checks the shape that every STIX 2.1 bundle has (section 8 of the standard): type, id, and objects each with
// a type and an id that agree. It is the one place to call a fuller validator from: what it returns is the verdict.
func checkBundle(bundle []byte, at string) *Error {
	if goodBundle(bundle) {
		return nil
	}
	if jsontext.Value(bundle).Kind() != '{' {
		return fail(CodeType, at, "a STIX bundle is a JSON object")
	}
	type object struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	var b struct {
		object
		Objects []jsontext.Value `json:"objects"`
	}
	if err := json.Unmarshal(bundle, &b); err != nil {
		return jsonError(err, at)
	}
	var c checker
	c.stixID(b.Type, b.ID, at)
	if b.Type != "bundle" {
		c.fail(CodeValue, at+"/type", "%.80q where bundle must stand: wrap the objects in a STIX 2.1 bundle", b.Type)
	}
	c.required(len(b.Objects) > 0, at+"/objects")
	for i, raw := range b.Objects {
		if c.err != nil {
			break
		}
		place := fmt.Sprintf("%s/objects/%d", at, i)
		if raw.Kind() != '{' {
			return fail(CodeType, place, "a STIX object is a JSON object")
		}
		var o object
		if err := json.Unmarshal(raw, &o); err != nil {
			return jsonError(err, place)
		}
		c.stixID(o.Type, o.ID, place)
	}
	return c.err
}

// goodBundle says of nearly every good bundle that it is one, in a fraction of the time that saying what is wrong takes.
func goodBundle(bundle []byte) bool {
	reader := readers.Get().(*stix.Reader) //nolint:forcetypeassert // nothing else is put there
	defer readers.Put(reader)
	v, err := reader.Read(bundle, stix.Limits{MaxObject: MaxPayload})
	if err != nil || !v.IsObject() || !v.Get("type").Is("bundle") || !goodSTIXID(v) {
		return false
	}
	objects := v.Get("objects")
	if !objects.IsList() || objects.Len() == 0 {
		return false
	}
	for o := range objects.Elements() {
		if !o.IsObject() || !goodSTIXID(o) {
			return false
		}
	}
	return true
}

// goodSTIXID is the verdict of stixID, without copies.
func goodSTIXID(v stix.Value) bool {
	typ, id := v.Get("type").TextBytes(), v.Get("id").TextBytes()
	prefix, ok := splitSTIXID(id)
	return ok && bytes.Equal(prefix, typ)
}

// readers keep their memory from one bundle to the next.
var readers = sync.Pool{New: func() any { return new(stix.Reader) }}

func (c *checker) stixID(typ, id, at string) {
	if c.required(typ != "", at+"/type") && !isSTIXType(typ) {
		c.fail(CodeValue, at+"/type", "%.80q is not a STIX type: 3 to 250 of a-z 0-9 -", typ)
	}
	if !c.required(id != "", at+"/id") {
		return
	}
	if prefix, ok := splitSTIXID(id); !ok {
		c.fail(CodeValue, at+"/id", "%.80q is not a STIX id: write the type, -- and a UUID", id)
	} else if prefix != typ {
		c.fail(CodeValue, at+"/id", "the id %.80q is not one of type %.80q: give the object an id of its own type", id, typ)
	}
}

func isSTIXType[T string | []byte](s T) bool {
	if len(s) < 3 || len(s) > 250 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// splitSTIXID splits type--UUID and returns the type.
func splitSTIXID[T string | []byte](id T) (typ T, ok bool) {
	const uuid = 36
	if len(id) < uuid+2 || string(id[len(id)-uuid-2:len(id)-uuid]) != "--" {
		return typ, false
	}
	for i := range uuid {
		c := id[len(id)-uuid+i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return typ, false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return typ, false
		}
	}
	typ = id[:len(id)-uuid-2]
	return typ, isSTIXType(typ)
}
