package capture

import "fmt"

// DamageKind says what was wrong with a place in a capture.
type DamageKind uint8

// The kinds of damage. Every one of them is survivable.
const (
	DamageTruncated   DamageKind = iota // the file ends inside a header, a block or a packet
	DamageHeader                        // a record or block header makes no sense; reading resynchronised
	DamageOversize                      // a packet larger than any real one was skipped
	DamageInterface                     // a packet names an interface that was not described
	DamageCompression                   // the compressed stream breaks; what came before was read
	DamageRead                          // the source failed
	damageKinds
)

// String names the kind the way statistics print it.
func (k DamageKind) String() string {
	switch k {
	case DamageTruncated:
		return "truncated"
	case DamageHeader:
		return "bad-header"
	case DamageOversize:
		return "oversize"
	case DamageInterface:
		return "unknown-interface"
	case DamageCompression:
		return "broken-compression"
	case DamageRead:
		return "read-error"
	default:
		return "unknown"
	}
}

// Damage is one place in a capture that could not be read.
type Damage struct {
	Kind   DamageKind
	Offset int64 // in bytes, in the uncompressed stream
	Packet int64 // the number of the last packet before it, 0 before the first
	Detail string
}

// String tells a person what is wrong, and where.
func (d Damage) String() string {
	return fmt.Sprintf("%s at byte %d, after packet %d: %s", d.Kind, d.Offset, d.Packet, d.Detail)
}

// Counts is how often each kind of damage was met.
type Counts [damageKinds]int64

// Total adds all kinds up.
func (c *Counts) Total() int64 {
	var n int64
	for _, v := range c {
		n += v
	}
	return n
}

// Map gives the kinds that occurred by name.
func (c *Counts) Map() map[string]int64 {
	m := map[string]int64{}
	for k, v := range c {
		if v > 0 {
			m[DamageKind(k).String()] = v
		}
	}
	return m
}
