package event

import (
	"weak"

	"github.com/mithaq/mithaq/internal/detect/index"
)

// Group is values that stand together in one event after the other, as those of a certificate do that a server shows to
// everybody. What looks values up notes in it that none of them was found, and need not look again while the set of
// indicators is the same. It is for one goroutine, and its values are not to be changed.
type Group struct {
	Values  []Value
	without weak.Pointer[index.Set]
}

// Without tells whether none of the values was in a set.
func (g *Group) Without(s *index.Set) bool { return g.without.Value() == s }

// NoneIn notes that none of the values is in a set.
func (g *Group) NoneIn(s *index.Set) { g.without = weak.Make(s) }

// Spread completes the event's values, for what matches: those of all groups join its own, and addresses that came without a text
// get one.
func (e *Event) Spread() {
	for i := range e.Values {
		if v := &e.Values[i]; v.Text == nil && v.Addr.IsValid() {
			begin := len(e.Scratch)
			e.Scratch = v.Addr.AppendTo(e.Scratch)
			v.Text = e.Scratch[begin:len(e.Scratch):len(e.Scratch)]
		}
	}
	for _, g := range e.Groups {
		e.Values = append(e.Values, g.Values...)
	}
	e.Groups = e.Groups[:0]
}
