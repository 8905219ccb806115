package stix

import (
	"bytes"
	"iter"
)

// References yields what an object says that it refers to, wherever in it that stands: the name of the member, which ends with _ref or
// _refs, and the identifier. Identifiers may come more than once.
func (v Value) References() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { v.references(yield) }
}

func (v Value) references(yield func(string, string) bool) bool {
	for name, child := range v.Children() {
		switch {
		case child.IsString():
			if bytes.HasSuffix(name, []byte("_ref")) && !yield(string(name), child.Text()) {
				return false
			}
			continue
		case child.IsList() && bytes.HasSuffix(name, []byte("_refs")):
			for element := range child.Elements() {
				if element.IsString() && !yield(string(name), element.Text()) {
					return false
				}
			}
		}
		if !child.references(yield) {
			return false
		}
	}
	return true
}
