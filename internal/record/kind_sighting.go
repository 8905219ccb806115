package record

import "math/bits"

// SightingVerdict says what the reporting party makes of what matched.
type SightingVerdict string

// The verdicts of a sighting.
const (
	SightingSeen          SightingVerdict = "seen"           // the indicator was seen
	SightingFalsePositive SightingVerdict = "false-positive" // it matched what is harmless
)

// Sighting says that an indicator of another record was seen, or that it matched what is harmless. How often is a power of
// two, and when are days. It names no victim, unless in a note that the agreement permits: see policy.KindVictim.
type Sighting struct {
	Target    string          `json:"target,omitzero"`    // leaf hash of the intel record
	Indicator string          `json:"indicator,omitzero"` // STIX id of an indicator in it
	Verdict   SightingVerdict `json:"verdict,omitzero"`
	Count     int64           `json:"count,omitzero"` // of a seen one: rounded down to a power of two
	First     Date            `json:"first,omitzero"`
	Last      Date            `json:"last,omitzero"`
	Note      Text            `json:"note,omitzero"`
}

// maxSightings is the largest count: beyond it nothing more is told.
const maxSightings = 1 << 30

// SightingCount rounds a number of matches down to what a sighting may say.
func SightingCount(n int64) int64 {
	if n < 1 {
		return 1
	}
	return min(maxSightings, int64(1)<<(bits.Len64(uint64(n))-1))
}

// Kind returns [KindSighting].
func (*Sighting) Kind() Kind { return KindSighting }

func (s *Sighting) check(c *checker, at string) {
	if c.required(s.Target != "", at+"/target") {
		c.hash(s.Target, at+"/target")
	}
	if c.required(s.Indicator != "", at+"/indicator") {
		if typ, ok := splitSTIXID(s.Indicator); !ok || typ != "indicator" {
			c.fail(CodeValue, at+"/indicator", "%.80q is not the STIX id of an indicator", s.Indicator)
		}
	}
	oneOf(c, s.Verdict, at+"/verdict", SightingSeen, SightingFalsePositive)
	switch {
	case s.Verdict != SightingSeen:
		if s.Count != 0 || s.First != "" || s.Last != "" {
			c.fail(CodeValue, at+"/count", "a false positive has neither count nor days: leave them out")
		}
	case s.Count < 1 || s.Count > maxSightings || s.Count&(s.Count-1) != 0:
		c.fail(CodeValue, at+"/count", "%d is not a power of two up to %d: round it down", s.Count, int64(maxSightings))
	}
	if s.First != "" || s.Last != "" {
		c.date(s.First, at+"/first")
		c.date(s.Last, at+"/last")
		if s.Last < s.First {
			c.fail(CodeValue, at+"/last", "the last day is before the first")
		}
	}
	c.optionalText(s.Note, at+"/note")
}
