package node

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// View is a part of an agreement's collection that is a collection of its own: what meets every condition that is given. It
// shows nothing that the caller could not read in the whole.
type View struct {
	Name        string   `toml:"name"`        // its alias in URLs: letters, digits, - and _
	Agreement   string   `toml:"agreement"`   // id, or "own"
	Description string   `toml:"description"` // for people
	Types       []string `toml:"types"`       // STIX types; none: all
	Authors     []string `toml:"authors"`     // party ids; none: all
	TLP         string   `toml:"tlp"`         // the strictest marking in it; empty: any
}

func (v View) check() error {
	if !validName(v.Name) {
		return fmt.Errorf("views: name %q: use up to 64 letters, digits, - and _", v.Name)
	}
	if v.Agreement != record.OwnAgreement && !record.IsAgreementID(v.Agreement) {
		return fmt.Errorf("views: %s: agreement %q is none: write \"own\" or an id that 'mithaq agreement list' prints", v.Name, v.Agreement)
	}
	if v.TLP != "" && !policy.TLP(prefixed("TLP:", v.TLP)).Valid() {
		return fmt.Errorf("views: %s: tlp %q is not a TLP 2.0 label", v.Name, v.TLP)
	}
	for _, author := range v.Authors {
		if !record.IsID(author, record.PrefixParty) {
			return fmt.Errorf("views: %s: author %q is not a party id", v.Name, author)
		}
	}
	return nil
}

func checkViews(views []View) error {
	seen := map[string]bool{}
	for _, v := range views {
		if err := v.check(); err != nil {
			return err
		}
		if seen[v.Name] {
			return errors.New("views: the name " + v.Name + " stands twice")
		}
		seen[v.Name] = true
	}
	return nil
}

// validName says whether s can name a view or a feed.
func validName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// hasClass says whether objects of a class can be in the view; a nil view has everything.
func (v *View) hasClass(c classItem) bool {
	if v == nil {
		return true
	}
	return (len(v.Authors) == 0 || slices.Contains(v.Authors, c.Author)) &&
		(v.TLP == "" || !policy.TLP(c.Marking.TLP).Stricter(policy.TLP(prefixed("TLP:", v.TLP))))
}

func (v *View) hasType(typ string) bool {
	return v == nil || len(v.Types) == 0 || slices.Contains(v.Types, typ)
}
