package agreement

import (
	"fmt"
	"slices"
	"strings"
)

// Library is a set of agreements that refer to each other. It is never changed after it was made.
type Library struct {
	byLabel map[string]*Agreement
	order   []string
	reverse map[string][]Correspondence // "agreement/label" → what refers to it
}

// Correspondence is a crosswalk read from one of its two ends.
type Correspondence struct {
	Here     string   `json:"here"`            // "agreement/label"
	There    string   `json:"there"`           // "agreement/label"
	Names    Text     `json:"names,omitempty"` // of There, where the library has it
	Relation Relation `json:"relation"`
	Note     Text     `json:"note,omitempty"`
	Stated   bool     `json:"stated"` // true where the file of Here states it, false where it is read backwards
}

// NewLibrary collects agreements; two with one label are an error.
func NewLibrary(agreements ...*Agreement) (*Library, error) {
	lib := &Library{byLabel: map[string]*Agreement{}, reverse: map[string][]Correspondence{}}
	for _, a := range agreements {
		if lib.byLabel[a.Label] != nil {
			return nil, fmt.Errorf("making a library: two agreements have the label %q", a.Label)
		}
		lib.byLabel[a.Label] = a
		lib.order = append(lib.order, a.Label)
		for _, c := range a.Crosswalks {
			lib.reverse[c.To] = append(lib.reverse[c.To], Correspondence{Here: c.To, There: a.Label + "/" + c.From,
				Relation: c.Relation.Inverse(), Note: c.Note})
		}
	}
	slices.Sort(lib.order)
	return lib, nil
}

// Agreement returns an agreement by its label.
func (lib *Library) Agreement(label string) (*Agreement, bool) {
	a, ok := lib.byLabel[label]
	return a, ok
}

// All lists the agreements in the order of their labels.
func (lib *Library) All() []*Agreement {
	out := make([]*Agreement, len(lib.order))
	for i, label := range lib.order {
		out[i] = lib.byLabel[label]
	}
	return out
}

// Place finds the commitment or item that "agreement/label" names.
func (lib *Library) Place(place string) (a *Agreement, names Text, ok bool) {
	agreement, label, _ := strings.Cut(place, "/")
	a, ok = lib.byLabel[agreement]
	if !ok {
		return nil, nil, false
	}
	if c, ok := a.Commitment(label); ok {
		return a, c.Names, true
	}
	if i, ok := a.Item(label); ok {
		return a, i.Names, true
	}
	return a, nil, false
}

// Correspondences lists what a commitment or item corresponds to, whichever side states it.
func (lib *Library) Correspondences(place string) []Correspondence {
	agreement, label, _ := strings.Cut(place, "/")
	var out []Correspondence
	if a, ok := lib.byLabel[agreement]; ok {
		for _, c := range a.Crosswalks {
			if c.From == label {
				out = append(out, Correspondence{Here: place, There: c.To, Relation: c.Relation, Note: c.Note, Stated: true})
			}
		}
	}
	out = append(out, lib.reverse[place]...)
	for i := range out {
		_, out[i].Names, _ = lib.Place(out[i].There)
	}
	return out
}

// Check reports every crosswalk, link and sector that leads nowhere, and crosswalks which two files state differently.
func (lib *Library) Check() error {
	var wrong []string
	for _, a := range lib.All() {
		for _, c := range a.Crosswalks {
			here := a.Label + "/" + c.From
			if _, _, ok := lib.Place(c.To); !ok {
				wrong = append(wrong, fmt.Sprintf("%s: crosswalk to %s, which is not there", here, c.To))
				continue
			}
			for _, back := range lib.Correspondences(c.To) {
				if back.Stated && back.There == here && back.Relation != c.Relation.Inverse() {
					wrong = append(wrong, fmt.Sprintf("%s is %s than %s, which says it is %s", here, c.Relation, c.To, back.Relation))
				}
			}
		}
		for _, l := range a.Links {
			if lib.byLabel[l.To] == nil {
				wrong = append(wrong, fmt.Sprintf("%s: link to %s, which is not there", a.Label, l.To))
			}
		}
		for _, s := range a.Sectors {
			if _, _, ok := lib.Place(s); !ok {
				wrong = append(wrong, fmt.Sprintf("%s: sector %s, which is not there", a.Label, s))
			}
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("checking the library: %s", strings.Join(wrong, "; "))
	}
	return nil
}
