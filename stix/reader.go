package stix

import (
	"iter"
)

// Reader reads one JSON value after the other and takes memory for the largest of them only. The zero Reader is ready; it
// serves one goroutine.
type Reader struct{ t tape }

// keptNodes is up to how many nodes a Reader keeps for the next value.
const keptNodes = 1 << 16

// Read reads one JSON value, as [OpenValue] does. The value and all that is in it are good until the next Read, and as long
// as b is not changed. The error is an *UnreadableError.
func (r *Reader) Read(b []byte, limits Limits) (Value, error) {
	if cap(r.t.nodes) > keptNodes {
		r.t = tape{}
	}
	return r.t.open(b, limits)
}

// Start is where the value starts in the bytes that were read.
func (v Value) Start() int {
	if v.t == nil {
		return 0
	}
	return int(v.t.nodes[v.i].at)
}

// Is says whether the value is this string.
func (v Value) Is(text string) bool { return v.is(isString) && string(v.t.text(v.i)) == text }

// TextBytes is Text without a copy: the bytes must not be changed, and are good as long as the value is.
func (v Value) TextBytes() []byte {
	if !v.is(isString) {
		return nil
	}
	return v.t.text(v.i)
}

// Children yields an object's members with their names, or a list's elements without. The names must not be changed, and
// are good as long as the value is.
func (v Value) Children() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if !v.IsObject() && !v.IsList() {
			return
		}
		object := v.IsObject()
		for i := v.i + 1; i < v.t.nodes[v.i].next; i = v.t.nodes[i].next {
			var name []byte
			if object {
				name = v.t.key(i)
			}
			if !yield(name, Value{v.t, i}) {
				return
			}
		}
	}
}
