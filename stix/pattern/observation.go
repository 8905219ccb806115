package pattern

import (
	"slices"
	"strings"
	"time"
)

// Observation is one observed-data object with the cyber observables that it
// refers to (STIX 2.1) or holds (STIX 2.0). It is not changed by matching.
type Observation struct {
	// ID names the observation in results: the id of the list's item (a bundle
	// or an observed-data object), or of the observed-data object when one bundle
	// holds several. Empty when the item has none, as STIX 2.0 allows.
	ID string
	// First and Last are first_observed and last_observed, to the microsecond.
	First, Last time.Time
	// Number is number_observed, 1 or more. An observation with Number n can
	// take n places of a pattern.
	Number int64
	// Objects are the cyber observables, each id once.
	Objects []*Object

	// data is the observed-data object itself: no pattern is about it, but a
	// reference may point to it.
	data *Object
	// scos tells that Objects follow STIX 2.1, where patterns are about cyber
	// observables only.
	scos bool
	// pointer is where the observation stood in the JSON text.
	pointer string
}

// Object is one cyber observable. Values of Properties are nil, bool, string,
// int64, *big.Int (integers beyond int64), float64, []any and map[string]any.
type Object struct {
	ID         string
	Type       string
	Properties map[string]any
}

// resolve finds the object that a reference names, within the observation.
func (o *Observation) resolve(id string) *Object {
	for _, object := range o.Objects {
		if object.ID == id {
			return object
		}
	}
	if o.data != nil && o.data.ID == id {
		return o.data
	}
	return nil
}

// isDomainType tells whether a STIX 2.1 type is no cyber observable: no pattern
// matches objects of such a type.
func isDomainType(name string) bool {
	switch name {
	case "attack-pattern", "bundle", "campaign", "course-of-action", "extension-definition", "grouping",
		"identity", "incident", "indicator", "infrastructure", "intrusion-set", "language-content",
		"location", "malware", "malware-analysis", "marking-definition", "note", "observed-data",
		"opinion", "relationship", "report", "threat-actor", "tool", "sighting", "vulnerability":
		return true
	}
	return false
}

// sortObjects puts objects in the order of their ids: JSON objects have none.
func sortObjects(objects []*Object) {
	slices.SortFunc(objects, func(a, b *Object) int { return strings.Compare(a.ID, b.ID) })
}
