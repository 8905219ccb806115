package policy

import (
	"slices"
	"strings"
)

// Class is everything a rule can see of a question. Requests of one class get one answer, so a page of items costs as
// many evaluations as it has classes. These are exactly the attributes of the closed schema (see attributes).
type Class struct {
	Agreement, Author, Party     string
	Kind                         string
	TLP                          TLP
	PAP                          PAP // never empty
	Sectors, PartySectors        string
	Membership                   Membership
	Standing                     Standing
	Audience                     string // "open", "inside" or "outside"
	Connected, Named, Hosts, Own bool
	Sealed                       bool
	Exit                         Exit
	Use                          Use
}

const (
	audienceOpen    = "open"
	audienceInside  = "inside"
	audienceOutside = "outside"
)

// maxSectors bounds what a rule iterates over.
const maxSectors = 32

// classOf returns the class of a request as if its item bore this marking and this audience.
func classOf(q *Request, m Marking, a *Audience) Class {
	p, it := &q.Principal, &q.Item
	c := Class{
		Agreement: it.Agreement, Author: it.Author, Party: p.Party, Kind: it.Kind,
		TLP: m.TLP, PAP: m.PAP, Sectors: canonical(it.Sectors), PartySectors: canonical(p.Sectors),
		Membership: p.Membership, Standing: p.Standing, Connected: p.Connected,
		Own: p.Party != "" && p.Party == it.Author, Sealed: it.Sealed, Exit: q.Exit, Use: q.Use,
	}
	if c.PAP == "" {
		c.PAP = PAPClear
	}
	if c.Membership == "" {
		c.Membership = NoMember
	}
	if c.Standing == "" {
		c.Standing = NoStanding
	}
	if c.Use == "" {
		c.Use = UseRead
	}
	c.Named = c.Own && p.Person != "" && p.Person == it.Officer
	c.Hosts = c.Own && c.Sealed
	c.Audience = audienceOpen
	if a == nil {
		return c
	}
	for _, person := range a.Persons {
		if p.Person != "" && person.Key == p.Person && (person.Party == "" || person.Party == p.Party) {
			c.Named = true
		}
		if c.Sealed && p.Party != "" && person.Party == p.Party {
			c.Hosts = true
		}
	}
	c.Audience = audienceOutside
	if c.Own || c.Named || c.Hosts || listed(a.Parties, p.Party) || p.Membership == Client && listed(a.Parties, p.Via) {
		c.Audience = audienceInside
	}
	return c
}

func listed(parties []string, party string) bool {
	if party == "" {
		return false
	}
	_, found := slices.BinarySearch(parties, party)
	return found
}

// canonical writes a set of labels as one string, so that a class can be compared.
func canonical(labels []string) string {
	switch len(labels) {
	case 0:
		return ""
	case 1:
		return labels[0]
	}
	sorted := slices.Clone(labels)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), " ")
}

// label says whether s can be a sector's or a kind's label: [a-z0-9] and hyphens, at most 64.
func label(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
