package stix

import (
	"fmt"
	"sort"
	"strings"
)

// Markings are the marking definitions at hand, by identifier, for those that TLPOf does not know: statements, and
// levels under identifiers of somebody's own.
type Markings map[string]Marking

// Marking is what one marking definition says.
type Marking struct {
	ID   string
	Name string
	// TLP is the level when it is one of TLP's, in version 1 or 2.0; else TLPNone.
	TLP TLP
	// Statement is the text of a statement marking.
	Statement string
	// PAP is the level of the Permissible Actions Protocol, in mithaq's extension: "PAP:GREEN".
	PAP string
}

// ReadMarking reads a marking definition: TLP 1, TLP 2.0 in its published extension, a statement, or one of another form
// of which only ID and Name are known.
func ReadMarking(o Object) (Marking, error) {
	if o.Type != "marking-definition" {
		return Marking{}, fmt.Errorf("reading a marking: %s is no marking-definition", o.ID)
	}
	v, err := o.Open()
	if err != nil {
		return Marking{}, err
	}
	m := Marking{ID: o.ID, Name: v.Get("name").Text(), Statement: v.Get("definition", "statement").Text()}
	m.TLP, _ = TLPOf(o.ID)
	if m.TLP == TLPNone {
		m.TLP, _ = ParseTLP(v.Get("extensions", TLP2Extension, "tlp_2_0").Text())
	}
	if m.TLP == TLPNone && v.Get("definition_type").Text() == "tlp" {
		m.TLP, _ = ParseTLP(v.Get("definition", "tlp").Text())
	}
	if ext := v.Get("extensions", ExtensionID); ext.Exists() {
		m.PAP = ext.Get("pap").Text()
	}
	return m, nil
}

// MarkingsOf reads all marking definitions among objects. Those that cannot be read are left out.
func MarkingsOf(objects []Object) Markings {
	out := Markings{}
	for _, o := range objects {
		if m, err := ReadMarking(o); err == nil {
			out[m.ID] = m
		}
	}
	return out
}

func (m Markings) tlp(id string) TLP {
	if level, ok := TLPOf(id); ok {
		return level
	}
	return m[id].TLP
}

// Marked is how an object is marked: as a whole, and, in part, by its granular markings.
type Marked struct {
	// Refs are the marking definitions that apply to the whole object.
	Refs []string
	// TLP is the most restrictive level among Refs; TLPNone when there is none.
	TLP TLP
	// Parts are the granular markings, one for each selector, in the order of the object.
	Parts []MarkedPart
	// Unresolved are the selectors that point at nothing.
	Unresolved []string
}

// MarkedPart is a granular marking of one part of an object. It holds for the part and everything in it.
type MarkedPart struct {
	Selector string
	Ref      string // of a marking-definition; empty for a language
	Lang     string
	TLP      TLP
}

// Effective reads how an object is marked. An object that carries no markings has TLPNone: what then holds is for the
// reader's policy to say, not for this package.
func Effective(o Object, known Markings) (Marked, error) {
	v, err := o.Open()
	if err != nil {
		return Marked{}, err
	}
	var m Marked
	m.Refs = v.Get("object_marking_refs").Texts()
	for _, ref := range m.Refs {
		m.TLP = max(m.TLP, known.tlp(ref))
	}
	for granular := range v.Get("granular_markings").Elements() {
		ref, lang := granular.Get("marking_ref").Text(), granular.Get("lang").Text()
		for _, selector := range granular.Get("selectors").Texts() {
			if !isSelector([]byte(selector)) || v.t.resolve(0, []byte(selector)) < 0 {
				m.Unresolved = append(m.Unresolved, selector)
				continue
			}
			m.Parts = append(m.Parts, MarkedPart{Selector: selector, Ref: ref, Lang: lang, TLP: known.tlp(ref)})
		}
	}
	return m, nil
}

// Strictest is the level that holds for the object with all its parts: what it takes to hand out all of it.
func (m Marked) Strictest() TLP {
	level := m.TLP
	for _, p := range m.Parts {
		level = max(level, p.TLP)
	}
	return level
}

// At is the level that holds for the part at a selector: the granular markings of the most specific selector around it,
// else the object's. Several for the same selector count together, the most restrictive wins.
func (m Marked) At(selector string) TLP {
	best, level := -1, m.TLP
	for _, p := range m.Parts {
		if p.TLP == TLPNone || selector != p.Selector && !strings.HasPrefix(selector, p.Selector+".") {
			continue
		}
		switch n := len(p.Selector); {
		case n > best:
			best, level = n, p.TLP
		case n == best:
			level = max(level, p.TLP)
		}
	}
	return level
}

// Above are the selectors of the parts that are marked more restrictively than a level, sorted: what to take out before
// an object may be handed out at that level.
func (m Marked) Above(level TLP) []string {
	seen := map[string]bool{}
	var out []string
	for _, p := range m.Parts {
		if p.TLP > level && !seen[p.Selector] {
			seen[p.Selector] = true
			out = append(out, p.Selector)
		}
	}
	sort.Strings(out)
	return out
}
