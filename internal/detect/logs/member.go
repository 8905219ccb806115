package logs

import "bytes"

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
	token []byte // its name as it stands in a compact line: "name":
	field field
	inner *object // where its own members are known
	next  *member // what came after it last time
}

func newMember(name string, f field, inner *object) *member {
	return &member{token: []byte(`"` + name + `":`), field: f, inner: inner}
}

func newObject(made func(name string) *member) *object {
	return &object{members: map[string]*member{}, make: made}
}

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

// member begins or goes on with an object: it gives the next member, with the cursor at its value, or nil at the
// object's end. previous is the member before, nil at the beginning.
func (c *cursor) member(o *object, previous *member) *member {
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
	if m := previous.next; m != nil && bytes.HasPrefix(c.b[c.i:], m.token) {
		c.i += len(m.token)
		return m
	}
	name := c.text()
	if !c.take(':') {
		c.fail()
		return nil
	}
	m := o.find(name)
	previous.next = m
	return m
}
