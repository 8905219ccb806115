package record

import (
	"fmt"
	"slices"
	"sort"
)

// Limits of an audience.
const (
	MaxParties = 5000
	MaxPersons = 256
)

// An Audience names who is meant. A nil audience means whoever the marking and the agreement allow.
type Audience struct {
	Parties []string `json:"parties,omitzero"` // party ids, sorted, no repeats
	Persons []string `json:"persons,omitzero"` // officers' key ids, sorted, no repeats
}

// NewAudience returns the audience of the parties and persons, sorted and without repeats; nil when there are none.
func NewAudience(parties, persons []string) *Audience {
	if len(parties) == 0 && len(persons) == 0 {
		return nil
	}
	return &Audience{sorted(parties), sorted(persons)}
}

func sorted(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Clone(ids)
	sort.Strings(ids)
	return slices.Compact(ids)
}

// HasParty says whether the audience names the party.
func (a *Audience) HasParty(party string) bool {
	if a == nil {
		return false
	}
	_, ok := slices.BinarySearch(a.Parties, party)
	return ok
}

// HasPerson says whether the audience names the officer's key.
func (a *Audience) HasPerson(key string) bool {
	if a == nil {
		return false
	}
	_, ok := slices.BinarySearch(a.Persons, key)
	return ok
}

// Within says whether everyone whom a names is also named by o, or o names nobody in particular (nil).
func (a *Audience) Within(o *Audience) bool {
	if o == nil {
		return true
	}
	if a == nil {
		return false
	}
	return subset(a.Parties, o.Parties) && subset(a.Persons, o.Persons)
}

// Narrower says whether a names fewer than o and nobody new.
func (a *Audience) Narrower(o *Audience) bool { return a.Within(o) && !o.Within(a) }

// subset says whether every element of the sorted list small is in the sorted list large.
func subset(small, large []string) bool {
	for _, s := range small {
		i, ok := slices.BinarySearch(large, s)
		if !ok {
			return false
		}
		large = large[i+1:]
	}
	return true
}

func (c *checker) audience(a *Audience, at string) {
	if a == nil {
		return
	}
	if len(a.Parties) == 0 && len(a.Persons) == 0 {
		c.fail(CodeEmpty, at, "an audience of nobody: leave it out, or name parties or persons")
	}
	c.idSet(a.Parties, PrefixParty, MaxParties, at+"/parties")
	c.idSet(a.Persons, PrefixKey, MaxPersons, at+"/persons")
}

// idSet checks a sorted list of ids without repeats.
func (c *checker) idSet(ids []string, prefix string, most int, at string) {
	c.count(len(ids), most, at)
	for i, id := range ids {
		if c.err != nil {
			return
		}
		if !IsID(id, prefix) {
			c.id(id, prefix, fmt.Sprintf("%s/%d", at, i))
		}
		if i > 0 && ids[i-1] >= id {
			c.fail(CodeValue, fmt.Sprintf("%s/%d", at, i), "out of order or repeated: sort the list and drop repeats")
		}
	}
}
