package stix

import (
	"iter"
	"strconv"
)

// Value is one JSON value of an object, for reading properties that this package has no words for. The zero Value is
// absent.
type Value struct {
	t *tape
	i int32
}

// Open reads an object's bytes for access by property.
func (o Object) Open() (Value, error) { return OpenValue(o.Raw, Limits{}) }

// OpenValue reads one JSON value. The error is an *UnreadableError.
func OpenValue(b []byte, limits Limits) (Value, error) { return new(tape).open(b, limits) }

func (t *tape) open(b []byte, limits Limits) (Value, error) {
	end, err := t.parse(b, 0, limits.orDefaults())
	if err == nil && skipSpace(b, end) < len(b) {
		err = &UnreadableError{Reason: NotJSON, Offset: int64(end), Detail: "more bytes after the end"}
	}
	if err != nil {
		return Value{}, err.locate(b)
	}
	return Value{t, 0}, nil
}

// Exists says whether there is a value.
func (v Value) Exists() bool { return v.t != nil }

func (v Value) is(k nodeKind) bool { return v.t != nil && v.t.nodes[v.i].kind == k }

// IsObject says whether the value is an object.
func (v Value) IsObject() bool { return v.is(isObject) }

// IsList says whether the value is a list.
func (v Value) IsList() bool { return v.is(isArray) }

// IsString says whether the value is a string.
func (v Value) IsString() bool { return v.is(isString) }

// Len is the number of members or elements.
func (v Value) Len() int {
	if v.t == nil {
		return 0
	}
	return int(v.t.nodes[v.i].count)
}

// Text is a string's value; empty for what is no string.
func (v Value) Text() string {
	if !v.is(isString) {
		return ""
	}
	return string(v.t.text(v.i))
}

// Bool is a boolean's value.
func (v Value) Bool() (value, ok bool) { return v.is(isTrue), v.is(isTrue) || v.is(isFalse) }

// Int is an integer's value; ok is false for what is no integer or does not fit.
func (v Value) Int() (n int64, ok bool) {
	if !v.is(isNumber) {
		return 0, false
	}
	return wholeNumber(v.t.text(v.i))
}

// Float is a number's value.
func (v Value) Float() (f float64, ok bool) {
	if !v.is(isNumber) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.t.text(v.i)), 64)
	return f, err == nil
}

// Raw is the value's exact bytes.
func (v Value) Raw() []byte {
	if v.t == nil {
		return nil
	}
	n := v.t.nodes[v.i]
	if n.kind == isString {
		var s scanner
		return v.t.src[n.at:s.skip(v.t.src, int(n.at))]
	}
	return v.t.src[n.start:n.end]
}

// Get walks down members by name.
func (v Value) Get(names ...string) Value {
	for _, name := range names {
		if v.t == nil {
			return Value{}
		}
		i := v.t.member(v.i, name)
		if i < 0 {
			return Value{}
		}
		v.i = i
	}
	return v
}

// At is an element of a list.
func (v Value) At(index int) Value {
	if v.t == nil {
		return Value{}
	}
	i := v.t.element(v.i, index)
	if i < 0 {
		return Value{}
	}
	return Value{v.t, i}
}

// Members yields an object's members in their order.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if !v.IsObject() {
			return
		}
		for i := v.i + 1; i < v.t.nodes[v.i].next; i = v.t.nodes[i].next {
			if !yield(string(v.t.key(i)), Value{v.t, i}) {
				return
			}
		}
	}
}

// Elements yields a list's elements in their order.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if !v.IsList() {
			return
		}
		for i := v.i + 1; i < v.t.nodes[v.i].next; i = v.t.nodes[i].next {
			if !yield(Value{v.t, i}) {
				return
			}
		}
	}
}

// Texts are the strings of a list; other elements are left out.
func (v Value) Texts() []string {
	var out []string
	for e := range v.Elements() {
		if e.IsString() {
			out = append(out, e.Text())
		}
	}
	return out
}
