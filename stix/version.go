package stix

import (
	"errors"
	"fmt"
	"time"
)

// Newer says whether a is a later version than b of the same object (section 3.6). Observables and marking definitions
// have no versions.
func Newer(a, b Object) bool {
	return a.ID == b.ID && a.ID != "" && a.Modified.After(b.Modified)
}

// ErrRevoked says that an object has been revoked: there are no versions after that.
var ErrRevoked = errors.New("the object is revoked")

// Change is a new value for a property; a nil Value removes the property.
type Change struct {
	Property string
	Value    []byte // JSON
}

// NewVersion returns the bytes of the next version of an object: the old ones with the changes and with modified set to
// at (to the old modified plus a millisecond, when at is not later). All other bytes stay as they are. Only the creator
// of an object makes versions of it; type, id, created and created_by_ref stay (section 3.6.1).
func NewVersion(o Object, at time.Time, changes ...Change) ([]byte, error) {
	switch {
	case o.Revoked:
		return nil, fmt.Errorf("making a version of %s: %w", o.ID, ErrRevoked)
	case o.Modified.IsZero():
		return nil, fmt.Errorf("making a version of %s: objects of this type have no versions", o.ID)
	}
	at = at.UTC().Truncate(time.Millisecond)
	if !at.After(o.Modified) {
		at = o.Modified.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	all := []Change{{"modified", []byte(`"` + FormatTimestamp(at) + `"`)}}
	for _, c := range changes {
		switch c.Property {
		case "type", "id", "created", "created_by_ref", "modified":
			return nil, fmt.Errorf("making a version of %s: %s does not change", o.ID, c.Property)
		}
		all = append(all, c)
	}
	return edit(o.Raw, all)
}

// Revoke returns the bytes of the version that revokes an object.
func Revoke(o Object, at time.Time) ([]byte, error) {
	return NewVersion(o, at, Change{"revoked", []byte("true")})
}

// edit sets and removes members of an object, and leaves all other bytes alone.
func edit(raw []byte, changes []Change) ([]byte, error) {
	for _, c := range changes {
		v, err := OpenValue(raw, Limits{})
		if err != nil {
			return nil, err
		}
		if !v.IsObject() {
			return nil, errors.New("editing an object: it is none")
		}
		if c.Value != nil {
			if _, err := OpenValue(c.Value, Limits{}); err != nil {
				return nil, fmt.Errorf("editing %s: %w", c.Property, err)
			}
		}
		raw = v.set(c)
	}
	return raw, nil
}

// set returns the bytes of the object with one member changed.
func (v Value) set(c Change) []byte {
	src, at := v.t.src, v.t.member(v.i, c.Property)
	root := v.t.nodes[v.i]
	switch {
	case at < 0 && c.Value == nil:
		return src
	case at < 0:
		head := src[:root.end-1]
		out := append([]byte(nil), head...)
		if root.count > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, []byte(c.Property)), ':')
		return append(append(out, c.Value...), src[root.end-1:]...)
	}
	n := v.t.nodes[at]
	end := int(n.at) + len(Value{v.t, at}.Raw())
	if c.Value != nil {
		return append(append(append([]byte(nil), src[:n.at]...), c.Value...), src[end:]...)
	}
	// Without the member: from its name to after the comma that follows it, or from the comma before it.
	start := v.nameStart(at)
	after := skipSpace(src, end)
	if src[after] == ',' {
		after = skipSpace(src, after+1)
		return append(append([]byte(nil), src[:start]...), src[after:]...)
	}
	for start > 0 && src[start-1] != ',' && src[start-1] != '{' {
		start--
	}
	if src[start-1] == ',' {
		start--
	}
	return append(append([]byte(nil), src[:start]...), src[end:]...)
}

// nameStart is where a member's name begins, with its quote.
func (v Value) nameStart(at int32) int {
	n := v.t.nodes[at]
	if !n.keyEscaped {
		return int(n.keyStart) - 1
	}
	// The name was decoded: it begins after the member before it, or after the opening brace.
	pos := int(v.t.nodes[v.i].at) + 1
	for i := v.i + 1; i < at; i = v.t.nodes[i].next {
		pos = int(v.t.nodes[i].at) + len(Value{v.t, i}.Raw())
	}
	for v.t.src[pos] != '"' {
		pos++
	}
	return pos
}
