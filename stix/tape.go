package stix

// A tape is one JSON value, flattened: every value is one node, a container's children follow it, and next jumps over
// them. It is built in one pass, points into the input, and is reused from object to object, so that validating takes
// no memory of its own.
type tape struct {
	src     []byte
	nodes   []node
	decoded []byte // strings with escapes, decoded
	keys    []int32
	limits  Limits
	parser  parser // kept here so that parsing allocates nothing
}

type nodeKind uint8

const (
	isNull nodeKind = iota
	isFalse
	isTrue
	isNumber
	isString
	isArray
	isObject
)

func (k nodeKind) String() string {
	return [...]string{"null", "a boolean", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

type node struct {
	start, end       uint32 // of the text of a string without its quotes, else of the value in src
	keyStart, keyEnd uint32 // of the member's name, when the parent is an object
	at               uint32 // where the value starts in src
	next             int32  // the node after this one and everything in it
	count            int32  // children
	kind             nodeKind
	escaped          bool // the text is in decoded
	keyEscaped       bool
}

// text is a string's value, decoded.
func (t *tape) text(i int32) []byte {
	n := &t.nodes[i]
	if n.escaped {
		return t.decoded[n.start:n.end]
	}
	return t.src[n.start:n.end]
}

// key is the name of a member, decoded.
func (t *tape) key(i int32) []byte {
	n := &t.nodes[i]
	if n.keyEscaped {
		return t.decoded[n.keyStart:n.keyEnd]
	}
	return t.src[n.keyStart:n.keyEnd]
}

// member finds a member of an object; -1 when there is none.
func (t *tape) member(object int32, name string) int32 {
	if t.nodes[object].kind != isObject {
		return -1
	}
	for i := object + 1; i < t.nodes[object].next; i = t.nodes[i].next {
		if string(t.key(i)) == name {
			return i
		}
	}
	return -1
}

// stringMember is the text of a member, nil when it is absent or not a string.
func (t *tape) stringMember(object int32, name string) []byte {
	if i := t.member(object, name); i >= 0 && t.nodes[i].kind == isString {
		return t.text(i)
	}
	return nil
}

// element is the index-th element of an array; -1 when there is none.
func (t *tape) element(array int32, index int) int32 {
	if t.nodes[array].kind != isArray || index < 0 || index >= int(t.nodes[array].count) {
		return -1
	}
	i := array + 1
	for ; index > 0; index-- {
		i = t.nodes[i].next
	}
	return i
}
