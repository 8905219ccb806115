package logs

import (
	"bytes"
	"encoding/binary"
)

// object is what is known of the members of one kind of JSON object. Lines of a log have the same members in the same
// order, some left out; so each member remembers which one came after it last time, and a name is compared with the
// one that is expected before it is looked up. Unknown names are remembered, too, up to maxLogs of them.
type object struct {
	members map[string]*member
	before  member // stands before the first member
	make    func(name string) *member
}

// member is one member of an object.
type member struct {
	token      string // its name as it stands in a compact line behind another: ,"name":
	first      []byte // the token without the comma: what it is at the object's beginning
	head, tail uint64 // the token's first and last eight bytes; of a shorter one all, then zeros
	mask       uint64 // has the bits of head that count
	field      field
	inner      *object // where its own members are known
	// next is what came after it last time, other what came before that changed.
	next, other *member
}

func newMember(name string, f field, inner *object) *member {
	m := &member{token: `,"` + name + `":`, field: f, inner: inner}
	m.first = []byte(m.token[1:])
	var space [8]byte
	n := copy(space[:], m.token)
	m.head, m.mask = binary.LittleEndian.Uint64(space[:]), 1<<(8*n)-1
	copy(space[:], m.token[max(len(m.token)-8, 0):])
	m.tail = binary.LittleEndian.Uint64(space[:])
	return m
}

func newObject(made func(name string) *member) *object {
	return &object{members: map[string]*member{}, make: made}
}

// wanted tells whether anybody asks what the member's value is.
func (m *member) wanted() bool { return m.field.role != ignored || m.inner != nil }

// find gives the member of a name.
func (o *object) find(name []byte) *member {
	if m, ok := o.members[string(name)]; ok {
		return m
	}
	m := o.make(string(name))
	if len(o.members) < maxLogs {
		o.members[string(name)] = m
	}
	return m
}

// wanted begins or goes on with an object: it gives the next member that somebody asks for, with the cursor at its value, or nil at the
// object's end. previous is the member before, nil at the beginning.
func (c *cursor) wanted(o *object, previous *member) *member {
	m := previous
	for {
		if m = c.member(o, m); m == nil || m.wanted() {
			return m
		}
		// Most of a line is stepped over here, without a look at anything but where things end.
		b, i := c.b, behindValue(c.b, c.i)
		for i >= 0 {
			next := m.next
			if next == nil || !next.is(b[i:]) {
				break
			}
			i += len(next.token)
			if m = next; m.wanted() {
				break
			}
			i = behindValue(b, i)
		}
		if i < 0 {
			c.fail()
			return nil
		}
		if c.i = i; m.wanted() {
			return m
		}
	}
}

// is tells whether a text goes on with the member. Names are short: two words are sooner compared than a text of any length.
func (m *member) is(b []byte) bool {
	n := len(m.token)
	if len(b) < n || len(b) < 8 || binary.LittleEndian.Uint64(b)&m.mask != m.head {
		return false
	}
	return n <= 8 || binary.LittleEndian.Uint64(b[n-8:n]) == m.tail && (n <= 16 || string(b[8:n-8]) == m.token[8:n-8])
}

// member gives the next member, whether anybody asks for it or not.
func (c *cursor) member(o *object, previous *member) *member {
	if c.i >= len(c.b) {
		return c.otherMember(o, previous)
	}
	switch b := c.b[c.i:]; {
	case previous == nil:
		if m := o.before.next; m != nil && b[0] == '{' && bytes.HasPrefix(b[1:], m.first) {
			c.i += len(m.token)
			return m
		}
	case b[0] == '}':
		c.i++
		return nil
	default:
		if m := previous.next; m != nil && m.is(b) {
			c.i += len(m.token)
			return m
		}
		if m := previous.other; m != nil && m.is(b) {
			c.i += len(m.token)
			previous.next, previous.other = m, previous.next
			return m
		}
	}
	return c.otherMember(o, previous)
}

// otherMember reads the name of the next member, and remembers that it came after the one before.
func (c *cursor) otherMember(o *object, previous *member) *member {
	if previous == nil {
		if !c.take('{') {
			c.fail()
			return nil
		}
		if c.take('}') {
			return nil
		}
		previous = &o.before
	} else if !c.take(',') {
		if !c.take('}') {
			c.fail()
		}
		return nil
	}
	if c.peek() != '"' {
		c.fail()
		return nil
	}
	name := c.text()
	if !c.take(':') {
		c.fail()
		return nil
	}
	m := o.find(name)
	if previous.next != m {
		previous.next, previous.other = m, previous.next
	}
	return m
}
